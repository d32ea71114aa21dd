"""Codex in a ChatGPT Enterprise workspace: conversations, turns and credits by person and day, and what they cost.

Docs: developers.openai.com `codex/enterprise`, `GET /workspaces/{id}/usage` (Unix seconds; up to 90 days back; names of
nested fields come from two captures). Three figures are kept apart and never added up: `credits`, `cost_usd` (what was
billed in dollars) and `estimated_cost_usd` (what credits come to at the overage rate). null is "not told", never 0.
`clients` and `models` repeat the totals and are not read. Codex with an API key is in OpenAI's own costs and not here.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Annotated, Any

from pydantic import BaseModel, Field

from bot.domain.model import AccountDay, Activity, Actor, ActorKind, SpendRow, Tokens
from bot.domain.money import from_dollars
from bot.domain.ports import Access, Setting, SourceError
from integrations import paging
from integrations.days import DAY, Window, today, unix, unix_day, windows
from integrations.paging import advising
from integrations.parse import Dollars, Number, dollars_micro, lower_email, parsed

NAME = "codex"
TITLE = "Codex"
KEY_NAME, WORKSPACE, URL_NAME = "CODEX_ANALYTICS_KEY", "CODEX_WORKSPACE_ID", "CODEX_API_URL"
SETTINGS = (
    Setting(KEY_NAME, "An OpenAI platform key that may read Codex Enterprise analytics.", secret=True),
    Setting(WORKSPACE, "The ID of your ChatGPT workspace, from its admin console."),
    Setting(URL_NAME, "Another address for the Codex analytics API.", required=False, is_url=True),
)
LAG_DAYS = 2
REFETCH_DAYS = 7
EVERY = timedelta(hours=12)
GIVES = "conversations, turns and credits by person; dollars where Codex is billed in dollars"
KEY = "a platform key with *Codex analytics: read*, of the workspace's organization"
FRESH = "up to 12 hours, sometimes days"
BASE_URL = "https://api.chatgpt.com/v1/analytics/codex"
REACH = timedelta(days=90)
LONGEST = timedelta(days=30)
LIMIT = 1000
MAX_PAGES = 200

Credits = Annotated[Decimal, Field(ge=0, le=10**9, allow_inf_nan=False)]


class Page(BaseModel):
    data: list[Any]
    has_more: bool = False
    next_page: str | None = None


class Who(BaseModel):
    email: str | None = None


class Entry(BaseModel):
    """One person's day, or with `group=workspace` everybody's; numbers not yet looked at."""

    start_time: Annotated[int, Field(strict=True)]
    end_time: Annotated[int, Field(strict=True)]
    user_id: str | None = None
    actor: Who | None = None
    totals: Any

    def day(self) -> date | None:
        whole = self.end_time - self.start_time == DAY.total_seconds()
        return unix_day(self.start_time) if whole else None

    def who(self) -> Actor:
        if self.user_id is None:
            return Actor(ActorKind.UNKNOWN)
        return Actor(ActorKind.USER, self.user_id, lower_email(self.actor.email if self.actor else None))


class Totals(BaseModel):
    threads: Number | None = None
    turns: Number | None = None
    credits: Credits | None = None
    cost_usd: Dollars | None = None
    estimated_cost_usd: Dollars | None = None

    @property
    def at_list(self) -> Decimal | None:
        return self.estimated_cost_usd if self.cost_usd is None else self.cost_usd


def oldest(now: datetime) -> date:
    return today(now - REACH) + DAY


def fetch(access: Access, since: date, until: date, now: datetime) -> Iterator[AccountDay]:
    """A window of 30 days is read as a whole. Days whose numbers contradict each other are left out, and named in the
    error that ends the fetch."""
    reports = _reports(access)
    broken: list[date] = []
    with _explained():
        for window in windows(since, until, now, LONGEST):
            book = Book(window)
            book.add_workspace(reports.entries(window, {"group": "workspace"}))
            book.add_people(reports.entries(window, {}))
            yield from book.days()
            broken += sorted(book.broken)
        if broken:
            named = ", ".join(map(str, broken))
            raise SourceError(f"the numbers of {named} contradict each other, so these days were left out")


def check(access: Access, now: datetime) -> None:
    """Ask for the workspace's yesterday."""
    with _explained():
        list(_reports(access).entries(Window(today(now) - DAY, today(now), now), {"group": "workspace"}))


_explained = partial(
    advising,
    TITLE,
    refused=f"Check {KEY_NAME}: it has to be a platform key with the permission Codex analytics, of the organization "
    f"that belongs to the workspace in {WORKSPACE}.",
    missing=f"Check {WORKSPACE} and {URL_NAME}.",
)


@dataclass(frozen=True, slots=True)
class Reports:
    access: Access
    url: str
    key: str = field(repr=False)

    def entries(self, window: Window, group: Mapping[str, str]) -> Iterator[Any]:
        """The entries of a window, still as JSON."""
        params = {"start_time": unix(window.first), "end_time": unix(window.end), "group_by": "day", "limit": LIMIT}

        def ask(cursor: str) -> Page:
            at = {"page": cursor} if cursor else {}
            headers = {"authorization": f"Bearer {self.key}"}
            page = parsed(Page, self.access.http.get_json(self.url, params={**params, **group, **at}, headers=headers))
            if page is None:
                raise SourceError("the usage report is no report")
            return page

        for page in paging.pages("the usage report", MAX_PAGES, "", ask, _following):
            yield from page.data


def _following(page: Page) -> str | None:
    if not page.has_more:
        return None
    if not page.next_page:
        raise SourceError("the usage report has more pages, and does not say where")
    return page.next_page


def _reports(access: Access) -> Reports:
    key, workspace = (access.settings.get(name, "").strip() for name in (KEY_NAME, WORKSPACE))
    if not key or not workspace:
        raise SourceError(f"{TITLE}: {WORKSPACE if key else KEY_NAME} is not set", permanent=True)
    if not workspace.replace("-", "").isalnum():
        raise SourceError(f"{TITLE}: {WORKSPACE} is no ID: it holds other signs than letters, digits and dashes")
    base_url = access.settings.get(URL_NAME, BASE_URL).rstrip("/")
    return Reports(access, f"{base_url}/workspaces/{workspace}/usage", key)


class Book:
    """The two reports of a window, joined by day."""

    def __init__(self, window: Window) -> None:
        self.broken: set[date] = set()
        self._window = window
        self._whole: dict[date, Totals] = {}
        self._people: dict[date, list[tuple[Actor, Totals]]] = defaultdict(list)
        self._rejected: dict[date, Counter[str]] = defaultdict(Counter)

    def add_workspace(self, entries: Iterator[Any]) -> None:
        """A day has one total; a second one, or one that cannot be true, leaves the day without a truth."""
        for day, _, totals in self._read(entries):
            if totals is None or day in self._whole:
                self.broken.add(day)
            else:
                self._whole[day] = totals

    def add_people(self, entries: Iterator[Any]) -> None:
        for day, who, totals in self._read(entries):
            if totals is None:
                self._rejected[day]["bad_usage"] += 1
            else:
                self._people[day].append((who, totals))

    def _read(self, entries: Iterator[Any]) -> Iterator[tuple[date, Actor, Totals | None]]:
        for raw in entries:
            entry = parsed(Entry, raw)
            day = entry.day() if entry else None
            if entry is None or day is None or day not in self._window:
                self._rejected[self._window.first]["outside_window" if entry else "unreadable"] += 1
            else:
                yield day, entry.who(), parsed(Totals, entry.totals)

    def days(self) -> Iterator[AccountDay]:
        for day in self._window.days():
            if day not in self.broken and (found := self._day(day)):
                yield found

    def _day(self, day: date) -> AccountDay | None:
        """The day, unless its people come to more than the workspace: then the reports saw different states."""
        whole, people = self._whole.get(day, Totals(cost_usd=None)), self._people[day]
        if any(_exceeds(whole, people, name) for name in ("credits", "cost_usd", "estimated_cost_usd")):
            self.broken.add(day)
            return None
        credit_billed = whole.cost_usd is None
        return AccountDay(
            NAME,
            day,
            billed_micro=None if whole.cost_usd is None else from_dollars(whole.cost_usd),
            list_micro=None if whole.at_list is None else from_dollars(whole.at_list),
            rows=tuple(_row(who, totals) for who, totals in people),
            rejected=dict(self._rejected[day]),
            covered_micro=dollars_micro(whole.estimated_cost_usd) if credit_billed else None,
            credits_milli=_milli(whole.credits),
            activity=tuple(_activity(who, totals) for who, totals in people),
        )


def _exceeds(whole: Totals, people: list[tuple[Actor, Totals]], name: str) -> bool:
    total = getattr(whole, name)
    return total is not None and sum(getattr(one, name) or 0 for _, one in people) > total + Decimal("0.001")


def _row(who: Actor, totals: Totals) -> SpendRow:
    return SpendRow(who, None, Tokens(), None, dollars_micro(totals.at_list), dollars_micro(totals.cost_usd))


def _activity(who: Actor, totals: Totals) -> Activity:
    return Activity(who, totals.threads, totals.turns, _milli(totals.credits))


def _milli(credits: Decimal | None) -> int | None:
    return None if credits is None else int((credits * 1000).to_integral_value())
