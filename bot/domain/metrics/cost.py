"""What a merged pull request costs, and how much of the spend is tied to any (docs/method.md, "Cost per merged pull
request", "From request to pull request").

Amounts are integer micro-USD on one basis; ratios are exact. They are bookkeeping, not samples, and carry no interval.
"""

from dataclasses import dataclass
from fractions import Fraction

from bot.domain.metrics.measure import Measure, Reason, ratio

SHOWN_FROM = 3
LEADS_WITH_COST = Fraction(1, 2)
"""The linked share from which on a digest leads with cost; below, it leads with coverage."""


@dataclass(frozen=True, slots=True)
class Links:
    """The micro-USD spent in a block's days, and how much of them was tied to pull requests, by grade."""

    measured: int
    inferred: int
    allocated: int
    spend: int


def cost_per_merged_pr(micro: int, merged: int) -> Measure:
    """What an amount that a block recognised comes to for each of its merged pull requests."""
    return ratio(micro, merged, Reason.NO_MERGED_PRS)


def linked_share(links: Links) -> Measure:
    """Share of the spend that is tied to pull requests at all."""
    return ratio(links.measured + links.inferred + links.allocated, links.spend, Reason.NO_SPEND)


def bound_share(links: Links) -> Measure:
    """Share of the spend whose link was seen rather than allocated. While no link is seen it is undefined, never 0."""
    seen = links.measured + links.inferred
    return ratio(seen, links.spend, Reason.NO_SPEND) if seen else Reason.NO_BINDING_DATA
