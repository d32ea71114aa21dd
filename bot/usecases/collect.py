"""Collecting spend: fetch a source's days, split each in memory, store it whole.

Network and database never meet: a day is fetched completely before its transaction begins.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from sqlalchemy import Engine

from bot.domain.handles import HandleKind, keyed_hash
from bot.domain.model import AccountDay, Actor, ActorKind
from bot.domain.ports import Access, SourceError, SpendSource
from bot.domain.prices import NO_TERMS, Terms, on_terms, unpriced
from bot.domain.retention import RAW
from bot.domain.split import split
from bot.store import cursors, people, spend
from bot.store.cursors import SourceKind
from bot.store.db import transaction
from bot.store.people import Known


@dataclass(frozen=True, slots=True)
class Collected:
    """What one run brought in: days stored, rows seen, rows refused by reason, listed accounts that are people's, what
    was billed (None: the source tells of no money), and models without a price."""

    days: int
    rows: int
    rejected: Mapping[str, int]
    refused: tuple[str, ...]
    billed_micro: int | None = None
    unpriced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Splitting:
    """What a day is split by: the handles' secret, the service accounts that some team lists, and the company's own
    prices and plans."""

    secret: bytes
    service_accounts: frozenset[str]
    terms: Terms = NO_TERMS


def collect(
    engine: Engine,
    source: SpendSource,
    access: Access,
    splitting: Splitting,
    since: date,
    until: date,
    now: datetime,
    progress: Callable[[date], None],
) -> Collected:
    """Read a source's UTC days `[since, until)` and store them. Raises SourceError, after noting it for `doctor`.

    Days that were stored before an error stay; the same days again replace them, so nothing is counted twice.
    """
    found = Tally()
    try:
        for told in source.fetch(access, since, until, now):
            day = on_terms(told, splitting.terms)
            found.add(day, store_day(engine, day, splitting, now))
            progress(day.day)
    except SourceError as error:
        with transaction(engine) as session:
            cursors.failed(session, SourceKind.SPEND, source.NAME, since, str(error), permanent=error.permanent)
        raise
    read_to = min(now, datetime.combine(until, time(), UTC))
    with transaction(engine) as session:
        cursors.succeeded(
            session,
            SourceKind.SPEND,
            source.NAME,
            since,
            read_to,
            lag_days=source.LAG_DAYS,
            rejected=found.rejected,
            unpriced=found.unpriced,
        )
    return found.collected()


@dataclass(slots=True)
class Tally:
    """What a run brings in, day by day."""

    days: set[date] = field(default_factory=set)
    rows: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    refused: set[str] = field(default_factory=set)
    billed_micro: int | None = None
    unpriced: set[str] = field(default_factory=set)

    def add(self, day: AccountDay, refused: Iterable[str]) -> None:
        self.days.add(day.day)
        self.rows += len(day.rows)
        self.rejected.update(day.rejected)
        self.refused.update(refused)
        if day.billed_micro is not None:
            self.billed_micro = (self.billed_micro or 0) + day.billed_micro
        self.unpriced |= unpriced(day)

    def collected(self) -> Collected:
        refused, models = tuple(sorted(self.refused)), tuple(sorted(self.unpriced))
        return Collected(len(self.days), self.rows, self.rejected, refused, self.billed_micro, models)


def store_day(engine: Engine, day: AccountDay, splitting: Splitting, now: datetime) -> tuple[str, ...]:
    """Split one account-day by the consent of this moment and store it. Returns refused service accounts.

    Of a day that is too old to be kept of a person, nothing is theirs any more: if it was stored before, it stays as it
    is, because what blocks recognised of it cannot be told from what is new.
    """
    with transaction(engine) as session:
        too_old = day.day < now.date() - RAW
        if too_old and spend.collected_days(session, day.account, day.day, day.day):
            return ()
        known = people.handles(session)
        parted = split(day, _recogniser({} if too_old else known, splitting.secret), splitting.service_accounts)
        spend.replace(session, parted, day, now)
    return parted.refused


def _recogniser(known: Mapping[str, Known], secret: bytes) -> Callable[[Actor, date], str | None]:
    """Recognise people who joined among a report's actors; days before they count are nobody's."""

    def person_of(actor: Actor, day: date) -> str | None:
        if actor.kind is not ActorKind.USER:
            return None
        names = ((HandleKind.PROVIDER, actor.id), (HandleKind.GITHUB, actor.github), (HandleKind.EMAIL, actor.email))
        for kind, name in names:
            owner = known.get(keyed_hash(secret, kind, name)) if name else None
            if owner and owner.person:
                return owner.person if day >= owner.since else None
        return None

    return person_of
