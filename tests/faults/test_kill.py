"""kill -9 at each step between the claim and the mark, then a new start: at most one digest, none silently lost."""

import random
from dataclasses import dataclass

import pytest

from bot.domain.delivery import State, Timing
from tests.fake_slack import Fault, hanging
from tests.faults.conftest import Town, seeds

pytestmark = pytest.mark.e2e

ANSWERED_NORMALLY = Fault(stored=True)
HOURS_S = 3600.0


@dataclass(frozen=True)
class Point:
    """A moment to die at: what the row says then, and what it says after a restart, with so many copies in Slack."""

    step: str | None
    left: State
    after: State
    copies: int
    held: Fault | None = None


POINTS = {
    "before the claim": Point("before the claim", State.DUE, State.SENT, 1),
    "while claiming": Point("claiming", State.DUE, State.SENT, 1),
    "after the claim": Point("claimed", State.CLAIMED, State.SENT, 1),
    "while marking as begun": Point("marking as begun", State.CLAIMED, State.SENT, 1),
    "before the request": Point("begun", State.POSTING, State.UNKNOWN, 0),
    "while Slack has the request": Point(None, State.POSTING, State.UNKNOWN, 0, hanging(stored=False)),
    "after Slack has stored it": Point(None, State.POSTING, State.UNKNOWN, 1, hanging(stored=True)),
    "after the answer": Point("answered", State.POSTING, State.UNKNOWN, 1),
    "while marking as sent": Point("marking as sent", State.POSTING, State.UNKNOWN, 1),
    "after the mark": Point("sent", State.SENT, State.SENT, 1),
}


@pytest.mark.parametrize("seed", seeds())
@pytest.mark.parametrize("name", POINTS)
def test_a_process_that_is_killed_leaves_at_most_one_digest_and_loses_none(town: Town, name, seed):
    point, chance = POINTS[name], random.Random(f"{name} {seed}")
    town.queue(chance.randint(1, 3))
    nth = chance.randrange(len(town.teams))
    victim = town.teams[nth]
    if point.held:
        town.slack.next(*[ANSWERED_NORMALLY] * nth, point.held)
    with town.process(step=point.step, nth=nth) as process:
        if point.held:
            assert town.slack.holding.wait(20)
        else:
            assert process.reached() == point.step
        process.kill()
    town.slack.let_go.set()
    assert town.state(victim) is point.left

    town.restart(chance.uniform(Timing().lease.total_seconds() + 1, 60 * HOURS_S))

    assert (town.state(victim), town.copies(victim)) == (point.after, point.copies)
    assert town.notes(victim) == (1 if point.after is State.UNKNOWN else 0)
    assert all(town.state(other) is State.SENT for other in town.teams if other != victim)
    town.nothing_is_lost_or_doubled()


@pytest.mark.parametrize("seed", seeds())
def test_a_process_that_is_killed_again_and_again_leaves_at_most_one_digest(town: Town, seed):
    """Five teams, and a kill at a step chosen by chance in each of four starts."""
    chance = random.Random(seed)
    town.queue(5)
    kills = 0
    for _ in range(4):
        step = chance.choice(["claiming", "claimed", "marking as begun", "begun", "answered", "marking as sent"])
        with town.process(step=step) as process:
            if process.line.poll(20) and process.line.recv() == step:
                process.kill()
                kills += 1
        town.ahead.value += Timing().lease.total_seconds() + 1
    assert kills >= 2
    town.restart()
    town.nothing_is_lost_or_doubled()
