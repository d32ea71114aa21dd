"""What was spent, as collected (classes B and E of docs/privacy.md)."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from bot.store.columns import Instant
from bot.store.tables.naming import CLUSTERED, Row


class Spend(Row, table=True):
    """A person's spend on one model in one account on one UTC day, as the provider reports it now."""

    __tablename__ = "spend"
    __table_args__ = (Index("ix_spend_account_day", "account", "day"), CLUSTERED)
    person_key: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    account: str = Field(primary_key=True)
    model: str = Field(primary_key=True)
    list_micro: int | None = Field(sa_type=BigInteger)
    billed_micro: int | None = Field(sa_type=BigInteger)
    requests: int = Field(sa_type=BigInteger)
    fresh: int = Field(sa_type=BigInteger)
    cache_write_5m: int = Field(sa_type=BigInteger)
    cache_write_1h: int | None = Field(sa_type=BigInteger)
    cache_read: int = Field(sa_type=BigInteger)
    output: int = Field(sa_type=BigInteger)
    reasoning: int | None = Field(sa_type=BigInteger)


class PersonDay(Row, table=True):
    """The rollup of `spend` over models. `entered_micro` is what the ledger has taken in of `list_micro`; `pending`
    is true while the two differ, so that a closing finds what is new without looking at what is old.

    `reported_*` are a gateway's own figures where less of them counts, because the provider behind it bills the same
    traffic; None: what is counted is what was reported. `unpriced_tokens` have no price, so they are in no amount."""

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
    unpriced_tokens: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    reported_list_micro: int | None = Field(default=None, sa_type=BigInteger)
    reported_billed_micro: int | None = Field(default=None, sa_type=BigInteger)
    entered_micro: int = Field(default=0, sa_type=BigInteger)
    pending: bool = True


class AccountDay(Row, table=True):
    """What a provider account billed for a UTC day: the truth all else of that day explains. `outside` says whether
    none, a few or many people of that day have not joined.

    `billed_micro` and `list_micro` are what counts of it: over a provider and the gateways before it (`upstream`) they
    come to the provider's bill. `reported_*` are what the source itself says, None where it tells of no money.
    `covered_micro` is what a plan covered, at list price; `adjustment_micro` are refunds and credits; both are in no
    other amount. `credits_milli` are thousandths of the provider's own credits."""

    __tablename__ = "account_days"
    account: str = Field(primary_key=True)
    day: date = Field(primary_key=True, index=True)
    billed_micro: int = Field(sa_type=BigInteger)
    list_micro: int | None = Field(sa_type=BigInteger)
    reported_billed_micro: int | None = Field(default=None, sa_type=BigInteger)
    reported_list_micro: int | None = Field(default=None, sa_type=BigInteger)
    covered_micro: int | None = Field(default=None, sa_type=BigInteger)
    adjustment_micro: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    credits_milli: int | None = Field(default=None, sa_type=BigInteger)
    seats: int | None = None
    upstream: str | None = None
    outside: str
    refreshed_at: datetime | None = Field(sa_type=Instant)
    collected_at: datetime = Field(sa_type=Instant)


class Remainder(Row, table=True):
    """The part of an account-day's bill that is neither a joined person's nor service spend. One number, no detail."""

    __tablename__ = "remainders"
    account: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    billed_micro: int = Field(sa_type=BigInteger)


class ServiceSpend(Row, table=True):
    """What a listed service account spent on an account-day. `entered_micro` as in `person_days`."""

    __tablename__ = "service_spend"
    account: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    service_account: str = Field(primary_key=True)
    list_micro: int = Field(sa_type=BigInteger)
    billed_micro: int | None = Field(sa_type=BigInteger)
    requests: int = Field(sa_type=BigInteger)
    tokens: int = Field(sa_type=BigInteger)
    unpriced_tokens: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    reported_list_micro: int | None = Field(default=None, sa_type=BigInteger)
    reported_billed_micro: int | None = Field(default=None, sa_type=BigInteger)
    entered_micro: int = Field(default=0, sa_type=BigInteger)


class SessionSpend(Row, table=True):
    """A person's spend in one conversation of an agent, as a provider or gateway tells it: a finer view of `spend`, in
    no sum beside it. `pull` is a pull request ("acme/api#412") that its requests were tagged with, or empty."""

    __tablename__ = "session_spend"
    __table_args__ = (Index("ix_session_spend_account_day", "account", "day"), CLUSTERED)
    person_key: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    account: str = Field(primary_key=True)
    session: str = Field(primary_key=True)
    pull: str = Field(primary_key=True)
    list_micro: int | None = Field(sa_type=BigInteger)
    requests: int = Field(sa_type=BigInteger)
    tokens: int = Field(sa_type=BigInteger)


class Activity(Row, table=True):
    """What a person did on an account-day, apart from money; None where the source does not tell."""

    __tablename__ = "activity"
    __table_args__ = (Index("ix_activity_account_day", "account", "day"), CLUSTERED)
    person_key: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    account: str = Field(primary_key=True)
    threads: int | None = Field(sa_type=BigInteger)
    turns: int | None = Field(sa_type=BigInteger)
    credits_milli: int | None = Field(sa_type=BigInteger)


class SessionCommit(Row, table=True):
    """A commit that a person's conversation with an agent went into, as a provider tells it."""

    __tablename__ = "session_commits"
    __table_args__ = (Index("ix_session_commits_account_day", "account", "day"), CLUSTERED)
    person_key: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    account: str = Field(primary_key=True)
    sha: str = Field(primary_key=True)
    session: str = Field(primary_key=True)


class SourceCursor(Row, table=True):
    """How far a source was read, and how it went last. `source` is a provider account (kind "spend") or a repository
    (kind "outcome"), `first_day` the earliest day ever asked for; a day younger than `lag_days` after its end is not
    missed yet. `fetched_at` is up to when it was read, None before the first success. `rejected` (counts by reason) and
    `unpriced` (names of models) are JSON about the last run, or empty."""

    __tablename__ = "source_cursors"
    kind: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    first_day: date
    fetched_at: datetime | None = Field(default=None, sa_type=Instant)
    lag_days: int
    error: str | None = None
    disabled: bool = False
    rejected: str = Field(default="", sa_column_kwargs={"server_default": ""})
    unpriced: str = Field(default="", sa_column_kwargs={"server_default": ""})
