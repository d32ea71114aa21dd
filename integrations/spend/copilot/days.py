"""A day of Copilot, from its bill, its people and its seats."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, Field

from bot.domain.model import AccountDay, Activity, Actor, ActorKind, SpendRow, Tokens
from bot.domain.money import from_dollars
from integrations.parse import Dollars, Whole, dollars_micro, parsed
from integrations.spend.copilot.reports import Wire
from integrations.spend.copilot.seats import Seats, UserId

ACCOUNT = "copilot"
CREDIT = Decimal("0.01")
Quantity = Annotated[Decimal, Field(ge=0, le=10**12, allow_inf_nan=False)]


class Item(Wire):
    """One line of a bill."""

    unit_type: str = ""
    gross_quantity: Quantity = Decimal(0)
    gross_amount: Dollars
    discount_amount: Dollars = Decimal(0)
    net_amount: Dollars


class Counts(BaseModel):
    """Of the command line or the app. Its tokens are not read: they are a part of somebody's (editors tell none), and
    prompts are not split by what came from a cache."""

    session_count: Whole | None = None
    prompt_count: Whole | None = None


class Row(BaseModel):
    """What one person did on one day. A name is not read: people are known by their number."""

    user_id: UserId
    day: date
    ai_credits_used: Quantity | None = None
    user_initiated_interaction_count: Whole | None = None
    code_generation_activity_count: Whole | None = None
    totals_by_cli: Counts | None = None
    totals_by_copilot_app: Counts | None = None

    @property
    def counts(self) -> list[Counts]:
        """None of somebody who was not active: many have credits, or an open session, on days when they did nothing.
        Prompts are interactions too; before April 2026 those of the command line were not in the sum."""
        counts = [one for one in (self.totals_by_cli, self.totals_by_copilot_app) if one]
        return counts if self._has_interacted or any(one.prompt_count for one in counts) else []

    @property
    def _has_interacted(self) -> bool:
        return bool(self.user_initiated_interaction_count or self.code_generation_activity_count)


@dataclass(frozen=True, slots=True)
class Bill:
    net: Decimal
    gross: Decimal
    discount: Decimal
    credits: Decimal


def account_day(day: date, items: Sequence[Any], people: Sequence[Any], seats: Seats | None) -> AccountDay | None:
    """None for a bill with an amount that cannot be true."""
    bill = _bill(items)
    if bill is None:
        return None
    accounts = seats.accounts() if seats else {}
    rejected: Counter[str] = Counter()
    rows = _rows(day, people, rejected)
    gross = from_dollars(bill.gross)
    return AccountDay(
        ACCOUNT,
        day,
        billed_micro=from_dollars(bill.net),
        list_micro=gross,
        rows=_spent(rows, accounts, gross, rejected),
        rejected=dict(rejected),
        covered_micro=from_dollars(bill.discount),
        credits_milli=_milli(bill.credits),
        seats=seats.paid(day) if seats else None,
        activity=tuple(_activity(row, accounts) for row in rows if row.counts or row.ai_credits_used),
    )


def _bill(items: Sequence[Any]) -> Bill | None:
    lines = [line for raw in items if (line := parsed(Item, raw))]
    if len(lines) < len(items):
        return None
    return Bill(
        sum((line.net_amount for line in lines), Decimal(0)),
        sum((line.gross_amount for line in lines), Decimal(0)),
        sum((line.discount_amount for line in lines), Decimal(0)),
        sum((line.gross_quantity for line in lines if line.unit_type.lower() == "credits"), Decimal(0)),
    )


def _rows(day: date, people: Sequence[Any], rejected: Counter[str]) -> list[Row]:
    """People's rows of the day, each person once."""
    found: dict[int, Row] = {}
    for raw in people:
        row = parsed(Row, raw)
        if row is None:
            rejected["bad_usage"] += 1
        elif row.day != day or row.user_id in found:
            rejected["duplicate" if row.day == day else "outside_window"] += 1
        else:
            found[row.user_id] = row
    return [row for _, row in sorted(found.items())]


def _spent(
    rows: Sequence[Row], accounts: Mapping[int, str], gross: int, rejected: Counter[str]
) -> tuple[SpendRow, ...]:
    """What people used at list price. The two reports cover different things. Where people come to more than the bill's
    list value, nobody can tell whose part of it the bill has: to cut all of them would be to invent numbers, and to
    take some in, to choose people by chance. So no row is kept, and each is counted as `above_the_bill`."""
    spent = [
        SpendRow(_actor(row, accounts), None, Tokens(), None, dollars_micro(row.ai_credits_used * CREDIT), None)
        for row in rows
        if row.ai_credits_used
    ]
    if sum(row.list_micro or 0 for row in spent) > gross:
        rejected["above_the_bill"] += len(spent)
        return ()
    return tuple(spent)


def _actor(row: Row, accounts: Mapping[int, str]) -> Actor:
    return Actor(ActorKind.USER, str(row.user_id), github=accounts.get(row.user_id))


def _activity(row: Row, accounts: Mapping[int, str]) -> Activity:
    """Credits count also where somebody was not active."""
    credits = None if row.ai_credits_used is None else _milli(row.ai_credits_used)
    threads = [one.session_count for one in row.counts if one.session_count is not None]
    turns = [one.prompt_count for one in row.counts if one.prompt_count is not None]
    return Activity(_actor(row, accounts), sum(threads) if threads else None, sum(turns) if turns else None, credits)


def _milli(credits: Decimal) -> int:
    return int((credits * 1000).to_integral_value())
