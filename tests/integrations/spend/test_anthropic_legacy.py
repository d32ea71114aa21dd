"""The older reports, for organisations that have no other."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from bot.domain.model import AccountDay, Actor, ActorKind, SpendRow, Tokens
from tests.fake_anthropic import BILL, CODE, COST, FakeAnthropic, api_key
from tests.integrations.spend.anthropic_days import (
    ANN,
    CI,
    HAIKU,
    MONDAY,
    NOW,
    OPUS,
    TUESDAY,
    WEDNESDAY,
    Alter,
    failing,
    fetch,
)


@pytest.fixture
def fake() -> FakeAnthropic:
    return FakeAnthropic(NOW)


@pytest.fixture
def old(fake: FakeAnthropic) -> FakeAnthropic:
    fake.analytics = False
    return fake


def test_an_organisation_without_analytics_is_read_from_the_older_reports(old):
    old.page_rows = 1
    old.add_key("apikey_01", "shared", created_by="svac_01ci")
    old.add(MONDAY, ANN, OPUS, "90", "100.5", fresh=1, cache_write_5m=2, cache_write_1h=3, cache_read=4, output=5)
    old.add(MONDAY, ANN, OPUS, "9", "10", terminal="tmux", fresh=10)
    old.add(MONDAY, api_key("apikey_01"), HAIKU, "1", fresh=7)
    old.add(MONDAY, CI, HAIKU, "4", product="messages_api")
    monday, tuesday, wednesday = fetch(old)
    # 90 + 9 + 1 + 4 = 104 cents are billed; Ann's estimate is 100.5 + 10 cents
    ann = Actor(ActorKind.USER, None, "ann@example.com")
    shared = Actor(ActorKind.KEY, "shared", owned_by_user=False)
    assert monday == AccountDay(
        "anthropic",
        MONDAY,
        1_040_000,
        None,
        (
            SpendRow(shared, HAIKU, Tokens(7, 0, None, 0, 0), None, 10_000, None),
            SpendRow(ann, OPUS, Tokens(11, 5, None, 4, 5), None, 1_105_000, None),
        ),
        datetime(2026, 11, 4, 11, tzinfo=UTC),
    )
    assert [(day.day, day.billed_micro, day.rows) for day in (tuesday, wednesday)] == [
        (TUESDAY, 0, ()),
        (WEDNESDAY, 0, ()),
    ]


def test_a_name_that_two_keys_share_is_a_persons_if_one_of_them_is(old):
    old.add_key("apikey_01", "laptop", principal=ANN)
    old.add_key("apikey_02", "laptop", created_by="svac_01ci")
    old.add(MONDAY, api_key("apikey_01"), OPUS, "1")
    assert fetch(old)[0].rows[0].actor.owned_by_user


def test_the_newer_reports_are_asked_for_once_only(old):
    fetch(old, since=date(2026, 9, 1))
    assert [request.url.path for request in old.requests].count(COST) == 1


def test_newer_reports_that_vanish_half_way_are_an_error(fake):
    fake.after(4, lambda: setattr(fake, "analytics", False))
    days, error = failing(fake, since=date(2026, 9, 1))
    assert len(days) == 31
    assert "404" in str(error)


def test_a_day_without_a_bill_is_not_given(old):
    old.alter = lambda path, body: body["data"].pop() if path == BILL else None
    assert [day.day for day in fetch(old)] == [MONDAY, TUESDAY]


def spoil_entry(**change: Any) -> Alter:
    def alter(path: str, body: dict[str, Any]) -> None:
        if path == CODE and body["data"]:
            body["data"][0]["model_breakdown"][0] |= change

    return alter


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"tokens": {"input": -1}}, "bad_usage"),
        ({"tokens": None}, "bad_usage"),
        ({"estimated_cost": {"currency": "USD", "amount": -1}}, "bad_cost"),
        ({"estimated_cost": {"currency": "USD", "amount": 1e12}}, "bad_cost"),
        ({"model": None}, "unreadable"),
    ],
)
def test_an_estimate_that_cannot_be_true_is_counted(old, change, reason):
    old.add(MONDAY, ANN, OPUS, "1")
    old.add(MONDAY, ANN, HAIKU, "1")
    old.alter = spoil_entry(**change)
    [day] = fetch(old, until=TUESDAY)
    assert [row.model for row in day.rows] == [HAIKU]
    assert (day.billed_micro, day.rejected) == (20_000, {reason: 1})


def test_an_estimate_that_is_missing_is_unknown(old):
    old.add(MONDAY, ANN, OPUS, "1", fresh=5)
    old.alter = spoil_entry(estimated_cost=None)
    [day] = fetch(old, until=TUESDAY)
    assert [(row.tokens.fresh, row.list_micro) for row in day.rows] == [(5, None)]


def test_a_record_that_two_pages_have_counts_once(old):
    old.add(MONDAY, ANN, OPUS, "1", fresh=5)
    old.alter = lambda path, body: body["data"].append(body["data"][0]) if path == CODE and body["data"] else None
    [day] = fetch(old, until=TUESDAY)
    assert ([row.tokens.fresh for row in day.rows], day.rejected) == ([5], {"duplicate": 1})


@pytest.mark.parametrize("results", [[{"currency": "USD", "amount": "-1"}], [{"currency": "USD"}], ["no"]])
def test_a_bill_that_cannot_be_true_leaves_the_day_out(old, results):
    old.alter = lambda path, body: body["data"][0].update(results=results) if path == BILL else None
    days, error = failing(old)
    assert [day.day for day in days] == [TUESDAY, WEDNESDAY]
    assert "2026-11-02" in str(error)


def test_a_day_with_two_bills_is_left_out(old):
    old.alter = lambda path, body: body["data"].append(body["data"][0]) if path == BILL else None
    assert [day.day for day in failing(old)[0]] == [TUESDAY, WEDNESDAY]


def test_where_nothing_is_found_the_address_is_questioned(old):
    old.fail(404, times=9)
    _, error = failing(old)
    assert "ANTHROPIC_API_URL" in str(error)
    assert error.permanent
