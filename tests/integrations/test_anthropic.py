"""Anthropic's reports become account-days: from recorded answers, and from a fake that can misbehave.

Sums are made by hand: an amount on the wire is in cents, so 805.212 is 8,052,120 micro-dollars.
"""

import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest
import stamina
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.model import AccountDay, Actor, ActorKind, SpendRow, Tokens
from bot.domain.ports import Refused, SourceError, SpendSource
from integrations._http import ATTEMPTS, HttpClient
from integrations.spend import anthropic
from integrations.spend.anthropic.models import Usage, parsed
from integrations.spend.anthropic.reports import MAX_PAGES
from tests.fake_anthropic import (
    ADMIN_KEY,
    BILL,
    CODE,
    COST,
    KEYS,
    USAGE,
    FakeAnthropic,
    api_key,
    federated,
    service_account,
    user,
)
from tests.fake_anthropic.server import serve

SAMPLES = Path(__file__).parent.parent / "samples" / "anthropic"
NOW = datetime(2026, 11, 4, 12, tzinfo=UTC)
MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 11, day) for day in (2, 3, 4, 5))
OPUS, SONNET, HAIKU = "claude-opus-5-5", "claude-sonnet-5", "claude-haiku-4-5-20251001"
ANN, BO = user("Ann@Example.com", "user_01ann"), user("bo@example.com", "user_01bo")
CI = service_account("svac_01ci")

Answer = Callable[[httpx2.Request], httpx2.Response]


@pytest.fixture(autouse=True)
def no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=ATTEMPTS):
        yield


@pytest.fixture
def fake() -> FakeAnthropic:
    return FakeAnthropic(NOW)


def given_days(
    answer: Answer, since: date = MONDAY, until: date = THURSDAY, now: datetime = NOW, key: str = ADMIN_KEY
) -> Iterator[AccountDay]:
    http = HttpClient(httpx2.MockTransport(answer))
    return anthropic.fetch(http, {"ANTHROPIC_ADMIN_KEY": key}, None, since, until, now)


def fetch(answer: Answer, since: date = MONDAY, until: date = THURSDAY, now: datetime = NOW) -> list[AccountDay]:
    return list(given_days(answer, since, until, now))


def failing(answer: Answer, **options: Any) -> tuple[list[AccountDay], SourceError]:
    """The days that came before the error, and the error."""
    days: list[AccountDay] = []
    with pytest.raises(SourceError) as caught:
        days.extend(given_days(answer, **options))
    return days, caught.value


def test_it_is_a_spend_source():
    source: SpendSource = anthropic
    assert (source.NAME, source.SECRETS, source.LAG_DAYS, source.REFETCH_DAYS) == (
        "anthropic",
        ("ANTHROPIC_ADMIN_KEY",),
        1,
        31,
    )


# --- recorded answers -----------------------------------------------------------------------------


def recorded(**files: str) -> Answer:
    """Serves samples by the last part of the path; `{}` in a name is the number of the page."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        name = request.url.path.rpartition("/")[2]
        if name == "cost" and "group_by[]" not in request.url.params:
            name = "total"
        if name not in files:
            return httpx2.Response(404, json={})
        page = 2 if "page" in request.url.params else 1
        return httpx2.Response(200, content=(SAMPLES / f"{files[name].format(page)}.json").read_bytes())

    return answer


def test_the_recorded_analytics_reports():
    days = fetch(
        recorded(
            api_keys="organizations_api_keys",
            total="analytics_cost.daily",
            cost="analytics_cost.page{}",
            usage="analytics_usage.page{}",
        ),
        until=WEDNESDAY,
    )
    refreshed = datetime(2026, 11, 4, 6, 12, tzinfo=UTC)
    ana = Actor(ActorKind.USER, "user_01AnaQ8bKxN4pVtR2mWc7Yd", "ana@example.com")
    ben = Actor(ActorKind.USER, "user_01BenT3fHsL9kQwE5nZx1Gj", "ben@example.com")
    chi = Actor(ActorKind.USER, "user_01ChiV6dJrM2hPyU8oAb4Sk", "chi@example.com")
    dee = Actor(ActorKind.USER, "user_01DeeX1gKuN7jRzI3pBc9Vl", "dee@example.com")
    ci = Actor(ActorKind.SERVICE_ACCOUNT, "svac_01CiBotK5nQ8mUcQ2sEf1Yp")
    assert days == [
        # billed 805.212 + 223.740 + 210.186 = 1239.138 cents; list 894.68 + 248.60 + 233.54 = 1376.82 cents
        AccountDay(
            "anthropic",
            MONDAY,
            12_391_380,
            13_768_200,
            (
                SpendRow(ana, OPUS, Tokens(61_200, 180_000, 520_000, 9_800_000, 84_100), 212, 8_946_800, 8_052_120),
                SpendRow(ben, SONNET, Tokens(118_000, 240_000, 0, 5_200_000, 61_000), 175, 2_486_000, 2_237_400),
                SpendRow(chi, OPUS, Tokens(20_100, 95_000, 110_000, 2_100_000, 24_000), 58, 2_335_400, 2_101_860),
            ),
            refreshed,
        ),
        # billed 786.888 + 29.520 + 138.600 + 16.380 = 971.388 cents; list 874.32 + 32.80 + 154.00 + 18.20 = 1079.32
        AccountDay(
            "anthropic",
            TUESDAY,
            9_713_880,
            10_793_200,
            (
                SpendRow(ci, HAIKU, Tokens(940_000, 0, 0, 0, 120_000), 1900, 1_540_000, 1_386_000),
                SpendRow(
                    Actor(ActorKind.UNKNOWN), SONNET, Tokens(31_000, 12_000, 0, 90_000, 7_200), 24, 182_000, 163_800
                ),
                SpendRow(ana, OPUS, Tokens(44_800, 210_000, 400_000, 12_400_000, 91_700), 263, 8_743_200, 7_868_880),
                SpendRow(dee, SONNET, Tokens(9_000, 40_000, 0, 610_000, 8_800), 31, 328_000, 295_200),
            ),
            refreshed,
        ),
    ]


def test_the_recorded_older_reports():
    answer = recorded(
        api_keys="organizations_api_keys",
        cost_report="cost_report.page{}",
        claude_code="usage_report_claude_code.page{}",
    )
    now = datetime(2025, 9, 1, 12, tzinfo=UTC)
    first, second = fetch(answer, date(2025, 8, 1), date(2025, 8, 4), now)
    # "123.78912" cents are 1.2378912 dollars; the second day is 603 + 30 + 5 = 638 cents
    assert (first.day, first.billed_micro, first.list_micro) == (date(2025, 8, 1), 1_237_891, None)
    assert (second.day, second.billed_micro) == (date(2025, 8, 2), 6_380_000)
    # The recorded Claude Code report is of another day, 2025-09-01: one record on page 1 and three on page 2.
    assert (first.rows, first.rejected) == ((), {"outside_window": 4})


def test_the_recorded_claude_code_report():
    others = recorded(api_keys="organizations_api_keys", claude_code="usage_report_claude_code.page{}")

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == BILL:
            bucket = {"starting_at": "2025-09-01T00:00:00Z", "ending_at": "2025-09-02T00:00:00Z", "results": []}
            return httpx2.Response(200, json={"data": [bucket], "has_more": False})
        return others(request)

    [day] = fetch(answer, date(2025, 9, 1), date(2025, 9, 2))
    ci = Actor(ActorKind.KEY, "ci-claude-code", owned_by_user=True)  # a person made it
    ana, dev = (Actor(ActorKind.USER, None, email) for email in ("ana@example.com", "developer@company.com"))
    assert day == AccountDay(
        "anthropic",
        date(2025, 9, 1),
        0,
        None,
        (
            # 159, 530, 5 and 1025 cents, all of them estimates
            SpendRow(ci, SONNET, Tokens(180_000, 140_000, None, 2_200_000, 44_000), None, 1_590_000, None),
            SpendRow(ana, HAIKU, Tokens(21_000, 0, None, 180_000, 3_000), None, 50_000, None),
            SpendRow(ana, OPUS, Tokens(52_000, 610_000, None, 4_100_000, 61_000), None, 5_300_000, None),
            SpendRow(
                dev,
                "claude-sonnet-4-20250514",
                Tokens(100_000, 5_000, None, 10_000, 35_000),
                None,
                10_250_000,
                None,
            ),
        ),
        datetime(2026, 11, 4, 11, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("name", "status", "permanent", "words"),
    [
        ("error_401", 401, True, "refused the key (401). Check ANTHROPIC_ADMIN_KEY"),
        ("error_429", 429, False, "asks for fewer requests (429)"),
        ("error_400_too_recent", 400, True, "the most recent available day is 2026-11-20"),
    ],
)
def test_the_recorded_errors(name, status, permanent, words):
    body = (SAMPLES / f"{name}.json").read_bytes()
    _, error = failing(lambda _: httpx2.Response(status, content=body))
    assert words in str(error)
    assert error.permanent is permanent


# --- days and windows -----------------------------------------------------------------------------


def test_every_day_is_given_and_an_empty_one_costs_nothing(fake):
    fake.add(TUESDAY, ANN, OPUS, "10")
    days = fetch(fake)
    assert [(day.day, day.billed_micro, day.list_micro, len(day.rows)) for day in days] == [
        (MONDAY, 0, 0, 0),
        (TUESDAY, 100_000, 100_000, 1),
        (WEDNESDAY, 0, 0, 0),
    ]


def test_the_running_day_is_given_and_the_future_is_not(fake):
    fake.add(WEDNESDAY, ANN, OPUS, "10")
    days = fetch(fake, until=date(2026, 12, 1))
    assert (days[-1].day, days[-1].billed_micro, days[-1].refreshed_at) == (WEDNESDAY, 100_000, NOW)
    assert fetch(fake, since=THURSDAY, until=date(2026, 12, 1)) == []


@pytest.mark.parametrize(("second", "days"), [(0, 0), (1, 1)])
def test_a_day_is_asked_for_once_it_has_begun(fake, second, days):
    now = datetime(2026, 11, 4, 0, 0, second, 999, tzinfo=UTC)
    assert len(fetch(fake, since=WEDNESDAY, now=now)) == days


def test_a_day_that_the_report_cannot_know_yet_is_not_given_as_zero(fake):
    fake.refreshed_at = datetime(2026, 11, 3, 22, tzinfo=UTC)
    assert [day.day for day in fetch(fake)] == [MONDAY, TUESDAY]


def test_nothing_is_asked_for_no_days(fake):
    assert fetch(fake, since=MONDAY, until=MONDAY) == []
    assert fake.requests == []


def test_more_than_31_days_are_asked_for_in_pieces(fake):
    fake.add(date(2026, 9, 1), ANN, OPUS, "1")
    fake.add(TUESDAY, ANN, OPUS, "2")
    days = fetch(fake, since=date(2026, 9, 1), until=WEDNESDAY)
    assert [day.day for day in days] == sorted({day.day for day in days})
    assert (len(days), sum(day.billed_micro for day in days)) == (64, 30_000)
    asked = [request.url.params for request in fake.requests if request.url.path == USAGE]
    assert [(query["starting_at"], query["ending_at"]) for query in asked] == [
        ("2026-09-01T00:00:00Z", "2026-10-02T00:00:00Z"),
        ("2026-10-02T00:00:00Z", "2026-11-02T00:00:00Z"),
        ("2026-11-02T00:00:00Z", "2026-11-04T00:00:00Z"),
    ]
    assert [request.url.path for request in fake.requests].count(KEYS) == 1


# --- joining the reports --------------------------------------------------------------------------


def test_rows_of_many_pages_are_joined_by_actor_and_model(fake):
    fake.page_rows = 1
    for cents in ("1", "2"):  # one combination, two products
        fake.add(MONDAY, ANN, OPUS, cents, product=f"product {cents}", fresh=5, output=1)
    fake.add(MONDAY, ANN, HAIKU, "3", fresh=7)
    fake.add(MONDAY, BO, OPUS, "4", fresh=11)
    [day] = fetch(fake, until=TUESDAY)
    assert [(row.actor.id, row.model, row.tokens.total, row.requests, row.billed_micro) for row in day.rows] == [
        ("user_01ann", HAIKU, 7, 1, 30_000),
        ("user_01ann", OPUS, 12, 2, 30_000),
        ("user_01bo", OPUS, 11, 1, 40_000),
    ]
    assert day.billed_micro == 100_000


def test_who_an_actor_is(fake):
    fake.add_key("apikey_01", "Ann's laptop", principal=ANN)
    fake.add_key("apikey_02", "Bo's old key", created_by="user_01bo")
    fake.add_key("apikey_03", "shared", created_by="svac_01ci")
    for who in (
        ANN,
        user(None, "user_01gone"),
        CI,
        *map(api_key, ("apikey_01", "apikey_02", "apikey_03", "apikey_04")),
    ):
        fake.add(MONDAY, who, OPUS, "1")
    for subject in ("user:Cy@Example.com", "serviceAccount:ci@example.iam", None):
        fake.add(MONDAY, federated(subject), OPUS, "1")
    fake.add(MONDAY, None, OPUS, "1")
    fake.page_rows = 2
    [day] = fetch(fake, until=TUESDAY)
    assert {row.actor for row in day.rows} == {
        Actor(ActorKind.USER, "user_01ann", "ann@example.com"),
        Actor(ActorKind.USER, "user_01gone"),
        Actor(ActorKind.SERVICE_ACCOUNT, "svac_01ci"),
        Actor(ActorKind.KEY, "apikey_01", owned_by_user=True),
        Actor(ActorKind.KEY, "apikey_02", owned_by_user=True),
        Actor(ActorKind.KEY, "apikey_03", owned_by_user=False),
        Actor(ActorKind.KEY, "apikey_04", owned_by_user=True),  # nobody told us
        Actor(ActorKind.USER, email="cy@example.com"),
        Actor(ActorKind.UNKNOWN, "serviceAccount:ci@example.iam"),
        Actor(ActorKind.UNKNOWN),
    }


@pytest.mark.parametrize("status", [403, 404])
def test_where_keys_may_not_be_listed_each_counts_as_a_persons(fake, status):
    fake.add_key("apikey_03", "shared", created_by="svac_01ci")
    fake.add(MONDAY, api_key("apikey_03"), OPUS, "1")
    fake.fail(status, path=KEYS)
    [day] = fetch(fake, until=TUESDAY)
    assert day.rows[0].actor == Actor(ActorKind.KEY, "apikey_03", owned_by_user=True)


def test_new_fields_new_kinds_and_nulls_do_no_harm(fake):
    fake.add(MONDAY, ANN, OPUS, "1", fresh=5)
    fake.add(MONDAY, {"type": "robot_actor", "robot_id": "r2"}, OPUS, "2")

    def alter(path: str, body: dict[str, Any]) -> None:
        for row in body["data"]:
            row["new"] = {"deep": [1]}
            if path == USAGE:
                row["usage"] |= {"cache_creation": None, "cache_read_input_tokens": None, "requests": None}

    fake.alter = alter
    [day] = fetch(fake, until=TUESDAY)
    assert [(row.actor.kind, row.tokens.fresh, row.requests) for row in day.rows] == [
        ("unknown", 0, None),
        ("user", 5, None),
    ]


def test_cost_without_tokens_is_kept(fake):
    fake.add(MONDAY, ANN, None, "1", product=None)
    fake.alter = lambda path, body: body["data"].clear() if path == USAGE else None
    [day] = fetch(fake, until=TUESDAY)
    assert [(row.model, row.tokens, row.requests, row.billed_micro) for row in day.rows] == [
        (None, Tokens(), 1, 10_000)
    ]


def drop_cost_of(model: str, *, of_total: str) -> Callable[[str, dict[str, Any]], None]:
    """The cost report loses a model; the total becomes what is said."""

    def alter(path: str, body: dict[str, Any]) -> None:
        if path == COST:
            body["data"] = [row for row in body["data"] if row["group"]["model"] != model]
            for row in body["data"]:
                if row["group"]["model"] is None:
                    row["cost"] |= {"amount": of_total, "list_amount": of_total}

    return alter


@pytest.mark.parametrize(("total", "billed"), [("1.000000", 0), ("3.000000", None)])
def test_tokens_without_cost_were_free_only_if_the_other_rows_are_the_whole_bill(fake, total, billed):
    fake.add(MONDAY, ANN, OPUS, "1")
    fake.add(MONDAY, ANN, HAIKU, "2", fresh=5)
    fake.alter = drop_cost_of(HAIKU, of_total=total)
    [day] = fetch(fake, until=TUESDAY)
    assert [(row.tokens.fresh, row.billed_micro) for row in day.rows] == [(5, billed), (0, 10_000)]


def test_rows_never_come_to_more_than_their_total(fake):
    for number, who in enumerate((ANN, BO, CI)):
        fake.add(MONDAY, who, OPUS, f"1.0000{6 + number}")  # 10,000.6, 10,000.7 and 10,000.8 micro-dollars
    [day] = fetch(fake, until=TUESDAY)
    assert [row.billed_micro for row in day.rows] == [10_000, 10_000, 10_000]
    assert day.billed_micro == 30_002  # 30,002.1


@given(
    st.lists(
        st.tuples(
            st.sampled_from([MONDAY, TUESDAY, WEDNESDAY]),
            st.sampled_from([ANN, BO, CI, None, api_key("apikey_01")]),
            st.sampled_from([OPUS, HAIKU, None]),
            st.decimals(0, 100_000, places=6),
            st.integers(0, 10**9),
        ),
        max_size=25,
    ),
    st.integers(1, 9),
)
def test_whatever_was_spent_the_bill_is_whole_and_rows_explain_it(spent, page_rows):
    fake = FakeAnthropic(NOW, page_rows=page_rows)
    for day, who, model, cents, tokens in spent:
        fake.add(day, who, model, str(cents), str(cents * 2), fresh=tokens)
    for account_day in fetch(fake):
        mine = [one for one in spent if one[0] == account_day.day]
        total = sum((cents for *_, cents, _ in mine), Decimal(0)) * 10_000
        explained = sum(row.billed_micro or 0 for row in account_day.rows)
        assert abs(account_day.billed_micro - total) <= Decimal("0.5")
        assert 0 <= account_day.billed_micro - explained <= len(account_day.rows) + 1 or not account_day.rows
        if set(account_day.rejected) != {"actor_missing"}:
            assert sum(row.tokens.fresh for row in account_day.rows) == sum(tokens for *_, tokens in mine)


# --- rows that cannot be true ---------------------------------------------------------------------


def spoil(path: str, change: Callable[[dict[str, Any]], object]) -> Callable[[str, dict[str, Any]], None]:
    """Changes Bo's row of one report."""

    def alter(asked: str, body: dict[str, Any]) -> None:
        for row in body["data"]:
            if asked == path and (row["group"]["actor"] or {}).get("user_id") == "user_01bo":
                change(row)

    return alter


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


def test_rows_for_nobody_in_particular_may_be_equal(fake):
    fake.add(MONDAY, ANN, OPUS, "1")
    fake.add(MONDAY, None, OPUS, "2", fresh=6)

    def alter(path: str, body: dict[str, Any]) -> None:
        nobody = [row for row in body["data"] if path == USAGE and row["group"]["actor"] is None]
        body["data"] += nobody

    fake.alter = alter
    [day] = fetch(fake, until=TUESDAY)
    assert [row.tokens.fresh for row in day.rows] == [12, 0]


# --- reports that cannot be trusted ---------------------------------------------------------------


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


# --- the older reports ----------------------------------------------------------------------------


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


def spoil_entry(**change: Any) -> Callable[[str, dict[str, Any]], None]:
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


# --- what nobody may read -------------------------------------------------------------------------

PRIVATE = ("ann@", "Ann@", "bo@", "user_01", "apikey_", "svac_", "laptop", ADMIN_KEY, "sk-ant-admin01-")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_told_with_what_to_do(fake, status):
    fake.fail(status, times=9, message=f"Ann@example.com may not use {ADMIN_KEY}")
    days, error = failing(fake)
    assert isinstance(error, Refused)
    assert error.permanent
    assert days == []
    assert str(error) == (
        f"Anthropic: api.anthropic.com refused the key ({status}). Check ANTHROPIC_ADMIN_KEY: it has to be an Admin "
        "API key of your organisation, made in the Claude Console under Settings, Admin keys."
    )


@pytest.mark.parametrize("key", ["", "  \n"])
def test_a_missing_key_is_told(fake, key):
    with pytest.raises(SourceError, match="ANTHROPIC_ADMIN_KEY is not set") as caught:
        list(given_days(fake, key=key))
    assert caught.value.permanent
    assert fake.requests == []


FAULTS: list[Callable[[FakeAnthropic], object]] = [
    lambda fake: fake.fail(500, times=99, message="for Ann@example.com"),
    lambda fake: fake.fail(400, path=COST, message="actor_ids: user_01annabelle0123456789 of bo@example.com"),
    lambda fake: fake.fail(403, times=99, message=f"user_01bo {ADMIN_KEY}"),
    lambda fake: fake.truncate(times=99),
    lambda fake: fake.endless(KEYS),
    lambda fake: fake.endless(KEYS, same_cursor=True),
    lambda fake: fake.after(2, lambda: fake.add(MONDAY, ANN, OPUS, "5")),
    lambda fake: setattr(fake, "alter", spoil(COST, lambda row: row.update(cost="bo@example.com"))),
    lambda fake: setattr(fake, "alter", spoil(USAGE, lambda row: row.update(group=["bo@example.com"]))),
    lambda fake: setattr(fake, "alter", lambda path, body: body.update(data="ann@example.com")),
]


@pytest.mark.parametrize("analytics", [True, False])
@pytest.mark.parametrize("fault", FAULTS)
def test_no_error_and_no_log_names_a_person_or_a_key(fake, fault, analytics, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    fake.analytics = analytics
    fake.page_rows = 1
    fake.add_key("apikey_01laptop", "Ann's laptop", principal=ANN)
    fake.add_key("apikey_02laptop", "Bo's laptop", principal=BO)
    for who in (ANN, BO, CI, api_key("apikey_01laptop")):
        fake.add(MONDAY, who, OPUS, "1")
    fault(fake)
    said = ""
    try:
        said = repr(fetch(fake)[0].rejected)
    except SourceError as error:
        said = f"{error!r} {error} {error.__cause__} {error.__suppress_context__ or error.__context__}"
    printed = capsys.readouterr()
    logged = "".join(json.dumps(vars(record), default=repr) for record in caplog.records)
    for word in PRIVATE:
        assert word not in said
        assert word not in logged + printed.out + printed.err


def test_values_do_not_show_an_email_or_the_key_when_printed(fake):
    fake.add(MONDAY, ANN, OPUS, "1")
    assert "example.com" not in repr(fetch(fake))


@pytest.mark.e2e
def test_over_a_real_connection(fake):
    fake.page_rows = 1
    fake.add(MONDAY, ANN, OPUS, "1")
    fake.add(MONDAY, BO, HAIKU, "2")
    fake.fail(503, path=USAGE)
    with serve(fake) as url:
        http = HttpClient()
        [day] = anthropic.fetch(http, {"ANTHROPIC_ADMIN_KEY": ADMIN_KEY}, f"{url}/", MONDAY, TUESDAY, NOW)
        http.close()
    assert (day.billed_micro, len(day.rows)) == (30_000, 2)
