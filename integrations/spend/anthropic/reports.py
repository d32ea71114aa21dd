"""Asking Anthropic for a report: windows of days, pages, and the guards that keep a half-read report out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from typing import Any

from bot.domain.model import AccountDay
from bot.domain.ports import Http, SourceError
from integrations.spend.anthropic.models import Page, parsed

ACCOUNT = "anthropic"  # one deployment has one key, and so one account
LONGEST = timedelta(days=31)  # of one request, in all reports
MAX_PAGES = 500  # of up to 1,000 rows
DAY = timedelta(days=1)
MOMENT = timedelta(seconds=1)  # the shortest range that can be written


@dataclass(frozen=True, slots=True)
class Window:
    """Whole UTC days `[first, end)`, none of them in the future."""

    first: date
    end: date
    now: datetime

    def __contains__(self, day: date) -> bool:
        return self.first <= day < self.end

    def days(self) -> Iterator[date]:
        return (self.first + DAY * number for number in range((self.end - self.first).days))


def windows(since: date, until: date, now: datetime) -> list[Window]:
    """`[since, until)` in pieces that one request may ask for; it ends with the day that is running."""
    end = min(until, (now - MOMENT).astimezone(UTC).date() + DAY)
    starts = [since + LONGEST * number for number in range(-((since - end) // LONGEST))]
    return [Window(start, min(start + LONGEST, end), now) for start in starts]


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def rfc3339(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


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
        """Every page, or an error: a cursor that comes back and a report without an end are errors too.

        A report can have hundreds of thousands of rows, so only one page is held at a time.
        """
        asked: set[str] = set()
        cursor: Mapping[str, str] = {}
        for _ in range(MAX_PAGES):
            page = self._page(path, {**params, **cursor}, beta)
            yield page
            if page.is_last():
                return
            cursor = page.cursor()
            if not cursor or repr(cursor) in asked:
                raise SourceError(f"Anthropic: the pages of {path} go in a circle")
            asked.add(repr(cursor))
        raise SourceError(f"Anthropic: {path} did not end after {MAX_PAGES} pages")

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
