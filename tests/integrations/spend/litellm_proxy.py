"""A LiteLLM proxy in memory, as far as its reports go: requests, their daily sums, and the limits of its log."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx2
import stamina

from bot.domain.model import AccountDay, Request
from bot.domain.ports import Access, Prices
from integrations._http import ATTEMPTS, HttpClient
from integrations.spend import litellm
from tests.integrations.spend.contract import Answer, encode

AGGREGATED, PAGED, LOGS = "/user/daily/activity/aggregated", "/user/daily/activity", "/spend/logs/v2"
SETTINGS = {"LITELLM_MASTER_KEY": "sk-test-1234", "LITELLM_API_URL": "https://llm.acme.test/"}
NOW = datetime(2026, 11, 4, 12, tzinfo=UTC)
MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 11, day) for day in (2, 3, 4, 5))
PEOPLE = {"user_api_key_user_id": "u-ann", "user_api_key_user_email": "Ann@Example.com"}


class NoPrices:
    def price(self, request: Request) -> int | None:
        return None


def request(number: Any = 1, spend: Any = "0.5", at: Any = "2026-11-03T10:00:00+00:00", **more: Any) -> dict[str, Any]:
    """A row of the log: Ann asks Anthropic; 1,000 tokens in, of which 600 cached and 100 written to it; 50 out."""
    row = {
        "request_id": f"req-{number}",
        "startTime": at,
        "model": "claude-opus-5-5",
        "custom_llm_provider": "anthropic",
        "spend": Decimal(spend),
        "prompt_tokens": 1000,
        "completion_tokens": 50,
        "user": "u-ann",
        "api_key": "88dc28",
        "session_id": "s-1",
        "status": "success",
        "cache_hit": "False",
        "request_tags": [],
        "metadata": {
            **PEOPLE,
            "user_api_key_alias": "ann-laptop",
            "additional_usage_values": {"cache_read_input_tokens": 600, "cache_creation_input_tokens": 100},
        },
    }
    return {**row, **more}


class FakeProxy:
    """Serves `rows`, and daily sums of them that `sums` may override by (day, provider).

    `cap` is how many rows of a time it counts, `largest` the largest page it accepts. `missing` are paths it does not
    have, and `refused` those that the key may not read; `alter` may change any of its answers.
    """

    def __init__(self, *rows: dict[str, Any], sums: dict[tuple[date, str], str] | None = None) -> None:
        self.rows = list(rows)
        self.sums = {key: Decimal(amount) for key, amount in (sums or self._summed()).items()}
        self.cap, self.largest = 10_000, 1000
        self.missing: set[str] = set()
        self.refused: set[str] = set()
        self.alter: Callable[[str, dict[str, Any]], dict[str, Any]] = lambda _path, body: body
        self.asked: list[httpx2.Request] = []

    def _summed(self) -> dict[tuple[date, str], Decimal]:
        sums: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
        for row in self.rows:
            sums[date.fromisoformat(row["startTime"][:10]), row["custom_llm_provider"] or "unknown"] += row["spend"]
        return dict(sums)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        path, params = request.url.path, dict(request.url.params)
        if request.headers["authorization"] != "Bearer sk-test-1234" or path in self.refused:
            return httpx2.Response(403, content=b"{}")
        if path in self.missing or path not in (AGGREGATED, PAGED, LOGS):
            return httpx2.Response(404, content=b"{}")
        if int(params.get("page_size", 1)) > self.largest:
            return httpx2.Response(422, content=b'{"detail": [{"msg": "less than or equal to 100"}]}')
        body = self._log(params) if path == LOGS else self._activity(params)
        return httpx2.Response(200, content=encode(self.alter(path, body)))

    def _activity(self, params: dict[str, str]) -> dict[str, Any]:
        """Both ends belong to the range. The newest day comes first."""
        days: dict[date, dict[str, Any]] = defaultdict(dict)
        for (day, provider), spend in self.sums.items():
            if params["start_date"] <= day.isoformat() <= params["end_date"]:
                days[day][provider] = {"metrics": {"spend": spend}, "metadata": {}}
        return {
            "results": [result(day, days[day]) for day in sorted(days, reverse=True)],
            "metadata": {"page": 1, "total_pages": 1},
        }

    def _log(self, params: dict[str, str]) -> dict[str, Any]:
        first, last = (datetime.fromisoformat(params[name] + "+00:00") for name in ("start_date", "end_date"))
        found = [row for row in self.rows if first <= datetime.fromisoformat(row["startTime"]) <= last]
        found.sort(key=lambda row: str(row["startTime"]))
        page, size = int(params["page"]), int(params["page_size"])
        total = min(len(found), self.cap)
        return {
            "data": found[(page - 1) * size : page * size],
            "total": total,
            "total_pages": -(-total // size),
            "total_is_capped": len(found) > self.cap,
        }

    def log_requests(self) -> list[dict[str, str]]:
        return [dict(one.url.params) for one in self.asked if one.url.path == LOGS]


def result(day: date, providers: dict[str, Any], spend: Decimal | None = None) -> dict[str, Any]:
    whole = sum((bucket["metrics"]["spend"] for bucket in providers.values()), Decimal(0)) if spend is None else spend
    return {"date": day.isoformat(), "metrics": {"spend": whole}, "breakdown": {"providers": providers}}


def given_days(
    answer: Answer,
    since: date = TUESDAY,
    until: date = WEDNESDAY,
    now: datetime = NOW,
    prices: Prices | None = None,
    **settings: str,
) -> Iterator[AccountDay]:
    http = HttpClient(httpx2.MockTransport(answer))
    with stamina.set_testing(True, attempts=ATTEMPTS):  # no pauses
        yield from litellm.fetch(Access(http, SETTINGS | settings, prices or NoPrices()), since, until, now)


def fetch(answer: Answer, **options: Any) -> dict[tuple[date, str], AccountDay]:
    return {(day.day, day.account): day for day in given_days(answer, **options)}


def anthropic_day(answer: Answer, **options: Any) -> AccountDay:
    """Tuesday's traffic to Anthropic."""
    return fetch(answer, **options)[TUESDAY, "litellm:anthropic"]
