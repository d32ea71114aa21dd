"""How far each source was read, and what was wrong with it last."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from sqlmodel import Session, col, select

from bot.store.tables import SourceCursor


class SourceKind(StrEnum):
    """A source of spend is a provider account, a source of outcomes a repository; an import is a bill from a file, for
    which no digest waits; telemetry is what an agent sends."""

    SPEND = "spend"
    OUTCOME = "outcome"
    IMPORT = "import"
    TELEMETRY = "telemetry"


@dataclass(frozen=True, slots=True)
class Cursor:
    """A source's reading mark. `fetched_at` is up to when it was read, if ever; `error` what went wrong since.

    Of the last run, `rejected` counts the rows that were refused by reason, `unpriced` names models without a price.
    """

    kind: SourceKind
    source: str
    first_day: date
    fetched_at: datetime | None
    lag_days: int
    error: str | None
    disabled: bool
    rejected: Mapping[str, int] = field(default_factory=dict)
    unpriced: tuple[str, ...] = ()


def every(session: Session, kind: SourceKind) -> list[Cursor]:
    """All sources of a kind by name."""
    rows = session.exec(select(SourceCursor).where(SourceCursor.kind == kind).order_by(col(SourceCursor.source))).all()
    return [_cursor(row, kind) for row in rows]


def one(session: Session, kind: SourceKind, source: str) -> Cursor | None:
    row = session.get(SourceCursor, (kind, source))
    return _cursor(row, kind) if row else None


def _cursor(row: SourceCursor, kind: SourceKind) -> Cursor:
    said = {"rejected": json.loads(row.rejected or "{}"), "unpriced": tuple(json.loads(row.unpriced or "[]"))}
    return Cursor(**{**row.model_dump(), "kind": kind, **said})


def succeeded(
    session: Session,
    kind: SourceKind,
    source: str,
    first: date,
    until: datetime,
    *,
    lag_days: int = 0,
    rejected: Mapping[str, int] | None = None,
    unpriced: Collection[str] = (),
) -> None:
    """The source was read from `first` up to `until`; that it was read further before still holds."""
    row = session.get(SourceCursor, (kind, source)) or _new(kind, source, first)
    row.first_day, row.fetched_at = min(row.first_day, first), max(row.fetched_at or until, until)
    row.lag_days, row.error, row.disabled = lag_days, None, False
    row.rejected = json.dumps(dict(rejected), sort_keys=True) if rejected else ""
    row.unpriced = json.dumps(sorted(unpriced)) if unpriced else ""
    session.add(row)


def failed(session: Session, kind: SourceKind, source: str, first: date, error: str, *, permanent: bool) -> None:
    """The source could not be read; `permanent` switches it off until it succeeds again."""
    row = session.get(SourceCursor, (kind, source)) or _new(kind, source, first)
    row.error, row.disabled = error, permanent
    session.add(row)


def _new(kind: SourceKind, source: str, first: date) -> SourceCursor:
    return SourceCursor(kind=kind, source=source, first_day=first, lag_days=0, disabled=False)
