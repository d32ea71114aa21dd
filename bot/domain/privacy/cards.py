"""Cards: what is usual, as median and quartiles that no single pull request can be read from.

A card needs enough pull requests by enough people, and gives no lowest or highest value (docs/privacy.md, "Cards").
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction

from bot.domain.metrics.median import median, quartiles, shown_interval
from bot.domain.money import log_grid
from bot.domain.privacy.gate import Rule, passes

LEAST_PULLS = 8


@dataclass(frozen=True, slots=True)
class Card:
    """What is usual, in the unit of the values and on the coarse grid that readers see.

    `low` and `high` are the ends of the median's interval, whose coverage is at least `percent`.
    """

    median: Fraction
    lower_quartile: Fraction
    upper_quartile: Fraction
    low: Fraction
    high: Fraction
    percent: int


def card(values: Collection[tuple[str, int]], rule: Rule) -> Card | None:
    """The card of these (author, value) pairs, or None where they are too few or too much one person's.

    One pair is one pull request that used AI and whose value, micro-USD or a count, its author has not made public.
    """
    amounts = [value for _, value in values]
    middle, interval = median(amounts), shown_interval(amounts)
    enough = len(amounts) >= LEAST_PULLS and passes(Counter(author for author, _ in values), rule, {})
    if not enough or middle is None or interval is None:
        return None
    lower, upper = quartiles(amounts)
    return Card(
        median=log_grid(middle),
        lower_quartile=log_grid(lower),
        upper_quartile=log_grid(upper),
        low=log_grid(interval.low),
        high=log_grid(interval.high),
        percent=interval.percent,
    )
