"""Asking Anthropic for a report: windows of days, pages, and the guards that keep a half-read report out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import chain
from typing import Any

from bot.domain.model import AccountDay
from bot.domain.ports import Http, SourceError
from integrations import paging
from integrations.parse import parsed
from integrations.spend.anthropic.models import Page

ACCOUNT = "anthropic"  # one deployment has one key, and so one account
LONGEST = timedelta(days=31)  # of one request, in all reports
Cursor = tuple[tuple[str, str], ...]
MAX_PAGES = 500  # of up to 1,000 rows


@dataclass(frozen=True, slots=True)
class Days:
    """What was read of one window. `broken` days had numbers that contradict each other."""

    complete: list[AccountDay]
    broken: list[date]


@dataclass(frozen=True, slots=True)
class Reports:
    """The organisation's reports behind one key."""

    http: Http
    base_url: str
    key: str = field(repr=False)

    def pages(self, path: str, params: Mapping[str, Any], *, beta: str | None = None) -> Iterator[Page]:
        """Every page. A report can have hundreds of thousands of rows, so only one page is held at a time."""
        start: Cursor = ()
        yield from paging.pages(
            f"Anthropic: {path}",
            MAX_PAGES,
            start,
            lambda cursor: self._page(path, {**params, **dict(cursor)}, beta),
            lambda page: self._following(path, page),
        )

    @staticmethod
    def _following(path: str, page: Page) -> Cursor | None:
        if page.is_last():
            return None
        if not page.cursor():
            raise SourceError(f"Anthropic: the pages of {path} go in a circle, as it does not say where the next is")
        return tuple(page.cursor().items())

    def rows(self, path: str, params: Mapping[str, Any]) -> Iterator[Any]:
        """The rows of every page, still as JSON."""
        return chain.from_iterable(page.data for page in self.pages(path, params))

    def _page(self, path: str, params: Mapping[str, Any], beta: str | None) -> Page:
        headers = {"x-api-key": self.key, "anthropic-version": "2023-06-01"}
        if beta:
            headers["anthropic-beta"] = beta
        page = parsed(Page, self.http.get_json(self.base_url + path, params=params, headers=headers))
        if page is None:
            raise SourceError(f"Anthropic: {path} answered with something that is no report")
        return page
