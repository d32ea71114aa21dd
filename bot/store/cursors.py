"""How far each source was read, and what was wrong with it last."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlmodel import Session, col, select

from bot.store.tables import SourceCursor


class SourceKind(StrEnum):
    """A source of spend is a provider account; a source of outcomes is a repository."""

    SPEND = "spend"
    OUTCOME = "outcome"


@dataclass(frozen=True, slots=True)
class Cursor:
    """A source's reading mark. `fetched_at` is up to when it was read, if ever; `error` what went wrong since."""

    kind: SourceKind
    source: str
    first_day: date
    fetched_at: datetime | None
    lag_days: int
    error: str | None
    disabled: bool


def every(session: Session, kind: SourceKind) -> list[Cursor]:
    """All sources of a kind by name."""
    rows = session.exec(select(SourceCursor).where(SourceCursor.kind == kind).order_by(col(SourceCursor.source))).all()
    return [Cursor(**{**row.model_dump(), "kind": kind}) for row in rows]


def succeeded(
    session: Session, kind: SourceKind, source: str, first: date, until: datetime, *, lag_days: int = 0
) -> None:
    """The source was read from `first` up to `until`; that it was read further before still holds."""
    row = session.get(SourceCursor, (kind, source)) or _new(kind, source, first)
    row.first_day, row.fetched_at = min(row.first_day, first), max(row.fetched_at or until, until)
    row.lag_days, row.error, row.disabled = lag_days, None, False
    session.add(row)


def failed(session: Session, kind: SourceKind, source: str, first: date, error: str, *, permanent: bool) -> None:
    """The source could not be read; `permanent` switches it off until it succeeds again."""
    row = session.get(SourceCursor, (kind, source)) or _new(kind, source, first)
    row.error, row.disabled = error, permanent
    session.add(row)


def _new(kind: SourceKind, source: str, first: date) -> SourceCursor:
    return SourceCursor(kind=kind, source=source, first_day=first, lag_days=0, disabled=False)
