"""The window of `/leverage join`: nothing is preselected, nothing in it names anybody, and what it promises happens."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk.models.views import View
from sqlalchemy import Engine

from bot import render_me
from bot.slack import join_window
from bot.slack.commands import WINDOW
from tests import slack_rules
from tests.company import SmallCompany, instant
from tests.fake_slack.people import People, member
from tests.people import dump
from tests.slack.desk import METHOD, Desk

WEDNESDAY = "2026-05-20 10:00"


@pytest.fixture
def desk(engine) -> Desk:
    """Ann, Bo and Cy are on the roster; none of them has joined. It is a Wednesday; next Monday is the 25th."""
    return Desk(SmallCompany(engine, "ann bo cy"), People("ann", "bo", "cy"), WEDNESDAY)


def accept_view(view: dict[str, Any]) -> None:
    """Fail unless Slack would open the window."""
    View(**view).validate_json()
    assert len(view["title"]["text"]) <= 24
    assert len(view.get("submit", {}).get("text", "")) <= 24
    assert len(json.dumps(view)) < 250_000
    slack_rules.accept("a window", [block for block in view["blocks"] if block["type"] != "input"])
    for block in fields(view).values():  # slackblocks cannot read one
        element = block["element"]
        assert block["block_id"] == element["action_id"]
        assert len(block["label"]["text"]) <= 2000
        options = element.get("options", [])
        assert len(options) <= 10
        assert all(len(option[part]["text"]) <= 75 for option in options for part in ("text", "description"))
        assert all(option in options for option in element.get("initial_options", []))
        assert element.get("initial_option") in (None, *options)


def fields(view: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {block["block_id"]: block for block in view["blocks"] if block["type"] == "input"}


def consents(engine: Engine) -> list[tuple[str, bool, int]]:
    rows = sorted(dump(engine, "consents"), key=lambda row: row["id"])
    return [(row["scope"], bool(row["granted"]), row["text_version"]) for row in rows]


def opened(desk: Desk, name: str) -> dict[str, Any]:
    desk.command(name, "join")
    return desk.people.views[-1]


# What it shows


def test_the_window_of_a_newcomer_is_as_approved(desk, snapshot):
    view = opened(desk, "ann")
    accept_view(view)
    assert view == snapshot


def test_the_window_of_a_member_is_as_approved(desk, snapshot):
    desk.join("ann", login="ann", switches="collect team", comments="pr_band")
    view = opened(desk, "ann")
    accept_view(view)
    assert view == snapshot


def test_nothing_is_preselected_for_a_newcomer(desk):
    view = fields(opened(desk, "ann"))
    assert "initial" not in json.dumps(view)
    assert [option["value"] for option in view["comments"]["element"]["options"]] == ["nothing", "pr_band", "pr_exact"]
    assert [option["value"] for option in view["switches"]["element"]["options"]] == ["collect", "team"]


def test_a_member_sees_what_is_on_now(desk):
    desk.join("ann", login="ann", switches="collect", comments="pr_exact")
    view = fields(opened(desk, "ann"))
    assert view["comments"]["element"]["initial_option"]["value"] == "pr_exact"
    assert "initial_options" not in view["switches"]["element"]
    assert "login" not in view


@pytest.mark.parametrize(
    "words",
    [
        "35 days",
        "13 weeks",
        "400 days",
        "3 years after",
        "Never: prompts, answers, code",
        "five people or more",
        "Not used in performance reviews",
        "cannot be called back",
        *("joins or leaves and everybody else stays the same", "who is counted", "can read its database"),
        *("billing admins", "Two people who put together", "held back", "know from elsewhere"),
        "the only one in the company who has not joined",
        "/leverage leave",
    ],
)
def test_the_consent_text_names_what_it_must(words):
    view = render_me.join_window(None, WINDOW, METHOD)
    assert words in " ".join(block["text"]["text"] for block in view["blocks"] if block["type"] == "section")


@pytest.mark.parametrize("url", ["https://example.com/a|b>c <!channel>", "javascript:alert(1)", "ftp://x", ""])
def test_no_address_breaks_out_of_its_link(url):
    text = json.dumps(render_me.join_window(None, WINDOW, url)) + json.dumps(render_me.help_message(url).blocks)
    assert "<!channel>" not in text
    assert "|b>c" not in text
    assert "<javascript" not in text


# What joining does


def test_joining_switches_on_what_was_chosen_and_says_from_when(desk, engine):
    heard = desk.join("ann", login="ann", switches="collect team", comments="pr_band")
    assert heard.json["response_action"] == "update"
    accept_view(heard.json["view"])
    told = heard.json["view"]["blocks"][0]["text"]["text"]
    assert "Monday 25 May" in told
    assert "/leverage leave" in told
    assert consents(engine) == [("collect", True, 2), ("team", True, 2), ("pr_band", True, 2)]
    (row,) = dump(engine, "people")
    assert (str(row["collect_from"]), str(row["team_from"])) == ("2026-04-20", "2026-05-25")


def test_the_link_is_marked_unproved_and_only_hashes_are_kept(desk, engine):
    desk.join("ann", login="@Ann ", switches="collect")
    rows = dump(engine, "handles")
    assert {row["kind"] for row in rows} == {"github", "slack", "email"}
    assert not any(row["proved"] for row in rows)
    kept = str([dict(row) for table in ("handles", "people", "consents") for row in dump(engine, table)])
    assert not any(name in kept for name in ("U_ann", "S_ann", "ann@example.com"))


def test_spend_is_found_by_the_address_that_slack_vouches_for(desk):
    desk.join("ann", login="ann", switches="collect")
    desk.company.spends("2026-05-19", ann=3, bo=7)
    assert "$3.00 so far in this one" in desk.command("ann", "me").text


def test_only_collect_counts_nobody_in_a_team(desk, engine):
    desk.join("ann", login="ann", switches="collect")
    assert consents(engine) == [("collect", True, 2)]
    assert dump(engine, "people")[0]["team_from"] is None


@pytest.mark.parametrize("switches", ["", "team"])
@pytest.mark.parametrize("comments", ["nothing", "pr_band", "pr_exact"])
def test_nothing_works_without_collect(desk, engine, switches, comments):
    heard = desk.join("ann", login="ann", switches=switches, comments=comments)
    assert heard.errors == {"switches": join_window.NEEDS_COLLECT}
    assert dump(engine, "people") == dump(engine, "consents") == []


@pytest.mark.parametrize("comments", [None, "all", "", "pr_public"])
def test_the_comments_have_to_be_chosen_from_what_there_is(desk, engine, comments):
    heard = desk.join("ann", login="ann", switches="collect", comments=comments)
    assert heard.errors == {"comments": join_window.CHOOSE}
    assert dump(engine, "people") == []


@pytest.mark.parametrize("login", ["", "   ", "ann bo", "<@S_bo>", "ann/../bo", "a" * 101, "ünn", "-ann", "ann\x00"])
def test_what_is_no_login_is_refused(desk, login):
    assert desk.join("ann", login=login, switches="collect").errors == {"login": join_window.NO_LOGIN}
    assert desk.people.calls == []


def test_a_login_that_is_taken_and_one_on_no_roster_read_the_same(desk, engine):
    """Who has joined is told to nobody."""
    desk.join("bo", login="bo", switches="collect")
    taken = desk.join("ann", login="bo", switches="collect").errors
    unknown = desk.join("ann", login="zoe", switches="collect").errors
    assert taken == unknown == {"login": join_window.NOT_FREE}
    assert len(dump(engine, "people")) == 1


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"deleted": True}, "active"),
        ({"is_bot": True}, "active"),
        ({"is_restricted": True}, "Guests"),
        ({"is_ultra_restricted": True}, "Guests"),
        ({"is_stranger": True}, "another company"),
        ({"team_id": "T_OTHER"}, "another company"),
        ({"is_email_confirmed": False}, "Confirm"),
        ({"profile": {}}, "Confirm"),
    ],
)
def test_only_full_members_with_a_confirmed_address_join(desk, engine, change, word):
    desk.people.users["S_ann"] = member("ann", **change)
    assert word in desk.join("ann", login="ann", switches="collect").errors["login"]
    assert dump(engine, "people") == dump(engine, "handles") == []


def test_who_is_in_our_workspace_of_an_enterprise_joins(desk, engine):
    desk.people.users["S_ann"] = member("ann", team_id="T_OTHER", enterprise_user={"teams": ["T_1", "T_ACME"]})
    desk.join("ann", login="ann", switches="collect")
    assert len(dump(engine, "people")) == 1


@pytest.mark.parametrize("method", ["users.info", "auth.test"])
@pytest.mark.parametrize("trouble", ["internal_error", "missing_scope", "user_not_found", TimeoutError()])
def test_while_slack_does_not_answer_nobody_joins(desk, engine, method, trouble):
    desk.people.broken[method] = trouble
    assert desk.join("ann", login="ann", switches="collect").errors == {"login": join_window.UNANSWERED}
    assert dump(engine, "people") == []
    del desk.people.broken[method]
    assert desk.join("ann", login="ann", switches="collect").json["response_action"] == "update"


def test_an_answer_about_somebody_else_is_not_taken(desk, engine):
    desk.people.users["S_ann"] = member("bo")
    assert desk.join("ann", login="ann", switches="collect").errors == {"login": join_window.UNANSWERED}
    assert dump(engine, "people") == []


def test_our_own_workspace_is_asked_for_once(desk):
    desk.join("ann", login="ann", switches="collect")
    desk.join("bo", login="bo", switches="collect")
    assert desk.people.called("auth.test") == 1


# Nobody acts for another

TAMPERED: list[Callable[[], dict[str, Any]]] = [
    lambda: {"view": {"private_metadata": json.dumps({"user": "S_bo", "person": "S_bo"})}},
    lambda: {"view": {"user_id": "S_bo", "app_installed_team_id": "T_OTHER", "external_id": "S_bo"}},
    lambda: {"user_id": "S_bo", "user_name": "bo", "actor_user_id": "S_bo"},
    lambda: {"user": {"id": "S_ann", "name": "bo", "username": "bo", "email": "bo@example.com", "team_id": "T_X"}},
    lambda: {"team": {"id": "T_OTHER"}, "enterprise": {"id": "E_1"}},
    lambda: {"response_urls": [{"user": "S_bo"}], "authorizations": [{"user_id": "S_bo"}]},
]


@pytest.mark.parametrize("change", TAMPERED)
def test_whatever_is_written_into_the_window_the_sender_joins_and_nobody_else(desk, change):
    desk.join("ann", login="ann", switches="collect", **change())
    assert "have not joined" in desk.command("bo", "me").text
    assert "You joined on 20 May" in desk.command("ann", "me").text
    asked = [given for method, given in desk.people.calls if method == "users.info"]
    assert [given["user"] for given in asked] == ["S_ann"]


@pytest.mark.parametrize("change", TAMPERED)
def test_nobody_changes_what_another_switched_on(desk, engine, change):
    desk.join("bo", login="bo", switches="collect team", comments="pr_exact")
    before = dump(engine, "people"), consents(engine)
    desk.join("ann", switches="", comments="nothing", **change())
    assert (dump(engine, "people"), consents(engine)) == before


# Changing


def test_a_member_changes_the_switches_without_being_asked_who_they_are_again(desk, engine):
    desk.join("ann", login="ann", switches="collect team", comments="pr_band")
    desk.people.calls.clear()
    heard = desk.join("ann", switches="", comments="pr_exact")
    assert "*team* is off" in heard.json["view"]["blocks"][0]["text"]["text"]
    assert consents(engine)[3:] == [("team", False, 2), ("pr_band", False, 2), ("pr_exact", True, 2)]
    assert dump(engine, "people")[0]["team_from"] is None
    assert desk.people.calls == []


def test_sending_the_same_again_changes_nothing(desk, engine):
    desk.join("ann", login="ann", switches="collect team", comments="pr_band")
    before = consents(engine)
    desk.join("ann", login="ann", switches="collect team", comments="pr_band")
    assert consents(engine) == before
    assert len(dump(engine, "people")) == 1


def test_a_member_cannot_take_another_login_by_sending_it(desk, engine):
    desk.join("ann", login="ann", switches="collect")
    before = dump(engine, "handles")
    desk.join("ann", login="bo", switches="collect")
    assert dump(engine, "handles") == before


def test_collect_stays_on_until_one_leaves(desk):
    desk.join("ann", login="ann", switches="collect")
    desk.join("ann", switches="", comments="nothing")
    assert "have not joined" not in desk.command("ann", "me").text


def test_who_left_while_the_window_was_open_is_told(desk, engine):
    desk.join("ann", login="ann", switches="collect")
    desk.command("ann", "leave")
    assert desk.join("ann", switches="team").errors == {"comments": join_window.LEFT}
    assert dump(engine, "people") == []


def test_who_agreed_to_an_older_text_is_asked_again(desk, engine):
    heard = desk.join("ann", login="ann", switches="collect", view={"callback_id": "leverage_join_0"})
    assert heard.errors == {"comments": join_window.OUTDATED}
    assert dump(engine, "people") == []


def test_who_comes_back_counts_from_the_next_epoch_and_is_told_so(desk):
    desk.at = instant("2026-05-13 10:00")
    desk.join("ann", login="ann", switches="collect team")
    desk.command("ann", "leave")
    heard = desk.join("ann", login="ann", switches="collect team")
    assert "Monday 25 May" in heard.json["view"]["blocks"][0]["text"]["text"]


def test_ticking_a_box_is_acknowledged(desk):
    heard = desk.interaction({"type": "block_actions", "user": {"id": "S_ann"}, "actions": [{"action_id": "switches"}]})
    assert (heard.status, heard.content) == (200, "")
