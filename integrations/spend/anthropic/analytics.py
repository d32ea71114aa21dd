"""`GET /v1/organizations/analytics/usage` and `/cost`: a day's tokens and money by person and model.

Docs: platform.claude.com/docs `manage-claude/usage-cost-analytics-api`. The ungrouped cost of a day is its bill and the
control sum; grouped rows explain it. A combination is one row of each report, except where no actor can be named.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from bot.domain.model import AccountDay, Actor, ActorKind, SpendRow, Tokens
from bot.domain.money import from_cents
from integrations.days import Window, midnight, rfc3339
from integrations.parse import cents_micro, parsed
from integrations.spend.anthropic.keys import Keys
from integrations.spend.anthropic.models import MICRO, Cost, Page, Row, Usage
from integrations.spend.anthropic.reports import ACCOUNT, Days, Reports

USAGE = "/v1/organizations/analytics/usage"
COST = "/v1/organizations/analytics/cost"
BETA = "analytics-usage-cost-2026-08-24"
GROUPS = {"group_by[]": ["actor", "model"]}  # without its brackets the parameter is ignored, and nothing says so
NOBODY = Actor(ActorKind.UNKNOWN)
NOTHING = Cost(currency="USD", amount=Decimal(0), list_amount=Decimal(0))

Numbers = TypeVar("Numbers", Usage, Cost)
Known = TypeVar("Known", int, Decimal)


def read(reports: Reports, keys: Keys, window: Window) -> Days:
    """The days of a window, read as a whole. Raises NotFound where an organisation does not have these reports."""
    params: dict[str, Any] = {
        "starting_at": rfc3339(midnight(window.first)),
        "ending_at": rfc3339(min(midnight(window.end), window.now)),
        "time_bucket_width": "1d",
        "order_by": "time",
        "order": "asc",
        "limit": 1000,
    }
    book = Book(window, keys)
    book.add_total(reports.pages(COST, params, beta=BETA))
    book.add_cost(reports.pages(COST, params | GROUPS, beta=BETA))
    book.add_usage(reports.pages(USAGE, params | GROUPS, beta=BETA))
    book.refuse_nobody()
    return book.days()


@dataclass(slots=True)
class Cell:
    """What one actor spent on one model on one day, from both reports. Amounts are in cents, None before any row.

    A refused row refuses the whole cell.
    """

    tokens: Tokens | None = None
    requests: int | None = None
    amount: Decimal | None = None
    list_amount: Decimal | None = None
    refused: bool = False

    def add_cost(self, cost: Cost) -> None:
        if self.amount is None:
            self.amount, self.list_amount, self.requests = cost.amount, cost.list_amount, cost.requests
        else:
            self.amount += cost.amount
            self.list_amount = _plus(self.list_amount, cost.list_amount)
            self.requests = _plus(self.requests, cost.requests)

    def add_usage(self, usage: Usage) -> None:
        """Both reports count requests; the usage report's own count is used where there is one."""
        if self.tokens is None:
            self.tokens, self.requests = usage.tokens(), usage.requests
        else:
            self.tokens += usage.tokens()
            self.requests = _plus(self.requests, usage.requests)

    def row(self, actor: Actor, model: str | None, if_not_billed: int | None) -> SpendRow:
        billed, at_list = cents_micro(self.amount), cents_micro(self.list_amount)
        if self.amount is None:
            billed = at_list = if_not_billed
        return SpendRow(actor, model, self.tokens or Tokens(), self.requests, at_list, billed)


class Book:
    """The three reports of a window, joined by day, actor and model."""

    def __init__(self, window: Window, keys: Keys) -> None:
        self._window = window
        self._keys = keys
        self._totals: dict[date, Cost] = {}
        self._cells: dict[date, dict[tuple[Actor, str | None], Cell]] = defaultdict(lambda: defaultdict(Cell))
        self._broken: set[date] = set()
        self._rejected: dict[date, Counter[str]] = defaultdict(Counter)
        self._refreshed_at: datetime | None = None

    def add_total(self, pages: Iterable[Page]) -> None:
        """A day has one total: a second one, or one that cannot be true, leaves the day without a bill."""
        for day, row in self._rows(pages):
            total = self._numbers(Cost, row.cost, day)
            if total is None or day in self._totals:
                self._broken.add(day)
            else:
                self._totals[day] = total

    def add_cost(self, pages: Iterable[Page]) -> None:
        for day, row in self._rows(pages):
            cell, cost = self._cell(day, row), self._numbers(Cost, row.cost, day)
            if cost is None:
                cell.refused = True
            else:
                cell.add_cost(cost)

    def add_usage(self, pages: Iterable[Page]) -> None:
        for day, row in self._rows(pages):
            cell, usage = self._cell(day, row), self._numbers(Usage, row.usage, day)
            if usage is None:
                cell.refused = True
            else:
                cell.add_usage(usage)

    def refuse_nobody(self) -> None:
        """No actor in the whole window means that grouping did not work, which somebody has to look into."""
        if any(actor != NOBODY for cells in self._cells.values() for actor, _ in cells):
            return
        for day, cells in self._cells.items():
            self._rejected[day]["actor_missing"] += len(cells)
        self._cells.clear()

    def days(self) -> Days:
        """Every day that the reports know about; a day that began after they were made is not there yet."""
        complete = []
        for day in self._window.days():
            known = self._refreshed_at is None or midnight(day) < self._refreshed_at
            if day not in self._broken and (known or day in self._totals or day in self._cells):
                complete += self._day(day)
        return Days(complete, sorted(self._broken))

    def _day(self, day: date) -> list[AccountDay]:
        """The day, unless its rows come to more than its total: then the reports saw different states."""
        total = self._totals.get(day, NOTHING)
        cells = {key: cell for key, cell in self._cells[day].items() if not cell.refused}
        rest = _rest(total.amount, [cell.amount for cell in cells.values()])
        list_rest = _rest(total.list_amount, [cell.list_amount for cell in cells.values()])
        rounding = MICRO * len(cells)
        if min(rest, list_rest) < -rounding:
            self._broken.add(day)
            return []
        # Where the other rows are the whole bill, a row that only the usage report has was free of charge. A bill of
        # nothing explains nothing: costs may come later than usage.
        unbilled = 0 if total.amount and rest <= rounding else None
        rows = tuple(cell.row(*key, unbilled) for key, cell in sorted(cells.items(), key=_by_name))
        billed = _whole(total.amount, [row.billed_micro for row in rows])
        at_list = None if total.list_amount is None else _whole(total.list_amount, [row.list_micro for row in rows])
        return [AccountDay(ACCOUNT, day, billed, at_list, rows, self._refreshed_at, dict(self._rejected[day]))]

    def _rows(self, pages: Iterable[Page]) -> Iterator[tuple[date, Row]]:
        """The rows of a report, each once. What belongs to no day of the window is counted on its first day."""
        seen: set[int] = set()
        for page in pages:
            self._refreshed_at = min(filter(None, (self._refreshed_at, page.data_refreshed_at)), default=None)
            for raw in page.data:
                row = parsed(Row, raw)
                day = row.day() if row else None
                if row is None or day is None or day not in self._window:
                    self._rejected[self._window.first]["outside_window" if row else "unreadable"] += 1
                elif (copy := hash(repr(raw))) in seen and row.group.actor:
                    self._rejected[day]["duplicate"] += 1
                else:
                    seen.add(copy)
                    yield day, row

    def _cell(self, day: date, row: Row) -> Cell:
        return self._cells[day][self._keys.actor(row.group.actor), row.group.model]

    def _numbers(self, model: type[Numbers], raw: Any, day: date) -> Numbers | None:
        """A row's numbers, or None and a count where they cannot be true."""
        numbers = parsed(model, raw)
        if numbers is None:
            self._rejected[day]["bad_cost" if model is Cost else "bad_usage"] += 1
        return numbers


def _plus(one: Known | None, other: Known | None) -> Known | None:
    """A sum is unknown if a part is."""
    return None if one is None or other is None else one + other


def _rest(total: Decimal | None, parts: list[Decimal | None]) -> Decimal:
    """What the known parts leave of a total; nothing of an unknown one."""
    return Decimal(0) if total is None else total - sum(part for part in parts if part is not None)


def _whole(total: Decimal, parts: list[int | None]) -> int:
    """Micro-USD of a total. A provider rounds too, but the parts of a whole are never more than the whole."""
    return max(from_cents(total), sum(part or 0 for part in parts))


def _by_name(item: tuple[tuple[Actor, str | None], Cell]) -> tuple[str, str, str, str]:
    (actor, model), _ = item
    return actor.kind, actor.id or "", actor.email or "", model or ""
