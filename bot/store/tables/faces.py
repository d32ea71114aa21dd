"""What the faces need: what came in and is not worked off, and our comments on pull requests."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Column, Index, Text
from sqlmodel import Field

from bot.store.columns import Instant
from bot.store.tables.naming import Row


class InboxRow(Row, table=True):
    """Something that arrived and was acknowledged: it is stored first. `id` is the sender's own (a delivery id, an
    event id), so that a repeat is known; the body is erased when the row is done. States: pending, done, failed."""

    __tablename__ = "inbox"
    __table_args__ = (Index("ix_inbox_state_not_before", "state", "not_before"),)
    id: str = Field(primary_key=True)
    kind: str
    body: str | None = Field(default=None, sa_column=Column(Text))
    state: str
    received_at: datetime = Field(sa_type=Instant)
    not_before: datetime = Field(sa_type=Instant)
    attempts: int = 0
    error: str | None = None


class CommentRow(Row, table=True):
    """Our one comment on a pull request. `due_at` is when it is to be written next, None when there is nothing to do.
    States: none, posted, gone (a person deleted it: it is not made again), locked."""

    __tablename__ = "comments"
    __table_args__ = (Index("ix_comments_due_at", "due_at"),)
    pull_id: str = Field(primary_key=True)
    repository: str
    number: int
    state: str
    comment_id: int | None = Field(default=None, sa_type=BigInteger)
    body_hash: str | None = None
    due_at: datetime | None = Field(default=None, sa_type=Instant)
    owner: str | None = None
    lease_until: datetime | None = Field(default=None, sa_type=Instant)
    attempts: int = 0
    last_error: str | None = None


class CardRow(Row, table=True):
    """A unit's reference card of one epoch for one size class: frozen when the epoch begins, silent ones too.
    `content` is None where no level passed."""

    __tablename__ = "cards"
    unit: str = Field(primary_key=True)
    epoch: date = Field(primary_key=True)
    repository: str = Field(primary_key=True)
    size: str = Field(primary_key=True)
    level: str | None
    content: str | None = Field(default=None, sa_column=Column(Text))
