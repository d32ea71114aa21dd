"""A stand-in for Anthropic's reports: holds what an invented organisation spent and answers like the real thing.

    fake = FakeAnthropic(now=NOW)
    fake.add(date(2026, 11, 2), user("ana@example.com"), "claude-opus-5-5", "805.212", fresh=61_200, output=84_100)
    http = HttpClient(httpx2.MockTransport(fake))        # in a test
    with serve(fake) as url: ...                         # as a server on loopback, from tests.fake_http

It refuses queries that the official SDK could not have sent, pages by opaque cursors, and can be told to misbehave:
`fail`, `truncate`, `endless`, `alter`, `after`. `requests` has what was asked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import httpx2

from tests.fake_anthropic import reports
from tests.fake_anthropic.queries import QUERIES, Wrong, check
from tests.fake_anthropic.reports import Day, Spent, Who

USAGE, COST, KEYS, BILL, CODE = QUERIES
BETA = "analytics-usage-cost-2026-08-24"
ADMIN_KEY = "sk-ant-admin01-of-the-fake"
ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def user(email: str | None, user_id: str | None = None) -> Who:
    """A person; a deleted account has no e-mail address but keeps its id."""
    name = email.partition("@")[0] if email else "Deleted User"
    return {
        "type": "user_actor",
        "user_id": user_id or f"user_01{name}",
        "email_address": email,
        "name": name,
        "deleted": email is None,
    }


def service_account(account_id: str) -> Who:
    return {"type": "service_account_actor", "service_account_id": account_id}


def api_key(key_id: str) -> Who:
    return {"type": "api_actor", "api_key_id": key_id}


def federated(subject: str | None) -> Who:
    provider = {"type": "gcp", "project_number": "1234"}
    return {"type": "federated_actor", "provider": provider, "subject": subject}


@dataclass
class Fault:
    path: str
    times: int
    answer: Callable[[httpx2.Response], httpx2.Response]


def _unaltered(path: str, body: dict[str, Any]) -> None:
    """The body as it is."""


@dataclass
class FakeAnthropic:
    """One organisation. Change its fields at any time; the next request sees the change.

    `analytics` is whether it has the newer reports; `page_rows` caps a page, whatever limit was asked for; `alter`
    may change an answer before it is sent.
    """

    now: datetime
    refreshed_at: datetime | None = None
    analytics: bool = True
    page_rows: int = 1000
    spent: list[Spent] = field(default_factory=list)
    keys: list[dict[str, Any]] = field(default_factory=list)
    requests: list[httpx2.Request] = field(default_factory=list)
    alter: Callable[[str, dict[str, Any]], None] = _unaltered
    _faults: list[Fault] = field(default_factory=list)
    _endless: dict[str, bool] = field(default_factory=dict)
    _later: dict[int, Callable[[], object]] = field(default_factory=dict)

    def add(
        self,
        day: Day,
        actor: Who,
        model: str | None,
        cents: str,
        list_cents: str | None = None,
        *,
        requests: int = 1,
        product: str | None = "claude_code",
        terminal: str = "vscode",
        **tokens: int,
    ) -> None:
        """Spend in cents and tokens: `fresh`, `cache_write_5m`, `cache_write_1h`, `cache_read`, `output`."""
        amount, at_list = Decimal(cents), Decimal(list_cents or cents)
        self.spent.append(Spent(day, actor, model, amount, at_list, requests, product, terminal, tokens))

    def add_key(self, key_id: str, name: str, *, principal: Who = None, created_by: str | None = None) -> None:
        """A key that acts as user(…) or service_account(…), or as nobody, made by the user or service account named."""
        kind = "service_account" if created_by and created_by.startswith("svac_") else "user"
        maker = {"id": created_by, "type": kind} if created_by else None
        self.keys.append(reports.key(key_id, name, principal, maker))

    def fail(
        self,
        status: int,
        *,
        times: int = 1,
        path: str = "",
        headers: Mapping[str, str] | None = None,
        message: str = "Internal server error",
    ) -> None:
        """The next answers (to paths that end so) are this error."""
        self._faults.append(Fault(path, times, lambda _: error(status, message, headers)))

    def truncate(self, *, times: int = 1, path: str = "") -> None:
        """The next answers break off in the middle."""
        self._faults.append(Fault(path, times, lambda whole: httpx2.Response(200, content=whole.content[:-9])))

    def endless(self, path: str, *, same_cursor: bool = False) -> None:
        """The pages of this path never end; the cursor is a new one each time, or always the same."""
        self._endless[path] = same_cursor

    def after(self, requests: int, do: Callable[[], object]) -> None:
        """Do something once so many requests were answered: a revision between two calls."""
        self._later[requests] = do

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        try:
            response = self._answer(request)
        except Wrong as wrong:
            response = error(400, str(wrong))
        for fault in self._faults:
            if fault.times and request.url.path.endswith(fault.path):
                fault.times -= 1
                response = fault.answer(response)
                break
        self._later.pop(len(self.requests), lambda: None)()
        return response

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")  # as the SDK has it since 2.0
        if ADMIN_KEY not in (request.headers.get("x-api-key"), bearer):
            return error(401, "invalid x-api-key")
        if path not in QUERIES or (not self.analytics and path in (USAGE, COST)):
            return error(404, "Not found")
        if not request.headers.get("anthropic-version"):
            raise Wrong("anthropic-version: header is required")
        if path in (USAGE, COST) and BETA not in request.headers.get("anthropic-beta", ""):
            raise Wrong(f"anthropic-beta: this endpoint requires {BETA}")
        query = check(path, request.url.params.multi_items())
        if path in self._endless:
            query.pop("page", None)
            query.pop("after_id", None)
        body = self._body(path, query)
        if path in self._endless:
            cursor = f"page_{0 if self._endless[path] else len(self.requests)}"
            body |= {"has_more": True, "last_id" if path == KEYS else "next_page": cursor}
        self.alter(path, body)
        return httpx2.Response(200, json=body)

    def _body(self, path: str, query: reports.Query) -> dict[str, Any]:
        happened = [spent for spent in self.spent if reports.midnight(spent.day) < self.now]
        if path == KEYS:
            return reports.directory(self.keys, query, self.page_rows)
        if path == BILL:
            return reports.bill(happened, query, self.now)
        if path == CODE:
            return reports.claude_code(happened, query, self.keys, self.page_rows)
        page = reports.analytics(happened, query, self.now, is_cost=path == COST, page_rows=self.page_rows)
        return page | {"data_refreshed_at": reports.rfc3339(self.refreshed_at or self.now)}


def error(status: int, message: str, headers: Mapping[str, str] | None = None) -> httpx2.Response:
    """An error as platform.claude.com/docs `api/errors` has it."""
    body = {"type": "error", "error": {"type": ERRORS.get(status, "api_error"), "message": message}}
    return httpx2.Response(status, json=body | {"request_id": "req_fake"}, headers=headers)
