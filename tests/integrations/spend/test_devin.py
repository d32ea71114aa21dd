"""Devin tells units and no money. Sums are made by hand: 73.5 units are 73,500 thousandths."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import httpx2
import pytest

from bot.domain.model import Activity, Actor, ActorKind
from bot.domain.prices import Plan, Terms, on_terms
from tests.integrations.spend.contract import Answer, Case, changing, decode, encode, given, outcome, sample

DAILY, BY_USER = "/v3/enterprise/consumption/daily", "/v2/enterprise/consumption/daily"
MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 2), date(2026, 11, 3), date(2026, 11, 4)


def recorded(request: httpx2.Request) -> httpx2.Response:
    """Devin, for a key that may see the account and no users."""
    assert request.headers["authorization"] == "Bearer cog_test"
    if request.url.path != DAILY:
        return httpx2.Response(403, content=b"{}")
    return httpx2.Response(200, content=sample("devin/enterprise_consumption_daily_v3.json"))


CASE = Case(
    source="devin",
    settings={"DEVIN_API_KEY": "cog_test"},
    since=MONDAY,
    until=WEDNESDAY,
    now=datetime(2026, 11, 4, 12, tzinfo=UTC),
    answer=recorded,
    billed={MONDAY: None, TUESDAY: None},
    listed={MONDAY: 0, TUESDAY: 0},
    more=None,
    money=frozenset({"acus"}),
    counts=frozenset({"date"}),
    nullable=frozenset({"acus_by_product", "total_acus"}),
)


def test_a_day_is_the_utc_day_in_which_it_began():
    # 1793606400 is 2026-11-02 08:00 UTC; 73.5 + 49.5 = 123 units
    assert [(day.day, day.credits_milli) for day in given(CASE)] == [(MONDAY, 73_500), (TUESDAY, 49_500)]


def test_products_repeat_the_total_and_are_not_added():
    # 60 + 13.5 + 0 = 73.5, the day's own total
    (monday, _) = decode(sample("devin/enterprise_consumption_daily_v3.json"))["consumption_by_date"]
    assert sum(monday["acus_by_product"].values()) == Decimal("73.5") == monday["acus"]


def test_it_asks_from_eight_oclock_on():
    asked: list[httpx2.Request] = []

    def noting(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return recorded(request)

    list(given(CASE, noting))
    assert dict(asked[0].url.params) == {"time_after": "1793606400", "time_before": "1793779200"}
    assert [request.url.path for request in asked] == [DAILY, BY_USER]  # refused once, users are not asked for again


def by_user(response: Callable[[], httpx2.Response]) -> Answer:
    return lambda request: response() if request.url.path == BY_USER else recorded(request)


def test_users_are_kept_apart_where_the_key_may_see_them():
    # 41.25 + 8.25 = 49.5 are all of Tuesday's, and a part of Monday's 73.5
    users = {"user_456": 41.25, "user_123": 8.25}
    monday, tuesday = given(CASE, by_user(lambda: httpx2.Response(200, json={"consumption_by_user": users})))
    assert monday.activity == tuesday.activity
    assert tuesday.activity == (
        Activity(Actor(ActorKind.USER, "user_123"), credits_milli=8_250),
        Activity(Actor(ActorKind.USER, "user_456"), credits_milli=41_250),
    )


def test_users_who_come_to_more_than_the_day_are_of_more_than_the_day_and_not_taken():
    # 325.5 + 475 + 450 = 1250.5, the sample's total over three days: 125 + 200.5 + 925
    body = decode(sample("devin/enterprise_consumption_daily_v2.json"))
    assert sum(body["consumption_by_user"].values()) == sum(body["consumption_by_date"].values()) == Decimal("1250.5")
    assert sum(body["consumption_by_org_id"].values()) == Decimal("1250.5")  # again the same units
    monday, _ = given(CASE, by_user(lambda: httpx2.Response(200, json=json.loads(encode(body)))))
    assert (monday.credits_milli, monday.activity, monday.rejected) == (73_500, (), {"bad_usage": 3})


def test_a_user_whose_units_cannot_be_true_takes_no_other_with_them():
    users = {"user_123": 8.25, "user_456": -1, "user_789": "many"}
    monday, _ = given(CASE, by_user(lambda: httpx2.Response(200, json={"consumption_by_user": users})))
    assert monday.activity == (Activity(Actor(ActorKind.USER, "user_123"), credits_milli=8_250),)
    assert monday.rejected == {"bad_usage": 2}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_days_are_told_where_users_are_not(status):
    days, error = outcome(CASE, by_user(lambda: httpx2.Response(status)))
    assert error is None
    assert [(day.credits_milli, day.activity) for day in days] == [(73_500, ()), (49_500, ())]


def test_a_unit_costs_what_the_companys_plan_says():
    # 73.5 units of 2.25 dollars are 165.375 dollars
    monday = next(given(CASE))
    assert on_terms(monday, Terms(plans=(Plan("devin", None, None, 2_250_000),))).billed_micro == 165_375_000


def test_a_day_without_use_is_a_day():
    days, error = outcome(CASE, changing(CASE, lambda _body, _number: {"consumption_by_date": []}))
    assert error is None
    assert [day.credits_milli for day in days] == [0, 0]


def test_a_day_that_is_told_twice_is_left_out():
    def twice(body, _number):
        return {"consumption_by_date": [*body["consumption_by_date"], body["consumption_by_date"][0]]}

    days, error = outcome(CASE, changing(CASE, twice))
    assert [day.day for day in days] == [TUESDAY]
    assert "2026-11-02" in str(error)
