"""Several processes on one database: each digest is one's alone."""

from contextlib import ExitStack

import pytest

from bot.domain.delivery import State
from tests.faults.conftest import Town, seeds

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("_seed", seeds())
def test_two_processes_at_once_make_one_post(town: Town, _seed):
    """The first holds the digest between claim and post while the second works off everything it can get."""
    town.queue(1)
    with town.process("one", step="claimed") as one:
        one.reached()
        with town.process("two", rounds=2) as two:
            assert two.finish() == 0
        assert town.slack.calls() == []
        one.let_go()
        assert one.finish() == 1
    assert (town.copies("team0"), len(town.slack.calls())) == (1, 1)


@pytest.mark.parametrize("_seed", seeds())
def test_four_processes_share_the_work_and_post_each_digest_once(town: Town, _seed):
    town.queue(12)
    town.slack.latency_s = 0.03
    with ExitStack() as stack:
        running = [stack.enter_context(town.process(f"p{number}")) for number in range(4)]
        sent = [process.finish() for process in running]
    town.restart()
    assert sum(sent) == 12
    assert sum(bool(one) for one in sent) >= 2, "they never worked at the same time"
    assert len(town.slack.calls()) == 12
    assert all((town.copies(team), town.state(team)) == (1, State.SENT) for team in town.teams)
