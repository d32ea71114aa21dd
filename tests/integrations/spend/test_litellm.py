"""LiteLLM's captured answers, and what a gateway's bill is. Sums are made by hand: 0.0412 dollars are 41,200."""

from datetime import date
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from bot.domain.model import AccountDay, Actor, ActorKind, SpendRow, Tokens
from bot.domain.ports import SourceError
from tests.integrations.spend.contract import Case, decode, given, outcome, sample
from tests.integrations.spend.litellm_proxy import (
    AGGREGATED,
    LOGS,
    MONDAY,
    NOW,
    PAGED,
    SETTINGS,
    TUESDAY,
    WEDNESDAY,
    FakeProxy,
    anthropic_day,
    fetch,
    given_days,
    request,
)

NO_LOGS = b'{"data": [], "total": 0, "page": 1, "page_size": 1000, "total_pages": 0, "total_is_capped": false}'


def recorded(asked: httpx2.Request) -> httpx2.Response:
    """A proxy that has no aggregated report, and a log of Tuesday."""
    assert asked.headers["authorization"] == "Bearer sk-test-1234"
    params = asked.url.params
    if asked.url.path == LOGS and params["start_date"] != "2026-11-03 00:00:00":
        return httpx2.Response(200, content=NO_LOGS)
    names = {PAGED: "user_daily_activity.page{}", LOGS: "spend_logs_v2.page{}"}
    if asked.url.path not in names:
        return httpx2.Response(404, content=b"{}")
    return httpx2.Response(
        200, content=sample(f"litellm/{names[asked.url.path]}.json".format(min(int(params["page"]), 2)))
    )


def more(body: Any, number: int) -> Any:
    if "results" in body:
        return body | {"metadata": body["metadata"] | {"has_more": True, "page": number + 1}}
    return body | {"total_pages": 10**6}


CASE = Case(
    source="litellm",
    settings=SETTINGS,
    since=MONDAY,
    until=WEDNESDAY,
    now=NOW,
    answer=recorded,
    billed={MONDAY: 3_300_000, TUESDAY: 6_100_400},
    listed={MONDAY: 0, TUESDAY: 101_100},
    money=frozenset({"spend"}),
    counts=frozenset({"prompt_tokens", "completion_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"}),
    labels=frozenset({"call_type", "status", "cache_hit", "model_group"}),
    nullable=frozenset(
        {
            "call_type",
            "cache_hit",
            "request_tags",
            "session_id",
            "model",
            "status",
            "total_is_capped",
            "user",
            "user_email",
        }
    ),
    more=more,
)


def test_the_recorded_days():
    ana = Actor(ActorKind.USER, email="ana@example.com")
    opus = "claude-opus-5-5"
    assert list(given(CASE)) == [
        AccountDay("litellm", MONDAY, 0, 0, (), NOW),
        AccountDay("litellm:anthropic", MONDAY, 3_300_000, 3_300_000, (), NOW, upstream="anthropic"),
        AccountDay("litellm", TUESDAY, 0, 0, (), NOW),
        AccountDay(
            "litellm:anthropic",
            TUESDAY,
            5_140_400,
            5_140_400,
            (
                # a failed request
                SpendRow(ana, opus, Tokens(), 1, 0, 0, "7b0a3d5e-sess-1"),
                # 0.0412 + 0.0398; read 94,080 + 92,160, written 1,960 + 1,920; 98,000 - 94,080 - 1,960 = 1,960 are
                # fresh, and 96,000 - 92,160 - 1,920 = 1,920
                SpendRow(
                    ana,
                    opus,
                    Tokens(3_880, 3_880, None, 186_240, 2_100),
                    2,
                    81_000,
                    81_000,
                    "7b0a3d5e-sess-1",
                    "acme/checkout#412",
                ),
                # 51,000 - 48,960 - 1,020 = 1,020
                SpendRow(
                    ana, opus, Tokens(1_020, 1_020, None, 48_960, 700), 1, 20_100, 20_100, "c1d2e3f4-sess-2", None
                ),
            ),
            NOW,
            upstream="anthropic",
        ),
        AccountDay("litellm:openai", TUESDAY, 960_000, 960_000, (), NOW, upstream="openai"),
    ]


def spend(name: str) -> dict[date, Decimal]:
    """What the results of a daily report come to."""
    sums: dict[date, Decimal] = {}
    for one in decode(sample(f"litellm/{name}.json"))["results"]:
        day = date.fromisoformat(one["date"])
        sums[day] = sums.get(day, Decimal(0)) + one["metrics"]["spend"]
    return sums


def test_a_date_that_two_pages_have_is_added_up_and_the_totals_of_a_page_are_not_believed():
    # Tuesday is on both pages: 5.1404 + 0.96 = 6.1004; each page's metadata tells of itself only
    first, second = spend("user_daily_activity.page1"), spend("user_daily_activity.page2")
    assert first == {TUESDAY: Decimal("5.1404")}
    assert second == {TUESDAY: Decimal("0.96"), MONDAY: Decimal("3.3")}
    totals = [decode(sample(f"litellm/user_daily_activity.page{page}.json"))["metadata"] for page in (1, 2)]
    assert [one["total_spend"] for one in totals] == [Decimal("5.1404"), Decimal("4.26")]
    assert sum(day.billed_micro or 0 for day in given(CASE)) == 9_400_400  # 3.3 + 6.1004


def test_a_teams_sum_is_the_same_money_again():
    # 3.3 and 6.1004, which is 5.1404 of the team checkout and 0.96 of platform
    assert spend("team_daily_activity_aggregated") == {MONDAY: Decimal("3.3"), TUESDAY: Decimal("6.1004")}
    assert paths() == {AGGREGATED, PAGED, LOGS}


def test_the_sums_of_tags_are_more_than_was_spent():
    # one request with a tag for its pull request and one for its client: 2 * 4.1204 = 8.2408
    [day] = decode(sample("litellm/tag_daily_activity.json"))["results"]
    tags = day["breakdown"]["entities"]
    assert set(tags) == {"pr:acme/checkout#412", "User-Agent: claude-cli/2.1.280"}
    assert sum(tag["metrics"]["spend"] for tag in tags.values()) == Decimal("8.2408") == 2 * day["metrics"]["spend"]


def test_the_old_summary_of_the_log_is_the_same_money_again():
    # 3.3 + 6.1004 = 9.4004; it has hashes of keys for names of fields, and no upstream provider
    days = decode(sample("litellm/spend_logs_summary.json"))
    assert sum(day["spend"] for day in days) == Decimal("9.4004")
    assert [sum(day["users"].values()) for day in days] == [Decimal("3.3"), Decimal("6.1004")]
    assert "/spend/logs" not in paths()


def paths() -> set[str]:
    asked: list[str] = []

    def note(one: httpx2.Request) -> httpx2.Response:
        asked.append(one.url.path)
        return recorded(one)

    list(given(CASE, note))
    return set(asked)


@pytest.mark.parametrize(("status", "name"), [(400, "error_400"), (401, "error_401")])
def test_the_proxys_errors_are_permanent(status, name):
    days, error = outcome(CASE, lambda _asked: httpx2.Response(status, content=sample(f"litellm/{name}.json")))
    assert days == []
    assert error
    assert error.permanent
    assert str(error).startswith("LiteLLM: llm.acme.test ")


def test_the_aggregated_report_is_asked_for_whole_days_and_few_keys():
    proxy = FakeProxy(request())
    assert anthropic_day(proxy).billed_micro == 500_000
    assert [one.url.path for one in proxy.asked] == [AGGREGATED, LOGS]
    assert dict(proxy.asked[0].url.params) == {
        "start_date": "2026-11-03",
        "end_date": "2026-11-03",
        "api_key_limit": "1",
    }


def test_a_proxy_without_the_aggregated_report_is_asked_for_it_once():
    proxy = FakeProxy(request())
    proxy.missing.add(AGGREGATED)
    list(given_days(proxy, since=date(2026, 10, 15)))
    assert [one.url.path for one in proxy.asked].count(AGGREGATED) == 1


def test_a_proxy_that_has_neither_report_says_what_to_check():
    with pytest.raises(SourceError, match=r"LITELLM_API_URL: it has to be the address of your LiteLLM proxy") as caught:
        fetch(lambda _asked: httpx2.Response(404, content=b"{}"))
    assert caught.value.permanent


@pytest.mark.parametrize("name", ["LITELLM_MASTER_KEY", "LITELLM_API_URL"])
def test_a_setting_that_is_missing_is_named(name):
    with pytest.raises(SourceError, match=f"LiteLLM: {name} is not set"):
        fetch(FakeProxy(), **{name: " "})
