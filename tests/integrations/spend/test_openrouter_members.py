"""What OpenRouter's report does not say by itself: whose it is, and whether it can be true."""

from datetime import date
from decimal import Decimal

import httpx2
import pytest

from bot.domain.model import AccountDay, SpendRow, Tokens
from bot.domain.ports import Access, SourceError
from integrations._http import HttpClient
from integrations.prices import ListPrices
from integrations.spend import openrouter
from tests.integrations.spend.contract import Case, decode, encode, given, outcome
from tests.integrations.spend.openrouter_days import (
    MONDAY,
    NOW,
    SETTINGS,
    SONNET,
    THURSDAY,
    TUESDAY,
    TWO,
    WEDNESDAY,
    FakeOpenRouter,
    case,
    item,
    left_out,
    only,
    path,
    person,
)


def test_the_endpoints_of_a_model_are_added_up():
    fake = FakeOpenRouter({"ann": [item("0.1"), item("0.2", provider_name="Other")], "bo": [item("0.3")]})
    assert only(fake).rows == (
        SpendRow(person("ann"), SONNET, TWO + TWO, 4, 300_000, 300_000),
        SpendRow(person("bo"), SONNET, TWO, 2, 300_000, 300_000),
    )


def test_members_are_read_page_by_page():
    fake = FakeOpenRouter({name: [item("0.1")] for name in ("ann", "bo", "cy", "dee", "eve")})
    assert len(only(fake).rows) == 5
    assert [one.url.params["offset"] for one in fake.asked if "offset" in one.url.params] == ["0", "2", "4"]


def test_members_end_with_an_empty_page_where_no_total_is_told():
    fake = FakeOpenRouter({"ann": [item("0.1")], "bo": [], "cy": []})

    def answer(asked: httpx2.Request) -> httpx2.Response:
        body = decode(fake(asked).content)
        return httpx2.Response(200, content=encode(body | {"total_count": None}))

    assert only(answer).rows[0].actor == person("ann")
    assert [one.url.params["offset"] for one in fake.asked if "offset" in one.url.params] == ["0", "2", "3"]


def test_what_is_no_members_stays_unexplained():
    day = only(FakeOpenRouter({"ann": [item("0.1")], None: [item("0.4")]}))
    assert (day.billed_micro, [row.billed_micro for row in day.rows]) == (500_000, [100_000])


def test_members_of_a_day_of_nothing_are_not_asked_for():
    fake = FakeOpenRouter({"ann": []})
    assert only(fake) == AccountDay("openrouter", TUESDAY, 0, 0, ())
    assert not any("user_id" in one.url.params for one in fake.asked)


def test_members_who_come_to_more_than_the_bill_contradict_it():
    # a service that does not know user_id would give each the whole day
    rows = [item("0.5")]
    assert str(left_out(FakeOpenRouter({"ann": rows, "bo": rows}, total=rows))) == (
        "OpenRouter: the numbers of 2026-11-03 contradict each other, so these days were left out"
    )


def test_binary_fractions_contradict_nothing():
    fake = FakeOpenRouter({"ann": [item("0.1"), item("0.2")]}, total=[item("0.29999999999999998")])
    assert (only(fake).billed_micro, only(fake).rows[0].billed_micro) == (300_000, 300_000)


@pytest.mark.parametrize("usage", ["-0.01", "1e30"])
def test_a_bill_that_cannot_be_true_is_left_out_and_the_other_days_are_given(usage):
    fake = FakeOpenRouter({None: [item(usage), item("1"), item("2", day=MONDAY)]})
    days, error = outcome(case(fake, since=MONDAY))
    assert [(day.day, day.billed_micro) for day in days] == [(MONDAY, 2_000_000)]
    assert "2026-11-03 contradict" in str(error)


def test_a_part_of_the_bill_without_a_date_leaves_no_day_for_less():
    fake = FakeOpenRouter({None: [item("1"), item("2", date="")]})
    assert "2026-11-03 contradict" in str(left_out(lambda asked: without_dates(fake(asked))))


def without_dates(response: httpx2.Response) -> httpx2.Response:
    body = decode(response.content)
    for one in body["data"]:
        one["date"] = one.get("date") or None
    return httpx2.Response(200, content=encode(body))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"cached_tokens": 1001}, "bad_usage"),  # more than the prompt: an answer that was replayed
        ({"reasoning_tokens": 101}, "bad_usage"),
        ({"prompt_tokens": -1}, "bad_usage"),
        ({"requests": Decimal("1.5")}, "bad_usage"),
        ({"usage": Decimal("-0.5")}, "bad_cost"),
        ({"usage": "NaN"}, "bad_cost"),
        ({"model": ["?"]}, "unreadable"),
        ({"date": "2026-11-03T00:00:00Z"}, None),
    ],
)
def test_a_row_that_cannot_be_true_is_counted_and_its_money_stays_unexplained(changes, reason):
    fake = FakeOpenRouter({"ann": [item("0.1"), item("0.5") | changes]}, total=[item("0.6")])
    day = only(fake)
    assert day.billed_micro == 600_000
    assert day.rejected == ({reason: 1} if reason else {})
    assert day.rows[0].tokens == (TWO if reason else TWO + TWO)


def test_rows_of_other_days_are_counted():
    # a service that does not know `date` would give thirty days
    fake = FakeOpenRouter({None: []})
    fake.members = []

    def answer(asked: httpx2.Request) -> httpx2.Response:
        response = fake(asked)
        rows = [item("1"), item("2", day=MONDAY)]
        return httpx2.Response(200, content=encode({"data": rows})) if path(asked) == "/activity" else response

    day = only(answer)
    assert (day.billed_micro, day.rejected) == (1_000_000, {"outside_window": 1})


def test_kinds_of_tokens_that_are_not_told_are_unknown_or_nothing():
    row = item("0.1") | {"reasoning_tokens": None, "cached_tokens": None, "requests": None}
    [told] = only(FakeOpenRouter({"ann": [row]})).rows
    assert (told.tokens, told.requests) == (Tokens(1000, 0, None, 0, 100, None), None)


def test_the_running_day_is_not_asked_for():
    fake = FakeOpenRouter({None: [item("1"), item("2", day=WEDNESDAY)]})
    assert [day.day for day in given(case(fake, until=THURSDAY))] == [TUESDAY]
    assert list(given(case(fake, since=WEDNESDAY, until=THURSDAY))) == []


def test_it_reaches_back_less_than_thirty_days_and_may_go_past_midnight():
    # 30 completed days before 5 November are those from 6 October on
    assert openrouter.oldest(NOW) == date(2026, 10, 6)


def test_more_days_than_one_request_may_ask_for():
    fake = FakeOpenRouter({None: []})
    days = [day.day for day in given(case(fake, since=date(2026, 9, 1)))]
    assert (len(days), days[0], days[-1]) == (64, date(2026, 9, 1), TUESDAY)  # 30 + 31 + 3


def test_names_of_members_are_not_kept():
    assert "Secret" not in repr(only(FakeOpenRouter({"ann": [item()]})))
    assert "example.com" not in repr(only(FakeOpenRouter({"ann": [item()]})))


@pytest.mark.parametrize("member", [{"id": None}, {"email": "x@example.com"}, "ann", None])
def test_a_member_that_cannot_be_read_is_passed_over(member):
    fake = FakeOpenRouter({"ann": [item("0.1")]})
    fake.members.append(member)
    assert [row.actor.id for row in only(fake).rows] == ["ann"]


def test_a_member_whom_two_pages_have_counts_once():
    fake = FakeOpenRouter({"ann": [item("0.1")]})
    fake.members *= 2
    assert [row.billed_micro for row in only(fake).rows] == [100_000]


def test_another_address_is_asked():
    fake = FakeOpenRouter({})
    settings = {**SETTINGS, "OPENROUTER_API_URL": "https://proxy.example.com/or/"}
    list(given(Case(**{**vars(case(fake)), "settings": settings})))
    assert str(fake.asked[0].url).startswith("https://proxy.example.com/or/organization/members")


def test_a_key_that_is_not_set_is_named():
    http = HttpClient(httpx2.MockTransport(FakeOpenRouter({})))
    with pytest.raises(SourceError, match="OpenRouter: OPENROUTER_PROVISIONING_KEY is not set"):
        openrouter.check(Access(http, {}, ListPrices()), NOW)
