"""Spend as collected: an account-day is replaced as a whole, and what changed is marked for the next closing."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, func, text
from sqlmodel import Session, col, select

from bot.domain.split import Outside, PersonSpend, Split
from bot.store.bulk import upsert
from bot.store.tables import AccountDay, PersonDay, Remainder, ServiceSpend, Spend


def replace(session: Session, split: Split, refreshed_at: datetime | None, now: datetime) -> None:
    """Store an account-day in place of whatever was known of it. Raises nothing; the same day again changes nothing."""
    key = {"account": split.account, "day": split.day}
    session.execute(delete(Spend).where(col(Spend.account) == split.account, col(Spend.day) == split.day))
    upsert(session, Spend, [_spend_row(key, one) for one in split.people])
    _replace_person_days(session, key, split.people)
    _replace_services(session, key, split)
    upsert(session, Remainder, [{**key, "billed_micro": split.remainder_micro}])
    upsert(session, AccountDay, [_account_day(key, split, refreshed_at, now)])


def _spend_row(key: dict[str, Any], one: PersonSpend) -> dict[str, Any]:
    amounts = {"list_micro": one.list_micro, "billed_micro": one.billed_micro, "requests": one.requests}
    return {**key, "person_key": one.person, "model": one.model, **amounts, **asdict(one.tokens)}


def _account_day(key: dict[str, Any], split: Split, refreshed_at: datetime | None, now: datetime) -> dict[str, Any]:
    amounts = {"billed_micro": split.billed_micro, "list_micro": split.list_micro, "outside": split.outside}
    return {**key, **amounts, "refreshed_at": refreshed_at, "collected_at": now}


def _replace_person_days(session: Session, key: dict[str, Any], people: Iterable[PersonSpend]) -> None:
    """Fold models, upsert the sums, and empty the days of people the report no longer names."""
    sums: dict[str, list[PersonSpend]] = defaultdict(list)
    for one in people:
        sums[one.person].append(one)
    session.execute(
        text("UPDATE person_days SET list_micro = 0, billed_micro = 0, requests = 0, tokens = 0" + OF_DAY), key
    )
    upsert(session, PersonDay, [_day_row(key, person, rows) for person, rows in sums.items()], keep=["entered_micro"])
    session.execute(text("UPDATE person_days SET pending = (list_micro <> entered_micro)" + OF_DAY), key)
    session.execute(
        text("DELETE FROM person_days" + OF_DAY + " AND list_micro = 0 AND tokens = 0 AND entered_micro = 0"), key
    )


OF_DAY = " WHERE account = :account AND day = :day"


def _day_row(key: dict[str, Any], person: str, rows: list[PersonSpend]) -> dict[str, Any]:
    billed = [row.billed_micro for row in rows]
    return {
        **key,
        "person_key": person,
        "list_micro": sum(row.list_micro for row in rows),
        "billed_micro": None if None in billed else sum(amount or 0 for amount in billed),
        "requests": sum(row.requests for row in rows),
        "tokens": sum(row.tokens.total for row in rows),
        "entered_micro": 0,
        "pending": True,
    }


def _replace_services(session: Session, key: dict[str, Any], split: Split) -> None:
    session.execute(
        text("UPDATE service_spend SET list_micro = 0, billed_micro = 0, requests = 0, tokens = 0" + OF_DAY), key
    )
    rows = [
        {
            **key,
            "service_account": one.service_account,
            "list_micro": one.list_micro,
            "billed_micro": one.billed_micro,
            "requests": one.requests,
            "tokens": one.tokens.total,
            "entered_micro": 0,
        }
        for one in split.services
    ]
    upsert(session, ServiceSpend, rows, keep=["entered_micro"])
    session.execute(
        text("DELETE FROM service_spend" + OF_DAY + " AND list_micro = 0 AND tokens = 0 AND entered_micro = 0"), key
    )


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


def others(session: Session, people: Collection[str], first: date, last: date, enough: int) -> int:
    """How many other joined people spent on these days; counting stops at `enough`."""
    rows = session.exec(
        select(PersonDay.person_key)
        .where(col(PersonDay.day).between(first, last), col(PersonDay.account).in_(select(AccountDay.account)))
        .distinct()
        .limit(len(people) + enough)
    ).all()
    return min(enough, len(set(rows) - set(people)))


def collected_days(session: Session, account: str, first: date, last: date) -> set[date]:
    """Which of these days the account has answered for."""
    days = select(col(AccountDay.day)).where(AccountDay.account == account, col(AccountDay.day).between(first, last))
    return set(session.exec(days).all())
