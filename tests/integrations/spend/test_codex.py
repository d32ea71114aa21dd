"""Codex tells credits, turns and, where it is billed in dollars, money. Sums are by hand, from captured reports."""

from datetime import UTC, date, datetime
from decimal import Decimal

import httpx2
import pytest

from bot.domain.model import Activity, Actor, ActorKind, Tokens
from bot.domain.ports import SourceError
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
    case = Case(**{**vars(CASE), "settings": {**CASE.settings, "CODEX_WORKSPACE_ID": workspace}})
    days, error = outcome(case)
    assert days == []
    assert "CODEX_WORKSPACE_ID is no ID" in str(error)
    assert error is not None
    assert error.permanent


def told(**figures):
    """The captured answers with other figures: `people` in each person's totals, `workspace` in the workspace's."""

    def change(body, _number):
        for one in body["data"]:
            one["totals"] |= figures["workspace" if one["user_id"] is None else "people"]
        return body

    return changing(CASE, change)


def test_people_are_billed_nothing_that_the_workspace_is_not():
    monday, _ = given(CASE, told(people={"cost_usd": Decimal("2")}, workspace={}))
    assert monday.billed_micro is None
    assert [(row.billed_micro, row.list_micro) for row in monday.rows] == [(None, 2_000_000)] * 2


def test_a_person_whose_dollars_are_not_told_has_an_unknown_bill():
    monday, _ = given(CASE, told(people={}, workspace={"cost_usd": Decimal("9")}))
    assert (monday.billed_micro, monday.covered_micro) == (9_000_000, None)
    assert [(row.billed_micro, row.list_micro) for row in monday.rows] == [(None, 7_300_000), (None, 1_320_000)]


@pytest.mark.parametrize(("workspace", "billed"), [("3.15", 3_150_000), ("3.14", 3_141_600)])
def test_rounded_figures_of_people_are_never_more_than_the_bill(workspace, billed):
    days, error = outcome(
        CASE, told(people={"cost_usd": Decimal("1.5708")}, workspace={"cost_usd": Decimal(workspace)})
    )
    assert error is None
    assert days[0].billed_micro == billed  # 1.5708 + 1.5708 = 3.1416


def test_a_person_who_is_told_twice_counts_once():
    def twice(body, _number):
        return body | {"data": body["data"] + [one for one in body["data"] if one["user_id"] == "user-CHIw2"]}

    monday, tuesday = given(CASE, changing(CASE, twice))
    assert [(row.actor, row.list_micro) for row in monday.rows] == [(FAY, 7_300_000), (CHI, 1_320_000)]
    assert (monday.rejected, tuesday.rejected) == ({"duplicate": 1}, {})


@pytest.mark.parametrize(("key", "reason"), [("estimated_cost_usd", "bad_cost"), ("turns", "bad_usage")])
def test_a_row_that_cannot_be_true_is_counted_and_kept_out(key, reason):
    def spoil(body, _number):
        for one in body["data"]:
            one["totals"] |= {key: -1} if one["user_id"] == "user-CHIw2" else {}
        return body

    monday, _ = given(CASE, changing(CASE, spoil))
    assert [row.actor for row in monday.rows] == [FAY]
    assert [one.actor for one in monday.activity] == [FAY]
    assert (monday.rejected, monday.list_micro) == ({reason: 1}, 8_620_000)


def test_a_report_that_names_nobody_is_told():
    def nobody(body, _number):
        return body | {"data": [one | {"user_id": None, "actor": None} for one in body["data"]]}

    monday, _ = given(CASE, changing(CASE, nobody))
    assert (monday.rows, monday.activity, monday.list_micro) == ((), (), 8_620_000)
    assert monday.rejected == {"actor_missing": 1, "duplicate": 1}


@pytest.mark.parametrize(
    ("actor", "expected"),
    [
        ({"type": "user", "email": "Fay@Example.com"}, Actor(ActorKind.USER, "user-FAYq1", "fay@example.com")),
        ({"type": "something-new"}, FAY),
        ({"type": "service_account"}, Actor(ActorKind.SERVICE_ACCOUNT, "user-FAYq1")),
        (None, FAY),
    ],
)
def test_who_an_actor_is(actor, expected):
    def change(body, _number):
        return body | {"data": [one | {"actor": actor if one["user_id"] else None} for one in body["data"]]}

    monday, _ = given(CASE, changing(CASE, change))
    assert monday.rows[0].actor == expected


def test_tokens_are_kept_where_they_are_told():
    tokens = {"uncached_text_input_tokens": 7, "cached_text_input_tokens": 20, "text_output_tokens": 3}
    monday, _ = given(CASE, told(people=tokens, workspace={}))
    assert {row.tokens for row in monday.rows} == {Tokens(fresh=7, cache_read=20, output=3)}


def test_people_without_their_workspace_leave_the_day_out():
    def without(body, _number):
        return body | {"data": [one for one in body["data"] if one["user_id"] or one["start_time"] != 1793577600]}

    days, error = outcome(CASE, changing(CASE, without))
    assert [day.day for day in days] == [TUESDAY]
    assert "2026-11-02" in str(error)


def test_a_day_that_nobody_tells_of_has_no_bill_and_no_rows():
    days = list(given(Case(**{**vars(CASE), "until": date(2026, 11, 5)})))
    assert (days[2].day, days[2].billed_micro, days[2].credits_milli, days[2].rows) == (WEDNESDAY, None, None, ())


def test_both_reports_are_asked_for_by_day_in_unix_seconds():
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return recorded(request)

    list(given(CASE, answer))
    questions = [dict(request.url.params) for request in asked]
    days = {"start_time": "1793577600", "end_time": "1793750400", "group_by": "day", "limit": "1000"}
    assert questions == [days | {"group": "workspace"}, days, days | {"page": "eyJvIjoyfQ"}]


def test_no_value_shows_a_person():
    def change(body, _number):
        named = {"type": "user", "email": "canary@example.com"}
        return body | {"data": [one | {"actor": named if one["user_id"] else None} for one in body["data"]]}

    assert "canary" not in repr(list(given(CASE, changing(CASE, change))))


@pytest.mark.parametrize("missing", ["CODEX_ANALYTICS_KEY", "CODEX_WORKSPACE_ID"])
def test_a_missing_setting_is_told(missing):
    settings = {name: value for name, value in CASE.settings.items() if name != missing}
    _, error = outcome(Case(**{**vars(CASE), "settings": settings}))
    assert isinstance(error, SourceError)
    assert error.permanent
    assert str(error) == f"Codex: {missing} is not set"
