"""A stand-in for OpenAI: an invented organisation whose reports are grouped and paged as they are asked for."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx2

from bot.domain.model import AccountDay
from bot.domain.ports import Access, SourceError
from integrations._http import HttpClient
from integrations.days import unix
from integrations.spend import openai
from tests.integrations.spend.contract import Case, encode, given, outcome

KEY = "sk-admin-canary"
NOW = datetime(2026, 11, 4, 12, tzinfo=UTC)
MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 11, day) for day in (2, 3, 4, 5))
ANN, BO, BOT = "user-ann", "user-bo", "user-bot"
ORGANIZATION = "/v1/organization"
COSTS, USAGE = f"{ORGANIZATION}/costs", f"{ORGANIZATION}/usage/completions"
USERS, PROJECTS = f"{ORGANIZATION}/users", f"{ORGANIZATION}/projects"
KEYS = f"{PROJECTS}/proj_1/api_keys"

Row = dict[str, Any]
Alter = Callable[[str, dict[str, Any]], object]


@dataclass
class Organization:
    """`alter` may change a body before it is sent, by its path. `refuse` says which groupings of costs are answered
    with 400, `fail` which paths with which status."""

    users: list[Row] = field(default_factory=list)
    keys: list[Row] = field(default_factory=list)
    costs: list[Row] = field(default_factory=list)
    usage: list[Row] = field(default_factory=list)
    requests: list[httpx2.Request] = field(default_factory=list)
    alter: Alter = lambda _path, _body: None
    refuse: Callable[[set[str]], bool] = lambda _groups: False
    fail: dict[str, int] = field(default_factory=dict)

    def user(self, user: str, email: str | None, *, machine: bool = False) -> None:
        self.users.append({"id": user, "email": email, "name": "canary", "is_service_account": machine})

    def key(self, key: str, *, user: Row | None = None, service_account: str | None = None) -> None:
        owner: Row = {"type": "user", "user": user} if user else {"type": "service_account"}
        if service_account:
            owner["service_account"] = {"id": service_account, "name": "canary"}
        self.keys.append({"id": key, "name": "canary", "owner": owner})

    def spend(self, day: date, user: str | None, key: str | None, item: str | None, dollars: str) -> None:
        amount = Decimal(dollars)
        self.costs.append({"day": day, "user_id": user, "api_key_id": key, "line_item": item, "amount": amount})

    def use(
        self, day: date, user: str | None, key: str | None, model: str | None, uncached: int, **numbers: Any
    ) -> None:
        tokens = {"input_tokens": uncached, "input_uncached_tokens": uncached, "output_tokens": 0}
        row = {"day": day, "user_id": user, "api_key_id": key, "model": model, "num_model_requests": 1}
        self.usage.append(row | tokens | numbers)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        assert request.headers["authorization"] == f"Bearer {KEY}"
        self.requests.append(request)
        path, params = request.url.path, request.url.params
        if path in self.fail:
            return httpx2.Response(self.fail[path], content=b'{"error": {"message": "canary@example.com may not"}}')
        if path == COSTS and self.refuse(set(params.get_list("group_by[]"))):
            return httpx2.Response(400, content=b'{"error": {"message": "unsupported grouping"}}')
        body = self._report(path, params) if path in (COSTS, USAGE) else self._list(path, params)
        self.alter(path, body)
        return httpx2.Response(200, content=encode(body))

    def _report(self, path: str, params: httpx2.QueryParams) -> dict[str, Any]:
        """Buckets of the days asked for, a page holds `limit` of them."""
        start, end, limit = (int(params[name]) for name in ("start_time", "end_time", "limit"))
        groups, first = params.get_list("group_by[]"), int(params.get("page", start))
        starts = range(first, min(end, first + limit * 86_400), 86_400)
        rows = {COSTS: self._costs, USAGE: self._usage}[path]
        data = [{"start_time": one, "end_time": one + 86_400, "results": list(rows(one, groups))} for one in starts]
        more = first + limit * 86_400 < end
        return {"object": "page", "data": data, "has_more": more, "next_page": str(starts.stop) if more else None}

    def _costs(self, start: int, groups: list[str]) -> Iterator[Row]:
        sums: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
        for row in self.costs:
            if unix(row["day"]) == start:
                sums[tuple(row[name] for name in groups)] += row["amount"]
        for names, amount in sums.items():
            empty = {"user_id": None, "api_key_id": None, "line_item": None}
            money = {"value": amount, "currency": "usd"}
            yield (
                {"object": "organization.costs.result", "amount": money} | empty | dict(zip(groups, names, strict=True))
            )

    def _usage(self, start: int, groups: list[str]) -> Iterator[Row]:
        assert groups == ["user_id", "api_key_id", "model"]
        for row in self.usage:
            if unix(row["day"]) == start:
                yield {"object": "organization.usage.completions.result"} | {**row, "day": None}

    def _list(self, path: str, params: httpx2.QueryParams) -> dict[str, Any]:
        """A page holds two rows, whatever is asked for."""
        rows = {USERS: self.users, PROJECTS: [{"id": "proj_1"}], KEYS: self.keys}[path]
        ids = [row["id"] for row in rows]
        first = ids.index(params["after"]) + 1 if "after" in params else 0
        page = rows[first : first + 2]
        last = page[-1]["id"] if page else None
        return {"object": "list", "data": page, "has_more": first + 2 < len(rows), "last_id": last}


def asking(organization: Organization, since: date = MONDAY, until: date = TUESDAY) -> Case:
    return Case(
        source="openai",
        settings={"OPENAI_ADMIN_KEY": KEY},
        since=since,
        until=until,
        now=NOW,
        answer=organization,
        billed={},
        listed={},
    )


def fetch(organization: Organization, *days: date) -> list[AccountDay]:
    """The days `[since, until)`; Monday if nothing is said."""
    return list(given(asking(organization, *days)))


def check(organization: Organization, key: str = KEY) -> None:
    case = asking(organization)
    http = HttpClient(httpx2.MockTransport(organization))
    openai.check(Access(http, {"OPENAI_ADMIN_KEY": key}, case.prices), case.now)


def failing(organization: Organization, *days: date) -> tuple[list[AccountDay], SourceError]:
    given_days, error = outcome(asking(organization, *days))
    assert error is not None
    return given_days, error


def spoil(path: str, change: Callable[[Row], object], user: str = BO) -> Alter:
    """Changes a user's rows of one report."""

    def alter(asked: str, body: dict[str, Any]) -> None:
        for bucket in body["data"] if asked == path else []:
            for row in bucket["results"]:
                if row["user_id"] == user:
                    change(row)

    return alter
