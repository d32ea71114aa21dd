"""The bodies of Anthropic's reports, made from what was spent."""

import base64
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from anthropic.types.beta.organization.analytics import BetaAnalyticsCostGroup, BetaAnalyticsUsageGroup

from tests.fake_anthropic.queries import Wrong, not_before_2026, span

Who = Mapping[str, Any] | None
Day = date
Query = Mapping[str, Sequence[str]]
Body = dict[str, Any]


@dataclass(frozen=True)
class Spent:
    """What one actor spent on one model on one day, in one terminal. Amounts are in cents."""

    day: Day
    actor: Who
    model: str | None
    cents: Decimal
    list_cents: Decimal
    requests: int
    product: str | None
    terminal: str
    tokens: Mapping[str, int]

    @property
    def actor_type(self) -> str | None:
        return self.actor["type"] if self.actor else None


def midnight(day: Day) -> datetime:
    return datetime.combine(day, time(), UTC)


def rfc3339(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _bounds(day: Day) -> Body:
    return {"starting_at": rfc3339(midnight(day)), "ending_at": rfc3339(midnight(day) + timedelta(days=1))}


# --- paging ---------------------------------------------------------------------------------------


def _page(rows: Sequence[Any], query: Query, default: int, most: int) -> Body:
    """One page. Its cursor says nothing to the client and fits the query that it was made for."""
    size = min(int(query.get("limit", [str(default)])[0]), most)
    asked = sha256(repr(sorted((key, *value) for key, value in query.items() if key != "page")).encode()).hexdigest()
    start = 0
    if "page" in query:
        try:
            start, made_for = json.loads(base64.urlsafe_b64decode(query["page"][0].removeprefix("page_")))
        except ValueError:
            raise Wrong("page: not a cursor") from None
        if made_for != asked:
            raise Wrong("page: a cursor of another query")
    cursor = base64.urlsafe_b64encode(json.dumps([start + size, asked]).encode()).decode()
    more = start + size < len(rows)
    return {"data": rows[start : start + size], "has_more": more, "next_page": f"page_{cursor}" if more else None}


# --- analytics/usage and analytics/cost -----------------------------------------------------------


def analytics(spent: Iterable[Spent], query: Query, now: datetime, *, is_cost: bool, page_rows: int) -> Body:
    """One row for each combination of the dimensions (and bucket) that has anything in the range."""
    start, end = span(query, now)
    not_before_2026(start, now)
    daily = query.get("time_bucket_width") == ["1d"]
    if not daily and "time_bucket_width" in query:
        raise NotImplementedError("the fake knows days only")
    dimensions = query.get("group_by[]", [])
    if len(dimensions) > 5 or {"cost_type", "token_type"} & set(dimensions):
        raise Wrong("group_by: at most 5")
    groups: dict[str, list[Spent]] = defaultdict(list)
    for one in spent:
        if start <= midnight(one.day) < end:
            values = [getattr(one, dimension, None) for dimension in dimensions]
            groups[json.dumps([one.day.isoformat() if daily else "", *values], sort_keys=True)].append(one)
    whole = {
        "starting_at": rfc3339(start.replace(minute=0, second=0)),
        "ending_at": rfc3339(end.replace(minute=0, second=0)),
    }
    rows = []
    for members in groups.values():
        bounds = _bounds(members[0].day) if daily else whole
        rows.append(bounds | _row(members, dimensions, is_cost))
    return _page(_ordered(rows, query, is_cost), query, 20, page_rows)


def _row(members: list[Spent], dimensions: Sequence[str], is_cost: bool) -> Body:
    known = BetaAnalyticsCostGroup if is_cost else BetaAnalyticsUsageGroup
    group = {name: getattr(members[0], name, None) if name in dimensions else None for name in known.model_fields}
    return {"group": group} | ({"cost": cost(members)} if is_cost else {"usage": usage(members)})


def _ordered(rows: list[Body], query: Query, is_cost: bool) -> list[Body]:
    """By a metric, or by bucket and then by the first metric, highest first."""
    default, part = ("amount", "cost") if is_cost else ("total_tokens", "usage")
    by = query.get("order_by", [default])[0]
    falling = query.get("order", ["desc"]) == ["desc"]
    metric: Callable[[Body], Decimal] = lambda row: Decimal(row[part][default if by == "time" else by])  # noqa: E731
    if by != "time":
        return sorted(rows, key=metric, reverse=falling)
    highest_first = sorted(rows, key=metric, reverse=True)
    return sorted(highest_first, key=lambda row: str(row["starting_at"]), reverse=falling)


def usage(members: Iterable[Spent]) -> Body:
    tokens = _tokens(members := list(members))
    return {
        "uncached_input_tokens": tokens["fresh"],
        "cache_creation": {
            "ephemeral_5m_input_tokens": tokens["cache_write_5m"],
            "ephemeral_1h_input_tokens": tokens["cache_write_1h"],
        },
        "cache_read_input_tokens": tokens["cache_read"],
        "output_tokens": tokens["output"],
        "server_tool_use": {"web_search_requests": 0},
        "requests": sum(one.requests for one in members),
        "total_tokens": sum(tokens.values()),
    }


def cost(members: Iterable[Spent]) -> Body:
    members = list(members)
    return {
        "currency": "USD",
        "amount": f"{sum(one.cents for one in members):.6f}",
        "list_amount": f"{sum(one.list_cents for one in members):.6f}",
        "requests": sum(one.requests for one in members),
    }


def _tokens(members: Iterable[Spent]) -> dict[str, int]:
    kinds = ("fresh", "cache_write_5m", "cache_write_1h", "cache_read", "output")
    return {kind: sum(one.tokens.get(kind, 0) for one in members) for kind in kinds}


# --- cost_report and usage_report/claude_code -----------------------------------------------------


def bill(spent: Iterable[Spent], query: Query, now: datetime) -> Body:
    """A bucket for each whole day in the range that has begun, empty where nothing was spent."""
    start, end = span(query, now)
    spent = list(spent)
    first = start.date() if start == midnight(start.date()) else start.date() + timedelta(days=1)
    days = [first + timedelta(days=number) for number in range((end.date() - first).days)]
    buckets = []
    for day in days:
        members = [one for one in spent if one.day == day]
        if midnight(day) < now:
            buckets.append(_bounds(day) | {"results": [_billed(members)] if members else []})
    return _page(buckets, query, 7, 31)


def _billed(members: list[Spent]) -> Body:
    unknown = ("workspace_id", "description", "cost_type", "context_window", "model", "service_tier", "token_type")
    return {"currency": "USD", "amount": f"{sum(one.cents for one in members):.6f}"} | dict.fromkeys(unknown)


def claude_code(spent: Iterable[Spent], query: Query, keys: Iterable[Body], page_rows: int) -> Body:
    """A record for each person or key and terminal on one day. Service accounts are not in this report."""
    day = date.fromisoformat(query["starting_at"][0])
    names = {key["id"]: key["name"] for key in keys}
    records: dict[str, list[Spent]] = defaultdict(list)
    for one in spent:
        if one.day == day and one.product == "claude_code" and one.actor_type in ("user_actor", "api_actor"):
            records[json.dumps([one.actor, one.terminal])].append(one)
    return _page([_record(day, members, names) for members in records.values()], query, 20, page_rows)


def _record(day: Day, members: list[Spent], names: Mapping[str, str]) -> Body:
    who = members[0].actor or {}
    actor = {"type": "user_actor", "email_address": who.get("email_address")}
    if who["type"] == "api_actor":
        actor = {"type": "api_actor", "api_key_name": names.get(who["api_key_id"], "unnamed")}
    models = dict.fromkeys(one.model for one in members if one.model)
    lines = {"added": 1, "removed": 0}
    sessions = {"num_sessions": len(members), "lines_of_code": lines}
    return {
        "date": rfc3339(midnight(day)),
        "actor": actor,
        "organization_id": "dc9f6c26-b22c-4831-8d01-0446bada88f1",
        "customer_type": "api",
        "terminal_type": members[0].terminal,
        "core_metrics": sessions | {"commits_by_claude_code": 0, "pull_requests_by_claude_code": 0},
        "tool_actions": {},
        "model_breakdown": [_estimate(model, [one for one in members if one.model == model]) for model in models],
    }


def _estimate(model: str, members: list[Spent]) -> Body:
    tokens = _tokens(members)
    cents = sum((one.list_cents for one in members), Decimal(0))
    return {
        "model": model,
        "tokens": {
            "input": tokens["fresh"],
            "output": tokens["output"],
            "cache_read": tokens["cache_read"],
            "cache_creation": tokens["cache_write_5m"] + tokens["cache_write_1h"],
        },
        "estimated_cost": {"currency": "USD", "amount": int(cents) if cents == int(cents) else float(cents)},
    }


# --- api_keys -------------------------------------------------------------------------------------


def key(key_id: str, name: str, principal: Who, created_by: Body | None) -> Body:
    parts = ("type", "user_id", "service_account_id")
    return {
        "type": "api_key",
        "id": key_id,
        "name": name,
        "created_at": "2026-01-12T10:05:00Z",
        "created_by": created_by,
        "expires_at": None,
        "partial_key_hint": None,
        "principal": {part: principal[part] for part in parts if part in principal} if principal else None,
        "scope": {"type": "organization"},
        "status": "active",
    }


def directory(items: Sequence[Body], query: Query, page_rows: int) -> Body:
    """A page of a directory, which goes on after an id."""
    ids = [item["id"] for item in items]
    start = ids.index(query["after_id"][0]) + 1 if "after_id" in query else 0
    size = min(int(query.get("limit", ["20"])[0]), page_rows)
    page = items[start : start + size]
    return {
        "data": page,
        "has_more": start + size < len(items),
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
    }
