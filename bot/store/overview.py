"""The books as a whole, by account and day: never by person."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlmodel import Session

from bot.domain.overview import Explained
from bot.domain.prices import AccountSums
from bot.domain.split import Outside
from bot.store.tables import AccountDay, PersonDay, ServiceSpend, table

ACCOUNT_DAYS = table(AccountDay).c


def account_sums(session: Session, first: date, last: date) -> list[AccountSums]:
    """What each account-day counts for in the organisation's line."""
    row = ACCOUNT_DAYS
    found = session.execute(
        select(row.account, row.day, row.billed_micro, row.list_micro, row.adjustment_micro, row.seats).where(
            row.day.between(first, last)
        )
    )
    return [
        AccountSums(account, day, billed, listed or 0, adjustment, seats)
        for account, day, billed, listed, adjustment, seats in found
    ]


def explained(session: Session, source: str, first: date, last: date) -> Explained:
    """How the bill of a source's accounts falls apart."""
    outside = session.execute(_of(AccountDay, source, first, last, ACCOUNT_DAYS.outside).distinct()).scalars()
    people = table(PersonDay).c
    named, unnamed = func.count(people.billed_micro), func.count() - func.count(people.billed_micro)
    count = func.count(people.person_key.distinct())
    joined, of_people, has_bill, has_none = session.execute(
        _of(PersonDay, source, first, last, count, func.sum(people.billed_micro), named, unnamed)
    ).one()
    services = _sum(session, ServiceSpend, source, first, last)
    bill = _sum(session, AccountDay, source, first, last)
    return Explained(
        bill, int(of_people or 0) + services, joined, has_bill > 0 and not has_none, frozenset(map(Outside, outside))
    )


def _sum(session: Session, model: Any, source: str, first: date, last: date) -> int:
    return int(session.execute(_of(model, source, first, last, func.sum(table(model).c.billed_micro))).scalar() or 0)


def _of(model: Any, source: str, first: date, last: date, *columns: Any) -> Any:
    row = table(model).c
    of_source: ColumnElement[bool] = or_(row.account == source, row.account.startswith(f"{source}:"))
    return select(*columns).where(of_source, row.day.between(first, last))
