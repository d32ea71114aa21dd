"""A process that stands still for longer than its lease, as a suspended machine does, and then goes on."""

import pytest

from bot.domain.delivery import State
from tests.fake_slack import hanging
from tests.faults.conftest import Town, seeds

pytestmark = pytest.mark.e2e
TEAM = "team0"


@pytest.mark.parametrize("_seed", seeds())
@pytest.mark.parametrize(
    ("step", "copies_meanwhile", "state_meanwhile"),
    [
        ("claimed", 1, State.SENT),
        ("begun", 0, State.UNKNOWN),
        ("answered", 1, State.UNKNOWN),
    ],
)
def test_a_process_that_stood_still_leaves_one_digest(town: Town, step, copies_meanwhile, state_meanwhile, _seed):
    town.queue(1)
    with town.process(step=step) as sleeper:
        assert sleeper.reached() == step
        sleeper.stop()
        town.restart()
        assert sleeper.stopped()
        assert (town.copies(TEAM), town.state(TEAM)) == (copies_meanwhile, state_meanwhile)
        sleeper.go_on()
        sleeper.let_go()
        sleeper.finish()
    town.restart()
    assert (town.copies(TEAM), town.state(TEAM)) == (1, State.SENT)
    town.nothing_is_lost_or_doubled()


@pytest.mark.parametrize("_seed", seeds())
def test_an_answer_that_comes_after_a_long_sleep_settles_the_matter(town: Town, _seed):
    town.queue(1)
    town.slack.next(hanging(stored=True))
    with town.process() as sleeper:
        assert town.slack.holding.wait(20)
        sleeper.stop()
        town.restart()
        assert town.state(TEAM) is State.UNKNOWN
        town.slack.let_go.set()
        sleeper.go_on()
        sleeper.finish()
    assert (town.copies(TEAM), town.state(TEAM)) == (1, State.SENT)
    town.nothing_is_lost_or_doubled()


@pytest.mark.parametrize("_seed", seeds())
@pytest.mark.parametrize("step", ["begun", "answered"])
def test_the_copy_of_a_sleeper_is_taken_back_when_a_person_had_it_posted_meanwhile(town: Town, step, _seed):
    town.queue(1)
    with town.process(step=step) as sleeper:
        assert sleeper.reached() == step
        sleeper.stop()
        town.restart()
        assert town.state(TEAM) is State.UNKNOWN
        town.person_wants_it_posted(TEAM)
        town.restart()
        assert town.state(TEAM) is State.SENT
        sleeper.go_on()
        sleeper.let_go()
        sleeper.finish()
    town.restart()
    assert len([one for one in town.slack.calls() if one.values["channel"] == f"C{TEAM}"]) == 2
    assert (town.copies(TEAM), town.state(TEAM)) == (1, State.SENT)
    assert len(town.slack.calls("chat.delete")) == 1
