"""Rows that cannot be true, and reports that cannot be trusted."""

from datetime import date
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from integrations.parse import parsed
from integrations.spend.anthropic.models import Usage
from integrations.spend.anthropic.reports import MAX_PAGES
from tests.fake_anthropic import COST, KEYS, USAGE, FakeAnthropic
from tests.integrations.spend.anthropic_days import (
    ANN,
    BO,
    HAIKU,
    MONDAY,
    NOW,
    OPUS,
    TUESDAY,
    WEDNESDAY,
    failing,
    fetch,
    spoil,
)


@pytest.fixture
def fake() -> FakeAnthropic:
    return FakeAnthropic(NOW)


@pytest.mark.parametrize(
    ("path", "change", "reason"),
    [
        (USAGE, lambda row: row["usage"].update(output_tokens=-1), "bad_usage"),
        (USAGE, lambda row: row["usage"].update(output_tokens=10**12 + 1), "bad_usage"),
        (USAGE, lambda row: row["usage"].update(output_tokens="many"), "bad_usage"),
        (USAGE, lambda row: row["usage"]["cache_creation"].update(ephemeral_5m_input_tokens=-1), "bad_usage"),
        (USAGE, lambda row: row.update(usage=None), "bad_usage"),
        (COST, lambda row: row["cost"].update(amount="-0.01"), "bad_cost"),
        (COST, lambda row: row["cost"].update(amount="NaN"), "bad_cost"),
        (COST, lambda row: row["cost"].update(amount="1e999999999"), "bad_cost"),
        (COST, lambda row: row["cost"].update(amount="100000000000.01"), "bad_cost"),
        (COST, lambda row: row["cost"].update(amount=None), "bad_cost"),
        (COST, lambda row: row["cost"].update(list_amount="-1"), "bad_cost"),
    ],
)
def test_a_row_that_cannot_be_true_is_counted_and_its_money_stays_unexplained(fake, path, change, reason):
    fake.add(MONDAY, ANN, OPUS, "1", fresh=5)
    fake.add(MONDAY, BO, OPUS, "2", fresh=6)
    fake.alter = spoil(path, change)
    [day] = fetch(fake, until=TUESDAY)
    assert [row.actor.id for row in day.rows] == ["user_01ann"]
    assert (day.billed_micro, day.rejected) == (30_000, {reason: 1})


@pytest.mark.parametrize("number", [Decimal("1e999999999"), Decimal("5.0"), True, "5", 10**4000])
def test_a_count_is_a_whole_number_and_refused_at_once_if_it_is_not(number):
    assert parsed(Usage, {"output_tokens": number}) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda row: row.update(starting_at="2026-10-31T00:00:00Z", ending_at="2026-11-01T00:00:00Z"),
            "outside_window",
        ),
        (lambda row: row.update(starting_at="2026-11-03T01:00:00Z"), "outside_window"),
        (lambda row: row.update(ending_at="2026-11-04T00:00:01Z"), "outside_window"),
        (lambda row: row.update(starting_at="2026-11-02T00:00:00"), "unreadable"),
        (lambda row: row.update(group=None), "unreadable"),
        (lambda row: row["group"].update(actor="Bo"), "unreadable"),
    ],
)
def test_a_row_of_no_day_in_the_window_is_counted_on_its_first_day(fake, change, reason):
    fake.add(TUESDAY, ANN, OPUS, "1")
    fake.add(TUESDAY, BO, OPUS, "2")
    fake.alter = spoil(COST, change)
    first, second, _ = fetch(fake)
    assert first.rejected == {reason: 1}
    assert [(row.actor.id, row.billed_micro) for row in second.rows] == [("user_01ann", 10_000), ("user_01bo", None)]


def test_midnight_may_be_written_in_another_zone(fake):
    fake.add(MONDAY, BO, OPUS, "2")
    fake.alter = spoil(COST, lambda row: row.update(starting_at="2026-11-02T02:00:00+02:00"))
    [day] = fetch(fake, until=TUESDAY)
    assert day.rows[0].billed_micro == 20_000


def test_grouping_that_did_not_work_is_told(fake):
    fake.add(MONDAY, ANN, OPUS, "1")
    fake.add(MONDAY, BO, HAIKU, "2")

    def alter(path: str, body: dict[str, Any]) -> None:
        for row in body["data"] if path != KEYS else []:
            row["group"]["actor"] = None

    fake.alter = alter
    [day] = fetch(fake, until=TUESDAY)
    assert (day.billed_micro, day.rows, day.rejected) == (30_000, (), {"actor_missing": 2})


def test_a_row_that_two_pages_have_counts_once(fake):
    fake.add(MONDAY, ANN, OPUS, "1", fresh=5)
    fake.add(MONDAY, BO, OPUS, "2", fresh=6)
    fake.alter = lambda path, body: body["data"].append(body["data"][0]) if path == USAGE else None
    [day] = fetch(fake, until=TUESDAY)
    assert [row.tokens.fresh for row in day.rows] == [5, 6]
    assert day.rejected == {"duplicate": 1}


def test_rows_for_nobody_in_particular_may_be_equal_and_are_added_up(fake):
    fake.add(MONDAY, ANN, OPUS, "1")
    fake.add(MONDAY, None, OPUS, "2", "3", fresh=6)

    def alter(path: str, body: dict[str, Any]) -> None:
        rows = body["data"]
        if path != KEYS and len(rows) == 1:  # the total: 1 + 2 + 2 cents, 1 + 3 + 3 at list price
            rows[0]["cost"] |= {"amount": "5", "list_amount": "7"}
        elif path != KEYS:
            rows += [row for row in rows if row["group"]["actor"] is None]

    fake.alter = alter
    [day] = fetch(fake, until=TUESDAY)
    assert [(row.tokens.fresh, row.requests, row.list_micro, row.billed_micro) for row in day.rows] == [
        (12, 2, 60_000, 40_000),
        (0, 1, 10_000, 10_000),
    ]
    assert day.rejected == {}


def test_a_revision_between_two_calls_leaves_the_day_out_and_says_so(fake):
    fake.add(MONDAY, ANN, OPUS, "1")
    fake.add(TUESDAY, ANN, OPUS, "1")
    fake.add(WEDNESDAY, ANN, OPUS, "1")
    fake.after(2, lambda: fake.add(TUESDAY, ANN, OPUS, "5"))  # once the keys and the total were read
    days, error = failing(fake)
    assert [day.day for day in days] == [MONDAY, WEDNESDAY]
    assert str(error) == "Anthropic: the numbers of 2026-11-03 contradict each other, so these days were left out"
    assert not error.permanent
    assert [day.billed_micro for day in fetch(fake)] == [10_000, 60_000, 10_000]


def test_a_revision_of_list_prices_alone_is_noticed(fake):
    fake.add(MONDAY, ANN, OPUS, "1", "1")
    fake.after(2, lambda: fake.add(MONDAY, ANN, OPUS, "0", "5"))
    assert failing(fake, until=TUESDAY)[0] == []


@pytest.mark.parametrize("amount", ["-1", "NaN", "Infinity", "1e400", "", None])
def test_a_day_without_a_true_total_is_left_out(fake, amount):
    fake.add(MONDAY, ANN, OPUS, "1")
    fake.add(TUESDAY, ANN, OPUS, "1")

    def alter(path: str, body: dict[str, Any]) -> None:
        if path == COST and body["data"][0]["group"]["actor"] is None:
            body["data"][0]["cost"]["amount"] = amount

    fake.alter = alter
    days, error = failing(fake)
    assert [day.day for day in days] == [TUESDAY, WEDNESDAY]
    assert "2026-11-02" in str(error)


def test_a_day_with_two_totals_is_left_out(fake):
    fake.add(MONDAY, ANN, OPUS, "1")

    def alter(path: str, body: dict[str, Any]) -> None:
        if path == COST and body["data"][0]["group"]["actor"] is None:
            body["data"] *= 2

    fake.alter = alter
    assert [day.day for day in failing(fake)[0]] == [TUESDAY, WEDNESDAY]


def test_another_currency_is_not_taken_for_dollars(fake):
    fake.add(MONDAY, ANN, OPUS, "1")
    fake.alter = lambda path, body: body["data"][0]["cost"].update(currency="EUR") if path == COST else None
    days, error = failing(fake)
    assert (days, str(error), error.permanent) == ([], "Anthropic reports in EUR, but only USD is understood", True)


@pytest.mark.parametrize("path", [KEYS, COST, USAGE])
@pytest.mark.parametrize("same_cursor", [True, False])
def test_pages_without_end_are_not_followed(fake, path, same_cursor):
    fake.add(MONDAY, ANN, OPUS, "1")
    fake.endless(path, same_cursor=same_cursor)
    days, error = failing(fake)
    assert days == []
    assert ("circle" if same_cursor else f"{MAX_PAGES} pages") in str(error)
    assert len(fake.requests) <= MAX_PAGES + 3


def test_more_pages_without_a_cursor_are_an_error(fake):
    fake.alter = lambda path, body: body.update(has_more=True, next_page=None) if path == COST else None
    assert "circle" in str(failing(fake)[1])
    assert [request.url.path for request in fake.requests].count(COST) == 1


def test_a_cursor_is_followed_where_the_answer_does_not_say_whether_there_is_more(fake):
    fake.page_rows = 1
    fake.add(MONDAY, ANN, OPUS, "1")
    fake.add(MONDAY, BO, OPUS, "2")
    fake.alter = lambda path, body: body.update(has_more=None)
    assert [row.billed_micro for row in fetch(fake)[0].rows] == [10_000, 20_000]


@pytest.mark.parametrize("page", [1, 2, 3])
def test_a_window_with_a_page_that_failed_gives_no_day(fake: FakeAnthropic, page: int):
    fake.page_rows = 1
    for day in (MONDAY, TUESDAY, WEDNESDAY):
        fake.add(day, ANN, OPUS, "1")
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        if asked.count(USAGE) == page:
            return httpx2.Response(200, content=b'{"data": [{"starting_at": "2026-11-0')
        return fake(request)

    days, error = failing(answer)
    assert (days, error.permanent) == ([], False)


def test_days_of_a_complete_window_are_given_before_a_later_one_fails(fake):
    fake.add(date(2026, 9, 1), ANN, OPUS, "1")
    fake.after(4, lambda: fake.fail(500, times=99))
    days, _ = failing(fake, since=date(2026, 9, 1))
    assert (len(days), days[0].billed_micro) == (31, 10_000)


@pytest.mark.parametrize("body", ["[]", "{}", '"no"', '{"data": 7}', '{"data": {}}', "null"])
def test_an_answer_that_is_no_report_is_an_error(body):
    _, error = failing(lambda _: httpx2.Response(200, content=body))
    assert "no report" in str(error)


def test_a_short_failure_is_overcome(fake):
    fake.add(MONDAY, ANN, OPUS, "1")
    fake.fail(529, times=2, path=USAGE)
    fake.fail(429, times=1, path=COST, headers={"retry-after": "1"})
    assert fetch(fake)[0].billed_micro == 10_000
