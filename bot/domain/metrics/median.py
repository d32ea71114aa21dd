"""Medians of small samples, with an interval that holds for any distribution (docs/method.md, "Centre and interval").

The interval is made of order statistics: of n sorted values, the k-th from below and the k-th from above. It covers the
true median with probability 1 - 2 * P(Binomial(n, 1/2) < k), which is computed exactly. Nothing is resampled.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, takewhile
from math import comb

Number = int | Fraction

SHOWN_PERCENTS = (95, 90, 80)
SHOWN_RANK = 2


@dataclass(frozen=True, slots=True)
class Interval:
    """Ends of a median's interval, and the coverage that it has at least."""

    low: Fraction
    high: Fraction
    percent: int


def median(values: Sequence[Number]) -> Fraction | None:
    """The middle value or the mean of the two middle ones, exactly; None of nothing."""
    return statistics.median(map(Fraction, values)) if values else None


def quartiles(values: Sequence[Number]) -> tuple[Fraction, Fraction]:
    """The lower and upper quartile of two values or more, interpolated between neighbours."""
    lower, _, upper = statistics.quantiles(map(Fraction, values), n=4, method="inclusive")
    return lower, upper


def interval_rank(count: int, percent: int) -> int | None:
    """The highest rank whose interval still has the coverage; None if not even lowest to highest has it."""
    tails = accumulate(comb(count, below) for below in range(count))
    enough = takewhile(lambda tail: 100 * _coverage(count, tail) >= percent, tails)
    return sum(1 for _ in enough) or None


def shown_rank(count: int) -> tuple[int, int] | None:
    """(percent, rank) of the interval to show: the surest one that does not end in the lowest and highest value."""
    ranks = ((percent, interval_rank(count, percent)) for percent in SHOWN_PERCENTS)
    return next(((percent, rank) for percent, rank in ranks if rank and rank >= SHOWN_RANK), None)


def shown_interval(values: Sequence[Number]) -> Interval | None:
    """The interval that may be shown: 95 %, else 90 %, else 80 %, else none; never the lowest or highest value."""
    found = shown_rank(len(values))
    if not found:
        return None
    percent, rank = found
    ordered = sorted(map(Fraction, values))
    return Interval(ordered[rank - 1], ordered[-rank], percent)


def _coverage(count: int, tail: int) -> Fraction:
    """Probability that the median is inside, if `tail` of the 2 ** count ways to fall put it outside on one side."""
    return 1 - Fraction(2 * tail, 2**count)
