"""Spend as collected: an account-day is replaced as a whole, and what changed is marked for the next closing."""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy import ColumnElement, Select, delete, func, update
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlmodel import Session, SQLModel, col, select

from bot.domain.measured import MEASURED_ONLY
from bot.domain.model import AccountDay as Told
from bot.domain.split import Outside, PersonActivity, PersonCommit, PersonSession, PersonSpend, ServiceSpend, Split
from bot.store import agent_days, bulk, overlap, tables
from bot.store.bulk import Row, upsert
from bot.store.tables import AccountDay, PersonDay, Remainder, Spend

Spent = TypeVar("Spent", PersonSpend, ServiceSpend)

NOTHING: Row = {"list_micro": 0, "billed_micro": 0, "requests": 0, "tokens": 0, "unpriced_tokens": 0}
AS_REPORTED: Row = {"reported_list_micro": None, "reported_billed_micro": None}
NEW = ("entered_micro", "pending")
"""What a row of the sums has of its own, beside what was reported."""


def replace(session: Session, split: Split, told: Told, now: datetime) -> None:
    """Store an account-day in place of whatever was known of it; the same day again changes nothing."""
    key = {"account": split.account, "day": split.day}
    bulk.replace(session, Spend, [_spend_row(key, one) for one in split.people], *_of_day(Spend, key))
    people, services = _sums(split.people, "person"), _sums(split.services, "service_account")
    told_anew = _replace_sums(session, PersonDay, key, "person_key", people, pending=True)
    agent_days.told_anew(session, told_anew, split.day)
    _replace_sums(session, tables.ServiceSpend, key, "service_account", services)
    _replace_details(session, key, split)
    upsert(session, Remainder, [{**key, "billed_micro": split.remainder_micro}])
    upsert(session, AccountDay, [_account_day(key, split, told, now)])
    for account in overlap.settle(session, told.upstream or split.account, split.day):
        _mark_pending(session, {**key, "account": account})


def replace_measured(session: Session, person: str, day: date, spent: Mapping[str, Sequence[PersonSpend]]) -> None:
    """Make this all that telemetry alone tells of a person's day, by account."""
    row, sums, key = tables.table(Spend).c, tables.table(PersonDay).c, {"person_key": person, "day": day}
    rows = [_spend_row({"account": name, "day": day}, one) for name, ones in spent.items() for one in ones]
    bulk.replace(session, Spend, rows, *(row[name] == value for name, value in key.items()), _is_measured(row))
    of_day = (*(sums[name] == value for name, value in key.items()), _is_measured(sums))
    known = session.execute(sqlalchemy.select(sums.account).where(*of_day)).scalars()
    new: Row = {**AS_REPORTED, "entered_micro": 0, "pending": True}
    told = {name: _sum(list(spent[name])) if name in spent else NOTHING for name in {*known, *spent}}
    upsert(session, PersonDay, [{**key, "account": name, **one, **new} for name, one in told.items()], keep=NEW)
    session.execute(delete(tables.table(PersonDay)).where(*of_day, *_is_empty(sums)))
    differs = sums.list_micro != sums.entered_micro
    session.execute(update(tables.table(PersonDay)).where(*of_day, sums.pending != differs).values(pending=differs))


def _is_measured(row: ReadOnlyColumnCollection[str, Any]) -> ColumnElement[bool]:
    account: ColumnElement[str] = row.account
    return account.between(MEASURED_ONLY, f"{MEASURED_ONLY}~")


def _is_empty(row: ReadOnlyColumnCollection[str, Any]) -> list[ColumnElement[bool]]:
    return [func.coalesce(row[amount], 0) == 0 for amount in (*NOTHING, "entered_micro")]


def _replace_details(session: Session, key: Row, split: Split) -> None:
    """The finer views of the day: conversations, counts, and commits."""
    for model, rows in (
        (tables.SessionSpend, [_person_row(key, one) for one in split.sessions]),
        (tables.Activity, [_person_row(key, one) for one in split.activity]),
        (tables.SessionCommit, [_person_row(key, one) for one in split.commits]),
    ):
        bulk.replace(session, model, rows, *_of_day(model, key))


def _person_row(key: Row, one: PersonSession | PersonActivity | PersonCommit) -> Row:
    values = asdict(one)
    return {**key, "person_key": values.pop("person"), **values}


def _of_day(model: type[SQLModel], key: Row) -> tuple[ColumnElement[bool], ...]:
    row = tables.table(model).c
    return row.account == key["account"], row.day == key["day"]


def _spend_row(key: Row, one: PersonSpend) -> Row:
    amounts = {"list_micro": one.list_micro, "billed_micro": one.billed_micro, "requests": one.requests}
    return {**key, "person_key": one.person, "model": one.model, **amounts, **asdict(one.tokens)}


def _account_day(key: Row, split: Split, told: Told, now: datetime) -> Row:
    counted = {"billed_micro": split.billed_micro, "list_micro": split.list_micro, "outside": split.outside}
    reported = {"reported_billed_micro": told.billed_micro, "reported_list_micro": split.list_micro}
    apart = {name: getattr(told, name) for name in APART}
    return {**key, **counted, **reported, **apart, "refreshed_at": told.refreshed_at, "collected_at": now}


APART = ("covered_micro", "adjustment_micro", "credits_milli", "seats", "upstream")


def _sums(spent: Iterable[Spent], who: str) -> dict[Hashable, Row]:
    """Spend folded by whose it is. The sum of the bill is what is known of it, None if nothing is."""
    parts: dict[Hashable, list[Spent]] = defaultdict(list)
    for one in spent:
        parts[getattr(one, who)].append(one)
    return {name: _sum(ones) for name, ones in parts.items()}


def _sum(ones: list[Spent]) -> Row:
    billed = [one.billed_micro for one in ones if one.billed_micro is not None]
    return {
        "list_micro": sum(one.list_micro or 0 for one in ones),
        "billed_micro": sum(billed) if billed else None,
        "requests": sum(one.requests for one in ones),
        "tokens": sum(one.tokens.total for one in ones),
        "unpriced_tokens": sum(one.unpriced for one in ones),
    }


def _replace_sums(
    session: Session, model: type[SQLModel], key: Row, who: str, sums: Mapping[Hashable, Row], **new: Any
) -> set[Any]:
    """Write the sums of a day and empty those the report no longer names, but keep what the ledger took in of them.
    Returns whose they are, if any is another than before."""
    row, of_day = tables.table(model).c, _of_day(model, key)
    known = session.execute(sqlalchemy.select(row[who]).where(*of_day)).scalars()
    new = {"entered_micro": 0, **new}
    names = {*known, *sums}
    rows = [{**key, who: name, **(sums.get(name) or NOTHING), **AS_REPORTED, **new} for name in names]
    written = upsert(session, model, rows, keep=new)
    session.execute(delete(tables.table(model)).where(*of_day, *_is_empty(row)))
    return names if written else set()


def _mark_pending(session: Session, key: Row) -> None:
    row = tables.table(PersonDay).c
    differs = row.list_micro != row.entered_micro
    wrong = update(tables.table(PersonDay)).where(*_of_day(PersonDay, key), row.pending != differs)
    session.execute(wrong.values(pending=differs))


@dataclass(frozen=True, slots=True)
class Bill:
    """What the accounts billed for some days, how many account-days that is, and how many people were outside."""

    billed_micro: int
    outside: frozenset[Outside]


def bill(session: Session, first: date, last: date) -> Bill:
    """The company's bill of the UTC days `first` to `last`, both included."""
    rows = session.exec(
        select(AccountDay.outside, func.sum(AccountDay.billed_micro))
        .where(col(AccountDay.day).between(first, last))
        .group_by(col(AccountDay.outside))
    ).all()
    return Bill(sum(int(micro) for _, micro in rows), frozenset(Outside(band) for band, _ in rows))


def billed_on(first: date, last: date) -> Select[tuple[str]]:
    """The accounts with a bill on these days: named in a query, they let it read these days and not the history."""
    days = tables.table(AccountDay).c
    return sqlalchemy.select(days.account).where(days.day.between(first, last))


def others(session: Session, people: Collection[str], first: date, last: date, enough: int) -> int:
    """How many other joined people spent on these days; counting stops at `enough`."""
    rows = session.exec(
        select(PersonDay.person_key)
        .where(col(PersonDay.day).between(first, last), col(PersonDay.account).in_(billed_on(first, last)))
        .distinct()
        .limit(len(people) + enough)
    ).all()
    return min(enough, len(set(rows) - set(people)))


def collected_since(session: Session, first: date, last: date) -> datetime | None:
    """When the least recently collected of these days was collected; None if none was."""
    row = tables.table(AccountDay).c
    found: datetime | None = session.execute(
        select(func.min(row.collected_at)).where(row.day.between(first, last))
    ).scalar()
    return found


def collected_days(session: Session, source: str, first: date, last: date) -> set[date]:
    """Which of these days the source has answered for, in one of its accounts."""
    within = col(AccountDay.day).between(first, last)
    own = session.exec(select(col(AccountDay.day)).where(AccountDay.account == source, within)).all()
    behind = col(AccountDay.account).between(f"{source}:", f"{source};")  # a gateway's accounts, named after it
    return {*own, *session.exec(select(col(AccountDay.day)).where(behind, within)).all()}


def behind(session: Session, source: str, days: Collection[date]) -> list[tuple[str, date, str | None]]:
    """The accounts behind a gateway that are not empty on these days, each with the provider it stands for."""
    row = tables.table(AccountDay).c
    found = session.execute(
        sqlalchemy.select(row.account, row.day, row.upstream)
        .where(row.account.between(f"{source}:", f"{source};"), row.day.in_(list(days)))
        .where(func.coalesce(row.reported_billed_micro, 0) + func.coalesce(row.reported_list_micro, 0) > 0)
        .order_by(row.account, row.day)
    )
    return [(account, day, upstream) for account, day, upstream in found]
