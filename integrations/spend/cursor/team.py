"""Asking Cursor for a team's events and commits, page by page."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from bot.domain.ports import Access, SourceError
from integrations import paging
from integrations.days import Window, midnight
from integrations.parse import parsed
from integrations.spend.cursor.models import CommitPage, Page

KEY_NAME, URL_NAME = "CURSOR_ADMIN_KEY", "CURSOR_API_URL"
BASE_URL = "https://api.cursor.com"
EVENTS = "/teams/filtered-usage-events"
COMMITS = "/analytics/ai-code/commits"
PAGE = 1000
MAX_PAGES = 300


@dataclass(frozen=True, slots=True)
class Team:
    """The team behind one key, which is a user name without a password."""

    access: Access
    url: str = field(init=False)
    headers: dict[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        key = self.access.settings.get(KEY_NAME, "").strip()
        if not key:
            raise SourceError(f"{KEY_NAME} is not set", permanent=True)
        basic = b64encode(f"{key}:".encode()).decode()
        object.__setattr__(self, "headers", {"authorization": f"Basic {basic}"})
        object.__setattr__(self, "url", self.access.settings.get(URL_NAME, BASE_URL).rstrip("/"))

    def events(self, window: Window) -> Iterator[Any]:
        """Every event of a window, newest first. Its end is fixed, so that what happens meanwhile shifts no page. An
        event that is told late shifts them all the same, and then one is read twice and another never: every page has
        to tell the same count, and that is how many there have to be."""
        read, told = 0, set[int]()
        for page in self._pages(window):
            read += len(page.usage_events)
            if page.total_usage_events_count is not None:
                told.add(page.total_usage_events_count)
            if len(told) > 1:
                break
            yield from page.usage_events
        if told - {read}:
            raise SourceError(
                f"the usage events changed while they were read: {read} of {max(told)}, the next run tries again"
            )

    def _pages(self, window: Window) -> Iterator[Page]:
        def ask(number: int) -> tuple[int, Page]:
            return number, self.page(window, number, PAGE)

        def following(at: tuple[int, Page]) -> int | None:
            return at[0] + 1 if at[1].pagination.has_next_page else None

        return (page for _, page in paging.pages("the usage events", MAX_PAGES, 1, ask, following))

    def page(self, window: Window, number: int, size: int) -> Page:
        end = min(midnight(window.end), window.now)
        body = {"startDate": _ms(midnight(window.first)), "endDate": _ms(end) - 1, "page": number, "pageSize": size}
        page = parsed(Page, self.access.http.post_json(self.url + EVENTS, body=body, headers=self.headers))
        if page is None:
            raise SourceError("the usage events are no report")
        return page

    def commits(self, first: date, end: date) -> Iterator[Any]:
        """Every commit that Cursor saw being made on these days."""
        dates = {"startDate": first.isoformat(), "endDate": end.isoformat(), "pageSize": PAGE}

        def ask(number: int) -> tuple[int, CommitPage]:
            page = parsed(CommitPage, self._get(COMMITS, {**dates, "page": number}))
            if page is None:
                raise SourceError("the AI code commits are no report")
            return number, page

        for _, page in paging.pages("the AI code commits", MAX_PAGES, 1, ask, _page_after):
            yield from page.items

    def commit(self, sha: str) -> Any:
        return self._get(f"{COMMITS}/{sha}", {})

    def _get(self, path: str, params: Mapping[str, Any]) -> Any:
        return self.access.http.get_json(self.url + path, params=params, headers=self.headers)


def _page_after(at: tuple[int, CommitPage]) -> int | None:
    """Pages may be smaller than they were asked to be."""
    number, page = at
    size = page.page_size or PAGE
    more = len(page.items) >= size if page.total_count is None else number * size < page.total_count
    return number + 1 if page.items and more else None


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
