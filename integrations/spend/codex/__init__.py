"""Codex in a ChatGPT Enterprise workspace: conversations, turns and credits by person and day, and what they cost.

Docs: developers.openai.com `codex/enterprise`, `GET /workspaces/{id}/usage` (Unix seconds; up to 90 days back; names of
nested fields come from two captures). Three figures are kept apart and never added up: `credits`, `cost_usd` (what was
billed in dollars) and `estimated_cost_usd` (what credits come to at the overage rate). null is "not told", never 0.
`clients` and `models` repeat the totals and are not read. Codex with an API key is in OpenAI's own costs and not here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from bot.domain.model import AccountDay
from bot.domain.ports import Access, Setting, SourceError
from integrations import paging
from integrations.days import DAY, Window, today, unix, windows
from integrations.paging import advising
from integrations.parse import parsed
from integrations.spend.codex.book import Book
from integrations.spend.codex.models import Page

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
        raise SourceError(
            f"{TITLE}: {WORKSPACE} is no ID: it holds other signs than letters, digits and dashes", permanent=True
        )
    base_url = access.settings.get(URL_NAME, BASE_URL).rstrip("/")
    return Reports(access, f"{base_url}/workspaces/{workspace}/usage", key)
