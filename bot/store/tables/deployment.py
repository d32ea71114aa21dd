"""The deployment itself: facts about it, and the outward writes it owes."""

from datetime import datetime

from sqlalchemy import Column, Index, String, Text
from sqlmodel import Field

from bot.store.columns import Instant
from bot.store.tables.naming import Row


class Meta(Row, table=True):
    """Facts about the deployment itself, such as the check value of its secret."""

    __tablename__ = "meta"
    name: str = Field(primary_key=True)
    value: str


class OutboxRow(Row, table=True):
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
