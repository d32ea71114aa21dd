"""The bill, the costs and the usage of a window, joined by day, actor and model."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from bot.domain.model import AccountDay, Actor, SpendRow, Tokens
from bot.domain.money import from_dollars
from bot.domain.ports import SourceError
from integrations.days import Window, unix_day
from integrations.parse import Count, Dollars, Number, dollars_micro, parsed
from integrations.spend.openai.people import People

ACCOUNT = "openai"
MICRO = Decimal("0.000001")


class Bucket(BaseModel):
    start_time: int
    end_time: int
    results: list[Any]

    def day(self) -> date | None:
        """The UTC day, if it is one (the running day may end early)."""
        return unix_day(self.start_time) if 0 < self.end_time - self.start_time <= 86_400 else None


class Who(BaseModel):
    user_id: str | None = None
    api_key_id: str | None = None


class Amount(BaseModel):
    value: Dollars
    currency: str


class Cost(BaseModel):
    amount: Amount
    line_item: str | None = None

    @property
    def model(self) -> str | None:
        """A line item is a model and what of it: "gpt-5.3-codex, cached input"."""
        return self.line_item.partition(", ")[0] if self.line_item else None


class Usage(BaseModel):
    """`input_tokens` are all input; the parts have to come to it. Reasoning is inside output and not told apart."""

    model: str | None = None
    input_tokens: Number
    input_uncached_tokens: Number | None = None
    input_cached_tokens: Count = 0
    input_cache_write_tokens: Count = 0
    input_cache_write_12h_tokens: Number | None = None
    output_tokens: Count = 0
    num_model_requests: Number | None = None

    def tokens(self) -> Tokens | None:
        """None where the parts do not come to the whole."""
        fresh = self.input_tokens - self.input_cached_tokens - self.input_cache_write_tokens
        long = self.input_cache_write_12h_tokens
        short = self.input_cache_write_tokens - (long or 0)
        if min(fresh, short) < 0 or self.input_uncached_tokens not in (None, fresh):
            return None
        return Tokens(fresh, short, long, self.input_cached_tokens, self.output_tokens)


@dataclass(slots=True)
class Cell:
    """What one actor spent on one model on one day. A refused part refuses the whole cell."""

    tokens: Tokens = field(default_factory=Tokens)
    requests: int | None = None
    dollars: Decimal | None = None
    refused: bool = False


class Book:
    def __init__(self, window: Window, people: People | None) -> None:
        self.broken: set[date] = set()
        self._window = window
        self._people = people or People({}, {})
        self._bill: dict[date, Decimal] = {}
        self._cells: dict[date, dict[tuple[Actor, str | None], Cell]] = defaultdict(lambda: defaultdict(Cell))
        self._rejected: dict[date, Counter[str]] = defaultdict(Counter)

    def add_bill(self, buckets: Iterable[Any]) -> None:
        """A day without a bill that can be true has no truth."""
        seen: set[date] = set()
        for day, results in self._read(buckets):
            costs = [parsed(Cost, raw) for raw in results]
            if None in costs or day in seen:
                self.broken.add(day)
            seen.add(day)
            self._bill[day] = sum((_dollars(cost) for cost in costs if cost), Decimal(0))

    def add_costs(self, buckets: Iterable[Any]) -> None:
        for day, results in self._read(buckets):
            for raw in results:
                cost = parsed(Cost, raw)
                cell = self._cell(day, raw, cost.model if cost else _model(raw))
                if cost is None:
                    self._rejected[day]["bad_cost"] += 1
                    cell.refused = True
                else:
                    cell.dollars = (cell.dollars or Decimal(0)) + _dollars(cost)

    def add_usage(self, buckets: Iterable[Any]) -> None:
        for day, results in self._read(buckets):
            for raw in results:
                usage = parsed(Usage, raw)
                tokens = usage.tokens() if usage else None
                cell = self._cell(day, raw, usage.model if usage else None)
                if usage is None or tokens is None:
                    self._rejected[day]["bad_usage"] += 1
                    cell.refused = True
                else:
                    cell.tokens += tokens
                    cell.requests = _plus(cell.requests, usage.num_model_requests)

    def days(self) -> Iterator[AccountDay]:
        for day in self._window.days():
            if day not in self.broken and (found := self._day(day)):
                yield found

    def _day(self, day: date) -> AccountDay | None:
        """The day, unless its rows come to more than its bill: then the reports saw different states."""
        bill = self._bill.get(day, Decimal(0))
        cells = {key: cell for key, cell in self._cells[day].items() if not cell.refused}
        explained = sum((cell.dollars for cell in cells.values() if cell.dollars is not None), Decimal(0))
        if explained > bill + MICRO * max(1, len(cells)):
            self.broken.add(day)
            return None
        # Where the costs explain the whole bill, usage without a cost was free of charge.
        free = 0 if bill - explained <= MICRO * len(cells) else None
        rows = tuple(_row(*key, cell, free) for key, cell in sorted(cells.items(), key=_by_name))
        billed = max(from_dollars(bill), sum(row.billed_micro or 0 for row in rows))
        return AccountDay(ACCOUNT, day, billed, None, rows, rejected=dict(self._rejected[day]))

    def _read(self, buckets: Iterable[Any]) -> Iterator[tuple[date, list[Any]]]:
        for raw in buckets:
            bucket = parsed(Bucket, raw)
            day = bucket.day() if bucket else None
            if bucket is None or day is None or day not in self._window:
                self._rejected[self._window.first]["outside_window" if bucket else "unreadable"] += 1
            else:
                yield day, bucket.results

    def _cell(self, day: date, raw: Any, model: str | None) -> Cell:
        who = parsed(Who, raw) or Who()
        return self._cells[day][self._people.actor(who.user_id, who.api_key_id), model]


def _dollars(cost: Cost) -> Decimal:
    if cost.amount.currency.lower() != "usd":
        raise SourceError(f"it reports in {cost.amount.currency[:3]}, but only USD is understood", permanent=True)
    return cost.amount.value


def _model(raw: Any) -> str | None:
    item = raw.get("line_item") if isinstance(raw, dict) else None
    return item.partition(", ")[0] if isinstance(item, str) else None


def _plus(one: int | None, other: int | None) -> int | None:
    return None if one is None and other is None else (one or 0) + (other or 0)


def _row(actor: Actor, model: str | None, cell: Cell, free: int | None) -> SpendRow:
    billed = free if cell.dollars is None else dollars_micro(cell.dollars)
    return SpendRow(actor, model, cell.tokens, cell.requests, None, billed)


def _by_name(item: tuple[tuple[Actor, str | None], Cell]) -> tuple[str, str, str]:
    (actor, model), _ = item
    return actor.kind, actor.id or "", model or ""
