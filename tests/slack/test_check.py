"""Whether Slack would take a digest, as `leverage doctor` finds out, over a real connection to a fake."""

import pytest

from bot.domain.health import Finding, Level
from bot.slack.check import SCOPES, SlackChecks
from tests.fake_slack import FakeSlack, Fault, busy, dropped, failing, hanging, refusing, saying, serve
from tests.teams import team

pytestmark = pytest.mark.e2e

CHANNEL = "C0123ABCD"
TEAM = team(owner="UCANARY")


@pytest.fixture
def slack():
    with serve() as fake:
        fake.shared[CHANNEL] = {"is_member": True, "name": "canary-name"}
        yield fake


def grant(slack: FakeSlack, scopes: str = ",".join(sorted(SCOPES))) -> None:
    slack.next(Fault(stored=True, headers={"X-OAuth-Scopes": scopes}), method="auth.test")


def findings(slack: FakeSlack, *teams) -> list[Finding]:
    return SlackChecks(slack.url, timeout=1).bot("xoxb-test", teams or (TEAM,))


def of_channel(slack: FakeSlack) -> Finding:
    return findings(slack)[2]


def test_all_is_well_with_one_call_for_the_token_and_one_for_each_channel(slack):
    grant(slack)
    assert findings(slack) == [
        Finding(Level.OK, "Slack: the bot token is accepted"),
        Finding(Level.OK, "Slack scopes: all that are needed"),
        Finding(Level.OK, "Slack channel of payments: the bot is a member (whether there are guests was not checked)"),
        Finding(Level.OK, "Owner of payments: set"),
    ]
    assert [one.method for one in slack.requests] == ["auth.test", "conversations.info"]
    assert slack.requests[1].values == {"channel": CHANNEL}
    assert {one.token for one in slack.requests} == {"Bearer xoxb-test"}


@pytest.mark.parametrize("code", ["invalid_auth", "token_revoked", "account_inactive", "not_authed"])
def test_a_token_that_is_not_taken_ends_the_round(slack, code):
    slack.next(refusing(code), method="auth.test")
    (found,) = findings(slack)
    assert found.level is Level.PROBLEM
    assert found.what == f"Slack: SLACK_BOT_TOKEN is not accepted ({code})"
    assert len(slack.requests) == 1


@pytest.mark.parametrize(
    "fault",
    [
        dropped(),
        hanging(stored=False),
        failing(503, stored=False),
        busy("30"),
        saying(b"<html>"),
        saying(b"[]"),
        saying(b"null"),
        saying(b"\xff"),
        saying(b'{"ok": false}'),
        saying(b'{"ok": false, "error": "Canary <@U1> said"}'),
    ],
    ids=lambda fault: str(fault.body or fault.status),
)
@pytest.mark.parametrize("method", ["auth.test", "conversations.info"])
def test_an_answer_that_is_none_is_a_problem_and_is_asked_for_once(slack, method, fault):
    slack.next(fault, method=method)
    found = findings(slack)[-1 if method == "auth.test" else 2]
    assert found.level is Level.PROBLEM
    assert "anary" not in found.what
    assert len(slack.calls(method)) == len(slack.struck) == 1


def test_scopes_that_are_missing_are_named(slack):
    grant(slack, "chat:write,commands, channels:read,groups:read,users:read")
    assert findings(slack)[1] == Finding(
        Level.PROBLEM,
        "Slack scopes: missing im:write, users:read.email",
        "add what is missing on the app's page at api.slack.com (OAuth & Permissions) and install the app again",
    )


def test_scopes_that_slack_does_not_name_are_not_taken_for_given(slack):
    assert findings(slack)[1].level is Level.WARNING


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"is_member": False}, "the bot is not a member"),
        ({"is_archived": True}, "archived"),
        ({"is_ext_shared": True}, "shared with another organization"),
        ({"is_pending_ext_shared": True}, "shared with another organization"),
        ({"is_shared": True}, "shared with another organization"),
        ({"is_member": "canary"}, "describes no channel"),
    ],
)
def test_what_is_in_the_way_of_a_digest_is_a_problem(slack, facts, said):
    slack.shared[CHANNEL] |= facts
    found = of_channel(slack)
    assert found.level is Level.PROBLEM
    assert said in found.what
    assert found.advice


def test_a_channel_that_workspaces_of_one_company_share_is_fine(slack):
    slack.shared[CHANNEL] |= {"is_shared": True, "is_org_shared": True}
    assert of_channel(slack).level is Level.OK


@pytest.mark.parametrize(
    ("code", "said", "advice"),
    [
        ("channel_not_found", "not found", "/invite @Leverage"),
        ("missing_scope", "may not look", "install the app again"),
        ("not_in_channel", "not a member", "/invite @Leverage"),
        ("team_access_not_granted", "team_access_not_granted", ""),
    ],
)
def test_a_channel_that_slack_does_not_show_says_what_helps(slack, code, said, advice):
    slack.next(refusing(code), method="conversations.info")
    found = of_channel(slack)
    assert found.level is Level.PROBLEM
    assert said in found.what
    assert advice in found.advice


def test_one_channel_that_is_wrong_leaves_the_others(slack):
    slack.next(refusing("channel_not_found"), method="conversations.info")
    found = findings(slack, TEAM, team("web", slack_channel=CHANNEL))
    assert [one.level for one in found[2:4]] == [Level.PROBLEM, Level.OK]
    assert found[5] == Finding(
        Level.WARNING,
        "Owner of web: not set, so nobody is told when a digest needs a person",
        'add owner = "U0123ABCD" (a member ID) to the team in leverage.toml',
    )


def test_neither_a_person_nor_a_channels_name_is_told(slack):
    assert "canary" not in str(findings(slack)).lower()


def test_an_app_level_token_is_tried_without_connecting(slack):
    slack.next(saying(b'{"ok": true, "url": "wss://canary"}'), method="apps.connections.open")
    found = SlackChecks(slack.url, timeout=1).socket("xapp-test")
    assert found.level is Level.OK
    slack.next(refusing("invalid_auth"), method="apps.connections.open")
    found = SlackChecks(slack.url, timeout=1).socket("xapp-test")
    assert found.what == "Slack: SLACK_APP_TOKEN is not accepted (invalid_auth)"
