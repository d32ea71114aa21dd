"""Collecting spend: fetch a source's days, split each in memory, store it whole.

Network and database never meet: a day is fetched completely before its transaction begins.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from sqlalchemy import Engine

from bot.domain.handles import HandleKind, keyed_hash
from bot.domain.model import AccountDay, Actor, ActorKind
from bot.domain.ports import Http, SourceError, SpendSource
from bot.domain.retention import RAW
from bot.domain.split import split
from bot.store import cursors, people, spend
from bot.store.cursors import SourceKind
from bot.store.db import transaction
from bot.store.people import Known


@dataclass(frozen=True, slots=True)
class Collected:
    """What one run brought in: days stored, rows seen, rows refused by reason, listed accounts that are people's."""

    days: int
    rows: int
    rejected: Mapping[str, int]
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach a source: the client, its secrets by name, and where it lives (None: the source's own address)."""

    http: Http
    secrets: Mapping[str, str]
    base_url: str | None


@dataclass(frozen=True, slots=True)
class Splitting:
    """What a day is split by: the handles' secret and the service accounts that some team lists."""

    secret: bytes
    service_accounts: frozenset[str]


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
    days, rows = 0, 0
    rejected: Counter[str] = Counter()
    refused: set[str] = set()
    try:
        for day in source.fetch(access.http, access.secrets, access.base_url, since, until, now):
            refused |= set(store_day(engine, day, splitting, now))
            days, rows = days + 1, rows + len(day.rows)
            rejected.update(day.rejected)
            progress(day.day)
    except SourceError as error:
        with transaction(engine) as session:
            cursors.failed(session, SourceKind.SPEND, source.NAME, since, str(error), permanent=error.permanent)
        raise
    read_to = min(now, datetime.combine(until, time(), UTC))
    with transaction(engine) as session:
        cursors.succeeded(session, SourceKind.SPEND, source.NAME, since, read_to, lag_days=source.LAG_DAYS)
    return Collected(days, rows, rejected, tuple(sorted(refused)))


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
        spend.replace(session, parted, day.refreshed_at, now)
    return parted.refused


def _recogniser(known: Mapping[str, Known], secret: bytes) -> Callable[[Actor, date], str | None]:
    """Recognise people who joined among a report's actors; days before they count are nobody's."""

    def person_of(actor: Actor, day: date) -> str | None:
        if actor.kind is not ActorKind.USER:
            return None
        for kind, name in ((HandleKind.PROVIDER, actor.id), (HandleKind.EMAIL, actor.email)):
            owner = known.get(keyed_hash(secret, kind, name)) if name else None
            if owner and owner.person:
                return owner.person if day >= owner.since else None
        return None

    return person_of
