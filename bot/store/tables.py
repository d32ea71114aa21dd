"""Every table. Classes of data (A to G) and how long they live: docs/privacy.md.

Tables that grow are stored in the order of their key (WITHOUT ROWID on SQLite). Those of people start it with
`person_key`, so that neighbours on disk are one person's and a company that outgrows one PostgreSQL can distribute
them by it. No row of spend names a team: that is resolved when it is read.
"""

from datetime import date, datetime

from sqlalchemy import BigInteger, Column, Index, MetaData, String, Table, Text
from sqlmodel import Field, SQLModel

from bot.store.columns import Instant

SQLModel.metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


METADATA = SQLModel.metadata
CLUSTERED = {"sqlite_with_rowid": False}


class Meta(SQLModel, table=True):
    """Facts about the deployment itself, such as the check value of its secret."""

    __tablename__ = "meta"
    name: str = Field(primary_key=True)
    value: str


# People (classes A and F)


class Person(SQLModel, table=True):
    """Somebody who joined. `collect_from` is the first UTC day whose spend is theirs to keep, `team_from` the Monday
    from which they count in their team, None while they do not. `returned` is true for who has left before."""

    __tablename__ = "people"
    person_key: str = Field(primary_key=True)
    joined_at: datetime = Field(sa_type=Instant)
    collect_from: date
    team_from: date | None = None
    returned: bool = False


class Handle(SQLModel, table=True):
    """A keyed hash of an account name. Without a person it is a tombstone: days before `since` stay nobody's."""

    __tablename__ = "handles"
    hash: str = Field(primary_key=True)
    kind: str
    person_key: str | None = Field(default=None, index=True)
    since: date
    proved: bool = False


class Consent(SQLModel, table=True):
    """The log of switches: who turned what on or off, when, under which text. Append-only."""

    __tablename__ = "consents"
    id: int | None = Field(default=None, primary_key=True)
    person_key: str = Field(index=True)
    scope: str
    granted: bool
    text_version: int
    at: datetime = Field(sa_type=Instant)


# Units


class Unit(SQLModel, table=True):
    """A team as the books know it. `first_week` is the Monday of its first digest week; `opened` the Monday of the
    first week of its first published block, None before it."""

    __tablename__ = "units"
    name: str = Field(primary_key=True)
    created_at: datetime = Field(sa_type=Instant)
    first_week: date
    opened: date | None = None


class Roster(SQLModel, table=True):
    """Who was on a unit's roster when an epoch began. Public GitHub facts, for everybody on it."""

    __tablename__ = "rosters"
    unit: str = Field(primary_key=True)
    epoch: date = Field(primary_key=True)
    github_id: str = Field(primary_key=True)
    login: str


# Spend (classes B and E)


class Spend(SQLModel, table=True):
    """A person's spend on one model in one account on one UTC day, as the provider reports it now."""

    __tablename__ = "spend"
    __table_args__ = (Index("ix_spend_account_day", "account", "day"), CLUSTERED)
    person_key: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    account: str = Field(primary_key=True)
    model: str = Field(primary_key=True)
    list_micro: int = Field(sa_type=BigInteger)
    billed_micro: int | None = Field(sa_type=BigInteger)
    requests: int = Field(sa_type=BigInteger)
    fresh: int = Field(sa_type=BigInteger)
    cache_write_5m: int = Field(sa_type=BigInteger)
    cache_write_1h: int | None = Field(sa_type=BigInteger)
    cache_read: int = Field(sa_type=BigInteger)
    output: int = Field(sa_type=BigInteger)
    reasoning: int | None = Field(sa_type=BigInteger)


class PersonDay(SQLModel, table=True):
    """The rollup of `spend` over models. `entered_micro` is what the ledger has taken in of `list_micro`; `pending`
    is true while the two differ, so that a closing finds what is new without looking at what is old."""

    __tablename__ = "person_days"
    __table_args__ = (
        Index("ix_person_days_pending_person_key_day", "pending", "person_key", "day"),
        Index("ix_person_days_account_day", "account", "day"),
        CLUSTERED,
    )
    person_key: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    account: str = Field(primary_key=True)
    list_micro: int = Field(sa_type=BigInteger)
    billed_micro: int | None = Field(sa_type=BigInteger)
    requests: int = Field(sa_type=BigInteger)
    tokens: int = Field(sa_type=BigInteger)
    entered_micro: int = Field(default=0, sa_type=BigInteger)
    pending: bool = True


class AccountDay(SQLModel, table=True):
    """What a provider account billed for a UTC day: the truth all else of that day explains. `outside` says whether
    none, a few or many people of that day have not joined."""

    __tablename__ = "account_days"
    account: str = Field(primary_key=True)
    day: date = Field(primary_key=True, index=True)
    billed_micro: int = Field(sa_type=BigInteger)
    list_micro: int | None = Field(sa_type=BigInteger)
    outside: str
    refreshed_at: datetime | None = Field(sa_type=Instant)
    collected_at: datetime = Field(sa_type=Instant)


class Remainder(SQLModel, table=True):
    """The part of an account-day's bill that is neither a joined person's nor service spend. One number, no detail."""

    __tablename__ = "remainders"
    account: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    billed_micro: int = Field(sa_type=BigInteger)


class ServiceSpend(SQLModel, table=True):
    """What a listed service account spent on an account-day. `entered_micro` as in `person_days`."""

    __tablename__ = "service_spend"
    account: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    service_account: str = Field(primary_key=True)
    list_micro: int = Field(sa_type=BigInteger)
    billed_micro: int | None = Field(sa_type=BigInteger)
    requests: int = Field(sa_type=BigInteger)
    tokens: int = Field(sa_type=BigInteger)
    entered_micro: int = Field(default=0, sa_type=BigInteger)


class SourceCursor(SQLModel, table=True):
    """How far a source was read, and how it went last. `source` is a provider account (kind "spend") or a repository
    (kind "outcome"), `first_day` the earliest day ever asked for; a day younger than `lag_days` after its end is not
    missed yet. `fetched_at` is up to when it was read, None before the first success."""

    __tablename__ = "source_cursors"
    kind: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    first_day: date
    fetched_at: datetime | None = Field(default=None, sa_type=Instant)
    lag_days: int
    error: str | None = None
    disabled: bool = False


# Pull requests (class G)


class Pull(SQLModel, table=True):
    """The public facts of a pull request, by node id."""

    __tablename__ = "pulls"
    __table_args__ = (
        Index("ix_pulls_repository_id_number", "repository_id", "number"),
        Index("ix_pulls_author_id_merged_at", "author_id", "merged_at"),
        Index("ix_pulls_owner_id_merged_at", "owner_id", "merged_at"),
    )
    id: str = Field(primary_key=True)
    repository: str
    repository_id: str
    number: int
    author_id: str | None
    author_login: str | None
    author_is_bot: bool
    owner_id: str | None
    owner_login: str | None
    state: str
    draft: bool
    created_at: datetime = Field(sa_type=Instant)
    ready_at: datetime | None = Field(sa_type=Instant)
    merged_at: datetime | None = Field(sa_type=Instant)
    closed_at: datetime | None = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)
    base_branch: str
    head_branch: str
    lines: int = Field(sa_type=BigInteger)
    files: int
    reverts: int | None


class PullReview(SQLModel, table=True):
    """A submitted review of a pull request."""

    __tablename__ = "pull_reviews"
    __table_args__ = (Index("ix_pull_reviews_author_id_at", "author_id", "at"),)
    pull_id: str = Field(primary_key=True)
    author_id: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant, primary_key=True)
    author_is_bot: bool
    state: str


class CommitDay(SQLModel, table=True):
    """Somebody authored a commit of a pull request on this UTC day."""

    __tablename__ = "commit_days"
    __table_args__ = (Index("ix_commit_days_pull_id", "pull_id"), CLUSTERED)
    author_id: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    pull_id: str = Field(primary_key=True)


# The ledger (classes B and B')


class Attribution(SQLModel, table=True):
    """The settled split of a person-day: its pull requests in order (an empty `pull_id` is "none")."""

    __tablename__ = "attributions"
    __table_args__ = (CLUSTERED,)
    person_key: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    position: int = Field(primary_key=True)
    pull_id: str


class OpenWork(SQLModel, table=True):
    """What was entered into the ledger and not recognised yet."""

    __tablename__ = "open_work"
    __table_args__ = (CLUSTERED,)
    person_key: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    account: str = Field(primary_key=True)
    pull_id: str = Field(primary_key=True)
    micro: int = Field(sa_type=BigInteger)


class Booking(SQLModel, table=True):
    """What a block recognised of a person's slice, and as what. `week` is the Monday of the block's last week."""

    __tablename__ = "bookings"
    __table_args__ = (Index("ix_bookings_unit_week", "unit", "week"), CLUSTERED)
    person_key: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    account: str = Field(primary_key=True)
    pull_id: str = Field(primary_key=True)
    unit: str = Field(primary_key=True)
    week: date = Field(primary_key=True)
    part: str = Field(primary_key=True)
    micro: int = Field(sa_type=BigInteger)


class Withdrawal(SQLModel, table=True):
    """Open work that was lost because its person withdrew, by account-day, so that the books still balance."""

    __tablename__ = "withdrawals"
    account: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    micro: int = Field(sa_type=BigInteger)


class BlockRow(SQLModel, table=True):
    """A frozen block: written once, never changed. `content` is the gate's output, `message` what people read."""

    __tablename__ = "blocks"
    unit: str = Field(primary_key=True)
    last_week: date = Field(primary_key=True)
    first_week: date = Field(primary_key=True)
    state: str
    frozen_at: datetime = Field(sa_type=Instant)
    metric_version: int
    content: str = Field(sa_column=Column(Text, nullable=False))


class OutboxRow(SQLModel, table=True):
    """An outward write that is due. States: due, claimed, posting, sent, unknown, failed, skipped."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_state_not_before", "state", "not_before"),)
    key: str = Field(primary_key=True)
    kind: str
    target: str
    payload: str = Field(sa_column=Column(Text, nullable=False))
    state: str = Field(default="due", sa_type=String)
    created_at: datetime = Field(sa_type=Instant)
    not_before: datetime = Field(sa_type=Instant)
    owner: str | None = None
    lease_until: datetime | None = Field(default=None, sa_type=Instant)
    attempts: int = 0
    remote_id: str | None = None
    last_error: str | None = None


def table(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table of a class, for queries by column."""
    return SQLModel.metadata.tables[str(model.__tablename__)]
