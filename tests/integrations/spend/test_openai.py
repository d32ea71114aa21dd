"""OpenAI's costs and usage become account-days: the answers that were captured, with sums made by hand in dollars.

Monday    Fay 0.3675 + 0.5425 + 1.372 = 2.282, Chi 0.08 + 0.024 + 0.075 + 0.22 = 0.399, together 2.681
Tuesday   Fay 0.3325 + 0.455 + 1.218 = 2.0055, CI 0.3 + 0.1125 = 0.4125, together 2.418
"""

import json
from datetime import UTC, date, datetime
from typing import Any

import httpx2
import pytest
from openai.types.admin import organization as official
from openai.types.admin.organization.projects.project_api_key import ProjectAPIKey

from bot.domain.model import AccountDay, Actor, ActorKind, SpendRow, Tokens
from integrations.parse import parsed
from integrations.spend.openai.models import Usage
from tests.integrations.spend.contract import Case, decode, encode, given, outcome, sample
from tests.integrations.spend.openai_org import COSTS, KEYS, MONDAY, NOW, PROJECTS, TUESDAY, USAGE, USERS, WEDNESDAY

FAY = Actor(ActorKind.USER, "user-FAYq1", "fay@example.com")
CHI = Actor(ActorKind.USER, "user-CHIw2", "chi@example.com")
CI = Actor(ActorKind.SERVICE_ACCOUNT, "svc_acct_01")
EMPTY = b'{"object": "list", "data": [], "has_more": false}'
CAPTURED = {
    USERS: "users.page{}",
    PROJECTS: "projects",
    f"{PROJECTS}/proj_checkout01/api_keys": "project_api_keys",
    COSTS: "costs.page{}",
    USAGE: "usage_completions.page{}",
}


def captured(request: httpx2.Request) -> httpx2.Response:
    assert request.headers["authorization"] == "Bearer sk-admin-test"
    path, params = request.url.path, request.url.params
    if path not in CAPTURED:
        return httpx2.Response(200, content=EMPTY)
    page = 2 if "page" in params or "after" in params else 1
    body = sample(f"openai/{CAPTURED[path].format(page)}.json")
    grouped = "group_by[]" in params or path != COSTS
    return httpx2.Response(200, content=body if grouped else encode(ungrouped(decode(body))))


def ungrouped(body: dict[str, Any]) -> dict[str, Any]:
    """The same costs as one row a day."""
    for bucket in body["data"]:
        amount = {"value": sum(row["amount"]["value"] for row in bucket["results"]), "currency": "usd"}
        bucket["results"] = [{"object": "organization.costs.result", "amount": amount, "line_item": None}]
    return body


CASE = Case(
    source="openai",
    settings={"OPENAI_ADMIN_KEY": "sk-admin-test"},
    since=MONDAY,
    until=WEDNESDAY,
    now=NOW,
    answer=captured,
    billed={MONDAY: 2_681_000, TUESDAY: 2_418_000},
    listed={MONDAY: 0, TUESDAY: 0},  # no list figure: it follows from the bill
    money=frozenset({"value"}),
    counts=frozenset({"input_tokens", "output_tokens", "input_cached_tokens", "num_model_requests"}),
    labels=frozenset({"service_tier", "object", "status", "role", "type", "quantity_unit"}),
    nullable=frozenset({"name", "email", "owner", "batch", "service_tier", "quantity", "line_item", "has_more"}),
    more=lambda body, number: body | {"has_more": True, "next_page": f"page_{number}", "last_id": f"id_{number}"},
)


def test_the_captured_costs_and_usage_are_one_row_for_each_actor_and_model():
    # Input holds what was cached and written: 3,310,000 - 3,100,000 = 210,000; 190,000 - 120,000 - 30,000 = 40,000;
    # 2,790,000 - 2,600,000 = 190,000. No project lists Chi's key, but the usage report says that Chi uses it.
    assert list(given(CASE)) == [
        AccountDay(
            "openai",
            MONDAY,
            2_681_000,
            None,
            (
                SpendRow(CHI, "gpt-6-sol", Tokens(40_000, 30_000, None, 120_000, 22_000), 44, None, 399_000),
                SpendRow(FAY, "gpt-5.3-codex", Tokens(210_000, 0, None, 3_100_000, 98_000), 160, None, 2_282_000),
            ),
        ),
        AccountDay(
            "openai",
            TUESDAY,
            2_418_000,
            None,
            (
                SpendRow(CI, "gpt-5.4-mini", Tokens(800_000, 0, None, 0, 50_000), 900, None, 412_500),
                SpendRow(FAY, "gpt-5.3-codex", Tokens(190_000, 0, None, 2_600_000, 87_000), 141, None, 2_005_500),
            ),
        ),
    ]


@pytest.mark.parametrize("name", ["costs.documented", "costs.string_value"])
def test_an_amount_is_a_number_or_text_in_dollars(name):
    """0.06, and "0.0600000000000000000000000000"."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        alone = request.url.path == COSTS and "group_by[]" not in request.url.params
        return httpx2.Response(200, content=sample(f"openai/{name}.json") if alone else EMPTY)

    year_ago = {"since": date(2024, 11, 1), "until": date(2024, 11, 2), "now": datetime(2024, 11, 3, tzinfo=UTC)}
    assert list(given(Case(**{**vars(CASE), **year_ago}), answer)) == [
        AccountDay("openai", date(2024, 11, 1), 60_000, None, ())
    ]


def test_the_documented_usage_comes_apart_into_kinds_that_come_to_its_input():
    (bucket,) = decode(sample("openai/usage_completions.documented.json"))["data"]
    (row,) = bucket["results"]
    usage = parsed(Usage, row)
    assert usage is not None
    # 500 + 100 + 400 = 1000; text, audio and image are other cuts of the same: 300 + 50 + 50 = 400 cached
    assert usage.tokens() == Tokens(500, 100, None, 400, 500)
    assert usage.tokens().total == row["input_tokens"] + row["output_tokens"] == 1500
    assert usage.num_model_requests == 5
    assert sum(row[f"input_cached_{kind}_tokens"] for kind in ("text", "audio", "image")) == 400


def test_web_searches_tell_no_money_and_no_tokens_so_they_are_a_line_item_of_costs_and_nothing_else():
    (bucket,) = decode(sample("openai/usage_web_search_calls.json"))["data"]
    (row,) = bucket["results"]
    assert (row["num_requests"], row["num_model_requests"]) == (2, 2)
    # These two requests to a model are among the five that completions tell: reading both would count them twice.
    assert not [name for name in row if "token" in name or name in ("amount", "cost")]


def test_admin_keys_call_no_model_and_are_not_read():
    (key,) = decode(sample("openai/admin_api_keys.json"))["data"]
    spent = [row["api_key_id"] for page in (1, 2) for row in results(f"costs.page{page}")]
    # 3 + 4 line items on Monday, 3 + 2 on Tuesday
    assert len(spent) == 12
    assert key["id"] not in spent


def results(name: str) -> list[dict[str, Any]]:
    return [row for bucket in decode(sample(f"openai/{name}.json"))["data"] for row in bucket["results"]]


@pytest.mark.parametrize(
    ("names", "kind", "many"),
    [
        (("costs.page1", "costs.page2", "costs.documented"), official.UsageCostsResponse, False),
        (
            ("usage_completions.page1", "usage_completions.page2", "usage_completions.documented"),
            official.UsageCompletionsResponse,
            False,
        ),
        (("usage_web_search_calls",), official.UsageWebSearchCallsResponse, False),
        (("users.page1", "users.page2"), official.OrganizationUser, True),
        (("projects",), official.Project, True),
        (("project_api_keys",), ProjectAPIKey, True),
        (("admin_api_keys",), official.AdminAPIKey, True),
    ],
)
def test_the_captured_answers_are_of_the_official_types(names, kind, many):
    for name in names:
        body = json.loads(sample(f"openai/{name}.json"))
        for one in body["data"] if many else [body]:
            kind.model_validate(one)


@pytest.mark.parametrize(
    ("name", "status", "permanent", "words"),
    [
        ("error_401", 401, True, "refused the key (401). Check OPENAI_ADMIN_KEY: it has to be an Admin key"),
        ("error_403_scope", 403, True, "with read access to usage, users, projects and API keys"),
        ("error_429", 429, False, "asks for fewer requests (429)"),
    ],
)
def test_the_captured_errors(name, status, permanent, words):
    days, error = outcome(CASE, lambda _: httpx2.Response(status, content=sample(f"openai/{name}.json")))
    assert days == []
    assert error is not None
    assert words in str(error)
    assert error.permanent is permanent
    assert "****" not in str(error)


def test_only_reports_that_are_needed_are_asked_for():
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return captured(request)

    list(given(CASE, answer))
    assert {request.url.path for request in asked} == {*CAPTURED, KEYS.replace("proj_1", "proj_platform02")}
    groups = {tuple(request.url.params.get_list("group_by[]")) for request in asked}
    assert groups == {(), ("user_id", "api_key_id", "model"), ("user_id", "api_key_id", "line_item")}
    periods = {(request.url.params["start_time"], request.url.params["end_time"]) for request in asked[-6:]}
    assert periods == {("1793577600", "1793750400")}  # 2026-11-02 and 2026-11-04, midnight UTC
