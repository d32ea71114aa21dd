"""What Slack answers, or does not, through the real client and a real process: O3, O4, O7, O8."""

import pytest

from bot.domain.delivery import State
from tests.fake_slack import busy, dropped, failing, lost, refusing, saying
from tests.faults.conftest import AFTER_LEASE_S, Town

pytestmark = pytest.mark.e2e
TEAM = "team0"


@pytest.mark.parametrize(
    ("fault", "copies"),
    [
        (lost(), 1),
        (dropped(), 0),
        (failing(500, stored=True), 1),
        (failing(502, stored=False), 0),
        (failing(503, stored=True), 1),
        (refusing("internal_error"), 0),
        (saying(b"<html>proxy</html>"), 0),
    ],
    ids=str,
)
def test_a_post_nobody_can_say_anything_of_is_not_repeated_and_the_owner_is_told(town: Town, fault, copies):
    town.queue(1)
    town.slack.next(fault)
    town.restart(0)
    town.restart(AFTER_LEASE_S)
    town.restart(AFTER_LEASE_S)
    assert town.slack.struck == [fault]
    assert (town.copies(TEAM), town.state(TEAM), town.notes(TEAM)) == (copies, State.UNKNOWN, 1)
    assert len([one for one in town.slack.calls() if one.values["channel"] == f"C{TEAM}"]) == 1


@pytest.mark.parametrize(("fault", "wait_s"), [(busy("30"), 30), (busy("7200"), 7200), (busy(), 30)], ids=str)
def test_a_busy_slack_is_asked_again_when_it_said_and_not_before(town: Town, fault, wait_s):
    town.queue(1)
    town.slack.next(fault)
    with town.process() as process:
        process.finish()
    town.ahead.value = wait_s * 0.7
    with town.process() as process:
        process.finish()
    assert (len(town.slack.calls()), town.slack.struck) == (1, [fault])
    town.ahead.value = wait_s + 1
    with town.process() as process:
        process.finish()
    assert (town.copies(TEAM), town.state(TEAM)) == (1, State.SENT)


def test_a_slack_that_is_away_loses_no_digest(town: Town):
    """Nobody listens for some hours; then it is back."""
    town.queue(2)
    town.slack.next(*[busy()] * 12)
    for hour in range(12):
        town.ahead.value = hour * 3600.0
        with town.process() as process:
            process.finish()
    assert len(town.slack.struck) == 12
    town.restart(3600)
    assert [town.state(team) for team in town.teams] == [State.SENT] * 2
    town.nothing_is_lost_or_doubled()


@pytest.mark.parametrize("code", ["is_archived", "channel_not_found", "not_in_channel", "restricted_action"])
def test_a_channel_that_does_not_take_it_is_told_once(town: Town, code):
    town.queue(1)
    town.slack.next(refusing(code))
    town.restart(0)
    town.restart(AFTER_LEASE_S)
    assert (town.copies(TEAM), town.state(TEAM)) == (0, State.FAILED)
    told = [one.text for one in town.slack.channel("DU1")]
    assert [code in text for text in told] == [True]


def test_after_a_revoked_token_slack_is_left_alone(town: Town):
    town.queue(3)
    town.slack.next(refusing("token_revoked"))
    town.restart(0)
    town.restart(AFTER_LEASE_S)
    assert len(town.slack.calls()) == 1
    assert [town.state(team) for team in town.teams] == [State.DUE] * 3
