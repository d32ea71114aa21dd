"""Reading the sources that are due: each on its own, so that one that is down never stops another."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy import Engine

from bot.domain import notes
from bot.domain.delivery import Kind
from bot.domain.ports import Access, OutcomeSource, SourceError, SpendSource
from bot.domain.reading import OUTCOMES_EVERY, is_due, outcomes_since, rest_after, spend_days, with_jitter
from bot.domain.team import Company, Team
from bot.domain.weeks import Week, epoch_start
from bot.render import mrkdwn
from bot.store import cursors, outbox, units
from bot.store.cursors import Cursor, SourceKind
from bot.store.db import reading, transaction
from bot.usecases.collect import Splitting, collect, last_read
from bot.usecases.observe import backfill, take_rosters

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Failures:
    """When sources failed last, in this process, and how often in a row: they are left alone for longer each time."""

    at: dict[str, datetime]
    counts: Counter[str] = field(default_factory=Counter)

    def rests(self, source: str, now: datetime) -> bool:
        return source in self.at and now - self.at[source] < rest_after(self.counts[source])

    def failed(self, source: str, now: datetime) -> None:
        self.at[source] = now
        self.counts[source] += 1

    def succeeded(self, source: str) -> None:
        self.at.pop(source, None)
        self.counts.pop(source, None)


def refresh_spend(
    engine: Engine,
    sources: Iterable[tuple[SpendSource, Access]],
    splitting: Splitting,
    company: Company,
    failures: Failures,
    now: datetime,
) -> None:
    """Collect from every source that is due and not switched off."""
    known = _cursors(engine, SourceKind.SPEND)
    for source, access in sources:
        cursor = known.get(source.NAME)
        fetched_at = cursor.fetched_at if cursor else None
        off = cursor is not None and cursor.disabled
        every = with_jitter(source.EVERY, source.NAME, fetched_at)
        if off or not is_due(fetched_at, every, _weeks_end(company.teams, now), now):
            continue
        first, until = spend_days(fetched_at, source.REFETCH_DAYS, now)
        first = last_read(engine, source).first(first, source, now)
        _try(
            source.NAME,
            failures,
            now,
            partial(collect, engine, source, access, splitting, first, until, now, lambda _day: None),
        )
        _tell_owners(engine, company, source, now)


def refresh_outcomes(
    engine: Engine, outcomes: OutcomeSource, company: Company, failures: Failures, now: datetime
) -> None:
    """Read every repository that is due, and the rosters with them or when an epoch is new."""
    known = {name: cursor.fetched_at for name, cursor in _cursors(engine, SourceKind.OUTCOME).items()}
    ended = _weeks_end(company.teams, now)
    due = [name for name in company.repositories if is_due(known.get(name), OUTCOMES_EVERY, ended, now)]
    if due or not all(_has_roster(engine, team, now) for team in company.teams):
        _try("rosters", failures, now, partial(take_rosters, engine, outcomes, company.teams, now))
    for name in due:
        since = outcomes_since(known.get(name), now)
        _try(name, failures, now, partial(backfill, engine, outcomes, name, since, now, lambda _done, _all: None))


def _tell_owners(engine: Engine, company: Company, source: SpendSource, now: datetime) -> None:
    """Queue a private note for each team's owner about a source that was switched off, once a day."""
    cursor = _cursors(engine, SourceKind.SPEND).get(source.NAME)
    if cursor is None or not cursor.disabled:
        return
    text = mrkdwn(notes.say_of_source(source.NAME, source.TITLE, cursor.error or ""))
    owners = {team.owner for team in company.teams if team.owner}
    with transaction(engine) as session:
        for owner in sorted(owners):
            key = notes.source_key(source.NAME, owner, now.date())
            outbox.put_once(session, key, Kind.NOTE, owner, {"text": text}, now)


def _try(source: str, failures: Failures, now: datetime, read: Callable[[], object]) -> None:
    if failures.rests(source, now):
        return
    try:
        read()
        failures.succeeded(source)
    except SourceError as error:
        failures.failed(source, now)
        log.warning("a source could not be read", error=error, permanent=error.permanent)


def _cursors(engine: Engine, kind: SourceKind) -> dict[str, Cursor]:
    with reading(engine) as session:
        return {cursor.source: cursor for cursor in cursors.every(session, kind)}


def _has_roster(engine: Engine, team: Team, now: datetime) -> bool:
    with reading(engine) as session:
        return units.has_roster(session, team.name, epoch_start(Week.of(now, team.zone)))


def _weeks_end(teams: Sequence[Team], now: datetime) -> datetime:
    """When the newest of the teams' weeks that are over ended."""
    return max(Week.of(now, team.zone).window(team.zone).start for team in teams)
