"""Asking OpenAI for a report or a directory, page by page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from bot.domain.ports import Http, SourceError
from integrations import paging
from integrations.parse import parsed
from integrations.spend.openai.models import Page

COSTS = "/organization/costs"
USAGE = "/organization/usage/completions"
Cursor = tuple[tuple[str, str], ...]
MAX_PAGES = 500  # of a day of a report, or of up to 100 rows of a directory


@dataclass(frozen=True, slots=True)
class Reports:
    """The organisation's reports and directories behind one key."""

    http: Http
    base_url: str
    key: str = field(repr=False)

    def pages(self, path: str, params: Mapping[str, Any]) -> Iterator[Page]:
        """Every page; one at a time, as a day of a large organisation is several megabytes."""
        start: Cursor = ()
        yield from paging.pages(
            f"OpenAI: {path}",
            MAX_PAGES,
            start,
            lambda cursor: self._page(path, {**params, **dict(cursor)}),
            lambda page: _following(path, page),
        )

    def rows(self, path: str, params: Mapping[str, Any]) -> Iterator[Any]:
        """The rows of every page, still as JSON."""
        return chain.from_iterable(page.data for page in self.pages(path, params))

    def _page(self, path: str, params: Mapping[str, Any]) -> Page:
        headers = {"authorization": f"Bearer {self.key}"}
        page = parsed(Page, self.http.get_json(self.base_url + path, params=params, headers=headers))
        if page is None:
            raise SourceError(f"OpenAI: {path} answered with something that is no report")
        return page


def _following(path: str, page: Page) -> Cursor | None:
    if page.is_last():
        return None
    if not page.cursor():
        raise SourceError(f"OpenAI: {path} has more pages, and does not say where")
    return tuple(page.cursor().items())
