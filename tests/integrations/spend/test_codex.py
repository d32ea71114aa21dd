"""Codex tells credits, turns and, where it is billed in dollars, money. Sums are by hand, from captured reports."""

from datetime import UTC, date, datetime
from decimal import Decimal

import httpx2
import pytest

from bot.domain.model import Activity, Actor, ActorKind
from tests.integrations.spend.contract import Case, changing, decode, everywhere, given, outcome, sample

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 2), date(2026, 11, 3), date(2026, 11, 4)
FAY, CHI = Actor(ActorKind.USER, "user-FAYq1"), Actor(ActorKind.USER, "user-CHIw2")


def recorded(request: httpx2.Request) -> httpx2.Response:
    assert request.url.path == "/v1/analytics/codex/workspaces/ws-1/usage"
    assert request.headers["authorization"] == "Bearer sk-test"
    name = "codex_usage.users.page2" if "page" in request.url.params else "codex_usage.users.page1"
    if request.url.params.get("group") == "workspace":
        name = "codex_usage.workspace"
    return httpx2.Response(200, content=sample(f"openai/{name}.json"))


CASE = Case(
    source="codex",
    settings={"CODEX_ANALYTICS_KEY": "sk-test", "CODEX_WORKSPACE_ID": "ws-1"},
    since=MONDAY,
    until=WEDNESDAY,
    now=datetime(2026, 11, 5, 12, tzinfo=UTC),
    answer=recorded,
    billed={MONDAY: None, TUESDAY: None},
    # Monday 7.30 + 1.32 = 8.62 dollars as credits are estimated, Tuesday 5.61
    listed={MONDAY: 8_620_000, TUESDAY: 5_610_000},
    money=frozenset({"credits", "estimated_cost_usd"}),
    counts=frozenset({"threads", "turns"}),
    labels=frozenset({"client_id", "speed", "model", "type"}),
    nullable=frozenset({"code_attribution", "actor", "clients", "models"}),
    more=lambda body, number: body | {"has_more": True, "next_page": f"page{number}"},
)


def test_credits_are_kept_apart_from_dollars():
    monday, tuesday = given(CASE)
    # 182.5 + 33 = 215.5 credits
    assert (monday.credits_milli, monday.covered_micro, monday.list_micro) == (215_500, 8_620_000, 8_620_000)
    assert (tuesday.credits_milli, tuesday.covered_micro) == (140_250, 5_610_000)
    assert monday.billed_micro is None
    assert {row.billed_micro for row in monday.rows} == {None}


def test_conversations_and_turns_are_kept_by_person():
    monday, tuesday = given(CASE)
    # 6 + 2 = 8 conversations and 71 + 15 = 86 turns, the workspace's own totals
    assert monday.activity == (Activity(FAY, 6, 71, 182_500), Activity(CHI, 2, 15, 33_000))
    assert tuesday.activity == (Activity(FAY, 4, 52, 140_250),)


def test_clients_and_models_repeat_the_totals_and_are_not_added():
    (monday, _) = decode(sample("openai/codex_usage.workspace.json"))["data"]
    for part in ("clients", "models"):
        assert sum(one["credits"] for one in monday[part]) == Decimal("215.5") == monday["totals"]["credits"]


def test_dollars_are_the_bill_where_codex_is_billed_in_dollars():
    def in_dollars(body):
        return body | {"cost_usd": Decimal("2.5"), "credits": None} if "cost_usd" in body else body

    changed = everywhere(in_dollars)

    def only_fay(body, _number):
        body = changed(body)
        return body | {"data": [one for one in body["data"] if one["user_id"] != "user-CHIw2"]}

    monday, _ = given(CASE, changing(CASE, only_fay))
    assert (monday.billed_micro, monday.covered_micro, monday.credits_milli) == (2_500_000, None, None)
    assert [(row.list_micro, row.billed_micro) for row in monday.rows] == [(2_500_000, 2_500_000)]


def test_what_is_not_told_is_unknown_and_never_nothing():
    nothing = everywhere(lambda body: body | {"totals": {}} if "totals" in body else body)
    monday, _ = given(CASE, changing(CASE, lambda body, _number: nothing(body)))
    assert (monday.billed_micro, monday.list_micro, monday.credits_milli) == (None, None, None)
    assert monday.activity[0] == Activity(FAY)
    assert {row.list_micro for row in monday.rows} == {None}


def test_people_who_come_to_more_than_their_workspace_leave_the_day_out():
    def more(body, _number):
        return everywhere(lambda one: one | {"credits": 300} if one.get("threads") == 6 else one)(body)

    days, error = outcome(CASE, changing(CASE, more))
    assert [day.day for day in days] == [TUESDAY]
    assert "2026-11-02" in str(error)


def test_reviews_have_neither_people_nor_money_and_are_not_read():
    (reviews,) = decode(sample("openai/codex_code_reviews.json"))["data"]
    # 1 + 6 + 12 = 19 comments on 7 reviews
    assert sum(reviews["comment_details"].values()) == 19 == reviews["comments"]
    assert not reviews.keys() & {"user_id", "totals", "credits", "cost_usd"}


def test_a_request_that_codex_does_not_accept_is_permanent():
    _, error = outcome(CASE, lambda _request: httpx2.Response(422, content=sample("openai/codex_error_422.json")))
    assert error is not None
    assert error.permanent


@pytest.mark.parametrize("workspace", ["../admin", "a b", "ws?x=1"])
def test_a_workspace_that_is_no_id_is_not_asked_for(workspace):
    case = Case(**{**vars(CASE), "settings": CASE.settings | {"CODEX_WORKSPACE_ID": workspace}})
    days, error = outcome(case)
    assert days == []
    assert "CODEX_WORKSPACE_ID is no ID" in str(error)
