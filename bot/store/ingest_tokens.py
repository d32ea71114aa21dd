"""Tokens of agents' machines: found by their id, kept as hashes."""

from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlmodel import Session

from bot.domain.tokens import Token
from bot.store import tables
from bot.store.tables import IngestToken

TOKENS = tables.table(IngestToken).c


def by_id(session: Session, id: str) -> Token | None:
    row = session.get(IngestToken, id)
    return _token(row) if row else None


def of_person(session: Session, person: str) -> list[Token]:
    rows = session.execute(select(IngestToken).where(TOKENS.person_key == person).order_by(TOKENS.created_at)).scalars()
    return [_token(row) for row in rows]


def of_fleets(session: Session) -> list[Token]:
    """Those that name nobody, oldest first."""
    rows = session.execute(
        select(IngestToken).where(TOKENS.person_key.is_(None)).order_by(TOKENS.created_at, TOKENS.id)
    ).scalars()
    return [_token(row) for row in rows]


def add(session: Session, token: Token) -> None:
    session.add(
        IngestToken(
            id=token.id,
            hash=token.hash,
            person_key=token.person,
            name=token.name,
            created_at=token.created_at,
            expires_at=token.expires_at,
        )
    )


def revoke(session: Session, id: str, now: datetime) -> None:
    session.execute(update(IngestToken).where(TOKENS.id == id, TOKENS.revoked_at.is_(None)).values(revoked_at=now))


def used(session: Session, token: Token, now: datetime) -> None:
    """Note the day, once a day."""
    if token.last_used != now.date():
        session.execute(update(IngestToken).where(TOKENS.id == token.id).values(last_used=now.date()))


def drop(session: Session, before: datetime) -> None:
    """Forget tokens that ended before this time."""
    ended = or_(TOKENS.revoked_at < before, TOKENS.expires_at < before)
    session.execute(delete(IngestToken).where(ended))


def _token(row: IngestToken) -> Token:
    values = row.model_dump(exclude={"person_key"})
    return Token(**values, person=row.person_key)
