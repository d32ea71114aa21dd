"""Every dollar once: a gateway on the company's own keys tells of traffic that the provider behind it bills as well.

The provider's bill is the truth. What a gateway tells is a finer view of the part of that bill that nothing else
explains; it never adds to it. All amounts are of one account family (a provider and the gateways before it) on one UTC
day.
"""

from collections.abc import Mapping, Sequence


def fit(bill: int, explained: int, gateways: Mapping[str, int]) -> dict[str, int]:
    """How much of each gateway's total counts, micro-USD: all of it, or, where the totals are more than the bill leaves
    unexplained, shares of that rest in proportion."""
    room = max(0, bill - explained)
    total = sum(gateways.values())
    if total <= room:
        return dict(gateways)
    names = sorted(gateways)
    return dict(zip(names, in_proportion([gateways[name] for name in names], room), strict=True))


def in_proportion(amounts: Sequence[int], to: int) -> list[int]:
    """The amounts scaled so that they come to `to`: rounded down, and what is left over given out by the largest
    fraction, the first of equals first. All zero stays zero."""
    whole = sum(amounts)
    if not whole:
        return [0] * len(amounts)
    shares = [divmod(amount * to, whole) for amount in amounts]
    left = to - sum(share for share, _ in shares)
    by_fraction = sorted(range(len(amounts)), key=lambda place: (-shares[place][1], place))
    lucky = set(by_fraction[:left])
    return [share + (place in lucky) for place, (share, _) in enumerate(shares)]


def scaled(amount: int, of: int, to: int) -> int:
    """A part of a total `of` that now comes to `to`; rounded down, so that parts never come to more."""
    return amount if of == to else amount * to // of if of else 0
