"""Money as integer micro-USD: made exactly, split exactly, and rounded only where people read it."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from fractions import Fraction
from itertools import pairwise
from math import floor
from typing import TypeVar

MICRO = 1_000_000
DIGITS = 18  # the most digits that always fit a 64-bit database column
GRID = tuple(map(Fraction, ("1", "1.2", "1.5", "2", "2.5", "3", "4", "5", "6", "8", "10")))

Amount = TypeVar("Amount", int, Fraction)


def from_dollars(dollars: Decimal) -> int:
    """Micro-USD of an amount in dollars; half a micro-dollar is rounded away from zero."""
    return _scaled(dollars, 6)


def from_cents(cents: Decimal) -> int:
    """Micro-USD of an amount in cents; half a micro-dollar is rounded away from zero."""
    return _scaled(cents, 4)


def split_equally(micro: int, parts: int) -> list[int]:
    """Shares that add up to the amount: all equal, but the first also has what cannot be shared out.

    A negative amount is split like the positive one, so taking an amount back undoes it share by share.
    """
    if parts < 1:
        raise ValueError("An amount is split into one part or more.")
    share = abs(micro) // parts * (-1 if micro < 0 else 1)
    return [micro - share * (parts - 1)] + [share] * (parts - 1)


def split_by_weight(micro: int, weights: Sequence[int]) -> list[int]:
    """Shares in proportion to the weights (0 or more, not all 0) that add up to the amount.

    Each is rounded down, and what is left goes one by one to those that lost most. A negative amount is split like the
    positive one, so taking an amount back undoes it share by share.
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise ValueError("An amount is split by weights of which none is negative and one is not 0.")
    parts = [divmod(abs(micro) * weight, total) for weight in weights]
    left = abs(micro) - sum(whole for whole, _ in parts)
    first = sorted(range(len(parts)), key=lambda place: (-parts[place][1], place))[:left]
    sign = -1 if micro < 0 else 1
    return [sign * (whole + (place in first)) for place, (whole, _) in enumerate(parts)]


def two_digits(value: Amount) -> Amount:
    """Round to two significant digits, halves away from zero; 0 stays 0 (docs/privacy.md, "Rounding")."""
    if not value:
        return value
    step = Fraction(10) ** (_exponent(Fraction(value)) - 1)
    return type(value)(_half_up(value / step) * step)


def log_grid(value: Amount) -> Amount:
    """The nearest of 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten, by ratio; 0 stays 0.

    An integer gives an integer. (docs/privacy.md, "Rounding")
    """
    if value < 0:
        raise ValueError("The grid has no place for an amount below zero.")
    if not value:
        return value
    unit = Fraction(10) ** _exponent(Fraction(value))
    scaled = value / unit
    below, above = next(step for step in pairwise(GRID) if scaled < step[1])
    return type(value)((above if scaled * scaled >= below * above else below) * unit)


def dollars(micro: int | Fraction) -> str:
    """Text for an amount that is rounded already: "$1,200", "$3.20", "$0.04"; it shows every digit it is given."""
    whole = _half_up(Fraction(micro))
    units, rest = divmod(abs(whole), MICRO)
    digits = f"{rest:06}".rstrip("0").ljust(2, "0")
    return f"{'-' if whole < 0 else ''}${units:,}{f'.{digits}' if rest else ''}"


def cents(micro: int) -> str:
    """Text for an amount on a bill, to the cent: "$1,234.56"."""
    hundredths = _half_up(Fraction(abs(micro), MICRO // 100))
    return f"{'-' if micro < 0 and hundredths else ''}${hundredths // 100:,}.{hundredths % 100:02}"


def rounded_dollars(micro: int | Fraction) -> str:
    """Text for an exact amount, rounded to two significant digits."""
    return dollars(two_digits(Fraction(micro)))


def _scaled(value: Decimal, places: int) -> int:
    """The value times ten to the power of `places`, rounded once; the caller's decimal context plays no part."""
    if not value.is_finite():
        raise ValueError(f"{value} is no amount of money.")
    exact = Context(prec=DIGITS, rounding=ROUND_HALF_UP)
    try:
        return int(value.quantize(Decimal(1).scaleb(-places), context=exact).scaleb(places, context=exact))
    except InvalidOperation:
        raise ValueError(f"{value} is too much money to be true.") from None


def _half_up(value: Fraction) -> int:
    """The nearest integer, halves away from zero."""
    nearest = floor(abs(value) + Fraction(1, 2))
    return -nearest if value < 0 else nearest


def _exponent(value: Fraction) -> int:
    """The power of ten of the first significant digit."""
    size = abs(value)
    guess = len(str(size.numerator)) - len(str(size.denominator))
    return guess if size >= Fraction(10) ** guess else guess - 1
