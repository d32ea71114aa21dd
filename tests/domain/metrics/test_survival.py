from datetime import timedelta

import pytest

from bot.domain.metrics.measure import Reason
from bot.domain.metrics.survival import HORIZON, Fate, Merge, Survival, fate, merges, survival
from tests.domain.metrics.pulls import at, merged, pull

INSTANT = timedelta.resolution


def test_a_revert_at_the_very_end_of_the_horizon_counts() -> None:
    late = at(60)
    assert timedelta(days=14) == HORIZON
    assert fate(Merge(at(1), at(1) + HORIZON), late) is Fate.REVERTED
    assert fate(Merge(at(1), at(1) + HORIZON + INSTANT), late) is Fate.SURVIVED


def test_work_is_pending_until_the_horizon_is_over() -> None:
    assert fate(Merge(at(1), None), at(1) + HORIZON - INSTANT) is Fate.PENDING
    assert fate(Merge(at(1), None), at(1) + HORIZON) is Fate.SURVIVED


def test_an_early_revert_of_young_work_is_told_but_not_rated() -> None:
    young = Merge(at(1), at(2))
    assert fate(young, at(3)) is Fate.REVERTED
    assert survival([young], at(3)) == Survival(survived=0, judged=0)


@pytest.mark.parametrize("days", [14, 30])
def test_the_horizon_may_be_another(days: int) -> None:
    work = Merge(at(1), at(21))
    assert survival([work], at(60), timedelta(days=days)).survived == (1 if days == 14 else 0)


def test_nothing_to_judge_has_no_rate() -> None:
    assert Survival(survived=0, judged=0).rate is Reason.NO_MERGED_PRS
    assert Survival(survived=0, judged=2).rate == 0


def test_the_first_merged_revert_in_the_same_repository_ends_a_life() -> None:
    work = merged(1, at(1))
    known = [
        work,
        merged(5, at(9), reverts=1),
        merged(4, at(7), reverts=1),
        merged(2, at(3), reverts=1, repository_id="R_web"),
        pull(3, reverts=1),
    ]
    assert merges([work, pull(6)], known) == [Merge(at(1), at(7))]
    assert merges([work, pull(6)], reversed(known)) == [Merge(at(1), at(7))]
    assert merges([work], [work]) == [Merge(at(1), None)]
