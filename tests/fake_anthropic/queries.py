"""Queries to Anthropic, checked as strictly as the official SDK declares them.

The analytics reports and the directory are checked against the `anthropic` package's own parameter types; the older
reports, which it leaves out, against platform.claude.com/docs `manage-claude/usage-cost-api`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args, get_origin

from anthropic.types.beta.organization import APIKeyListParams
from anthropic.types.beta.organization.analytics import CostListParams, UsageListParams
from typing_extensions import get_type_hints


@dataclass(frozen=True)
class Parameter:
    """A parameter's name on the wire, which values it takes (none named: any), and whether it repeats."""

    values: frozenset[str]
    repeats: bool


def declared(params: type) -> dict[str, Parameter]:
    """The SDK's TypedDict as it goes over the wire: lists have brackets and repeat; `betas` is a header."""
    hints = get_type_hints(params)
    hints.pop("betas", None)
    parameters = {name: Parameter(_literals(hint), _is_list(hint)) for name, hint in hints.items()}
    return {f"{name}[]" if one.repeats else name: one for name, one in parameters.items()}


def _is_list(hint: Any) -> bool:
    return get_origin(hint) is list or "Sequence" in str(hint) or any(map(_is_list, get_args(hint)))


def _literals(hint: Any) -> frozenset[str]:
    if get_origin(hint) is Literal:
        return frozenset(get_args(hint))
    return frozenset().union(*map(_literals, get_args(hint)))


def _plain(**values: Sequence[str]) -> dict[str, Parameter]:
    return {name: Parameter(frozenset(allowed), repeats=False) for name, allowed in values.items()}


QUERIES: Mapping[str, Mapping[str, Parameter]] = {
    "/v1/organizations/analytics/usage": declared(UsageListParams),
    "/v1/organizations/analytics/cost": declared(CostListParams),
    "/v1/organizations/api_keys": declared(APIKeyListParams),
    "/v1/organizations/cost_report": _plain(starting_at="", ending_at="", bucket_width=["1d"], limit="", page="")
    | {"group_by[]": Parameter(frozenset({"workspace_id", "description"}), repeats=True)},
    "/v1/organizations/usage_report/claude_code": _plain(starting_at="", limit="", page=""),
}
SILENT = {"group_by"}  # seen in the wild: ignored by the analytics reports without its brackets
LIMITS = {"/v1/organizations/cost_report": 31}


class Wrong(Exception):
    """Answered with 400 and this text."""


def check(path: str, query: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """The query by name, once every name, value and number of it was found to be allowed."""
    known = QUERIES[path]
    found: dict[str, list[str]] = {}
    for name, value in query:
        if name in SILENT and "/analytics/" in path:
            continue
        if name not in known:
            raise Wrong(f"{name}: Extra inputs are not permitted")
        if known[name].values and value not in known[name].values:
            raise Wrong(f"{name}: Input should be one of {sorted(known[name].values)}")
        found.setdefault(name, []).append(value)
        if len(found[name]) > 1 and not known[name].repeats:
            raise Wrong(f"{name}: given twice")
    limit = found.get("limit", ["1"])[0]
    if not (limit.isdigit() and 1 <= int(limit) <= LIMITS.get(path, 1000)):
        raise Wrong(f"limit: {limit} is out of bounds")
    return found


def span(query: Mapping[str, Sequence[str]], now: datetime) -> tuple[datetime, datetime]:
    """`starting_at` and `ending_at`, within the bounds that hold for all reports."""
    start = _moment(query, "starting_at") if "starting_at" in query else None
    if start is None:
        raise Wrong("starting_at: Field required")
    if "time_bucket_width" in query and "ending_at" not in query:
        raise Wrong("ending_at: required with time_bucket_width")
    end = _moment(query, "ending_at") if "ending_at" in query else min(now, start + timedelta(days=31))
    if not timedelta(0) < end - start <= timedelta(days=31):
        raise Wrong("ending_at: the range has to be longer than nothing and no longer than 31 days")
    return start, end


def not_before_2026(start: datetime, now: datetime) -> None:
    """The bound of the analytics reports alone."""
    if start < max(datetime(2026, 1, 1, tzinfo=UTC), now - timedelta(days=365)):
        raise Wrong("starting_at: must be within the last 365 days and no earlier than 2026-01-01T00:00:00Z")


def _moment(query: Mapping[str, Sequence[str]], name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(query[name][0])
    except ValueError:
        raise Wrong(f"{name}: not RFC 3339") from None
    if moment.tzinfo is None:
        raise Wrong(f"{name}: needs a time zone")
    return moment
