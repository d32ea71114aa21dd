"""Taking in a bill from a file: its account-days are split and stored like any source's."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import Engine

from bot.domain.model import AccountDay
from bot.domain.money import cents
from bot.domain.ports import SourceError
from bot.domain.prices import on_terms
from bot.store import cursors
from bot.store.cursors import SourceKind
from bot.store.db import transaction
from bot.usecases.collect import Splitting, Tally, store_day

REASONS = MappingProxyType(
    {
        "bad_cost": "an amount that cannot be true",
        "outside_window": "of a day to come",
        "unreadable": "a category of charge that FOCUS does not have",
    }
)
"""Why rows of a bill are refused, in words."""


def import_bill(
    engine: Engine, file: str, days: Iterable[AccountDay], read: Collection[str], splitting: Splitting, now: datetime
) -> Iterator[str]:
    """Store the days of a bill from this file; gives a line for each account in it.

    `read` are accounts that are read from their own API: their dollars would be counted twice, so they are left out.
    Raises SourceError for a bill with nothing else in it.
    """
    tallies: dict[str, Tally] = {}
    left_out: Counter[str] = Counter()
    for told in days:
        if told.account in read:
            left_out[told.account] += 1
            continue
        day = on_terms(told, splitting.terms)
        tallies.setdefault(day.account, Tally()).add(day, store_day(engine, day, splitting, now))
    for account, count in sorted(left_out.items()):
        yield f"{account}: {counted(count, 'day')} left out, as `leverage collect {account}` reads them from its API"
    if not tallies and not left_out:
        raise SourceError(f"{file}: it holds no charge for AI: check that it is of the right account and time")
    for account, tally in sorted(tallies.items()):
        yield _note(engine, account, tally, now)


def _note(engine: Engine, account: str, tally: Tally, now: datetime) -> str:
    with transaction(engine) as session:
        cursors.succeeded(session, SourceKind.IMPORT, account, min(tally.days), now, rejected=tally.rejected)
    refused = "".join(_refused(count, reason) for reason, count in sorted(tally.rejected.items()))
    return f"{account}: {counted(len(tally.days), 'day')}, {cents(tally.billed_micro or 0)} billed{refused}"


def _refused(count: int, reason: str) -> str:
    return f", {counted(count, 'row')} refused ({REASONS.get(reason, reason)})"


def counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"
