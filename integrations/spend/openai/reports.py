"""Asking OpenAI for reports and lists, page by page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from bot.domain.ports import Http, SourceError
from integrations import paging
from integrations.days import Window, unix
from integrations.parse import parsed

COSTS = "/organization/costs"
USAGE = "/organization/usage/completions"
BUCKETS = 31
MAX_PAGES = 500


class Page(BaseModel):
    """Reports go on with `next_page`, lists after `last_id`."""

    data: list[Any]
    has_more: bool = False
    next_page: str | None = None
    last_id: str | None = None


@dataclass(frozen=True, slots=True)
class Reports:
    """The organization's reports behind one key."""

    http: Http
    base_url: str
    key: str = field(repr=False)

    def buckets(self, path: str, window: Window, group: Sequence[str]) -> Iterator[Any]:
        """The days of a report, still as JSON. Arrays are sent with brackets, as the official client does."""
        params: dict[str, Any] = {
            "start_time": unix(window.first),
            "end_time": unix(window.end),
            "bucket_width": "1d",
            "limit": BUCKETS,
        }
        if group:
            params["group_by[]"] = list(group)
        return self._rows(path, params, "page", "next_page")

    def listed(self, path: str) -> Iterator[Any]:
        """The entries of a list, still as JSON."""
        return self._rows(path, {"limit": 100}, "after", "last_id")

    def _rows(self, path: str, params: Mapping[str, Any], cursor: str, named: str) -> Iterator[Any]:
        def ask(at: str) -> Page:
            return self._page(path, {**params, **({cursor: at} if at else {})})

        def following(page: Page) -> str | None:
            if not page.has_more:
                return None
            at: str | None = getattr(page, named)
            if not at:
                raise SourceError(f"{path} has more pages, and does not say where")
            return at

        for page in paging.pages(path, MAX_PAGES, "", ask, following):
            yield from page.data

    def _page(self, path: str, params: Mapping[str, Any]) -> Page:
        headers = {"authorization": f"Bearer {self.key}"}
        page = parsed(Page, self.http.get_json(self.base_url + path, params=params, headers=headers))
        if page is None:
            raise SourceError(f"{path} answered with something that is no report")
        return page
