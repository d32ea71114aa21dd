"""Blocks as the text that `blocks.content` holds: exact, so that what was frozen comes back as it was.

Fractions are [numerator, denominator], weeks are ISO text. The same block always gives the same text.
"""

import json
from dataclasses import fields
from fractions import Fraction
from typing import Any

from bot.domain.block import Held, HeldReason, Part, PartSum, PublicFacts, Published
from bot.domain.privacy.cards import Card
from bot.domain.weeks import Week

Json = dict[str, Any]
CARD_FRACTIONS = ("median", "lower_quartile", "upper_quartile", "low", "high")


def encode(block: Published | Held) -> str:
    state = "published" if isinstance(block, Published) else "held"
    return json.dumps({"state": state, **_fields(block)}, default=_plain, separators=(",", ":"))


def decode(text: str) -> Published | Held:
    values: Json = json.loads(text)
    state = values.pop("state")
    values |= {"first": Week.parse(values["first"]), "last": Week.parse(values["last"])}
    return _published(values) if state == "published" else _held(values)


def _plain(value: object) -> Any:
    """What JSON has no type for."""
    if isinstance(value, Fraction):
        return [value.numerator, value.denominator]
    if isinstance(value, Week):
        return str(value)
    if isinstance(value, PartSum | PublicFacts | Card):
        return _fields(value)
    raise TypeError(f"A block cannot hold {value!r}.")


def _fields(value: Published | Held | PartSum | PublicFacts | Card) -> Json:
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _published(values: Json) -> Published:
    parts = tuple(PartSum(tuple(map(Part, part["parts"])), part["micro"]) for part in values["parts"])
    card = values["typical"] and _card(values["typical"])
    return Published(**{**values, "parts": parts, "typical": card, "public": _public(values["public"])})


def _held(values: Json) -> Held:
    public = values["public"] and _public(values["public"])
    return Held(**{**values, "reason": HeldReason(values["reason"]), "public": public})


def _card(values: Json) -> Card:
    return Card(**{**values, **{name: Fraction(*values[name]) for name in CARD_FRACTIONS}})


def _public(values: Json) -> PublicFacts:
    hours = values["review_hours"]
    return PublicFacts(**{**values, "review_hours": hours and Fraction(*hours)})
