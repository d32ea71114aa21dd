"""The bill of each day: `GET /user/daily/activity/aggregated`, or `/user/daily/activity` on proxies without it.

Pages of the latter are cut by rows of the proxy's database, so that a date may be on several, each with a part of its
sums: they are added up. What `metadata` calls totals is of one page only, and is not read.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator

from bot.domain.ports import NotFound, SourceError
from integrations import paging
from integrations.days import DAY, Window
from integrations.parse import Dollars, Number, parsed
from integrations.spend.litellm.proxy import TITLE, Proxy, exceeds, upstream_of

PAGED = "/user/daily/activity"
AGGREGATED = f"{PAGED}/aggregated"
MAX_PAGES = 500  # of up to 1,000 rows


class Metrics(BaseModel):
    spend: Dollars


class Bucket(BaseModel):
    metrics: Metrics | None = None


def _buckets(raw: Any) -> Any:
    """What has no metrics is no provider, whatever it may be."""
    return {name: one for name, one in raw.items() if isinstance(one, dict)} if isinstance(raw, dict) else raw


class Breakdown(BaseModel):
    providers: Annotated[dict[str, Bucket], BeforeValidator(_buckets)] = {}


class Result(BaseModel):
    """The sums of a date. One provider's that cannot be true spoils them all: its part would be taken for another's."""

    metrics: Metrics
    breakdown: Breakdown = Breakdown()


class Dated(BaseModel):
    date: date


class Place(BaseModel):
    page: Number | None = None
    total_pages: Number | None = None
    has_more: bool | None = None


class Page(BaseModel):
    results: list[Any]
    metadata: Place | None = None


Bill = dict[str | None, Decimal]
"""Dollars of a day by the account that its provider bills them in; None for what nobody else bills."""


@dataclass(slots=True)
class Sums:
    """The bills of a window's days. A day that is `None` has sums that cannot be true."""

    window: Window
    bills: dict[date, Bill | None] = field(default_factory=dict)
    strays: int = 0

    def has(self, day: date) -> bool:
        """Whether anything went through the proxy on this day."""
        return day in self.bills

    def is_broken(self, day: date) -> bool:
        return day in self.bills and self.bills[day] is None

    def of(self, day: date) -> Bill:
        return self.bills.get(day) or {}

    def add(self, page: Page) -> None:
        seen: set[date] = set()
        for raw in page.results:
            dated = parsed(Dated, raw)
            if dated is None:  # any day may be without its money now, and none must look as if it had cost nothing
                raise SourceError(f"{TITLE}: the daily activity has sums without a date")
            if dated.date not in self.window:
                self.strays += 1
            else:
                result = None if dated.date in seen else parsed(Result, raw)
                self._add(dated.date, _bill(result) if result else None)
                seen.add(dated.date)

    def _add(self, day: date, bill: Bill | None) -> None:
        known = self.bills.setdefault(day, {})
        if bill is None or known is None:
            self.bills[day] = None
        else:
            for upstream, dollars in bill.items():
                known[upstream] = known.get(upstream, Decimal(0)) + dollars


def _bill(result: Result) -> Bill | None:
    """The providers' parts, and what belongs to none of them. None where the parts come to more than the whole."""
    bill: Bill = defaultdict(Decimal)
    for provider, bucket in result.breakdown.providers.items():
        bill[upstream_of(provider)] += bucket.metrics.spend if bucket.metrics else 0
    whole, parts = result.metrics.spend, sum(bill.values(), Decimal(0))
    if exceeds(parts, whole, max(1, len(bill))):
        return None
    bill[None] += max(Decimal(0), whole - parts)
    return dict(bill)


@dataclass(slots=True)
class Activity:
    """The report of daily activity. Which of its two forms a proxy has is found out once."""

    proxy: Proxy
    aggregated: bool = True

    def read(self, window: Window) -> Sums:
        sums = Sums(window)
        for page in self._pages(window):
            sums.add(page)
        return sums

    def _pages(self, window: Window) -> Iterator[Page]:
        params = {"start_date": window.first.isoformat(), "end_date": (window.end - DAY).isoformat()}
        if self.aggregated:
            try:
                yield self.proxy.get(AGGREGATED, {**params, "api_key_limit": 1}, Page)  # each key is repeated often
                return
            except NotFound:
                self.aggregated = False

        def ask(number: int) -> tuple[int, Page]:
            return number, self.proxy.get(PAGED, {**params, "page": number, "page_size": 1000}, Page)

        for _, page in paging.pages(f"{TITLE}: {PAGED}", MAX_PAGES, 1, ask, _following):
            yield page


def _following(asked: tuple[int, Page]) -> int | None:
    """The next page after the one that the proxy says this is: it may have given another than was asked for."""
    number, page = asked
    place = page.metadata or Place()
    number = place.page or number
    more = bool(page.results) if place.total_pages is None else number < place.total_pages
    return number + 1 if (more if place.has_more is None else place.has_more) else None
