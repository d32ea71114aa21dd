"""OpenAI's costs and usage become account-days. Sums are made by hand from the captured reports, in dollars:

Monday    Fay 0.3675 + 0.5425 + 1.372 = 2.282, Chi 0.08 + 0.024 + 0.075 + 0.22 = 0.399, together 2.681
Tuesday   Fay 0.3325 + 0.455 + 1.218 = 2.0055, CI 0.3 + 0.1125 = 0.4125, together 2.418
"""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from openai.types.admin.organization import UsageCompletionsResponse, UsageCostsResponse

from bot.domain.model import Actor, ActorKind, SpendRow, Tokens
from bot.domain.ports import SourceError
from tests.integrations.spend.contract import Case, changing, decode, encode, given, outcome, sample

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 2), date(2026, 11, 3), date(2026, 11, 4)
FAY = Actor(ActorKind.USER, "user-FAYq1", "fay@example.com")
CHI = Actor(ActorKind.USER, "user-CHIw2", "chi@example.com")
CI = Actor(ActorKind.SERVICE_ACCOUNT, "svc_acct_01")
CHIS_KEY = Actor(ActorKind.KEY, "key_chi01", owned_by_user=True)
LISTS = {
    "/v1/organization/users": "users.page{}",
    "/v1/organization/projects": "projects",
    "/v1/organization/projects/proj_checkout01/api_keys": "project_api_keys",
}
REPORTS = {"/v1/organization/costs": "costs.page{}", "/v1/organization/usage/completions": "usage_completions.page{}"}


def recorded(request: httpx2.Request) -> httpx2.Response:
    assert request.headers["authorization"] == "Bearer sk-admin-test"
    path, params = request.url.path, request.url.params
    if path not in LISTS | REPORTS:
        return httpx2.Response(200, content=b'{"object": "list", "data": [], "has_more": false}')
    page = 2 if "page" in params or "after" in params else 1
    body = sample(f"openai/{(LISTS | REPORTS)[path].format(page)}.json")
    if path.endswith("/costs") and "group_by[]" not in params:
        body = encode(ungrouped(decode(body)))
    return httpx2.Response(200, content=body)


def ungrouped(body: dict[str, Any]) -> dict[str, Any]:
    """The same costs as one row a day."""
    for bucket in body["data"]:
        total = sum(row["amount"]["value"] for row in bucket["results"])
        amount = {"value": total, "currency": "usd"}
        bucket["results"] = [{"object": "organization.costs.result", "amount": amount, "line_item": None}]
    return body


CASE = Case(
    source="openai",
    settings={"OPENAI_ADMIN_KEY": "sk-admin-test"},
    since=MONDAY,
    until=WEDNESDAY,
    now=datetime(2026, 11, 4, 12, tzinfo=UTC),
    answer=recorded,
    billed={MONDAY: 2_681_000, TUESDAY: 2_418_000},
    listed={MONDAY: 0, TUESDAY: 0},  # OpenAI has no list prices: they follow from the bill
    money=frozenset({"value"}),
    counts=frozenset({"input_tokens", "output_tokens", "input_cached_tokens"}),
    labels=frozenset({"service_tier", "object", "status", "role"}),
    nullable=frozenset({"name", "batch", "service_tier", "quantity", "quantity_unit", "project_id"}),
    more=lambda body, number: body | {"has_more": True, "next_page": f"page_{number}", "last_id": f"id_{number}"},
)


def test_costs_and_usage_are_one_row_for_each_actor_and_model():
    monday, tuesday = given(CASE)
    # input includes what was cached and written: 3,310,000 - 3,100,000 = 210,000; 190,000 - 120,000 - 30,000 = 40,000
    assert set(monday.rows) == {
        SpendRow(FAY, "gpt-5.3-codex", Tokens(210_000, 0, None, 3_100_000, 98_000), 160, None, 2_282_000),
        # Chi's key is in no project that may be listed, so its costs are a key's and its tokens are Chi's
        SpendRow(CHI, "gpt-6-sol", Tokens(40_000, 30_000, None, 120_000, 22_000), 44, None, 0),
        SpendRow(CHIS_KEY, "gpt-6-sol", Tokens(), None, None, 399_000),
    }
    assert set(tuesday.rows) == {
        SpendRow(FAY, "gpt-5.3-codex", Tokens(190_000, 0, None, 2_600_000, 87_000), 141, None, 2_005_500),
        SpendRow(CI, "gpt-5.4-mini", Tokens(800_000, 0, None, 0, 50_000), 900, None, 412_500),
    }


def test_the_captured_answers_are_of_the_official_types():
    for name, kind in (("costs", UsageCostsResponse), ("usage_completions", UsageCompletionsResponse)):
        for page in ("page1", "page2", "documented"):
            kind.model_validate(json.loads(sample(f"openai/{name}.{page}.json")), strict=False)


def test_the_documented_usage_has_parts_that_come_to_the_whole():
    (bucket,) = decode(sample("openai/usage_completions.documented.json"))["data"]
    (row,) = bucket["results"]
    # 500 + 400 + 100 = 1000
    assert row["input_uncached_tokens"] + row["input_cached_tokens"] + row["input_cache_write_tokens"] == 1000
    (cost,) = decode(sample("openai/costs.documented.json"))["data"][0]["results"]
    assert cost["amount"]["value"] == Decimal("0.06")


def test_an_amount_may_be_text():
    (bucket,) = decode(sample("openai/costs.string_value.json"))["data"]

    def answer(request: httpx2.Request) -> httpx2.Response:
        found = {**bucket, "start_time": 1793577600, "end_time": 1793664000}
        empty = b'{"data": [], "has_more": false}'
        costs = request.url.path.endswith("/costs")
        return httpx2.Response(200, content=encode({"data": [found]}) if costs else empty)

    monday, _ = given(CASE, answer)
    assert monday.billed_micro == 60_000  # "0.0600000000000000000000000000"


def test_costs_that_cannot_be_told_by_person_are_asked_for_by_key():
    """Chi is then known by the key alone, and CI and Fay by who owns theirs."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/costs") and "user_id" in request.url.params.get_list("group_by[]"):
            return httpx2.Response(400, content=b'{"error": {"message": "user_id cannot be combined"}}')
        return recorded(request)

    days, error = outcome(CASE, answer)
    assert error is None
    assert [day.billed_micro for day in days] == [2_681_000, 2_418_000]
    assert {row.actor for row in days[0].rows if row.billed_micro} == {FAY, CHIS_KEY}


def test_parts_that_do_not_come_to_the_whole_are_refused_and_their_cost_is_in_the_remainder():
    def wrong(body, _number):
        for bucket in body["data"] if "next_page" in body else []:
            for row in bucket["results"]:
                if row.get("user_id") == "user-FAYq1":
                    row["input_uncached_tokens"] = 1
        return body

    monday, _ = given(CASE, changing(CASE, wrong))
    assert monday.rejected == {"bad_usage": 1}
    assert monday.billed_micro == 2_681_000
    assert FAY not in {row.actor for row in monday.rows}


def test_rows_above_the_bill_leave_the_day_out():
    def more(body, _number):
        for bucket in body["data"]:
            for row in bucket.get("results", []):
                if row.get("line_item") == "gpt-6-sol, output":
                    row["amount"]["value"] = 9
        return body

    days, error = outcome(CASE, changing(CASE, more))
    assert [day.day for day in days] == [TUESDAY]
    assert str(error).endswith("the numbers of 2026-11-02 contradict each other, so these days were left out")


def test_another_currency_is_an_error_that_names_it():
    def in_euro(body, _number):
        for bucket in body["data"]:
            for row in bucket.get("results", []):
                if "amount" in row:
                    row["amount"]["currency"] = "eur"
        return body

    _, error = outcome(CASE, changing(CASE, in_euro))
    assert str(error) == "OpenAI: it reports in eur, but only USD is understood"


@pytest.mark.parametrize(("name", "status"), [("error_401", 401), ("error_403_scope", 403), ("error_429", 429)])
def test_what_openai_says_of_an_error_holds_no_key(name, status):
    _, error = outcome(CASE, lambda _request: httpx2.Response(status, content=sample(f"openai/{name}.json")))
    assert isinstance(error, SourceError)
    assert "sk-admin" not in str(error).replace("sk-admin-.", "")


def test_other_families_and_admin_keys_hold_neither_money_nor_people_that_are_not_known_already():
    (bucket,) = decode(sample("openai/usage_web_search_calls.json"))["data"]
    (row,) = bucket["results"]
    assert row["num_requests"] == 2  # a count: what it costs is a line item of the costs
    assert "amount" not in row
    (key,) = decode(sample("openai/admin_api_keys.json"))["data"]
    assert key["owner"]["type"] == "service_account"  # ours, and not what spends
