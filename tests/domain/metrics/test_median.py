from fractions import Fraction
from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.metrics.median import interval_rank, median, quartiles, shown_interval, shown_rank

samples = st.lists(st.integers(0, 10**9), min_size=2, max_size=40)


def test_the_median_is_exact() -> None:
    assert median([3, 1, 2]) == 2
    assert median([1, 2]) == Fraction(3, 2)
    assert median([Fraction(1, 3), Fraction(2, 3)]) == Fraction(1, 2)
    assert median([]) is None


def test_quartiles_lie_between_neighbours() -> None:
    assert quartiles([8, 7, 6, 5, 4, 3, 2, 1]) == (Fraction(11, 4), Fraction(25, 4))
    assert quartiles([10, 20]) == (Fraction(25, 2), Fraction(35, 2))


@given(samples)
def test_half_of_the_values_lie_between_the_quartiles(values: list[int]) -> None:
    lower, upper = quartiles(values)
    middle = median(values)
    assert middle is not None
    assert min(values) <= lower <= middle <= upper <= max(values)
    assert sum(value <= lower for value in values) * 4 >= len(values)
    assert sum(lower <= value <= upper for value in values) * 2 >= len(values) - 2


@pytest.mark.parametrize("count", range(1, 11))
def test_the_rank_is_the_highest_with_which_coin_flips_put_the_median_inside_often_enough(count: int) -> None:
    """Each value is above the true median or not, like a coin; the interval misses if too few fall on one side."""
    flips = [sum(coins) for coins in product((0, 1), repeat=count)]
    for percent in (50, 80, 90, 95, 99):
        hits = [sum(rank <= above <= count - rank for above in flips) for rank in range(1, count // 2 + 1)]
        ranks = [rank for rank, hit in enumerate(hits, start=1) if 100 * hit >= percent * 2**count]
        assert interval_rank(count, percent) == max(ranks, default=None)


def test_the_interval_holds_the_true_median_as_often_as_it_says() -> None:
    rng, trials, held = Random(7), 2000, 0
    for _ in range(trials):
        found = shown_interval([int(10**6 * rng.lognormvariate(0, 1.5)) for _ in range(10)])
        assert found
        assert found.percent == 95
        held += found.low <= 10**6 <= found.high
    assert 0.96 < held / trials < 0.995  # 0.9785 in theory


@given(st.integers(0, 400))
def test_the_shown_interval_is_the_surest_that_spares_the_extremes(count: int) -> None:
    shown = shown_rank(count)
    if shown is None:
        assert count < 7
    else:
        percent, rank = shown
        assert 2 <= rank == interval_rank(count, percent)
        assert all((interval_rank(count, surer) or 0) < 2 for surer in (80, 90, 95) if surer > percent)


@given(st.lists(st.integers(0, 10**9), min_size=7, max_size=40, unique=True))
def test_neither_end_of_a_shown_interval_is_the_lowest_or_highest_value(values: list[int]) -> None:
    shown = shown_interval(values)
    assert shown is not None
    assert min(values) < shown.low <= shown.high < max(values)
    assert {shown.low, shown.high} <= set(values)


def test_few_values_have_no_interval() -> None:
    assert shown_interval([1, 2, 3, 4, 5, 6]) is None
    assert shown_interval([]) is None
    assert interval_rank(0, 80) is interval_rank(1, 80) is None
