"""A stand-in for Anthropic's reports: holds what an invented organisation spent and answers like the real thing.

    fake = FakeAnthropic(now=NOW)
    fake.add(date(2026, 11, 2), user("ana@example.com"), "claude-opus-5-5", "805.212", fresh=61_200, output=84_100)
    http = HttpClient(httpx2.MockTransport(fake))        # in a test
    with fake.serve() as url: ...                        # or as a server on loopback

It refuses queries that the official SDK could not have sent, pages by opaque cursors, and can be told to misbehave:
`fail`, `truncate`, `endless`, `alter`, `after`. `requests` has what was asked.
"""

import base64
import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, get_type_hints

import httpx2
from anthropic.types.beta.organization.analytics import BetaAnalyticsCostGroup, BetaAnalyticsUsageGroup

from tests.anthropic_queries import QUERIES, Wrong, check, since_2026, span

USAGE, COST, KEYS, BILL, CODE = QUERIES
BETA = "analytics-usage-cost-2026-08-24"
KINDS = ("fresh", "cache_write_5m", "cache_write_1h", "cache_read", "output")
ERRORS = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error", 529: "overloaded_error"}  # fmt: skip

Who = Mapping[str, Any] | None
Query = Mapping[str, Sequence[str]]


def user(email: str | None, user_id: str | None = None) -> Who:
    """A person; a deleted account has no e-mail address but keeps its id."""
    user_id = user_id or "user_" + sha256((email or "").encode()).hexdigest()[:12]
    name = email.partition("@")[0].title() if email else "Deleted User"
    return {"type": "user_actor", "user_id": user_id, "email_address": email, "name": name, "deleted": email is None}


def service_account(account_id: str) -> Who:
    return {"type": "service_account_actor", "service_account_id": account_id}


def api_key(key_id: str) -> Who:
    return {"type": "api_actor", "api_key_id": key_id}


def federated(subject: str | None) -> Who:
    provider = {"type": "aws", "account_id": "000000000000", "signed_principal": "arn:aws:iam::000000000000:role/ci"}
    return {"type": "federated_actor", "provider": provider, "subject": subject}


@dataclass(frozen=True)
class Spent:
    """What one actor spent on one model on one day. Amounts are in cents."""

    day: date
    actor: Who
    model: str | None
    cents: Decimal
    list_cents: Decimal
    requests: int
    product: str | None
    terminal: str
    tokens: Mapping[str, int]

    def value(self, dimension: str) -> Any:
        """What the reports say of it when grouped by this dimension."""
        if dimension == "actor_type":
            return self.actor["type"] if self.actor else None
        return getattr(self, dimension, None)


@dataclass
class Fault:
    path: str
    times: int
    answer: Callable[[httpx2.Response], httpx2.Response]


@dataclass
class FakeAnthropic:
    """One organisation. Change its fields at any time; the next request sees the change."""

    now: datetime
    key: str = "sk-ant-admin01-of-the-fake"
    analytics: bool = True
    page_rows: int = 1000
    refreshed_at: datetime | None = None
    spent: list[Spent] = field(default_factory=list)
    keys: list[dict[str, Any]] = field(default_factory=list)
    requests: list[httpx2.Request] = field(default_factory=list)
    alter: Callable[[str, dict[str, Any]], None] = lambda path, body: None
    _faults: list[Fault] = field(default_factory=list)
    _endless: dict[str, bool] = field(default_factory=dict)
    _later: dict[int, Callable[[], None]] = field(default_factory=dict)

    def add(self, day: date, actor: Who, model: str | None, cents: str, list_cents: str | None = None, *, requests: int = 1, product: str | None = "claude_code", terminal: str = "vscode", **tokens: int) -> None:  # fmt: skip
        """Spend in cents and tokens: `fresh`, `cache_write_5m`, `cache_write_1h`, `cache_read`, `output`."""
        assert set(tokens) <= set(KINDS), tokens
        amount, at_list = Decimal(cents), Decimal(list_cents or cents)
        self.spent.append(Spent(day, actor, model, amount, at_list, requests, product, terminal, tokens))

    def add_key(self, key_id: str, name: str, *, principal: Who = None, created_by: Who = None) -> None:
        """A key. `principal` is a user() or service_account(); `created_by` is {"id", "type": "user"}."""
        acts_as = {name: principal[name] for name in ("type", "user_id", "service_account_id") if name in principal} if principal else None  # fmt: skip
        self.keys.append({"type": "api_key", "id": key_id, "name": name, "created_at": "2026-01-12T10:05:00Z", "created_by": created_by, "expires_at": None, "partial_key_hint": None, "principal": acts_as, "scope": {"type": "organization"}, "status": "active"})  # fmt: skip

    def fail(self, status: int, *, times: int = 1, path: str = "", headers: Mapping[str, str] | None = None, message: str = "Internal server error") -> None:  # fmt: skip
        """The next answers (to paths that end so) are this error."""
        self._faults.append(Fault(path, times, lambda _: error(status, message, headers)))

    def truncate(self, *, times: int = 1, path: str = "") -> None:
        """The next answers break off in the middle."""
        self._faults.append(Fault(path, times, _cut))

    def endless(self, path: str, *, same_cursor: bool = False) -> None:
        """The pages of this path never end; the cursor is a new one each time, or always the same."""
        self._endless[path] = same_cursor

    def after(self, requests: int, do: Callable[[], None]) -> None:
        """Do something once so many requests were answered: a revision between two calls."""
        self._later[requests] = do

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        response = self._answer(request)
        for fault in self._faults:
            if fault.times and request.url.path.endswith(fault.path):
                fault.times -= 1
                response = fault.answer(response)
                break
        self._later.pop(len(self.requests), lambda: None)()
        return response

    @contextmanager
    def serve(self) -> Iterator[str]:
        """A real server on loopback; gives its base URL."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
