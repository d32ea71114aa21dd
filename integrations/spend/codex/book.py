"""The two reports of a window, joined by day: the workspace's totals are the truth, and people's explain them."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from bot.domain.model import AccountDay, Activity, Actor, SpendRow
from bot.domain.money import from_dollars
from integrations.days import Window
from integrations.parse import dollars_micro, parsed
from integrations.spend.codex.models import NOBODY, Counts, Entry, Totals

ACCOUNT = "codex"  # one deployment has one workspace, and so one account
ROUNDING = Decimal("0.005")  # of each figure: dollars are told to the cent


class Book:
    """The two reports of a window, joined by day."""

    def __init__(self, window: Window) -> None:
        self.broken: set[date] = set()
        self._window = window
        self._whole: dict[date, Totals] = {}
        self._people: dict[date, dict[Actor, Totals]] = defaultdict(dict)
        self._rejected: dict[date, Counter[str]] = defaultdict(Counter)

    def add_workspace(self, entries: Iterator[Any]) -> None:
        """A day has one total; a second one, or one that cannot be true, leaves the day without a truth."""
        for day, _, raw in self._read(entries):
            totals = parsed(Totals, raw)
            if totals is None or day in self._whole:
                self.broken.add(day)
            else:
                self._whole[day] = totals

    def add_people(self, entries: Iterator[Any]) -> None:
        """A person has one entry a day: a second one is a copy of it."""
        for day, who, raw in self._read(entries):
            totals = parsed(Totals, raw)
            if totals is None:
                self._rejected[day]["bad_cost" if parsed(Counts, raw) else "bad_usage"] += 1
            elif who in self._people[day]:
                self._rejected[day]["duplicate"] += 1
            else:
                self._people[day][who] = totals
        self._refuse_nobody()

    def _refuse_nobody(self) -> None:
        """Nobody named in the whole window means that the report is not by person, which somebody has to look into."""
        if any(who != NOBODY for people in self._people.values() for who in people):
            return
        for day, people in self._people.items():
            self._rejected[day]["actor_missing"] += len(people)
        self._people.clear()

    def _read(self, entries: Iterator[Any]) -> Iterator[tuple[date, Actor, Any]]:
        for raw in entries:
            entry = parsed(Entry, raw)
            day = entry.day() if entry else None
            if entry is None or day is None or day not in self._window:
                self._rejected[self._window.first]["outside_window" if entry else "unreadable"] += 1
            else:
                yield day, entry.who(), entry.totals

    def days(self) -> Iterator[AccountDay]:
        for day in self._window.days():
            if day not in self.broken and (found := self._day(day)):
                yield found

    def _day(self, day: date) -> AccountDay | None:
        """The day, unless its people come to more than the workspace: then the reports saw different states."""
        whole, people = self._whole.get(day), self._people[day]
        if _contradict(whole, people):
            self.broken.add(day)
            return None
        whole = whole or Totals()  # nobody used Codex, or the day is not told yet
        rows = tuple(_row(who, totals, whole) for who, totals in people.items())
        return AccountDay(
            ACCOUNT,
            day,
            billed_micro=_whole(whole.cost_usd, [row.billed_micro for row in rows]),
            list_micro=_whole(whole.at_list, [row.list_micro for row in rows]),
            rows=rows,
            rejected=dict(+self._rejected[day]),
            covered_micro=dollars_micro(whole.estimated_cost_usd) if whole.cost_usd is None else None,
            credits_milli=_milli(whole.credits),
            activity=tuple(_activity(who, totals) for who, totals in people.items()),
        )


def _contradict(whole: Totals | None, people: Mapping[Actor, Totals]) -> bool:
    if whole is None:
        return bool(people)
    return any(_exceeds(whole, people, name) for name in ("credits", "cost_usd", "estimated_cost_usd"))


def _exceeds(whole: Totals, people: Mapping[Actor, Totals], name: str) -> bool:
    total = getattr(whole, name)
    parts = [getattr(one, name) or Decimal(0) for one in people.values()]
    return total is not None and sum(parts) > total + ROUNDING * (len(parts) + 1)


def _whole(total: Decimal | None, parts: list[int | None]) -> int | None:
    """Micro-USD of a total. Codex rounds too, but the parts of a whole are never more than the whole."""
    return None if total is None else max(from_dollars(total), sum(part or 0 for part in parts))


def _row(who: Actor, totals: Totals, whole: Totals) -> SpendRow:
    """A part of a bill that is not told is not told either."""
    billed = None if whole.cost_usd is None else dollars_micro(totals.cost_usd)
    return SpendRow(who, None, totals.tokens(), None, dollars_micro(totals.at_list), billed)


def _activity(who: Actor, totals: Totals) -> Activity:
    return Activity(who, totals.threads, totals.turns, _milli(totals.credits))


def _milli(credits: Decimal | None) -> int | None:
    return None if credits is None else int((credits * 1000).to_integral_value())
