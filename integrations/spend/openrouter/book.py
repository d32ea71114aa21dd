"""A day at OpenRouter: what it came to, and which members explain it."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Self

from pydantic import BaseModel, model_validator

from bot.domain.model import AccountDay, Actor, ActorKind, SpendRow, Tokens
from bot.domain.money import from_dollars
from integrations.parse import Count, Dollars, Number, dollars_micro, parsed
from integrations.spend.openrouter.reports import NAME, Member, Reports

MICRO = Decimal("0.000001")
NOBODY = Actor(ActorKind.UNKNOWN)


class Item(BaseModel):
    """What one endpoint of a model was used on a day; its numbers are looked at one kind after another."""

    date: str
    model: str | None = None


class Cost(BaseModel):
    usage: Dollars


class Usage(BaseModel):
    prompt_tokens: Count = 0
    cached_tokens: Count = 0
    completion_tokens: Count = 0
    reasoning_tokens: Number | None = None
    requests: Number | None = None

    @model_validator(mode="after")
    def _parts_of_a_whole(self) -> Self:
        if self.cached_tokens > self.prompt_tokens or (self.reasoning_tokens or 0) > self.completion_tokens:
            raise ValueError("a part is more than its whole")
        return self

    def tokens(self) -> Tokens:
        return Tokens(
            fresh=self.prompt_tokens - self.cached_tokens,
            cache_read=self.cached_tokens,
            output=self.completion_tokens - (self.reasoning_tokens or 0),
            reasoning=self.reasoning_tokens,
        )


def account_day(reports: Reports, members: list[Member] | None, day: date) -> AccountDay | None:
    """None where a part of the bill cannot be read, or where the members come to more than it."""
    whole, book = Book(day), Book(day)
    items = reports.activity(day)
    kept = [raw for raw, _ in whole.items(items)]
    costs = [parsed(Cost, raw) for raw in kept]
    if None in costs or whole.rejected["unreadable"]:
        return None
    if not members:
        book.add(NOBODY, kept)
    for member in (members or []) if kept else []:
        book.add(member.actor(), reports.activity(day, user_id=member.id))
    bill = sum((cost.usage for cost in costs if cost), Decimal(0))
    if book.dollars() - bill > MICRO * len(kept):  # amounts are binary fractions
        return None
    rows = book.rows()
    micro = max(from_dollars(bill), sum(row.billed_micro or 0 for row in rows))
    return AccountDay(NAME, day, micro, micro, rows, rejected=dict(whole.rejected + book.rejected))


@dataclass(slots=True)
class Cell:
    """What one actor spent on one model, at all of its endpoints. The number of requests is unknown if a part is."""

    dollars: Decimal = Decimal(0)
    tokens: Tokens = field(default_factory=Tokens)
    requests: int | None = 0

    def add(self, cost: Cost, usage: Usage) -> None:
        self.dollars += cost.usage
        self.tokens += usage.tokens()
        known = self.requests is not None and usage.requests is not None
        self.requests = (self.requests or 0) + (usage.requests or 0) if known else None

    def row(self, actor: Actor, model: str | None) -> SpendRow:
        micro = dollars_micro(self.dollars)
        return SpendRow(actor, model, self.tokens, self.requests, micro, micro)


class Book:
    """The rows of a day by actor and model."""

    def __init__(self, day: date) -> None:
        self._day = day
        self._cells: dict[tuple[Actor, str | None], Cell] = defaultdict(Cell)
        self.rejected: Counter[str] = Counter()

    def add(self, actor: Actor, items: list[Any]) -> None:
        for raw, item in self.items(items):
            cost, usage = parsed(Cost, raw), parsed(Usage, raw)
            if cost is None or usage is None:
                self.rejected["bad_usage" if cost else "bad_cost"] += 1
            else:
                self._cells[actor, item.model or None].add(cost, usage)

    def items(self, items: list[Any]) -> Iterator[tuple[Any, Item]]:
        for raw in items:
            item = parsed(Item, raw)
            if item is None or item.date[:10] != self._day.isoformat():
                self.rejected["outside_window" if item else "unreadable"] += 1
            else:
                yield raw, item

    def dollars(self) -> Decimal:
        return sum((cell.dollars for cell in self._cells.values()), Decimal(0))

    def rows(self) -> tuple[SpendRow, ...]:
        return tuple(cell.row(*key) for key, cell in sorted(self._cells.items(), key=_by_name))


def _by_name(item: tuple[tuple[Actor, str | None], Cell]) -> tuple[str, str, str]:
    (actor, model), _ = item
    return actor.id or "", actor.email or "", model or ""
