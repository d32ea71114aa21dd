"""Counting an account family's day once: the provider's bill is the truth, the gateways before it explain a part of it.

Whatever arrives in whatever order, the day is settled anew from what each account reported (`bot.domain.overlap`).
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlmodel import Session, SQLModel

from bot.domain.overlap import fit, scaled
from bot.store import tables
from bot.store.tables import AccountDay, PersonDay, Remainder, ServiceSpend, table

ACCOUNT_DAYS = table(AccountDay).c
PARTS: tuple[tuple[type[SQLModel], str], ...] = ((PersonDay, "person_key"), (ServiceSpend, "service_account"))
BASES = ("list_micro", "billed_micro")


def settle(session: Session, provider: str, day: date) -> list[str]:
    """Let the gateways before a provider count for as much of its day's bill as nothing else explains.

    Returns the accounts of the family, the provider and its gateways, that have this day.
    """
    days = {row.account: row for row in session.execute(_family(provider, day)).all()}
    gateways = [account for account in days if account != provider]
    if gateways:
        _settle(session, provider, day, days, gateways)
    return list(days)


def _settle(session: Session, provider: str, day: date, days: Mapping[str, Any], gateways: Sequence[str]) -> None:
    """Without the provider's bill, what the gateways say is the truth."""
    said = {basis: {name: _reported(days[name], basis) for name in gateways} for basis in BASES}
    if provider in days:
        said = _fit_in(session, provider, day, days[provider], said)
    for name in gateways:
        _count(session, name, day, days[name], {basis: said[basis][name] for basis in BASES})


def _fit_in(
    session: Session, provider: str, day: date, reported: Any, said: Mapping[str, dict[str, int]]
) -> dict[str, dict[str, int]]:
    """How much of what the gateways said counts; the rest of the bill stays the provider's own."""
    bill = {basis: _reported(reported, basis) for basis in BASES}
    own = _explained(session, provider, day)
    counted = {basis: fit(bill[basis], own[basis], said[basis]) for basis in BASES}
    rest = {basis: bill[basis] - sum(counted[basis].values()) for basis in BASES}
    _write(session, AccountDay, provider, day, rest)
    _write(session, Remainder, provider, day, {"billed_micro": rest["billed_micro"] - own["billed_micro"]})
    return counted


def _family(provider: str, day: date) -> Any:
    of_family = or_(ACCOUNT_DAYS.account == provider, ACCOUNT_DAYS.upstream == provider)
    return select(table(AccountDay)).where(ACCOUNT_DAYS.day == day, of_family)


def _reported(row: Any, basis: str) -> int:
    """What an account said; its list prices stand in for a bill it has not, and the other way round."""
    amounts = {"list_micro": row.reported_list_micro, "billed_micro": row.reported_billed_micro}
    other = "list_micro" if basis == "billed_micro" else "billed_micro"
    found: int | None = amounts[basis] if amounts[basis] is not None else amounts[other]
    return found or 0


def _explained(session: Session, account: str, day: date) -> dict[str, int]:
    """What an account's own people and services come to."""
    sums = dict.fromkeys(BASES, 0)
    for model, _ in PARTS:
        row = table(model).c
        found = session.execute(
            select(*(func.coalesce(func.sum(row[basis]), 0) for basis in BASES)).where(
                row.account == account, row.day == day
            )
        ).one()
        sums = {basis: sums[basis] + int(amount) for basis, amount in zip(BASES, found, strict=True)}
    return sums


def _count(session: Session, gateway: str, day: date, reported: Any, counted: dict[str, int]) -> None:
    """Let a gateway's day come to these totals: each person's and service's part is scaled with it."""
    said = {basis: _reported(reported, basis) for basis in BASES}
    parts = 0
    for model, who in PARTS:
        for row in _rows(session, model, gateway, day):
            values = _scaled(row, said, counted)
            parts += values["billed_micro"] or 0
            own = table(model).c
            session.execute(
                update(table(model))
                .where(own.account == gateway, own.day == day, own[who] == getattr(row, who))
                .values(values)
            )
    _write(session, AccountDay, gateway, day, counted)
    _write(session, Remainder, gateway, day, {"billed_micro": counted["billed_micro"] - parts})


def _rows(session: Session, model: type[SQLModel], account: str, day: date) -> Sequence[Any]:
    own = table(model).c
    return session.execute(select(table(model)).where(own.account == account, own.day == day)).all()


def _scaled(row: Any, said: dict[str, int], counted: dict[str, int]) -> dict[str, int | None]:
    """A part's amounts as they count now, and what was reported of it."""
    values: dict[str, int | None] = {}
    for basis in BASES:
        reported = getattr(row, f"reported_{basis}")
        whole = getattr(row, basis) if reported is None else reported
        values[basis] = None if whole is None else scaled(whole, said[basis], counted[basis])
        values[f"reported_{basis}"] = whole
    return values


def _write(session: Session, model: type[SQLModel], account: str, day: date, values: dict[str, int]) -> None:
    own = tables.table(model).c
    session.execute(update(tables.table(model)).where(own.account == account, own.day == day).values(**values))
