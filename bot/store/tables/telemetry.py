"""What coding agents told of joined people's work (class B of docs/privacy.md), and the tokens they tell it with.

Times are microseconds since 1970: there are very many rows, and they are compared far more often than shown.
"""

from datetime import date, datetime

from sqlalchemy import BigInteger
from sqlmodel import Field

from bot.store.columns import Instant
from bot.store.tables.naming import CLUSTERED, Row


class IngestToken(Row, table=True):
    """What an agent's machine proves itself with: the hash of it, never the token. One of a person names them; one of a
    fleet (`name`) names nobody. `last_used` is a day, not a moment."""

    __tablename__ = "ingest_tokens"
    id: str = Field(primary_key=True)
    hash: str
    person_key: str | None = Field(default=None, index=True)
    name: str | None = None
    created_at: datetime = Field(sa_type=Instant)
    expires_at: datetime | None = Field(default=None, sa_type=Instant)
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
    last_used: date | None = None


class AgentRequest(Row, table=True):
    """One telling of one call of a model (`bot.domain.agents.AgentRequest`), and in which way it came. Which tellings
    count is decided when they are read (`bot.domain.sessions`). `list_micro` is its list price, None where there is
    none; `received` is our own time."""

    __tablename__ = "agent_requests"
    __table_args__ = (CLUSTERED,)
    person_key: str = Field(primary_key=True)
    at: int = Field(primary_key=True, sa_type=BigInteger)
    key: str = Field(primary_key=True)
    via: str = Field(primary_key=True)
    session: str = Field(primary_key=True)
    agent: str
    model: str
    origin: str
    turn: str | None
    fresh: int = Field(sa_type=BigInteger)
    cache_write_5m: int = Field(sa_type=BigInteger)
    cache_write_1h: int | None = Field(sa_type=BigInteger)
    cache_read: int = Field(sa_type=BigInteger)
    output: int = Field(sa_type=BigInteger)
    reasoning: int | None = Field(sa_type=BigInteger)
    cost_micro: int | None = Field(sa_type=BigInteger)
    list_micro: int | None = Field(sa_type=BigInteger)
    received: int = Field(sa_type=BigInteger)


class AgentEvent(Row, table=True):
    """Something that happened in a session (`bot.domain.agents.AgentEvent`). `what` is a fingerprint."""

    __tablename__ = "agent_events"
    __table_args__ = (CLUSTERED,)
    person_key: str = Field(primary_key=True)
    at: int = Field(primary_key=True, sa_type=BigInteger)
    key: str = Field(primary_key=True)
    via: str = Field(primary_key=True)
    session: str = Field(primary_key=True)
    agent: str
    happening: str
    turn: str | None
    what: str | None


class AgentPlace(Row, table=True):
    """Where a session was from some moment on (`bot.domain.agents.Evidence`). `digest` tells two of a moment apart. A
    repository that no team observes is kept as one name for all of them, without its branch."""

    __tablename__ = "agent_places"
    __table_args__ = (CLUSTERED,)
    person_key: str = Field(primary_key=True)
    at: int = Field(primary_key=True, sa_type=BigInteger)
    session: str = Field(primary_key=True)
    digest: str = Field(primary_key=True)
    agent: str
    proof: str
    repository: str | None
    branch: str | None
    sha: str | None
    pull: int | None
    turn: str | None


class AgentCounter(Row, table=True):
    """A point of a counter that an agent keeps (`bot.domain.series.Reading`), one a UTC day where it goes on. `moment`
    is 0 for a counter that goes on, else its own time; nanoseconds since 1970, as agents tell them."""

    __tablename__ = "agent_counters"
    __table_args__ = (CLUSTERED,)
    person_key: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    series: str = Field(primary_key=True)
    temporality: str = Field(primary_key=True)
    start: int = Field(primary_key=True, sa_type=BigInteger)
    moment: int = Field(primary_key=True, sa_type=BigInteger)
    at: int = Field(sa_type=BigInteger)
    agent: str
    session: str | None
    model: str
    origin: str
    meter: str
    value: int = Field(sa_type=BigInteger)


class AgentDay(Row, table=True):
    """What a person's agent took on a UTC day, each request once: the rollup of the tables above. `pending` is true
    while something of that day arrived that it does not hold yet. `unpriced` requests have no price and are in no
    amount."""

    __tablename__ = "agent_days"
    __table_args__ = (CLUSTERED,)
    person_key: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    agent: str = Field(primary_key=True)
    list_micro: int = Field(default=0, sa_type=BigInteger)
    requests: int = Field(default=0, sa_type=BigInteger)
    unpriced: int = Field(default=0, sa_type=BigInteger)
    human_turns: int = Field(default=0, sa_type=BigInteger)
    auto_turns: int = Field(default=0, sa_type=BigInteger)
    pending: bool = Field(default=True, index=True)


class AgentModel(Row, table=True):
    """A model that a person's agents have named, so that nobody can fill the tables with invented ones."""

    __tablename__ = "agent_models"
    __table_args__ = (CLUSTERED,)
    person_key: str = Field(primary_key=True)
    model: str = Field(primary_key=True)
    seen: date


class AgentSession(Row, table=True):
    """Whose a session is, as its agent said over OTLP: the hook of a managed machine knows the session only."""

    __tablename__ = "agent_sessions"
    __table_args__ = (CLUSTERED,)
    session: str = Field(primary_key=True)
    agent: str = Field(primary_key=True)
    person_key: str = Field(primary_key=True, index=True)
    seen: date
