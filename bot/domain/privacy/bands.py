"""Bands: shares and head counts told so roughly that they describe nobody (docs/privacy.md, "Bands").

Nothing and everything look like their neighbours, since 0 % and 100 % would describe each person.
"""

from bisect import bisect_right
from enum import StrEnum
from fractions import Fraction

PEOPLE = {5: "5-9", 10: "10-19", 20: "20-49", 50: "50+"}
ADOPTION = {Fraction(0): "under 25%", Fraction(1, 4): "25-49%", Fraction(1, 2): "50-74%", Fraction(3, 4): "75% or more"}
FEW = 4


class ShareBand(StrEnum):
    UNDER_50 = "under 50 %"
    FROM_50_TO_75 = "50 to 75 %"
    OVER_75 = "over 75 %"


def participation_band(people: int) -> str | None:
    """How many people take part, roughly; None below five."""
    reached = bisect_right(list(PEOPLE), people)
    return list(PEOPLE.values())[reached - 1] if reached else None


def adoption_band(share: Fraction) -> str:
    """A share of people or pull requests, from 0 to 1, down to the quarter below."""
    return list(ADOPTION.values())[bisect_right(list(ADOPTION), share) - 1]


def share_band(share: Fraction) -> ShareBand:
    """A share of money, from 0 to 1."""
    if share < Fraction(1, 2):
        return ShareBand.UNDER_50
    return ShareBand.OVER_75 if share > Fraction(3, 4) else ShareBand.FROM_50_TO_75


def coverage_band(joined: int, people: int) -> ShareBand | None:
    """How much of a team has joined; None while one to four have not, since it would be about them."""
    if not people or 1 <= people - joined <= FEW:
        return None
    return share_band(Fraction(joined, people))
