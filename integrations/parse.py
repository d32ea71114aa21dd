"""Foreign JSON at the border: numbers that can be true, models or nothing, money rounded once."""

from collections.abc import Callable
from decimal import ROUND_DOWN, Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from bot.domain.money import from_cents, from_dollars

MOST_TOKENS = 10**12  # of one row
MOST_DOLLARS = 10**9  # of one row

Model = TypeVar("Model", bound=BaseModel)


def _whole(value: Any) -> Any:
    """The integer, where a whole number is written with a point; anything else is left to be refused."""
    within = isinstance(value, Decimal) and value.is_finite() and Decimal(0) <= value and value.adjusted() < 13
    return int(value) if within and value == value.to_integral_value() else value


# Strict: turning the fraction 1e999999999 into an integer would take for ever.
Number = Annotated[int, Field(strict=True, ge=0, le=MOST_TOKENS)]
"""A counter: a whole number from 0 to MOST_TOKENS."""
Whole = Annotated[Number, BeforeValidator(_whole)]
"""A counter that some write with a point, like 41.0."""
Count = Annotated[Number, BeforeValidator(lambda value: 0 if value is None else value)]
"""A counter that may be null, which is 0. For counters whose absence means unknown, write `Number | None`."""
Dollars = Annotated[Decimal, Field(ge=0, le=MOST_DOLLARS, allow_inf_nan=False)]
"""An amount in dollars, as a number or as text."""
Cents = Annotated[Decimal, Field(ge=0, le=MOST_DOLLARS * 100, allow_inf_nan=False)]
"""An amount in cents, as a number or as text."""


def parsed(model: type[Model], raw: Any) -> Model | None:
    """The JSON as a model, or None where it is not one; pydantic's own error quotes the JSON, so it goes no further.

    Its text can be stored: JSON may hold NULs and halves of characters, which databases refuse.
    """
    try:
        found: Model = _storable(model.model_validate(raw))
    except ValidationError:
        return None
    return found


def _storable(value: Any) -> Any:
    """The same with bad text written out as escapes, so that names that differ go on to differ. What a part holds as
    raw JSON is left for its own reading."""
    if isinstance(value, str):
        plain = value.isascii() and "\0" not in value
        return value if plain else value.encode(errors="backslashreplace").decode().replace("\0", r"\x00")
    if isinstance(value, list):
        return _unless_same(value, [_unless_raw(part) for part in value])
    if isinstance(value, dict):
        return _unless_same(value, {_unless_raw(name): _unless_raw(part) for name, part in value.items()})
    if isinstance(value, BaseModel):
        clean = {name: fit for name, part in value.__dict__.items() if (fit := _storable(part)) is not part}
        return value.model_copy(update=clean) if clean else value
    return value


def _unless_raw(part: Any) -> Any:
    return _storable(part) if isinstance(part, str | BaseModel) else part


def _unless_same(old: Any, new: Any) -> Any:
    """Copies of models cost, and nearly all text is good."""
    return old if new == old else new


def cents_micro(cents: Decimal | None) -> int | None:
    """Micro-USD of a row. Rounded down, so that rows never add up to more than their sum, whatever the other rows."""
    return _rounded_down(cents, from_cents, Decimal("0.0001"))


def dollars_micro(dollars: Decimal | None) -> int | None:
    """The same for an amount in dollars."""
    return _rounded_down(dollars, from_dollars, Decimal("0.000001"))


def _rounded_down(amount: Decimal | None, micro: Callable[[Decimal], int], step: Decimal) -> int | None:
    return None if amount is None else micro(amount.quantize(step, ROUND_DOWN))


def lower_email(address: str | None) -> str | None:
    return address.strip().lower() or None if address else None
