"""From either encoding to records: what is kept, and what cannot be true."""

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.series import Temporality
from integrations.otlp.records import EMAIL, Allowed, BadBody, Batch, Log, Point, Scalar, Source, Span
from integrations.parse import lower_email

MOST_RECORDS = 10_000
MOST_TEXT = 1_024
MOST_ATTRIBUTES = 128  # where OpenTelemetry's own senders stop
NEVER = frozenset(
    {
        *("prompt", "response", "arguments", "output", "tool_parameters", "tool_input", "response_text"),
        *("request_text", "function_args", "process.command_args", "process.command", "process.owner"),
        *("host.name", "error", "error.message", EMAIL, "user.account_uuid", "user.account_id", "user.id"),
        "installation.id",
    }
)
"""Attributes that are content or a person: in no series' name either."""
NO_TEXT = re.compile("[\ud800-\udfff]")  # halves of a pair, alone
IDS = re.compile(r"[0-9a-f]{16}([0-9a-f]{16})?")
NO_VALUE = 1  # the flag of a point that says that there is none
TEMPORALITIES = {1: Temporality.DELTA, 2: Temporality.CUMULATIVE}

Pairs = Iterable[tuple[str, Any]]
Reads = Callable[[Any], Scalar | None]
Kept = tuple[dict[str, Scalar], str | None]


class Unreadable(ValueError):
    """One record that cannot be true; the message is the reason it is counted under."""


@dataclass(frozen=True, slots=True)
class Wire:
    """How one signal is read in one encoding: its three levels, and a record of the lowest."""

    groups: Callable[[Any], Iterable[Any]]
    resource: Callable[[Any], Pairs]
    parts: Callable[[Any], Iterable[Any]]
    scope: Callable[[Any], str]
    units: Callable[[Any], Iterable[Any]]
    make: Callable[[Any, Source, Allowed], Log | Span | Point | None]
    value: Reads


def gather(body: Any, wire: Wire, allowed: Allowed) -> Batch:
    """Every record of a decoded body, reduced to what is allowed."""
    records: list[Log | Span | Point] = []
    rejected: Counter[str] = Counter()
    seen = 0
    for group in wire.groups(body):
        for part in wire.parts(group):
            source = _source(wire, group, part, allowed)
            for unit in wire.units(part):
                seen += 1
                if seen > MOST_RECORDS:
                    raise BadBody(413, f"More than {MOST_RECORDS} records in one body: send smaller batches.")
                try:
                    record = wire.make(unit, source, allowed)
                except Unreadable as unreadable:
                    rejected[str(unreadable)] += 1
                    continue
                if record is not None:
                    records.append(record)
    return Batch(tuple(records), rejected)


def kept(pairs: Pairs, value: Reads, allowed: Allowed) -> Kept:
    """The allowed attributes, and the address of the person apart from them. Of two with one name the last counts."""
    found: dict[str, Scalar] = {}
    email: str | None = None
    for key, raw in pairs:
        if key in allowed.attributes:
            _put(found, key, value(raw))
        elif key in allowed.pieces:
            piece, whole = allowed.pieces[key], value(raw)
            _put(found, piece.name, piece.take(whole) if isinstance(whole, str) else None)
        elif key == EMAIL:
            email = _address(value(raw))
    return found, email


def log(
    source: Source, allowed: Allowed, names: tuple[Any, ...], times: tuple[int, int], of: Kept, ids: tuple[str, str]
) -> Log | None:
    """A log record, or None where it is no event that anybody reads. It may carry its name in three places."""
    attributes, email = of
    candidates = (*names, attributes.get("event.name"))
    name = next((one for one in candidates if isinstance(one, str) and one in allowed.events), None)
    if name is None:
        return None
    at = next((time for time in times if time), 0) or _written(attributes.get("event.timestamp"))
    return Log(source, at, attributes, email or source.email, name, *ids)


def point(source: Source, name: str, pairs: list[tuple[str, Any]], value: Reads, allowed: Allowed, **of: Any) -> Point:
    """A point of a counter. Raises Unreadable where it cannot be added up."""
    number, temporality = of["number"], TEMPORALITIES.get(of["temporality"])
    if temporality is None or not of["monotonic"]:
        raise Unreadable("no_counter")
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number < math.inf:
        raise Unreadable("bad_value")
    attributes, email = kept(pairs, value, allowed)
    series = _name((source.identity, name, _scalars(pairs, value)))
    address = email or source.email
    return Point(source, of["at"], attributes, address, name, series, temporality, of["start"], number)


def bounded(attributes: Any) -> Any:
    """The attributes of a record or resource. Raises Unreadable for more than any sender has."""
    if len(attributes) > MOST_ATTRIBUTES:
        raise Unreadable("too_many_attributes")
    return attributes


def nanos(value: Any) -> int:
    """A time on the wire. Raises Unreadable."""
    number = whole(value or 0)
    if not 0 <= number < 2**63:
        raise Unreadable("bad_time")
    return number


def whole(value: Any) -> int:
    """An integer, as JSON's senders write it: a number or text. Raises Unreadable."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,20}", value, re.ASCII):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Unreadable("unreadable")


def hex_id(text: Any) -> str:
    """A trace or span id in lower case; empty where it is none."""
    lower = text.lower() if isinstance(text, str) else ""
    return lower if IDS.fullmatch(lower) and lower.strip("0") else ""


def _source(wire: Wire, group: Any, part: Any, allowed: Allowed) -> Source:
    try:
        pairs, scope = list(wire.resource(group)), wire.scope(part)
    except Unreadable:
        raise BadBody(400, f"A resource has more than {MOST_ATTRIBUTES} attributes.") from None
    attributes, email = kept(pairs, wire.value, allowed)
    identity = _name((_scalars(pairs, wire.value), scope))
    return Source(attributes, scope if scope in allowed.scopes else "", identity, email)


def _put(found: dict[str, Scalar], key: str, value: Scalar | None) -> None:
    tidy = _clean(value) if isinstance(value, str) else value
    if tidy is not None:
        found[key] = tidy


def _clean(text: str) -> str | None:
    """Text that can be stored, cut to size; None for what is no text."""
    short = text[:MOST_TEXT]
    is_text = "\0" not in short and (short.isascii() or not NO_TEXT.search(short))
    return short if is_text else None


def _scalars(pairs: Pairs, value: Reads) -> list[tuple[str, Scalar | None]]:
    found = {key: value(raw) for key, raw in pairs if key not in NEVER}
    return sorted((item for item in found.items() if item[1] is not None), key=lambda item: item[0])


def _name(told: Any) -> str:
    """An opaque name. Lone halves of surrogate pairs are written as escapes, so nothing can fail here."""
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]


def _address(value: Scalar | None) -> str | None:
    email = lower_email(_clean(value)) if isinstance(value, str) else None
    return email if email and "@" in email and len(email) <= 254 else None


def _written(value: Scalar | None) -> int:
    """Nanoseconds of a time as text. Raises Unreadable where there is none, or one without a zone."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise Unreadable("bad_time") from None
    if moment.tzinfo is None or not 1971 <= moment.year < 2200:
        raise Unreadable("bad_time")
    return int(moment.replace(microsecond=0).timestamp()) * 10**9 + moment.microsecond * 1000
