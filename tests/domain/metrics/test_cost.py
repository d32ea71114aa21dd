from fractions import Fraction

import pytest

from bot.domain.metrics.cost import Links, Totals, bound_share, cost_per_merged_pr, linked_share, shown
from bot.domain.metrics.measure import Measure, Reason


def test_costs_are_exact_ratios_of_the_totals() -> None:
    costs = cost_per_merged_pr(Totals(loaded=100, direct=40, merged=3, touched=2))
    assert costs.loaded == Fraction(100, 3)
    assert costs.direct == Fraction(40, 3)
    assert costs.overhead == Fraction(5, 2)
    assert costs.touched_share == Fraction(2, 3)


def test_without_a_merged_pull_request_every_ratio_says_so() -> None:
    costs = cost_per_merged_pr(Totals(loaded=100, direct=0, merged=0, touched=0))
    assert {costs.loaded, costs.direct, costs.overhead, costs.touched_share} == {Reason.NO_MERGED_PRS}


def test_no_spend_is_a_real_zero_but_no_factor() -> None:
    costs = cost_per_merged_pr(Totals(loaded=0, direct=0, merged=3, touched=0))
    assert costs.loaded == costs.direct == costs.touched_share == 0
    assert costs.overhead is Reason.NO_SPEND


def test_what_follows_from_a_direct_part_that_is_not_told_apart_is_not_told_either() -> None:
    costs = cost_per_merged_pr(Totals(loaded=100, direct=None, merged=4, touched=2))
    assert costs.direct is costs.overhead is Reason.TOO_FEW_PEOPLE
    assert costs.loaded == 25


@pytest.mark.parametrize(
    ("cost", "merged", "result"),
    [
        (Fraction(7), 3, Fraction(7)),
        (Fraction(7), 2, Reason.TOO_FEW_PRS),
        (Fraction(7), 1, Reason.TOO_FEW_PRS),
        (Reason.NO_MERGED_PRS, 0, Reason.NO_MERGED_PRS),
        (Reason.TOO_FEW_PEOPLE, 2, Reason.TOO_FEW_PEOPLE),
    ],
)
def test_a_cost_is_shown_from_three_merged_pull_requests(cost: Measure, merged: int, result: Measure) -> None:
    assert shown(cost, merged) == result


def test_allocated_spend_is_linked_but_not_bound() -> None:
    links = Links(measured=20, inferred=5, allocated=50, spend=100)
    assert linked_share(links) == Fraction(3, 4)
    assert bound_share(links) == Fraction(1, 4)


def test_without_spend_there_are_no_shares() -> None:
    nothing = Links(measured=0, inferred=0, allocated=0, spend=0)
    assert linked_share(nothing) is bound_share(nothing) is Reason.NO_SPEND
