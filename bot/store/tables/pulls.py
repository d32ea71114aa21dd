"""Pull requests (class G of docs/privacy.md): public facts, by node id."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Dialect, Index, String
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field

from bot.store.columns import Instant
from bot.store.tables.naming import CLUSTERED, Row

Times = tuple[tuple[datetime, datetime | None], ...]


class Periods(TypeDecorator[Times]):
    """Times from one moment to another, as ISO 8601 writes them: `start/end start/`, the last one still going on."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Times | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        return " ".join(f"{start.isoformat()}/{end.isoformat() if end else ''}" for start, end in value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Times | None:
        if value is None:
            return None
        halves = (period.partition("/") for period in value.split())
        return tuple(
            (datetime.fromisoformat(start), datetime.fromisoformat(end) if end else None) for start, _, end in halves
        )


class Pull(Row, table=True):
    """The public facts of a pull request, by node id."""

    __tablename__ = "pulls"
    __table_args__ = (
        Index("ix_pulls_repository_id_number", "repository_id", "number"),
        Index("ix_pulls_author_id_merged_at", "author_id", "merged_at"),
        Index("ix_pulls_owner_id_merged_at", "owner_id", "merged_at"),
        Index("ix_pulls_state_updated_at", "state", "updated_at"),
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
    head_repository: str | None
    default_branch: str | None
    periods: Times = Field(sa_type=Periods, sa_column_kwargs={"server_default": ""})


class PullReview(Row, table=True):
    """A submitted review of a pull request."""

    __tablename__ = "pull_reviews"
    __table_args__ = (Index("ix_pull_reviews_author_id_at", "author_id", "at"),)
    pull_id: str = Field(primary_key=True)
    author_id: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant, primary_key=True)
    author_is_bot: bool
    state: str


class CommitDay(Row, table=True):
    """Somebody authored a commit of a pull request on this UTC day."""

    __tablename__ = "commit_days"
    __table_args__ = (Index("ix_commit_days_pull_id", "pull_id"), CLUSTERED)
    author_id: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    pull_id: str = Field(primary_key=True)


class PullCommit(Row, table=True):
    """A commit of a pull request's branch, today's or `replaced` by a force-push. `sessions` are fingerprints of the
    agents' sessions that its message names, with spaces between them."""

    __tablename__ = "pull_commits"
    __table_args__ = (CLUSTERED,)
    pull_id: str = Field(primary_key=True)
    sha: str = Field(primary_key=True)
    replaced: bool
    sessions: str
