from fractions import Fraction

from bot.domain.metrics.guardrails import merge_lead_days, open_age_days, reverted, review_hours
from tests.domain.metrics.pulls import AGENT, ANN, BO, CY, at, committed, merged, pull, review


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


def test_lead_time_runs_from_the_day_of_the_first_commit_to_the_merge() -> None:
    assert merge_lead_days([merged(1, at(5, 12), commits=committed(4, 2, 3))]) == Fraction(7, 2)
    assert merge_lead_days([merged(1, at(1, 12), commits=committed(3))]) == 0
    assert merge_lead_days([pull(1), merged(2, at(2), commits=())]) is None


def test_lead_time_is_a_median() -> None:
    pulls = [merged(day, at(day), commits=committed(1)) for day in (2, 4, 30)]
    assert merge_lead_days(pulls) == 3


def test_open_work_ages_from_the_day_it_was_opened_drafts_too() -> None:
    pulls = [pull(1, created_at=at(1)), pull(2, created_at=at(4), draft=True), merged(3, at(2))]
    assert open_age_days(pulls, at(6, 12)) == 4
    assert open_age_days([merged(3, at(2))], at(6)) is None


def test_reverts_are_counted_and_reverts_of_reverts_are_not() -> None:
    earlier = [merged(2, at(1), reverts=1)]
    week = [merged(3, at(8), reverts=2), merged(4, at(8), reverts=0), merged(5, at(8))]
    assert reverted(week, earlier) == 1
    assert reverted(week) == 2
    assert reverted([]) == 0
