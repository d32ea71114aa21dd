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
from bot.store.db import reading, transaction
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

    Days that were stored before an error stay; the same days again replace them, so nothing is counted twice. Days that
    are left out between the last time and this one stay unread: the source's mark does not pass them.
    """
    found, last = Tally(), last_read(engine, source)
    try:
        for told in source.fetch(access, since, until, now):
            day = on_terms(told, splitting.terms)
            found.add(day, store_day(engine, day, splitting, now))
            progress(day.day)
        for gone in _vanished(engine, source, found, now):
            store_day(engine, gone, splitting, now)
    except SourceError as error:
        with transaction(engine) as session:
            cursors.failed(session, SourceKind.SPEND, source.NAME, since, str(error), permanent=error.permanent)
        raise
    read_to = last.up_to(min(now, datetime.combine(until, time(), UTC)), since)
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


@dataclass(frozen=True, slots=True)
class LastRead:
    """Up to when a source was read, if ever, and the first day that counts of somebody who joined since then."""

    at: datetime | None
    joined_from: date | None

    def first(self, usual: date, source: SpendSource, now: datetime) -> date:
        """The day to begin with instead of the usual one, so that who joined counts; as far as the source can tell."""
        return max(min(usual, self.joined_from or usual), source.oldest(now))

    def up_to(self, read_to: datetime, since: date) -> datetime:
        """Up to when it is read, after a run from `since` on."""
        return read_to if self.at is None or since <= self.at.astimezone(UTC).date() else self.at


def last_read(engine: Engine, source: SpendSource) -> LastRead:
    with reading(engine) as session:
        cursor = cursors.one(session, SourceKind.SPEND, source.NAME)
        at = cursor.fetched_at if cursor else None
        known = {owner.person for owner in people.handles(session).values() if owner.person}
        since = [one.collect_from for one in people.joined(session, known).values() if at and one.joined_at >= at]
    return LastRead(at, min(since, default=None))


@dataclass(slots=True)
class Tally:
    """What a run brings in, day by day."""

    days: set[date] = field(default_factory=set)
    told: set[tuple[str, date]] = field(default_factory=set)
    rows: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    refused: set[str] = field(default_factory=set)
    billed_micro: int | None = None
    unpriced: set[str] = field(default_factory=set)

    def add(self, day: AccountDay, refused: Iterable[str]) -> None:
        self.days.add(day.day)
        self.told.add((day.account, day.day))
        self.rows += len(day.rows)
        self.rejected.update(day.rejected)
        self.refused.update(refused)
        if day.billed_micro is not None:
            self.billed_micro = (self.billed_micro or 0) + day.billed_micro
        self.unpriced |= unpriced(day)

    def collected(self) -> Collected:
        refused, models = tuple(sorted(self.refused)), tuple(sorted(self.unpriced))
        return Collected(len(self.days), self.rows, self.rejected, refused, self.billed_micro, models)


def _vanished(engine: Engine, source: SpendSource, found: Tally, now: datetime) -> list[AccountDay]:
    """Accounts behind a gateway that it told of before and does not any more on a day that was read anew: nothing."""
    with reading(engine) as session:
        known = spend.behind(session, source.NAME, found.days)
    return [
        AccountDay(account, day, 0, 0, (), now, upstream=upstream)
        for account, day, upstream in known
        if (account, day) not in found.told
    ]


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
