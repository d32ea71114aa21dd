"""Noticing another LEVERAGE_SECRET_KEY before it silently matches nobody."""

from sqlmodel import Session

from bot.domain.handles import check_value
from bot.store.errors import WrongSecret
from bot.store.tables import Meta

NAME = "secret_check"


def check(session: Session, secret: bytes) -> None:
    """Remember the secret's check value the first time. Raises WrongSecret for any other secret afterwards."""
    known = session.get(Meta, NAME)
    if known is None:
        session.add(Meta(name=NAME, value=check_value(secret)))
    elif known.value != check_value(secret):
        raise WrongSecret(
            "LEVERAGE_SECRET_KEY is not the key this database was made with, so nobody would be recognised: "
            "set the old key again, or start with a new database."
        )
