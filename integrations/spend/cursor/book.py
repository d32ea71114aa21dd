"""The events of a window, by day."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from bot.domain.model import AccountDay, Actor, SpendRow, Tokens
from bot.domain.money import from_cents
from integrations.days import Window
from integrations.parse import cents_micro, parsed
from integrations.spend.cursor.commits import Found
from integrations.spend.cursor.models import Charge, Event, Stamp

ACCOUNT = "cursor"


@dataclass(slots=True)
class Cell:
    """What one person spent on one model in one conversation of a day, in cents."""

    tokens: Tokens = field(default_factory=Tokens)
    requests: int = 0
    charged: Decimal = Decimal(0)
    at_list: Decimal = Decimal(0)

    def add(self, event: Event) -> None:
        self.tokens += event.tokens()
        self.requests += 1
        self.charged += event.charged_cents
        self.at_list += event.at_list()


class Book:
    """The events of a window, by day."""

    def __init__(self, window: Window) -> None:
        self.broken: set[date] = set()
        self._window = window
        self._bill: dict[date, Decimal] = defaultdict(Decimal)
        self._covered: dict[date, Decimal] = defaultdict(Decimal)
        self._cells: dict[date, dict[tuple[Actor, str | None, str | None], Cell]] = defaultdict(
            lambda: defaultdict(Cell)
        )
        self._rejected: dict[date, Counter[str]] = defaultdict(Counter)

    def add(self, raw: Any) -> None:
        """Book an event. Without a charge that can be true its day has no bill; without numbers that can be true it is
        counted, and its charge is in the remainder."""
        stamp, charge, event = parsed(Stamp, raw), parsed(Charge, raw), parsed(Event, raw)
        if stamp is None or stamp.day() not in self._window:
            self._rejected[self._window.first]["outside_window" if stamp else "unreadable"] += 1
            self.broken |= {self._window.first} if stamp is None else set()
            return
        day = stamp.day()
        if charge is None:
            self.broken.add(day)
            return
        self._bill[day] += charge.charged_cents
        if event is None:
            self._rejected[day]["bad_usage"] += 1
            return
        self._cells[day][event.actor(), event.model, event.conversation_id].add(event)
        if not event.charged_cents:
            self._covered[day] += event.at_list()

    def days(self, commits: Found) -> Iterator[AccountDay]:
        for day in self._window.days():
            if day not in self.broken:
                yield self._day(day, commits)

    def _day(self, day: date, commits: Found) -> AccountDay:
        unread = Counter({"commit_unread": commits.unread[day]})
        cells = sorted(self._cells[day].items(), key=lambda item: repr(item[0]))
        rows = tuple(
            SpendRow(
                who, model, cell.tokens, cell.requests, cents_micro(cell.at_list), cents_micro(cell.charged), session
            )
            for (who, model, session), cell in cells
        )
        return AccountDay(
            ACCOUNT,
            day,
            billed_micro=max(from_cents(self._bill[day]), sum(row.billed_micro or 0 for row in rows)),
            list_micro=sum(row.list_micro or 0 for row in rows),
            rows=rows,
            rejected=dict(self._rejected[day] + unread),
            covered_micro=cents_micro(self._covered[day]),
            commits=tuple(commits.made.get(day, ())),
        )
