"""A measure: an exact number, or the reason why there is none. An undefined number is never 0."""

from enum import StrEnum
from fractions import Fraction


class Reason(StrEnum):
    """Why a number is undefined. `TOO_FEW_PEOPLE` is for our eyes: readers are told "held" and nothing else."""

    NO_MERGED_PRS = "no_merged_prs"
    NO_SPEND = "no_spend"
    TOO_FEW_PRS = "too_few_prs"
    TOO_FEW_PEOPLE = "too_few_people"
    NO_BINDING_DATA = "no_binding_data"


Measure = Fraction | Reason


def ratio(part: int, whole: int, undefined: Reason) -> Measure:
    """Part by whole, exactly; the reason if there is no whole."""
    return Fraction(part, whole) if whole else undefined


def defined(measure: Measure) -> Fraction | None:
    """The number, or None where there is none."""
    return None if isinstance(measure, Reason) else measure
