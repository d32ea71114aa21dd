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
    """The JSON as a model, or None where it is not one; pydantic's own error quotes the JSON, so it goes no further."""
    try:
        return model.model_validate(raw)
    except ValidationError:
        return None


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
