"""`GET /organization/costs` and `/organization/usage/completions`: a day's money and tokens by person and model.

Docs: the API reference's `usage/costs` and `usage/completions`. The ungrouped cost of a day is its bill and the control
sum; grouped rows explain it. Costs are split by line item, so several rows of a model are one cell here.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import Any, TypeVar

from pydantic import BaseModel

from bot.domain.model import AccountDay, Actor, ActorKind, SpendRow, Tokens
from bot.domain.money import from_dollars
from bot.domain.ports import NotFound, Refused, SourceError
from integrations.days import Window, unix
from integrations.parse import MOST_DOLLARS, dollars_micro, parsed
from integrations.spend.openai.directory import Directory
from integrations.spend.openai.models import MICRO, Amount, Bucket, CostRow, Page, Usage, UsageRow
from integrations.spend.openai.reports import COSTS, USAGE, Reports

ACCOUNT = "openai"  # one deployment has one key, and so one account
NOBODY = Actor(ActorKind.UNKNOWN)

Row = TypeVar("Row", CostRow, UsageRow)
Numbers = TypeVar("Numbers", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Days:
    """What was read of one window. `broken` days had numbers that contradict each other."""

    complete: list[AccountDay]
    broken: list[date]


def read(reports: Reports, directory: Directory, window: Window) -> Days:
    """The days of a window, read as a whole. Usage comes before costs, as it also tells who uses which key."""
    period = {"start_time": unix(window.first), "end_time": unix(window.end), "bucket_width": "1d"}
    book = Book(window, directory)
    book.add_totals(reports.pages(COSTS, period | {"limit": (window.end - window.first).days}))
    # A page holds whole days, and a day of thousands of people is megabytes: one day a page.
    book.add_usage(reports.pages(USAGE, period | {"limit": 1} | _by("user_id", "api_key_id", "model")))
    _add_costs(book, reports, period | {"limit": 1})
    book.refuse_nobody()
    return book.days()


def _add_costs(book: "Book", reports: Reports, period: dict[str, Any]) -> None:
    """Costs by user and key at once. Some organisations and times do not have that: then people are read from the costs
    by user, and from the costs by key only what service accounts own, for which no user is told. Where there are no
    costs by user either, keys are all there is."""
    if both := _begun(reports.pages(COSTS, period | _by("user_id", "api_key_id", "line_item"))):
        book.add_costs(both)
        return
    users = _begun(reports.pages(COSTS, period | _by("user_id", "line_item")))
    if users:
        book.add_costs(users, _is(ActorKind.USER))
    keys = reports.pages(COSTS, period | _by("api_key_id", "line_item"))
    book.add_costs(keys, _is(ActorKind.SERVICE_ACCOUNT) if users else _anybody)


def _begun(pages: Iterator[Page]) -> Iterator[Page] | None:
    """The pages; None where OpenAI does not accept the question (400), which the first page shows."""
    try:
        return chain([next(pages)], pages)
    except (Refused, NotFound):
        raise
    except SourceError as error:
        if not error.permanent:
            raise
        return None


def _by(*groups: str) -> dict[str, list[str]]:
    return {"group_by[]": list(groups)}


def _is(kind: ActorKind) -> Callable[[Actor], bool]:
    return lambda actor: actor.kind is kind


def _anybody(_actor: Actor) -> bool:
    return True


@dataclass(slots=True)
class Cell:
    """What one actor spent on one model on one day, from both reports; dollars are None before any cost.

    A refused row refuses the whole cell.
    """

    tokens: Tokens | None = None
    requests: int | None = None
    dollars: Decimal | None = None
    refused: bool = False

    def add_usage(self, usage: Usage) -> None:
        if self.tokens is None:
            self.tokens, self.requests = usage.tokens(), usage.num_model_requests
        else:
            self.tokens += usage.tokens()
            both = self.requests is not None and usage.num_model_requests is not None
            self.requests = (self.requests or 0) + (usage.num_model_requests or 0) if both else None

    def row(self, actor: Actor, model: str | None, if_not_billed: int | None) -> SpendRow:
        billed = if_not_billed if self.dollars is None else dollars_micro(self.dollars)
        at_list = 0 if billed == 0 else None  # free, and said so: a bill of nothing alone may be for want of a price
        return SpendRow(actor, model, self.tokens or Tokens(), self.requests, at_list, billed)


@dataclass(slots=True)
class Book:
    """The reports of a window, joined by day, actor and model."""

    window: Window
    directory: Directory
    _totals: dict[date, Decimal] = field(default_factory=dict)
    _cells: dict[date, dict[tuple[Actor, str | None], Cell]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Cell))
    )
    _users: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _broken: set[date] = field(default_factory=set)
    _rejected: dict[date, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def add_totals(self, pages: Iterable[Page]) -> None:
        """A day has one bucket: a second one, or one that cannot be true, leaves the day without a bill."""
        for day, bucket in self._buckets(pages):
            amounts = [parsed(Amount, row.amount) if (row := parsed(CostRow, raw)) else None for raw in bucket.results]
            total = _sum(amounts)
            if total is None or day in self._totals:
                self._broken.add(day)
            else:
                self._totals[day] = total

    def add_usage(self, pages: Iterable[Page]) -> None:
        for day, row, raw in self._rows(UsageRow, pages):
            if row.user_id and row.api_key_id:
                self._users[row.api_key_id].add(row.user_id)
            cell = self._cells[day][self.directory.actor(row.user_id, row.api_key_id), row.model]
            usage = self._numbers(Usage, raw, day, "bad_usage")
            if usage is None:
                cell.refused = True
            else:
                cell.add_usage(usage)

    def add_costs(self, pages: Iterable[Page], counts: Callable[[Actor], bool] = _anybody) -> None:
        """Costs of the actors that count in this report."""
        for day, row, _ in self._rows(CostRow, pages):
            actor = self._payer(row)
            if not counts(actor):
                continue
            cell = self._cells[day][actor, row.model]
            amount = self._numbers(Amount, row.amount, day, "bad_cost")
            if amount is None:
                cell.refused = True
            else:
                cell.dollars = (cell.dollars or Decimal(0)) + amount.value

    def _payer(self, row: CostRow) -> Actor:
        """Who a cost is about. A key that the directory does not know is its user's, where usage told of one."""
        actor = self.directory.actor(row.user_id, row.api_key_id)
        users = self._users.get(row.api_key_id or "", set())
        return self.directory.user(*users) if actor.kind is ActorKind.KEY and len(users) == 1 else actor

    def refuse_nobody(self) -> None:
        """No actor in the whole window means that grouping did not work, which somebody has to look into."""
        if any(actor != NOBODY for cells in self._cells.values() for actor, _ in cells):
            return
        for day, cells in self._cells.items():
            self._rejected[day]["actor_missing"] += len(cells)
        self._cells.clear()

    def days(self) -> Days:
        """Every day; one that the bill does not mention costs nothing so far."""
        complete = [found for day in self.window.days() if day not in self._broken and (found := self._day(day))]
        return Days(complete, sorted(self._broken))

    def _day(self, day: date) -> AccountDay | None:
        """The day, unless its rows come to more than its bill: then the reports saw different states."""
        total = self._totals.get(day, Decimal(0))
        cells = {key: cell for key, cell in self._cells[day].items() if not cell.refused}
        rest = total - sum(cell.dollars or 0 for cell in cells.values())
        rounding = MICRO * len(cells)
        if rest < -rounding:
            self._broken.add(day)
            return None
        # Where the other rows are the whole bill, tokens without a cost were free. A bill of nothing explains nothing:
        # costs may come later than usage.
        unbilled = 0 if total and rest <= rounding else None
        rows = tuple(cell.row(*key, unbilled) for key, cell in sorted(cells.items(), key=_by_name))
        # OpenAI rounds too, but the parts of a whole are never more than the whole.
        billed = max(from_dollars(total), sum(row.billed_micro or 0 for row in rows))
        return AccountDay(ACCOUNT, day, billed, None, rows, rejected=dict(self._rejected[day]))

    def _buckets(self, pages: Iterable[Page]) -> Iterator[tuple[date, Bucket]]:
        """The buckets of a report. What belongs to no day of the window is counted on its first day."""
        for page in pages:
            for raw in page.data:
                bucket = parsed(Bucket, raw)
                day = bucket.day() if bucket else None
                if bucket is None or day is None or day not in self.window:
                    self._rejected[self.window.first]["outside_window" if bucket else "unreadable"] += 1
                else:
                    yield day, bucket

    def _rows(self, model: type[Row], pages: Iterable[Page]) -> Iterator[tuple[date, Row, Any]]:
        """The rows of a report, each once; rows of nobody in particular may be equal."""
        seen: set[int] = set()
        for day, bucket in self._buckets(pages):
            for raw in bucket.results:
                row = parsed(model, raw)
                copy = hash((day, repr(raw)))
                if row is None:
                    self._rejected[day]["unreadable"] += 1
                elif copy in seen and (row.user_id or row.api_key_id):
                    self._rejected[day]["duplicate"] += 1
                else:
                    seen.add(copy)
                    yield day, row, raw

    def _numbers(self, model: type[Numbers], raw: Any, day: date, reason: str) -> Numbers | None:
        """A row's numbers, or None and a count where they cannot be true."""
        numbers = parsed(model, raw)
        if numbers is None:
            self._rejected[day][reason] += 1
        return numbers


def _sum(amounts: list[Amount | None]) -> Decimal | None:
    """The sum of amounts, where all of them, and it, can be true."""
    total = sum((amount.value for amount in amounts if amount), Decimal(0))
    return None if None in amounts or total > MOST_DOLLARS else total


def _by_name(item: tuple[tuple[Actor, str | None], Cell]) -> tuple[str, str, str, str]:
    (actor, model), _ = item
    return actor.kind, actor.id or "", actor.email or "", model or ""
