"""Rows of OpenAI that cannot be true, and reports that cannot be trusted."""

from datetime import date

import pytest

from bot.domain.model import Tokens
from integrations.parse import parsed
from integrations.spend.openai.models import Usage
from integrations.spend.openai.reports import MAX_PAGES
from tests.integrations.spend.openai_org import (
    ANN,
    BO,
    COSTS,
    KEYS,
    MONDAY,
    PROJECTS,
    TUESDAY,
    USAGE,
    USERS,
    WEDNESDAY,
    Organization,
    failing,
    fetch,
    spoil,
)

SOL = "gpt-6-sol"
WRITTEN = "input_cache_write_tokens"
SHORT, LONG = "input_cache_write_30m_tokens", "input_cache_write_12h_tokens"


@pytest.fixture
def org() -> Organization:
    org = Organization()
    for user, dollars in ((ANN, "1"), (BO, "2")):
        org.spend(MONDAY, user, None, f"{SOL}, input", dollars)
        org.use(MONDAY, user, None, SOL, 5)
    return org


@pytest.mark.parametrize(
    ("told", "short", "long"),
    [
        ({}, 0, None),
        ({WRITTEN: 30}, 30, None),
        ({WRITTEN: 30, SHORT: None, LONG: None}, 30, None),
        ({WRITTEN: 30, SHORT: 10, LONG: 20}, 10, 20),
        ({WRITTEN: 30, SHORT: 10}, 10, 20),
        ({WRITTEN: 30, LONG: 20}, 10, 20),
        ({SHORT: 10, LONG: 20}, 10, 20),
        ({LONG: 20}, 0, 20),
    ],
)
def test_cache_writes_are_short_or_long_and_short_where_the_two_are_not_told_apart(told, short, long):
    usage = parsed(Usage, {"input_tokens": 100, "input_cached_tokens": 40, "output_tokens": 7} | told)
    # 100 = fresh + 40 read + what was written
    assert usage is not None
    assert usage.tokens() == Tokens(60 - short - (long or 0), short, long, 40, 7, None)


@pytest.mark.parametrize(
    "told",
    [
        {"input_uncached_tokens": 59},
        {"input_uncached_tokens": 61},
        {"input_uncached_tokens": 60, WRITTEN: 1},
        {"input_cached_tokens": 101},
        {WRITTEN: 61},
        {WRITTEN: 30, SHORT: 10, LONG: 21},
        {WRITTEN: 30, LONG: 31},
        {WRITTEN: 30, SHORT: 31},
        {"input_tokens": None},
        {"input_tokens": -1},
        {"output_tokens": 10**12 + 1},
        {"num_model_requests": True},
    ],
)
def test_kinds_that_do_not_come_to_their_whole_are_refused(told):
    assert parsed(Usage, {"input_tokens": 100, "input_cached_tokens": 40, "output_tokens": 7} | told) is None


@pytest.mark.parametrize(
    ("path", "change", "reason"),
    [
        (USAGE, lambda row: row.update(output_tokens=-1), "bad_usage"),
        (USAGE, lambda row: row.update(input_uncached_tokens=4), "bad_usage"),
        (USAGE, lambda row: row.update(input_tokens="5"), "bad_usage"),
        (COSTS, lambda row: row["amount"].update(value="-0.01"), "bad_cost"),
        (COSTS, lambda row: row["amount"].update(value="NaN"), "bad_cost"),
        (COSTS, lambda row: row["amount"].update(value="1e999999999"), "bad_cost"),
        (COSTS, lambda row: row["amount"].update(value="1000000000.01"), "bad_cost"),
        (COSTS, lambda row: row["amount"].update(value=None), "bad_cost"),
        (COSTS, lambda row: row["amount"].update(currency=None), "bad_cost"),
        (COSTS, lambda row: row.update(amount=None), "bad_cost"),
    ],
)
def test_a_row_that_cannot_be_true_is_counted_and_its_money_stays_unexplained(org, path, change, reason):
    org.alter = spoil(path, change)
    [day] = fetch(org)
    assert [row.actor.id for row in day.rows] == [ANN]
    assert (day.billed_micro, day.rejected) == (3_000_000, {reason: 1})


def test_a_row_of_somebody_unreadable_is_counted(org):
    org.alter = spoil(COSTS, lambda row: row.update(user_id=["user-bo"]))
    [day] = fetch(org)
    assert [(row.actor.id, row.billed_micro) for row in day.rows] == [(ANN, 1_000_000), (BO, None)]
    assert day.rejected == {"unreadable": 1}


def test_a_row_that_comes_twice_counts_once(org):
    org.usage.append(org.usage[0])
    [day] = fetch(org)
    assert [row.tokens.fresh for row in day.rows] == [5, 5]
    assert day.rejected == {"duplicate": 1}


def test_rows_for_nobody_in_particular_may_be_equal_and_are_added_up(org):
    for _ in range(2):
        org.use(MONDAY, None, None, SOL, 6)
    [day] = fetch(org)
    assert {row.actor.id: row.tokens.fresh for row in day.rows} == {ANN: 5, BO: 5, None: 12}


def test_grouping_that_did_not_work_is_told(org):
    def alter(path, body):
        for bucket in body["data"] if path in (COSTS, USAGE) else []:
            for row in bucket["results"]:
                row |= {"user_id": None, "api_key_id": None}

    org.alter = alter
    [day] = fetch(org)
    assert (day.billed_micro, day.rows, day.rejected) == (3_000_000, (), {"actor_missing": 1})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"start_time": 1793491200, "end_time": 1793577600}, "outside_window"),  # the day before
        ({"start_time": 1793577601}, "outside_window"),
        ({"end_time": 1793577600}, "outside_window"),
        ({"end_time": 1793664001}, "outside_window"),
        ({"start_time": "2026-11-02"}, "unreadable"),
        ({"start_time": 10**30}, "unreadable"),
        ({"results": None}, "unreadable"),
    ],
)
def test_a_bucket_of_no_day_in_the_window_is_counted(org, change, reason):
    org.alter = lambda path, body: body["data"][0].update(change) if path == USAGE else None
    [day] = fetch(org)
    assert day.rejected == {reason: 1}
    assert [(row.tokens.total, row.billed_micro) for row in day.rows] == [(0, 1_000_000), (0, 2_000_000)]


@pytest.mark.parametrize("amount", ["-1", "NaN", "Infinity", "1e400", "", None])
def test_a_day_without_a_true_bill_is_left_out_and_named(org, amount):
    org.spend(TUESDAY, ANN, None, f"{SOL}, input", "4")

    def alter(path, body):
        if path == COSTS and body["data"][0]["start_time"] == 1793577600:
            for row in body["data"][0]["results"]:
                row["amount"]["value"] = amount if row["user_id"] is None else row["amount"]["value"]

    org.alter = alter
    days, error = failing(org, MONDAY, WEDNESDAY)
    assert [(day.day, day.billed_micro) for day in days] == [(TUESDAY, 4_000_000)]
    assert str(error) == "OpenAI: the numbers of 2026-11-02 contradict each other, so these days were left out"
    assert not error.permanent


def test_a_day_with_two_bills_is_left_out(org):
    def alter(path, body):
        if path == COSTS and len(body["data"][0]["results"]) == 1:
            body["data"] *= 2

    org.alter = alter
    assert failing(org)[0] == []


def test_a_revision_between_two_questions_leaves_the_day_out(org):
    def alter(path, _body):
        if path == USAGE:  # after the bill was read
            org.spend(MONDAY, ANN, None, f"{SOL}, input", "0.01")

    org.alter = alter
    days, error = failing(org)
    assert days == []
    assert "2026-11-02" in str(error)


def test_another_currency_is_not_taken_for_dollars(org):
    org.alter = spoil(COSTS, lambda row: row["amount"].update(currency="eur"))
    days, error = failing(org)
    assert (days, error.permanent) == ([], True)
    assert str(error) == "OpenAI reports in eur, but only USD is understood"


@pytest.mark.parametrize("path", [USERS, PROJECTS, KEYS, COSTS, USAGE])
@pytest.mark.parametrize("circle", [True, False])
def test_pages_without_end_are_not_followed(org, path, circle):
    def alter(asked, body):
        if asked == path:
            cursor = "again" if circle else f"page{len(org.requests)}"
            body |= {"has_more": True, "last_id": cursor, "next_page": cursor}

    org.alter = alter
    org._report = lambda _path, _params: {"data": []}
    org._list = lambda asked, _params: {"data": [{"id": "proj_1"}] if asked == PROJECTS else []}
    days, error = failing(org)
    assert days == []
    assert ("circle" if circle else f"{MAX_PAGES} pages") in str(error)
    assert not error.permanent


def test_more_pages_without_a_cursor_are_an_error(org):
    org.alter = lambda path, body: body.update(has_more=True, next_page=None) if path == COSTS else None
    assert "has more pages, and does not say where" in str(failing(org)[1])


def test_days_of_a_whole_week_are_given_before_a_later_one_fails(org):
    def alter(path, _body):
        if path == COSTS and org.requests[-1].url.params["start_time"] == "1793577600":
            org.fail[USAGE] = 500

    org.alter = alter
    days, error = failing(org, date(2026, 10, 26), WEDNESDAY)  # a week, and two days of the next
    assert (len(days), error.permanent) == (7, False)


def test_no_error_and_no_value_shows_a_person_or_the_key(org):
    org.user(ANN, "canary@example.com")
    said = repr(fetch(org))
    for path in (USERS, COSTS, USAGE):
        for status in (400, 403, 404):
            org.fail = {path: status}
            said += repr(failing(org)[1]) if path != USERS else ""
    assert "canary" not in said
