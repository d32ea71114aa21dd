"""Making, listing and revoking the tokens of agents' machines. A token is shown once, and kept as a hash."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session

from bot.domain import tokens
from bot.domain.tokens import Token
from bot.errors import UserError
from bot.store import ingest_tokens, people
from bot.store.db import reading, transaction
from bot.usecases.consent import NotJoined

LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class FleetToken:
    """A fleet's token as an admin sees it."""

    id: str
    name: str
    created_at: datetime
    expires_at: datetime | None
    last_used: date | None
    is_valid: bool


@dataclass(frozen=True, slots=True)
class Made:
    """A new token, and how many older ones ended with it."""

    token: str
    ended: int


def new_fleet(engine: Engine, name: str, now: datetime, lifetime: timedelta | None) -> Made:
    """A new token for managed machines; the oldest of the same name ends if two are valid already. Raises UserError for
    a name that cannot be listed."""
    if not name.isprintable() or not 0 < len(name) <= LONGEST_NAME:
        raise UserError(f"A fleet token needs a name of 1 to {LONGEST_NAME} printable characters, like laptops.")
    with transaction(engine) as session:
        same = [one for one in ingest_tokens.of_fleets(session) if one.name == name]
        return _replace(session, same, None, name, now, lifetime)


def fleet(engine: Engine, now: datetime) -> list[FleetToken]:
    """All tokens of fleets, oldest first. People's are not listed: that there is one tells that somebody has joined."""
    with reading(engine) as session:
        found = ingest_tokens.of_fleets(session)
    return [
        FleetToken(one.id, one.name or "", one.created_at, one.expires_at, one.last_used, one.is_valid(now))
        for one in found
    ]


def revoke_fleet(engine: Engine, id: str, now: datetime) -> None:
    """End a fleet's token at once. Raises UserError if there is none with this id."""
    with transaction(engine) as session:
        found = ingest_tokens.by_id(session, id)
        if found is None or found.person is not None:
            raise UserError(f"There is no fleet token {id!r}: `leverage tokens list` shows those there are.")
        ingest_tokens.revoke(session, id, now)


def for_person(engine: Engine, person: str, now: datetime) -> Made:
    """A new token for somebody who has joined; of their older ones the newest stays valid. Raises NotJoined."""
    with transaction(engine) as session:
        if person not in people.joined(session, [person]):
            raise NotJoined("Only who has joined can have a token.")
        return _replace(session, ingest_tokens.of_person(session, person), person, None, now, None)


def revoke_person(engine: Engine, person: str, now: datetime) -> int:
    """End all tokens of a person at once; returns how many were valid."""
    with transaction(engine) as session:
        valid = [one for one in ingest_tokens.of_person(session, person) if one.is_valid(now)]
        for one in valid:
            ingest_tokens.revoke(session, one.id, now)
    return len(valid)


def _replace(
    session: Session,
    known: Iterable[Token],
    person: str | None,
    name: str | None,
    now: datetime,
    lifetime: timedelta | None,
) -> Made:
    ended = tokens.superseded(known, now)
    for one in ended:
        ingest_tokens.revoke(session, one.id, now)
    text = tokens.make()
    while ingest_tokens.by_id(session, tokens.id_of(text)):
        text = tokens.make()
    expires_at = now + lifetime if lifetime else None
    ingest_tokens.add(session, Token(tokens.id_of(text), tokens.hash_of(text), person, name, now, expires_at))
    return Made(text, len(ended))
