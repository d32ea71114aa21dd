"""Cursor's events become account-days. Sums are made by hand from the captured events, in cents:

Monday    charged 19.61 + 19.61 + 24.61 + 0 = 63.83; at list price 12.9 + 12.9 + 18.08 = 43.88 (the error costs nothing)
Tuesday   charged 3.76 + 0 = 3.76; at list price 3.55 + 2.7 = 6.25, of which 2.7 are covered by the plan
"""

import json
from base64 import b64decode
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from bot.domain.model import Actor, ActorKind, SessionCommit, SpendRow, Tokens
from tests.integrations.spend.contract import Case, changing, decode, everywhere, given, outcome, sample

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 2), date(2026, 11, 3), date(2026, 11, 4)
CHI, ELI = (Actor(ActorKind.USER, email=f"{name}@example.com") for name in ("chi", "eli"))
COUPON = "0b6d5a1e-6f4e-4b1d-9c55-1c1f2d7e9a01"
SHAS = ("9f1c2ab7d4e85f60a1b2c3d4e5f60718293a4b5c", "77aa0c1de2f3b4a5968778695a4b3c2d1e0f9a8b")
EVENTS, COMMITS = "/teams/filtered-usage-events", "/analytics/ai-code/commits"


def recorded(request: httpx2.Request) -> httpx2.Response:
    """A team on a plan without AI code tracking."""
    assert b64decode(request.headers["authorization"].removeprefix("Basic ")) == b"key_test:"
    if request.url.path != EVENTS:
        return httpx2.Response(404, content=b"{}")
    page = json.loads(request.content)["page"]
    if page > 2:
        return httpx2.Response(200, content=b'{"usageEvents": [], "pagination": {"hasNextPage": false}}')
    return httpx2.Response(200, content=sample(f"cursor/teams_filtered_usage_events.page{page}.json"))


def with_commits(request: httpx2.Request) -> httpx2.Response:
    if request.url.path == COMMITS:
        body = decode(sample("cursor/ai_code_commits.page1.json"))
        rest = decode(sample("cursor/ai_code_commits.page2.json"))
        body["items"] += rest["items"]
        return httpx2.Response(200, json=body)
    if request.url.path.startswith(COMMITS):
        return httpx2.Response(200, content=sample("cursor/ai_code_commit_detail.json"))
    return recorded(request)


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


def test_the_documented_events_are_charged_whether_or_not_they_are_called_chargeable():
    events = decode(sample("cursor/teams_filtered_usage_events.documented.json"))["usageEvents"]
    # 21.36232 + 37.33 + 8 = 66.69232
    assert sum(event["chargedCents"] for event in events) == Decimal("66.69232")
    assert [event["isChargeable"] for event in events] == [True, True, False]


def test_events_that_came_in_between_are_noticed():
    def shifted(body, _number):
        return body | {"totalUsageEventsCount": 7}

    days, error = outcome(CASE, changing(CASE, shifted))
    assert days == []
    assert "changed while they were read: 6 of 7" in str(error)


def test_a_charge_that_cannot_be_true_leaves_its_day_out_and_no_other():
    def wrong(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"chargedCents": -1} if body.get("model") == "gpt-5.4" else body

    change = everywhere(wrong)
    days, error = outcome(CASE, changing(CASE, lambda body, _number: change(body)))
    assert [day.day for day in days] == [MONDAY]
    assert "2026-11-03" in str(error)


def test_commits_are_tied_to_conversations_where_the_plan_has_them():
    monday, tuesday = given(CASE, with_commits)
    assert {commit.sha for commit in monday.commits} == set(SHAS)
    assert SessionCommit(CHI, SHAS[0], (COUPON,)) in monday.commits
    assert [commit.actor for commit in tuesday.commits] == [ELI]
    said = repr(monday)
    assert "Retry coupon calls" not in said
    assert "retry.py" not in said
    assert "feat/coupon-retry" not in said


def test_the_captured_commits_come_to_what_they_say():
    pages = [decode(sample(f"cursor/ai_code_commits.page{page}.json")) for page in (1, 2)]
    assert sum(len(page["items"]) for page in pages) == 3 == pages[0]["totalCount"]
    # 120 + 14 + 40 = 174 lines; lines are never a number of ours
    assert sum(item["totalLinesAdded"] for page in pages for item in page["items"]) == 174
    (documented,) = decode(sample("cursor/ai_code_commits.documented.json"))["items"]
    assert documented["tabLinesAdded"] + documented["composerLinesAdded"] + documented["nonAiLinesAdded"] == 120
    (change,) = decode(sample("cursor/ai_code_changes.json"))["items"]
    assert sum(file["linesAdded"] for file in change["metadata"]) == 18 == change["totalLinesAdded"]


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


def test_daily_usage_counts_requests_without_money():
    pages = ("documented", "page1", "page2")
    rows = [row for page in pages for row in decode(sample(f"cursor/teams_daily_usage_data.{page}.json"))["data"]]
    # usage-based requests 5 + 18 + 9 = 32
    assert sum(row["usageBasedReqs"] for row in rows) == 32
    assert not [key for row in rows for key in row if "cent" in key.lower() or "spend" in key.lower()]


@pytest.mark.parametrize(
    ("name", "status"), [("error_400", 400), ("error_401", 401), ("error_403", 403), ("error_429", 429)]
)
def test_errors_are_told_in_our_own_words(name, status):
    _, error = outcome(CASE, lambda _request: httpx2.Response(status, content=sample(f"cursor/{name}.json")))
    assert str(error).startswith("Cursor: ")
    assert (error is not None and error.permanent) == (status != 429)
