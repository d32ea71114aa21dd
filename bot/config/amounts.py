"""Amounts in `leverage.toml`: US dollars and shares of one, checked; and how a message quotes a value."""

import json
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, InstanceOf

from bot.domain.money import from_dollars
from bot.log import mask

SHOWN = 40


def shown(value: Any) -> str:
    """A value as a message may quote it: short, on one line, and without secrets."""
    match value:
        case str():
            return json.dumps(
                _cut("".join(sign if sign.isprintable() else "�" for sign in mask(value))), ensure_ascii=False
            )
        case bool():
            return str(value).lower()
        case int() | float() | Decimal():
            return _cut(str(Decimal(value)))
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return "a date or time"


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


MOST_DOLLARS = 1_000_000
"""Of a price, a seat or a month: more is a slip of the pen, and could not be added up."""


def _micro(value: Any) -> int:
    """Micro-USD of an amount above zero."""
    micro = _dollars(value)
    if not micro:
        raise ValueError(f"{shown(value)} is no amount; write US dollars as a number above 0, like 4000 or 0.5")
    return micro


def _micro_or_nothing(value: Any) -> int:
    """Micro-USD of an amount that may be nothing."""
    micro = _dollars(value)
    if micro is None:
        raise ValueError(f"{shown(value)} is no amount; write US dollars as a number from 0 on, like 0.5")
    return micro


def _dollars(value: Any) -> int | None:
    """Micro-USD, from 0 on; None for what is none. Raises ValueError for too much."""
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        return None
    try:
        micro = from_dollars(Decimal(value))
    except ValueError:
        return None
    if micro > from_dollars(Decimal(MOST_DOLLARS)):
        raise ValueError(f"{shown(value)} is too much; write an amount of up to {MOST_DOLLARS} US dollars")
    return micro if micro >= 0 else None


def _share(value: Any) -> Fraction:
    """A share of one, above 0 and below 1."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and 0 < value < 1:
        return Fraction(value)
    raise ValueError(f"{shown(value)} is no discount; write a share above 0 and below 1, like 0.15 for 15 %")


Amount = Annotated[int, BeforeValidator(_micro)]
CachePrice = Annotated[int, BeforeValidator(_micro_or_nothing)]
Discount = Annotated[InstanceOf[Fraction], BeforeValidator(_share)]
