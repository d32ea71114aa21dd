"""What the dialects share: times, ids, counters and keys, out of decoded records."""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator

from bot.domain.agents import AgentEvent, AgentRequest, Evidence, Happening, Origin, request_key
from bot.domain.model import Tokens
from bot.domain.money import from_dollars
from bot.domain.series import Meter, Reading
from integrations.otlp import Log, Point, Record, Span
from integrations.parse import MOST_DOLLARS, MOST_TOKENS, Model, Number, parsed

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NAME = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
UNKNOWN = "unknown"
"""The model of a request that names none: it has no price."""
NANO = Decimal(10**9)

Fact = AgentRequest | AgentEvent | Evidence | Reading


class Refused(ValueError):
    """A record that cannot be true; the message is the reason it is counted under."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What spans of one trace know of each other, as far as they came together: some carry no id of their session."""

    session: str | None = None
    turn: str | None = None


Traces = Mapping[str, Trace]


def _number(value: Any) -> Any:
    """The integer, where a sender writes it as text or as a double; anything else is left to be refused."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,13}", value, re.ASCII):
        return int(value)
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    return value


Counted = Annotated[Number, BeforeValidator(_number)]
"""A counter of a record: an integer, or one as text or with a point."""


def names_of(*models: type[BaseModel]) -> frozenset[str]:
    """The attributes that these models read."""
    return frozenset(field.alias or name for model in models for name, field in model.model_fields.items())


def named(record: Record, *names: str) -> str | None:
    """The first of these attributes that is there, as an id or a name. Raises Refused for what is neither."""
    for name in names:
        value = record.get(name)
        if value is not None and value != "":
            text = str(value)
            if not NAME.fullmatch(text):
                raise Refused("bad_name")
            return text
    return None


def session_of(record: Record, *names: str) -> str:
    found = named(record, *names)
    if found is None:
        raise Refused("no_session")
    return found


def usage_of(model: type[Model], record: Record) -> Model:
    """The counters of a record. Raises Refused where one cannot be true."""
    usage = parsed(model, record.attributes)
    if usage is None:
        raise Refused("bad_usage")
    return usage


def moment(nanos: int) -> datetime:
    return EPOCH + timedelta(microseconds=nanos // 1_000)


def flag(value: Any) -> bool | None:
    """A boolean, which some versions write as text."""
    texts = {"true": True, "false": False}
    return value if isinstance(value, bool) else texts.get(value.lower()) if isinstance(value, str) else None


def key_of(agent: str, *parts: Any) -> str:
    """A key of something that has no id of its own: the same however often and in whatever form it is sent."""
    return request_key(agent, json.dumps(parts))


def tool_name(agent: str, name: str | None) -> str | None:
    """A tool as a fingerprint: a company's own tools have names that are nobody else's business."""
    return None if name is None else hashlib.sha256(f"{agent}:tool:{name}".encode()).hexdigest()[:16]


def outcome(is_ok: bool | None) -> Happening:
    """How a tool ended. Raises Refused where that is not said."""
    if is_ok is None:
        raise Refused("no_outcome")
    return Happening.TOOL_OK if is_ok else Happening.TOOL_FAILED


def happened(record: Log | Span, agent: str, session: str, happening: Happening, key: str, **more: Any) -> AgentEvent:
    return AgentEvent(agent, session, key, moment(record.at), happening, **more)


def print_of(record: Log, session: str, *more: Any) -> tuple[Any, ...]:
    """What tells a record without an id apart: its session, name, moment and place in a trace."""
    return (session, record.name, record.at, record.trace, record.span, *more)


def apart(given: int, read: int, written: int, output: int, reasoning: int | None) -> Tokens:
    """Disjoint kinds, from counters in which the input holds what was cached and the output what was reasoned. Raises
    Refused where a part is more than the whole."""
    fresh, answer = given - read - written, output - (reasoning or 0)
    if fresh < 0 or answer < 0:
        raise Refused("bad_usage")
    return Tokens(fresh=fresh, cache_write_5m=written, cache_read=read, output=answer, reasoning=reasoning)


def micro(dollars: Any) -> int | None:
    """Micro-dollars of an amount as a number or as text. Raises Refused for one that cannot be true."""
    amount = _dollars(dollars)
    return None if amount is None else from_dollars(amount)


def reading(
    point: Point, agent: str, session: str | None, meter: Meter, model: str | None, origin: Origin = Origin.MAIN
) -> Reading:
    """A point of a counter of tokens or dollars. Raises Refused for one that cannot be true."""
    value = _nano(point.value) if meter is Meter.COST else _number(point.value)
    if not isinstance(value, int) or (meter is not Meter.COST and value > MOST_TOKENS):
        raise Refused("bad_value")
    return Reading(
        agent=agent,
        session=session,
        model=model or UNKNOWN,
        origin=origin,
        meter=meter,
        series=point.series,
        temporality=point.temporality,
        start=point.start,
        at=point.at,
        value=value,
    )


def traces_of(records: Iterable[Record], session: str, turn: str) -> dict[str, Trace]:
    """By trace id. `session` and `turn` are the attributes that tell them."""
    found: dict[str, Trace] = {}
    for record in records:
        if isinstance(record, Span) and record.trace:
            known = found.get(record.trace, Trace())
            found[record.trace] = Trace(_text(record, session) or known.session, _text(record, turn) or known.turn)
    return found


def _text(record: Record, name: str) -> str | None:
    value = record.attributes.get(name)
    return value if isinstance(value, str) and NAME.fullmatch(value) else None


def _dollars(value: Any) -> Decimal | None:
    if value is None:
        return None
    try:
        amount = Decimal(str(value))
    except ArithmeticError:
        raise Refused("bad_cost") from None
    if isinstance(value, bool) or not amount.is_finite() or not 0 <= amount <= MOST_DOLLARS:
        raise Refused("bad_cost")
    return amount


def _nano(value: int | float) -> int:
    amount = _dollars(value) or Decimal(0)
    return int((amount * NANO).to_integral_value())
