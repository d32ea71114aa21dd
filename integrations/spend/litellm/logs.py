"""`GET /spend/logs/v2`: the requests of a day, one by one.

The proxy counts no more than 10,000 requests of a time, so a busy time is cut in halves until each can be counted. Both
ends of a time belong to it, and are whole seconds. Older proxies refuse pages of more than 100. A proxy without
this report, or with a key that may not read it, has no requests to tell.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from bot.domain.ports import NotFound, Refused, SourceError
from integrations import paging
from integrations.days import DAY, MOMENT, midnight
from integrations.parse import Number
from integrations.spend.litellm.proxy import TITLE, Proxy

PATH = "/spend/logs/v2"
COUNTED = 10_000  # requests of one time, at most
LARGE, SMALL = 500, 100  # requests of a page; 1,000 are allowed, but rows carry price lists and tracebacks of some KiB


class Page(BaseModel):
    data: list[Any]
    total: Number | None = None
    total_pages: Number | None = None
    total_is_capped: bool | None = None

    def is_capped(self) -> bool:
        return bool(self.total_is_capped) or (self.total or 0) >= COUNTED


@dataclass(frozen=True, slots=True)
class Piece:
    """A time of whole seconds; what began at its very end belongs to the next one."""

    start: datetime
    end: datetime

    def halves(self) -> tuple["Piece", "Piece"]:
        half = timedelta(seconds=(self.end - self.start) // MOMENT // 2)
        if not half:
            raise SourceError(f"{TITLE}: {PATH} has more requests of one second than it can count")
        return Piece(self.start, self.start + half), Piece(self.start + half, self.end)

    def params(self) -> dict[str, Any]:
        """Oldest first, so that requests which arrive meanwhile move no page."""
        span = {"start_date": f"{self.start:%Y-%m-%d %H:%M:%S}", "end_date": f"{self.end:%Y-%m-%d %H:%M:%S}"}
        return {**span, "sort_by": "startTime", "sort_order": "asc"}


Found = tuple[Piece, Any]
"""A request, still as JSON, and the piece of time that it was found in."""
NOTHING = Page(data=[])


@dataclass(slots=True)
class Logs:
    """The proxy's log of requests. What it can do is found out once."""

    proxy: Proxy
    size: int = LARGE
    readable: bool = True

    def of(self, day: date) -> Iterator[Found]:
        """The requests of a day. Only a page at a time is held: there may be a million."""
        piece = Piece(midnight(day), midnight(day + DAY))
        try:
            first = self._first(piece) if self.readable else NOTHING
        except (Refused, NotFound):
            self.readable, first = False, NOTHING
        return self._rows(piece, first)

    def _rows(self, piece: Piece, first: Page) -> Iterator[Found]:
        if first.is_capped():
            for half in piece.halves():
                yield from self._rows(half, self._first(half))
        else:
            for page in self._pages(piece, first):
                yield from ((piece, raw) for raw in page.data)

    def _first(self, piece: Piece) -> Page:
        try:
            return self._page(piece, 1)
        except (Refused, NotFound):
            raise
        except SourceError as error:
            if not error.permanent or self.size == SMALL:
                raise
            self.size = SMALL
            return self._page(piece, 1)

    def _pages(self, piece: Piece, first: Page) -> Iterator[Page]:
        def ask(number: int) -> tuple[int, Page]:
            return number, first if number == 1 else self._page(piece, number)

        most = COUNTED // self.size + 1
        for _, page in paging.pages(f"{TITLE}: {PATH}", most, 1, ask, self._following):
            yield page

    def _following(self, asked: tuple[int, Page]) -> int | None:
        number, page = asked
        full = len(page.data) >= self.size
        more = full if page.total_pages is None else number < page.total_pages
        return number + 1 if more and page.data else None

    def _page(self, piece: Piece, number: int) -> Page:
        return self.proxy.get(PATH, {**piece.params(), "page": number, "page_size": self.size}, Page)
