from fractions import Fraction

from bot.domain.metrics.cost import Links, bound_share, cost_per_merged_pr, linked_share
from bot.domain.metrics.measure import Reason


def test_a_cost_is_the_exact_ratio() -> None:
    assert cost_per_merged_pr(100, 3) == Fraction(100, 3)


def test_no_spend_is_a_real_zero_and_no_merged_pull_request_is_none() -> None:
    assert cost_per_merged_pr(0, 3) == 0
    assert cost_per_merged_pr(100, 0) is Reason.NO_MERGED_PRS


def test_allocated_spend_is_linked_but_not_bound() -> None:
    links = Links(measured=20, inferred=5, allocated=50, spend=100)
    assert linked_share(links) == Fraction(3, 4)
    assert bound_share(links) == Fraction(1, 4)


def test_while_no_link_is_seen_there_is_no_bound_share_and_not_zero() -> None:
    links = Links(measured=0, inferred=0, allocated=50, spend=100)
    assert linked_share(links) == Fraction(1, 2)
    assert bound_share(links) is Reason.NO_BINDING_DATA


def test_spend_that_no_pull_request_was_made_with_is_linked_to_a_real_zero() -> None:
    assert linked_share(Links(measured=0, inferred=0, allocated=0, spend=100)) == 0


def test_without_spend_there_are_no_shares() -> None:
    nothing = Links(measured=0, inferred=0, allocated=0, spend=0)
    assert linked_share(nothing) is Reason.NO_SPEND
    assert bound_share(nothing) is Reason.NO_BINDING_DATA
