"""OpenRouter's captured answers. Sums are made by hand: 0.31 dollars are
310,000 micro-dollars."""

from decimal import Decimal
from typing import Any

import httpx2
import pytest

from bot.domain.model import AccountDay, Actor, ActorKind, SpendRow, Tokens
from tests.integrations.spend.contract import Answer, Case, decode, encode, given, outcome, sample
from tests.integrations.spend.openrouter_days import MONDAY, NOW, SETTINGS, SONNET, TERRA, TUESDAY, WEDNESDAY, path

ANA_ID = "user_2dHFtVWx2n56w6HkM0000000000"
ANA = Actor(ActorKind.USER, ANA_ID, "ana@example.com")
NOBODY = Actor(ActorKind.UNKNOWN)


def recorded(asked: httpx2.Request) -> httpx2.Response:
    """The organisation's only member is Ana, who asks Sonnet; somebody's key asked Terra."""
    assert asked.headers["authorization"] == "Bearer sk-or-test"
    params = asked.url.params
    if path(asked) == "/organization/members":
        return httpx2.Response(200, content=sample("openrouter/organization_members.json"))
    assert path(asked) == "/activity"
    body = decode(sample("openrouter/activity.json"))
    own = {SONNET} if params.get("user_id") == ANA_ID else {SONNET, TERRA}
    rows = [row for row in body["data"] if row["date"] == params["date"] and row["model"] in own]
    return httpx2.Response(200, content=encode({"data": rows}))


def more(body: Any, _number: int) -> Any:
    return body | {"total_count": 10**9} if "total_count" in body else body


CASE = Case(
    source="openrouter",
    settings=SETTINGS,
    since=MONDAY,
    until=WEDNESDAY,
    now=NOW,
    answer=recorded,
    billed={MONDAY: 220_000, TUESDAY: 325_000},
    listed={MONDAY: 220_000, TUESDAY: 15_000},
    money=frozenset({"usage"}),
    counts=frozenset({"prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens", "requests"}),
    labels=frozenset({"provider_name", "role", "model_permaslug"}),
    nullable=frozenset({"byok_usage_inference", "endpoint_id", "provider_name", "first_name", "last_name", "role"}),
    more=more,
)


def test_the_recorded_days():
    assert list(given(CASE)) == [
        AccountDay(
            "openrouter",
            MONDAY,
            220_000,
            220_000,
            # 610,000 - 540,000 = 70,000 are fresh; 15,000 - 1,200 = 13,800 are no reasoning
            (SpendRow(ANA, SONNET, Tokens(70_000, 0, None, 540_000, 13_800, 1_200), 31, 220_000, 220_000),),
        ),
        AccountDay(
            "openrouter",
            TUESDAY,
            325_000,  # 0.015 + 0.31
            325_000,
            # 50,000 - 41,000 = 9,000; 12,500 - 2,500 = 10,000
            (SpendRow(ANA, SONNET, Tokens(9_000, 0, None, 41_000, 10_000, 2_500), 5, 15_000, 15_000),),
        ),
    ]


def test_money_spent_on_the_companys_own_key_is_on_its_providers_bill():
    # 0.012 of Tuesday was spent at Anthropic: 0.325 + 0.012 = 0.337 would count it twice
    rows = decode(sample("openrouter/activity.json"))["data"]
    assert sum(row["byok_usage_inference"] for row in rows) == Decimal("0.012")
    assert sum(day.billed_micro or 0 for day in given(CASE)) == 545_000  # 0.22 + 0.325
    assert {day.upstream for day in given(CASE)} == {None}


def test_a_key_that_may_not_list_members_gives_rows_of_nobody():
    def answer(asked: httpx2.Request) -> httpx2.Response:
        if path(asked) == "/organization/members":
            return httpx2.Response(403, content=sample("openrouter/error_403.json"))
        return recorded(asked)

    [_, tuesday] = given(CASE, answer)
    assert tuesday.rows == (
        SpendRow(NOBODY, SONNET, Tokens(9_000, 0, None, 41_000, 10_000, 2_500), 5, 15_000, 15_000),
        SpendRow(NOBODY, TERRA, Tokens(240_000, 0, None, 0, 6_000, 3_000), 42, 310_000, 310_000),
    )
    assert tuesday.billed_micro == 325_000


@pytest.mark.parametrize("content", [b'{"data": [], "total_count": 0}', None])
def test_an_account_without_members_gives_rows_of_nobody(content):
    def answer(asked: httpx2.Request) -> httpx2.Response:
        if path(asked) == "/organization/members":
            return httpx2.Response(200, content=content) if content else httpx2.Response(404, content=b"{}")
        return recorded(asked)

    assert {row.actor for day in given(CASE, answer) for row in day.rows} == {NOBODY}


@pytest.mark.parametrize(("status", "name"), [(401, "error_401"), (403, "error_403")])
def test_a_normal_key_is_refused_and_told_which_one_is_needed(status, name):
    days, error = outcome(CASE, lambda _asked: httpx2.Response(status, content=sample(f"openrouter/{name}.json")))
    assert days == []
    assert str(error) == (
        f"OpenRouter: openrouter.ai refused the key ({status}). Check OPENROUTER_PROVISIONING_KEY: it has to be a "
        "provisioning (management) key, made in the organization's settings."
    )


def asked_for(answer: Answer = recorded) -> list[str]:
    asked: list[str] = []

    def note(one: httpx2.Request) -> httpx2.Response:
        asked.append(f"{path(one)}?{one.url.query.decode()}")
        return answer(one)

    list(given(CASE, note))
    return asked


def test_each_day_is_asked_for_once_and_once_a_member():
    assert asked_for() == [
        "/organization/members?offset=0&limit=100",
        "/activity?date=2026-11-02",
        f"/activity?date=2026-11-02&user_id={ANA_ID}",
        "/activity?date=2026-11-03",
        f"/activity?date=2026-11-03&user_id={ANA_ID}",
    ]


def test_the_counters_of_keys_and_credits_are_of_a_lifetime():
    # a key has used 25.5 since it was made, the account 25.75; both days come to 0.545
    [key] = decode(sample("openrouter/keys.page1.json"))["data"]
    assert decode(sample("openrouter/keys.page2.json"))["data"] == []
    credits = decode(sample("openrouter/credits.json"))["data"]
    assert (key["usage"], credits["total_usage"]) == (Decimal("25.5"), Decimal("25.75"))
    assert sum(day.billed_micro or 0 for day in given(CASE)) == 545_000
    assert not any(name in asked for asked in asked_for() for name in ("/keys", "/credits"))


def test_the_analytics_of_a_user_are_the_same_money_again():
    # Ana's 0.015 of Tuesday is her row of the day
    [row] = decode(sample("openrouter/analytics_query.json"))["data"]["data"]
    [_, tuesday] = given(CASE)
    assert (row["user"], row["model"], row["request_count"]) == ("ana@example.com", SONNET, 5)
    assert (tuesday.rows[0].requests, tuesday.rows[0].billed_micro) == (5, 15_000)
    assert row["total_usage"] == Decimal("0.015")
    assert not any("/analytics" in asked for asked in asked_for())
