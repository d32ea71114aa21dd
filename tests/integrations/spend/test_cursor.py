"""Cursor's events become account-days. Sums are made by hand from the captured events, in cents:

Monday    charged 19.61 + 19.61 + 24.61 + 0 = 63.83; at list price 12.9 + 12.9 + 18.08 = 43.88 (the error costs nothing)
Tuesday   charged 3.76 + 0 = 3.76; at list price 3.55 + 2.7 = 6.25, of which 2.7 are covered by the plan
"""

import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import httpx2
import pytest

from bot.domain.model import Actor, ActorKind, SpendRow, Tokens
from tests.integrations.spend.contract import Case, billed, changing, decode, encode, everywhere, given, outcome, sample

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 2), date(2026, 11, 3), date(2026, 11, 4)
CHI, ELI = (Actor(ActorKind.USER, email=f"{name}@example.com") for name in ("chi", "eli"))
COUPON = "0b6d5a1e-6f4e-4b1d-9c55-1c1f2d7e9a01"
EVENTS = "/teams/filtered-usage-events"


def recorded(request: httpx2.Request) -> httpx2.Response:
    """A team on a plan without AI code tracking."""
    assert b64decode(request.headers["authorization"].removeprefix("Basic ")) == b"key_test:"
    if request.url.path != EVENTS:
        return httpx2.Response(404, content=b"{}")
    page = json.loads(request.content)["page"]
    if page > 2:
        return httpx2.Response(200, content=b'{"usageEvents": [], "pagination": {"hasNextPage": false}}')
    return httpx2.Response(200, content=sample(f"cursor/teams_filtered_usage_events.page{page}.json"))


def events() -> list[dict[str, Any]]:
    pages = (decode(sample(f"cursor/teams_filtered_usage_events.page{page}.json")) for page in (1, 2))
    return [event for page in pages for event in page["usageEvents"]]


def in_one_page(told: list[dict[str, Any]]) -> Callable[[httpx2.Request], httpx2.Response]:
    def answer(request: httpx2.Request) -> httpx2.Response:
        body = {"usageEvents": told, "totalUsageEventsCount": len(told), "pagination": {"hasNextPage": False}}
        return httpx2.Response(200, content=encode(body)) if request.url.path == EVENTS else recorded(request)

    return answer


CASE = Case(
    source="cursor",
    settings={"CURSOR_ADMIN_KEY": "key_test"},
    since=MONDAY,
    until=WEDNESDAY,
    now=datetime(2026, 11, 4, 12, tzinfo=UTC),
    answer=recorded,
    billed={MONDAY: 638_300, TUESDAY: 37_600},
    listed={MONDAY: 438_800, TUESDAY: 62_500},
    money=frozenset({"chargedCents", "totalCents"}),
    counts=frozenset({"inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens"}),
    labels=frozenset({"model"}),
    nullable=frozenset({"maxMode", "requestsCosts", "isHeadless", "cursorTokenFee", "period", "totalUsageEventsCount"}),
    more=lambda body, number: body | {"pagination": {"hasNextPage": True}},
)


def test_events_are_one_row_for_each_person_model_and_conversation():
    monday, tuesday = given(CASE)
    claude = next(row for row in monday.rows if row.model == "claude-4.5-sonnet")
    # fresh 900 + 900 + 1200, written 4000 + 4000 + 18000, read 262000 + 262000 + 240000, output 1500 + 1500 + 2100
    tokens = Tokens(3_000, 26_000, None, 764_000, 5_100)
    assert claude == SpendRow(CHI, "claude-4.5-sonnet", tokens, 3, 438_800, 638_300, COUPON)
    assert {(row.actor, row.session is None) for row in tuesday.rows} == {(CHI, False), (ELI, True)}
    assert tuesday.covered_micro == 27_000


def test_two_events_that_are_alike_to_the_byte_are_two():
    first, second, _ = decode(sample("cursor/teams_filtered_usage_events.page2.json"))["usageEvents"]
    assert first == second
    monday, _ = given(CASE)
    assert monday.billed_micro == 638_300  # with both


def test_an_error_that_is_not_charged_is_no_spend():
    monday, _ = given(CASE)
    errored = next(row for row in monday.rows if row.model == "default")
    assert (errored.list_micro, errored.billed_micro, errored.requests) == (0, 0, 1)


@pytest.mark.parametrize("kind", ["User API Key", "USAGE_EVENT_KIND_USER_API_KEY", "api-key"])
def test_a_model_that_the_teams_own_key_pays_is_its_providers_bill_and_only_cursors_fee_counts(kind):
    def own(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"kind": kind} if body.get("model") == "gpt-5.4" else body

    change = everywhere(own)
    _, tuesday = given(CASE, changing(CASE, lambda body, _number: change(body)))
    eli = next(row for row in tuesday.rows if row.actor == ELI)
    assert (eli.list_micro, eli.billed_micro) == (37_600, 37_600)  # not the 3.55 cents of the model beside the fee


def test_a_call_on_the_teams_own_key_for_which_cursor_charges_nothing_is_no_spend_here():
    tuesdays = [{**one, "kind": "User API Key", "chargedCents": 0} for one in events()[:2]]
    _, tuesday = given(CASE, in_one_page(tuesdays))
    # 3.55 + 2.7 cents of models are on the bill of their provider, which is a source of its own
    assert (tuesday.billed_micro, tuesday.list_micro, tuesday.covered_micro) == (0, 0, 0)


def test_a_call_without_token_usage_has_its_charge_as_only_figure():
    (call,) = (one for one in events() if one["model"] == "gpt-5.4")
    del call["tokenUsage"]
    _, tuesday = given(CASE, in_one_page([call]))
    assert [(row.list_micro, row.billed_micro, row.tokens) for row in tuesday.rows] == [(37_600, 37_600, Tokens())]


@pytest.mark.parametrize("email", [None, "", "  "])
def test_an_event_without_an_address_is_nobodys_and_on_the_bill(email):
    _, tuesday = given(CASE, in_one_page([{**events()[0], "userEmail": email, "conversationId": "", "kind": None}]))
    (row,) = tuesday.rows
    assert (row.actor, row.session, row.billed_micro) == (Actor(ActorKind.UNKNOWN), None, 37_600)
    assert tuesday.rejected == {}


def test_the_documented_events_are_charged_whether_or_not_they_are_called_chargeable():
    events = decode(sample("cursor/teams_filtered_usage_events.documented.json"))["usageEvents"]
    # 21.36232 + 37.33 + 8 = 66.69232
    assert sum(event["chargedCents"] for event in events) == Decimal("66.69232")
    assert [event["isChargeable"] for event in events] == [True, True, False]


def test_a_count_that_is_not_what_was_read_is_noticed():
    def another(body, _number):
        return body | {"totalUsageEventsCount": 7}

    days, error = outcome(CASE, changing(CASE, another))
    assert days == []
    assert "changed while they were read: 6 of 7" in str(error)


def test_an_event_that_is_told_between_two_pages_is_not_missed_for_one_that_is_read_twice():
    def late(request: httpx2.Request) -> httpx2.Response:
        """From the second page on there is one event more, the newest: it shifts the third to the second page."""
        if request.url.path != EVENTS:
            return recorded(request)
        number = json.loads(request.content)["page"]
        told = events() if number == 1 else [{**events()[0], "chargedCents": 99}, *events()]
        page = {"usageEvents": told[3 * number - 3 : 3 * number], "pagination": {"hasNextPage": 3 * number < len(told)}}
        return httpx2.Response(200, content=encode(page | {"totalUsageEventsCount": len(told)}))

    # 3 + 3 + 1 = 7 events are read and 7 is the last count: the sum alone would not tell
    days, error = outcome(CASE, late)
    assert days == []
    assert error is not None
    assert not error.permanent
    assert "changed while they were read" in str(error)


def test_the_running_day_is_read_up_to_the_last_full_hour():
    asked: list[dict[str, int]] = []

    def noting(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == EVENTS:
            asked.append(json.loads(request.content))
        return in_one_page([])(request)

    case = replace(CASE, until=date(2026, 11, 5), now=datetime(2026, 11, 4, 12, 34, 56, tzinfo=UTC))
    assert billed(given(case, noting)) == {MONDAY: 0, TUESDAY: 0, WEDNESDAY: 0}
    # 2026-11-02 is 1793577600 s; two days and twelve hours later is 1793577600 + 216000 = 1793793600 s
    assert [(body["startDate"], body["endDate"]) for body in asked] == [(1793577600000, 1793793599999)]


def test_ninety_days_are_asked_for_in_weeks_that_touch_and_do_not_overlap():
    asked: list[tuple[int, int]] = []

    def noting(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == EVENTS:
            body = json.loads(request.content)
            asked.append((body["startDate"], body["endDate"]))
        return in_one_page([])(request)

    case = replace(CASE, since=WEDNESDAY - timedelta(days=90))
    assert len(list(given(case, noting))) == 90
    assert len(asked) == 13  # 12 weeks are 84 days, and 6 more
    assert max(end - start for start, end in asked) == 7 * 86_400_000 - 1
    assert all(end + 1 == start for (_, end), (start, _) in pairwise(asked))


@pytest.mark.parametrize("key", ["timestamp", "totalUsageEventsCount"])
def test_a_huge_exponent_is_refused_at_once(key):
    change = everywhere(lambda body: body | {key: Decimal("1e999999999")} if key in body else body)
    days, error = outcome(CASE, changing(CASE, lambda body, _number: change(body)))
    assert all(not day.billed_micro for day in days)
    assert error is not None


def test_a_charge_that_cannot_be_true_leaves_its_day_out_and_no_other():
    def wrong(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"chargedCents": -1} if body.get("model") == "gpt-5.4" else body

    change = everywhere(wrong)
    days, error = outcome(CASE, changing(CASE, lambda body, _number: change(body)))
    assert [day.day for day in days] == [MONDAY]
    assert "2026-11-03" in str(error)


def test_groups_and_members_tell_the_same_dollars_again_and_are_not_read():
    groups = decode(sample("cursor/teams_groups.json"))
    # 2450.00 of Engineering and 150.00 unassigned, of which 85.00 + 92.00 are two of its days
    assert groups["groups"][0]["spendCents"] + groups["unassignedGroup"]["spendCents"] == 260_000
    assert sum(day["spendCents"] for day in groups["groups"][0]["dailySpend"]) == 17_700
    members = decode(sample("cursor/teams_spend.json"))["teamMemberSpend"]
    # on demand 24.50 + 18.75, with what is included 24.50 + 32.00; a running counter without days
    assert sum(one["spendCents"] for one in members) == 4_325
    assert sum(one["overallSpendCents"] for one in members) == 5_650
    assert len(decode(sample("cursor/teams_members.json"))["teamMembers"]) == 3


def test_daily_usage_counts_requests_of_another_kind_and_without_money():
    pages = ("page1", "page2", "documented")
    found = {page: decode(sample(f"cursor/teams_daily_usage_data.{page}.json"))["data"] for page in pages}
    chi = [row for row in found["page1"] if row["email"] == CHI.email]
    # 18 + 9 usage-based requests and 7 that are included, 34, where the events of these days are 5: 4 charged, 1 not
    assert sum(row["usageBasedReqs"] + row["subscriptionIncludedReqs"] for row in chi) == 34
    assert len([event for event in events() if event["userEmail"] == CHI.email]) == 5
    # and it has nothing for eli, who was charged 3.76 cents for a background agent
    idle = [row for page in ("page1", "page2") for row in found[page] if row["email"] != CHI.email]
    assert [row["usageBasedReqs"] for row in idle] == [0, 0, 0, 0]
    assert [row["usageBasedReqs"] for row in found["documented"]] == [5]
    assert not [key for rows in found.values() for row in rows for key in row if "cent" in key.lower()]


@pytest.mark.parametrize(
    ("name", "status"), [("error_400", 400), ("error_401", 401), ("error_403", 403), ("error_429", 429)]
)
def test_errors_are_told_in_our_own_words(name, status):
    _, error = outcome(CASE, lambda _request: httpx2.Response(status, content=sample(f"cursor/{name}.json")))
    assert str(error).startswith("Cursor: ")
    assert (error is not None and error.permanent) == (status != 429)
