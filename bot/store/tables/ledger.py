"""The ledger of what was recognised (classes B and B' of docs/privacy.md) and the frozen blocks (class D)."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Column, Index, Text
from sqlmodel import Field

from bot.store.columns import Instant
from bot.store.tables.naming import CLUSTERED, Row

ALLOCATED = "allocated"
"""The grade of all that was booked before there was telemetry."""


class Attribution(Row, table=True):
    """The settled split of a person-day: where it went, in order, and in which proportion (`weight`)."""

    __tablename__ = "attributions"
    __table_args__ = (CLUSTERED,)
    person_key: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    position: int = Field(primary_key=True)
    pull_id: str
    grade: str = Field(default=ALLOCATED, sa_column_kwargs={"server_default": ALLOCATED})
    weight: int = Field(default=1, sa_type=BigInteger, sa_column_kwargs={"server_default": "1"})


class OpenWork(Row, table=True):
    """What was entered into the ledger and not recognised yet. `pull_id` is a pull request's node id or what stands for
    one (`bot.domain.targets`), `grade` how surely it belongs there."""

    __tablename__ = "open_work"
    __table_args__ = (CLUSTERED,)
    person_key: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    account: str = Field(primary_key=True)
    pull_id: str = Field(primary_key=True)
    grade: str = Field(default=ALLOCATED, primary_key=True, sa_column_kwargs={"server_default": ALLOCATED})
    micro: int = Field(sa_type=BigInteger)


class Booking(Row, table=True):
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
    grade: str = Field(default=ALLOCATED, primary_key=True, sa_column_kwargs={"server_default": ALLOCATED})
    micro: int = Field(sa_type=BigInteger)


class Withdrawal(Row, table=True):
    """Open work that was lost because its person withdrew, by account-day, so that the books still balance."""

    __tablename__ = "withdrawals"
    account: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    micro: int = Field(sa_type=BigInteger)


class BlockRow(Row, table=True):
    """A frozen block: written once, never changed. `content` is the gate's output. State: published, held, waiting,
    or unseen (held, and nobody had seen what merged)."""

    __tablename__ = "blocks"
    unit: str = Field(primary_key=True)
    last_week: date = Field(primary_key=True)
    first_week: date = Field(primary_key=True)
    state: str
    frozen_at: datetime = Field(sa_type=Instant)
    metric_version: int
    content: str = Field(sa_column=Column(Text, nullable=False))
