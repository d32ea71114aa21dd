"""What a merged pull request costs, from the totals of a block (docs/method.md, "Cost per merged pull request").

Totals are integer micro-USD on one basis; ratios are exact. They are bookkeeping, not samples, and carry no interval.
"""

from dataclasses import dataclass
from fractions import Fraction

from bot.domain.metrics.measure import Measure, Reason, ratio

SHOWN_FROM = 3
LEADS_WITH_COST = Fraction(1, 2)
"""The linked share from which on a digest leads with cost; below, it leads with coverage."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What a block recognised, in micro-USD, and its included merged pull requests.

    `loaded` is direct, abandoned and unattributed together. `direct` is None where it may not be told apart.
    `touched` counts the merged pull requests with linked spend, whatever its price.
    """

    loaded: int
    direct: int | None
    merged: int
    touched: int


@dataclass(frozen=True, slots=True)
class Costs:
    """Micro-USD per merged pull request, all in and direct; how many times direct is the whole; share that used AI."""

    loaded: Measure
    direct: Measure
    overhead: Measure
    touched_share: Measure


@dataclass(frozen=True, slots=True)
class Links:
    """The micro-USD spent in a block's days, and how much of them was tied to pull requests, by grade."""

    measured: int
    inferred: int
    allocated: int
    spend: int


def cost_per_merged_pr(totals: Totals) -> Costs:
    return Costs(
        loaded=ratio(totals.loaded, totals.merged, Reason.NO_MERGED_PRS),
        direct=_direct(totals),
        overhead=_overhead(totals),
        touched_share=ratio(totals.touched, totals.merged, Reason.NO_MERGED_PRS),
    )


def shown(cost: Measure, merged: int) -> Measure:
    """A cost per pull request as it may be shown: with one or two pull requests it would be a price tag on people."""
    return Reason.TOO_FEW_PRS if isinstance(cost, Fraction) and merged < SHOWN_FROM else cost


def linked_share(links: Links) -> Measure:
    """Share of the spend that is tied to pull requests at all."""
    return ratio(links.measured + links.inferred + links.allocated, links.spend, Reason.NO_SPEND)


def bound_share(links: Links) -> Measure:
    """Share of the spend whose link was seen rather than allocated."""
    return ratio(links.measured + links.inferred, links.spend, Reason.NO_SPEND)


def _direct(totals: Totals) -> Measure:
    if totals.direct is None:
        return Reason.TOO_FEW_PEOPLE
    return ratio(totals.direct, totals.merged, Reason.NO_MERGED_PRS)


def _overhead(totals: Totals) -> Measure:
    """Loaded by direct, at least 1: how much lands nowhere."""
    if totals.direct is None:
        return Reason.TOO_FEW_PEOPLE
    return ratio(totals.loaded, totals.direct, Reason.NO_SPEND if totals.merged else Reason.NO_MERGED_PRS)
