from fractions import Fraction

from bot.domain.metrics.guardrails import reverted, review_hours
from tests.domain.metrics.pulls import AGENT, ANN, BO, CY, at, merged, pull, review


def test_the_wait_for_a_review_ends_with_the_first_human_who_did_not_make_it() -> None:
    reviews = (review(AGENT, at(1, 10)), review(ANN, at(1, 11)), review(CY, at(1, 15)), review(BO, at(1, 12.5)))
    assert review_hours([pull(1, reviews=reviews)]) == Fraction(7, 2)


def test_who_asked_an_agent_for_work_does_not_end_the_wait_by_looking_at_it() -> None:
    reviews = (review(ANN, at(1, 10)), review(BO, at(1, 12)))
    assert review_hours([pull(1, author=AGENT, owner=ANN, reviews=reviews)]) == 3
    assert review_hours([pull(1, author=AGENT, owner=None, reviews=reviews)]) == 1
    assert review_hours([pull(1, author=None, reviews=reviews)]) == 1


def test_time_as_a_draft_is_no_wait() -> None:
    reviews = (review(BO, at(1, 10)), review(BO, at(3, 13)))
    assert review_hours([pull(1, ready_at=at(3, 12), reviews=reviews)]) == 1
    assert review_hours([pull(1, ready_at=at(3, 13), reviews=reviews)]) == 0
    assert review_hours([pull(1, ready_at=None, reviews=reviews)]) is None


def test_the_wait_is_a_median_over_those_that_were_reviewed() -> None:
    pulls = [pull(number, reviews=(review(BO, at(1, 9 + number)),)) for number in (1, 2, 10, 20)]
    assert review_hours([*pulls, pull(5)]) == 6
    assert review_hours([pull(5)]) is None


def test_reverts_are_counted_and_reverts_of_reverts_are_not() -> None:
    earlier = [merged(2, at(1), reverts=1)]
    week = [merged(3, at(8), reverts=2), merged(4, at(8), reverts=0), merged(5, at(8))]
    assert reverted(week, earlier) == 1
    assert reverted(week) == 2
    assert reverted([]) == 0
