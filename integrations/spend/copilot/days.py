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
from bot.domain.ports import SourceError
from integrations.parse import Dollars, Number, dollars_micro, parsed
from integrations.spend.copilot.reports import Seat, Wire

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
    """Of the command line or the app; tokens of these alone would be a part of somebody's, and are not read."""

    session_count: Number | None = None
    prompt_count: Number | None = None


class Row(BaseModel):
    user_id: Annotated[int, Field(strict=True, ge=0)]
    day: date
    ai_credits_used: Quantity | None = None
    totals_by_cli: Counts | None = None
    totals_by_copilot_app: Counts | None = None

    @property
    def counts(self) -> list[Counts]:
        return [one for one in (self.totals_by_cli, self.totals_by_copilot_app) if one]


@dataclass(frozen=True, slots=True)
class Bill:
    net: Decimal
    gross: Decimal
    discount: Decimal
    credits: Decimal


def account_day(day: date, items: Sequence[Any], people: Sequence[Any], seats: Sequence[Seat]) -> AccountDay:
    """Raises SourceError for a bill that cannot be true."""
    bill = _bill(day, items)
    rejected: Counter[str] = Counter()
    rows = _rows(day, people, rejected)
    gross = from_dollars(bill.gross)
    spent = _spent(rows, _accounts(seats), gross, rejected)
    return AccountDay(
        ACCOUNT,
        day,
        billed_micro=from_dollars(bill.net),
        list_micro=max(gross, sum(row.list_micro or 0 for row in spent)),
        rows=spent,
        rejected=dict(rejected),
        covered_micro=from_dollars(bill.discount),
        credits_milli=int((bill.credits * 1000).to_integral_value()),
        seats=sum(seat.is_paid(day) for seat in seats) if seats else None,
        activity=tuple(_activity(row, _accounts(seats)) for row in rows if row.counts or row.ai_credits_used),
    )


def _bill(day: date, items: Sequence[Any]) -> Bill:
    lines = [parsed(Item, raw) for raw in items]
    if None in lines:
        raise SourceError(f"an amount of {day} cannot be true, so this day was left out")
    known = [line for line in lines if line]
    return Bill(
        sum((line.net_amount for line in known), Decimal(0)),
        sum((line.gross_amount for line in known), Decimal(0)),
        sum((line.discount_amount for line in known), Decimal(0)),
        sum((line.gross_quantity for line in known if line.unit_type.lower() == "credits"), Decimal(0)),
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
    """What people used at list price. The two reports cover different things: where people come to more than the bill's
    list value, it is not known whose it is, and nobody's row is kept."""
    spent = [
        SpendRow(_actor(row, accounts), None, Tokens(), None, dollars_micro(row.ai_credits_used * CREDIT), None)
        for row in rows
        if row.ai_credits_used
    ]
    if gross and sum(row.list_micro or 0 for row in spent) > gross:
        rejected["above_the_bill"] += len(spent)
        return ()
    return tuple(spent)


def _actor(row: Row, accounts: Mapping[int, str]) -> Actor:
    return Actor(ActorKind.USER, str(row.user_id), github=accounts.get(row.user_id))


def _accounts(seats: Sequence[Seat]) -> Mapping[int, str]:
    """Node ids by number, from the seats. One that several people have is no id."""
    named = {seat.assignee.id: seat.assignee.node_id for seat in seats if seat.assignee and seat.assignee.node_id}
    uses = Counter(named.values())
    return {number: node for number, node in named.items() if node and uses[node] == 1}


def _activity(row: Row, accounts: Mapping[int, str]) -> Activity:
    credits = None if row.ai_credits_used is None else int((row.ai_credits_used * 1000).to_integral_value())
    threads = [one.session_count for one in row.counts if one.session_count is not None]
    turns = [one.prompt_count for one in row.counts if one.prompt_count is not None]
    return Activity(_actor(row, accounts), sum(threads) if threads else None, sum(turns) if turns else None, credits)
