"""The newer reports: which days are asked for, and how usage and cost are joined."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.model import Actor, ActorKind, Tokens
from tests.fake_anthropic import COST, KEYS, USAGE, FakeAnthropic, api_key, federated, user
from tests.integrations.spend.anthropic_days import (
    ANN,
    BO,
    CI,
    HAIKU,
    MONDAY,
    NOW,
    OPUS,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    Alter,
    fetch,
)


@pytest.fixture
def fake() -> FakeAnthropic:
    return FakeAnthropic(NOW)


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
    assert {request.url.params.get("ending_at", "2026-11-04T12:00:00Z") for request in fake.requests} == {
        "2026-11-04T12:00:00Z"
    }
    assert fetch(fake, since=THURSDAY, until=date(2026, 12, 1)) == []


@pytest.mark.parametrize("oldest", [COST, USAGE])
def test_a_day_is_as_fresh_as_the_oldest_report(fake, oldest):
    fake.alter = lambda path, body: body.update(data_refreshed_at="2026-11-04T06:12:00Z") if path == oldest else None
    assert {day.refreshed_at for day in fetch(fake)} == {datetime(2026, 11, 4, 6, 12, tzinfo=UTC)}


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
    assert (len(days), sum(day.billed_micro or 0 for day in days)) == (64, 30_000)
    asked = [request.url.params for request in fake.requests if request.url.path == USAGE]
    assert [(query["starting_at"], query["ending_at"]) for query in asked] == [
        ("2026-09-01T00:00:00Z", "2026-10-02T00:00:00Z"),
        ("2026-10-02T00:00:00Z", "2026-11-02T00:00:00Z"),
        ("2026-11-02T00:00:00Z", "2026-11-04T00:00:00Z"),
    ]
    assert [request.url.path for request in fake.requests].count(KEYS) == 1


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


def drop_cost_of(model: str, *, of_total: str) -> Alter:
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


def test_a_bill_of_nothing_does_not_make_tokens_free(fake):
    """Costs come later than usage."""
    fake.add(MONDAY, ANN, HAIKU, "2", fresh=5)
    fake.alter = drop_cost_of(HAIKU, of_total="0.000000")
    [day] = fetch(fake, until=TUESDAY)
    assert [(row.tokens.fresh, row.billed_micro, row.list_micro) for row in day.rows] == [(5, None, None)]


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
        billed = account_day.billed_micro or 0
        assert abs(billed - total) <= Decimal("0.5")
        assert 0 <= billed - explained <= len(account_day.rows) + 1 or not account_day.rows
        if set(account_day.rejected) != {"actor_missing"}:
            assert sum(row.tokens.fresh for row in account_day.rows) == sum(tokens for *_, tokens in mine)
