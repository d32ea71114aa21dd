"""Anthropic's reports about the invented company, as an HTTP transport that answers as of a given moment.

Like the real ones they are late: the running day and the one before are not complete, and the days before those are
still revised, mostly up and sometimes down.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx2

from bot.demo.company import ORGANISATION
from bot.demo.usage import OPUS, SONNET, Usage

TOKENS = {"uncached_input_tokens": 310, "cache_write": 2400, "cache_read_input_tokens": 47_000, "output_tokens": 430}
"""Of a request, on average."""
PRICES = {OPUS: (40, 50, 2, 200), SONNET: (30, 38, 3, 150)}
"""Tenths of a micro-USD for a token of each kind above."""
BILLED_PERCENT = 90
FRESH_AFTER = timedelta(minutes=20)

Row = dict[str, Any]


class Reports:
    """The organisation's reports as they are at a moment."""

    def __init__(self, usage: Iterable[Usage], now: datetime) -> None:
        self._now = now
        self._known = [(one, requests) for one in usage if (requests := counted(one, now))]

    def transport(self) -> httpx2.MockTransport:
        return httpx2.MockTransport(self.answer)

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        query = request.url.params
        match urlsplit(str(request.url)).path:
            case "/v1/organizations/api_keys":
                return _json({"data": [], "has_more": False})
            case "/v1/organizations/analytics/cost" if query.get_list("group_by[]"):
                return self._page(query, self._grouped(query, cost))
            case "/v1/organizations/analytics/cost":
                return self._page(query, self._totals(query))
            case "/v1/organizations/analytics/usage":
                return self._page(query, self._grouped(query, tokens))
        return httpx2.Response(404)

    def _page(self, query: httpx2.QueryParams, rows: Iterable[Row]) -> httpx2.Response:
        everything = list(rows)
        start, limit = int(query.get("page", 0)), int(query.get("limit", 20))
        end = start + limit
        following = str(end) if end < len(everything) else None
        return _json(
            {
                "data": everything[start:end],
                "has_more": following is not None,
                "next_page": following,
                "data_refreshed_at": _rfc3339(self._now - FRESH_AFTER),
            }
        )

    def _grouped(self, query: httpx2.QueryParams, numbers: Callable[[Usage, int], Row]) -> Iterator[Row]:
        for one, requests in self._asked(query):
            yield {
                **_bucket(one.day),
                "group": {"actor": actor(one.actor), "model": one.model},
                **numbers(one, requests),
            }

    def _totals(self, query: httpx2.QueryParams) -> Iterator[Row]:
        sums: dict[date, int] = {}
        for one, requests in self._asked(query):
            sums[one.day] = sums.get(one.day, 0) + price(one, requests)
        for day, micro in sums.items():
            yield {**_bucket(day), "group": {"actor": None, "model": None}, "cost": money(micro)}

    def _asked(self, query: httpx2.QueryParams) -> Iterator[tuple[Usage, int]]:
        """What is known of the days asked for, with the number of requests so far."""
        first, end = (datetime.fromisoformat(query[name]) for name in ("starting_at", "ending_at"))
        last = (end - timedelta(microseconds=1)).date()
        return ((one, requests) for one, requests in self._known if first.date() <= one.day <= last)


def counted(one: Usage, now: datetime) -> int:
    """How many of the requests the reports know by now: not all of yesterday's, and some that are taken back later."""
    age = now - FRESH_AFTER - _midnight(one.day)
    if age < timedelta(days=1):
        percent = max(0, 90 * age // timedelta(days=1))
    elif age < timedelta(days=2):
        percent = 90
    elif age < timedelta(days=5):
        percent = 96 + _luck(one) % 9
    else:
        percent = 100
    return one.requests * percent // 100


def _luck(one: Usage) -> int:
    return hashlib.sha256(f"{one.actor}/{one.day}/{one.model}".encode()).digest()[0]


def price(one: Usage, requests: int) -> int:
    """List price in micro-USD; always tens, so that the discount leaves whole ones."""
    tenths = sum(each * rate for each, rate in zip(TOKENS.values(), PRICES[one.model], strict=True))
    return requests * (tenths // 100 * 10)


def cost(one: Usage, requests: int) -> Row:
    return {"cost": {**money(price(one, requests)), "requests": requests}}


def money(micro: int) -> Row:
    """Amounts are decimal strings in cents."""
    return {"currency": "USD", "amount": _cents(micro * BILLED_PERCENT // 100), "list_amount": _cents(micro)}


def _cents(micro: int) -> str:
    return f"{micro // 10_000}.{micro % 10_000:04}00"


def tokens(_one: Usage, requests: int) -> Row:
    kinds = {name: each * requests for name, each in TOKENS.items()}
    written = kinds.pop("cache_write")
    creation = {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0}
    return {"usage": {**kinds, "cache_creation": creation, "requests": requests}}


def actor(name: str) -> Row:
    if name.startswith("svac_"):
        return {"type": "service_account_actor", "service_account_id": name}
    return {"type": "user_actor", "user_id": f"user_{name}", "email_address": f"{name}@{ORGANISATION}.example"}


@cache
def _bucket(day: date) -> Row:
    return {"starting_at": _rfc3339(_midnight(day)), "ending_at": _rfc3339(_midnight(day + timedelta(days=1)))}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _rfc3339(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _json(body: Mapping[str, Any]) -> httpx2.Response:
    return httpx2.Response(200, content=json.dumps(body), headers={"content-type": "application/json"})
