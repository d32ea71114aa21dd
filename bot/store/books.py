"""The ledger's pages: what is pending, open, settled and booked. Each query names the people it is about."""

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, select, update
from sqlmodel import Session

from bot.domain.binding.bound import Grade
from bot.domain.ledger import Closing, Occurred, PersonDay, Share, Slice, Splits
from bot.domain.measured import is_measured_only
from bot.domain.targets import Target
from bot.store import tables
from bot.store.bulk import replace, upsert
from bot.store.spend import billed_on

PERSON_DAYS = tables.table(tables.PersonDay).c
OPEN_WORK = tables.table(tables.OpenWork).c
ATTRIBUTIONS = tables.table(tables.Attribution).c
SERVICE_SPEND = tables.table(tables.ServiceSpend).c

# Made once: making a statement costs as much as running it.
PENDING = select(
    PERSON_DAYS.person_key,
    PERSON_DAYS.day,
    PERSON_DAYS.account,
    PERSON_DAYS.list_micro - PERSON_DAYS.entered_micro,
    PERSON_DAYS.entered_micro,
).where(
    PERSON_DAYS.pending.is_(True),
    PERSON_DAYS.person_key.in_(bindparam("people")),
    PERSON_DAYS.day <= bindparam("last"),
)
OPEN = select(*(OPEN_WORK[name] for name in ("person_key", "day", "account", "pull_id", "micro", "grade"))).where(
    OPEN_WORK.person_key.in_(bindparam("people"))
)
SETTLED = (
    select(*(ATTRIBUTIONS[name] for name in ("person_key", "day", "pull_id", "grade", "weight")))
    .where(ATTRIBUTIONS.person_key.in_(bindparam("people")), ATTRIBUTIONS.day.in_(bindparam("days")))
    .order_by(ATTRIBUTIONS.person_key, ATTRIBUTIONS.day, ATTRIBUTIONS.position)
)
OCCURRED = select(
    *(PERSON_DAYS[name] for name in ("person_key", "day", "account", "list_micro", "billed_micro"))
).where(PERSON_DAYS.person_key.in_(bindparam("people")), PERSON_DAYS.day.between(bindparam("first"), bindparam("last")))


def pending(session: Session, counted_from: Mapping[str, date], last: date) -> dict[Slice, int]:
    """New amounts up to and including `last`, each person's from the day they count, and corrections of what the ledger
    took in before. What was measured only is corrected by a provider's figure: with it, or not at all."""
    rows = session.execute(PENDING, {"people": list(counted_from), "last": last})
    return {
        Slice(person, day, account): change
        for person, day, account, change, entered in rows
        if day >= counted_from[person] or (entered and not is_measured_only(account))
    }


def open_work(session: Session, people: Collection[str]) -> list[Share]:
    rows = session.execute(OPEN, {"people": list(people)})
    return [Share(Slice(*of), pull, micro, Grade(grade)) for *of, pull, micro, grade in rows]


def last_week_elsewhere(session: Session, people: Collection[str], unit: str) -> date | None:
    """The newest week that any of these people was booked in by another unit."""
    row = tables.table(tables.Booking).c
    newest = select(func.max(row.week)).where(row.person_key.in_(list(people)), row.unit != unit)
    found: date | None = session.execute(newest).scalar()
    return found


def settled(session: Session, days: Collection[PersonDay]) -> dict[PersonDay, tuple[Target, ...]]:
    """The splits that are settled among these person-days, pull requests in order."""
    names = {"people": list({person for person, _ in days}), "days": list({day for _, day in days})}
    rows = session.execute(SETTLED, names)
    splits: dict[PersonDay, tuple[Target, ...]] = {}
    for person, day, pull, grade, weight in rows:
        splits[person, day] = (*splits.get((person, day), ()), Target(pull, Grade(grade), weight))
    return splits


def occurred(session: Session, people: Collection[str], first: date, last: date) -> list[Occurred]:
    """What these people spent on the UTC days `first` to `last`, a slice at a time."""
    rows = session.execute(OCCURRED, {"people": list(people), "first": first, "last": last})
    return [Occurred(Slice(*of), listed, billed) for *of, listed, billed in rows]


def write(
    session: Session, unit: str, week: date, people: Collection[str], entered: Iterable[Slice], closing: Closing
) -> None:
    """Write a block's closing. `entered` are the slices whose changes it took in; `people` are all it was about."""
    _mark_entered(session, entered)
    still_open = [{**_share(share), "micro": share.micro} for share in closing.open]
    replace(session, tables.OpenWork, still_open, OPEN_WORK.person_key.in_(people))
    upsert(session, tables.Attribution, list(_splits(closing.splits)))
    upsert(session, tables.Booking, _bookings(unit, week, closing))


def _share(share: Share) -> dict[str, Any]:
    piece = share.slice
    of = {"person_key": piece.person, "day": piece.day, "account": piece.account}
    return {**of, "pull_id": share.pull, "grade": share.grade}


def _splits(splits: Splits) -> Iterable[dict[str, Any]]:
    for (person, day), targets in splits.items():
        for position, target in enumerate(targets):
            where = {"pull_id": target.pull, "grade": target.grade, "weight": target.weight}
            yield {"person_key": person, "day": day, "position": position, **where}


def _bookings(unit: str, week: date, closing: Closing) -> list[dict[str, Any]]:
    sums: dict[tuple[Share, str], int] = {}
    for booking in closing.bookings:
        key = (dataclasses.replace(booking.share, micro=0), booking.part)
        sums[key] = sums.get(key, 0) + booking.share.micro
    return [
        {**_share(of), "unit": unit, "week": week, "part": part, "micro": micro} for (of, part), micro in sums.items()
    ]


def _mark_entered(session: Session, entered: Iterable[Slice]) -> None:
    rows = [{"of_person": piece.person, "of_day": piece.day, "of_account": piece.account} for piece in entered]
    if rows:
        session.execute(ENTERED, rows)


ENTERED = (
    update(tables.table(tables.PersonDay))
    .where(
        PERSON_DAYS.person_key == bindparam("of_person"),
        PERSON_DAYS.day == bindparam("of_day"),
        PERSON_DAYS.account == bindparam("of_account"),
    )
    .values(entered_micro=PERSON_DAYS.list_micro, pending=False)
)


def service_changes(session: Session, accounts: Collection[str], first: date, last: date) -> int:
    """New or corrected spend of a team's service accounts on these days, micro-USD."""
    row = SERVICE_SPEND
    changes = select(func.sum(row.list_micro - row.entered_micro)).where(*_of(accounts, first, last))
    return int(session.execute(changes).scalar() or 0)


def enter_services(session: Session, accounts: Collection[str], first: date, last: date) -> None:
    """Mark a team's service spend of these days as recognised."""
    row = SERVICE_SPEND
    session.execute(update(tables.ServiceSpend).where(*_of(accounts, first, last)).values(entered_micro=row.list_micro))


def service_billed(session: Session, accounts: Collection[str], first: date, last: date) -> int:
    """What the bill says of a team's service accounts on these days, micro-USD."""
    billed = select(func.sum(SERVICE_SPEND.billed_micro)).where(*_of(accounts, first, last))
    return int(session.execute(billed).scalar() or 0)


def _of(accounts: Collection[str], first: date, last: date) -> tuple[ColumnElement[bool], ...]:
    row = SERVICE_SPEND
    return row.account.in_(billed_on(first, last)), row.day.between(first, last), row.service_account.in_(accounts)
