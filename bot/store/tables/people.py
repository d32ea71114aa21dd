"""People who joined (classes A and F of docs/privacy.md), and the units they count in."""

from datetime import date, datetime

from sqlmodel import Field

from bot.store.columns import Instant
from bot.store.tables.naming import Row


class Person(Row, table=True):
    """Somebody who joined. `collect_from` is the first UTC day whose spend is theirs to keep, `team_from` the Monday
    from which they count in their team, None while they do not. `returned` is true for who has left before."""

    __tablename__ = "people"
    person_key: str = Field(primary_key=True)
    joined_at: datetime = Field(sa_type=Instant)
    collect_from: date
    team_from: date | None = None
    returned: bool = False


class Handle(Row, table=True):
    """A keyed hash of an account name. Without a person it is a tombstone: days before `since` stay nobody's."""

    __tablename__ = "handles"
    hash: str = Field(primary_key=True)
    kind: str
    person_key: str | None = Field(default=None, index=True)
    since: date
    proved: bool = False


class Consent(Row, table=True):
    """The log of switches: who turned what on or off, when, under which text. Append-only."""

    __tablename__ = "consents"
    id: int | None = Field(default=None, primary_key=True)
    person_key: str = Field(index=True)
    scope: str
    granted: bool
    text_version: int
    at: datetime = Field(sa_type=Instant)


class Unit(Row, table=True):
    """A team as the books know it. `first_week` is the Monday of its first digest week; `opened` the Monday of the
    first week of its first published block, None before it."""

    __tablename__ = "units"
    name: str = Field(primary_key=True)
    created_at: datetime = Field(sa_type=Instant)
    first_week: date
    opened: date | None = None


class Roster(Row, table=True):
    """Who was on a unit's roster when an epoch began. Public GitHub facts, for everybody on it."""

    __tablename__ = "rosters"
    unit: str = Field(primary_key=True)
    epoch: date = Field(primary_key=True)
    github_id: str = Field(primary_key=True)
    login: str
