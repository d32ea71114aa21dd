"""OTLP in JSON, by the standard library's own reader. The format is proto3 JSON, except that ids are hex.

Senders write 64-bit integers as text or as numbers; both are exact here. Kinds and fields that nobody knows yet are
passed over.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from integrations.otlp.body import load_json
from integrations.otlp.records import Allowed, BadBody, Batch, Log, Point, Scalar, Signal, Source, Span
from integrations.otlp.reduce import NO_VALUE, Unreadable, Wire, bounded, gather, hex_id, kept, log, nanos, point, whole

FAILED = 2  # a span's status
MALFORMED = "The body is not an OTLP request in JSON."


def decode_json(signal: Signal, body: bytes, allowed: Allowed) -> Batch:
    document = load_json(body, MALFORMED)
    if not isinstance(document, dict):
        raise BadBody(400, MALFORMED)
    return gather(document, WIRES[signal], allowed)


def _children(name: str) -> Callable[[Any], list[Any]]:
    """The objects in a list of an object; a list that is missing or null is empty."""

    def read(parent: Any) -> list[Any]:
        found = parent.get(name)
        children = [] if found is None else found
        if not isinstance(children, list) or not all(isinstance(child, dict) for child in children):
            raise BadBody(400, MALFORMED)
        return children

    return read


def _listed(name: str) -> Callable[[Any], list[Any]]:
    """The members of a list, whatever they are: each is judged by itself."""

    def read(parent: Any) -> list[Any]:
        found = parent.get(name)
        children = [] if found is None else found
        if not isinstance(children, list):
            raise BadBody(400, MALFORMED)
        return children

    return read


def _object(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Unreadable("unreadable")
    return value


def _pairs(owner: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    attributes = owner.get("attributes") or ()
    for pair in bounded(attributes) if isinstance(attributes, list | tuple) else ():
        key = pair.get("key") if isinstance(pair, dict) else None
        if isinstance(key, str):
            yield key, pair.get("value")


def _resource(group: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    resource = group.get("resource")
    return _pairs(resource if isinstance(resource, dict) else {})


def _scope(part: dict[str, Any]) -> str:
    scope = part.get("scope")
    name = scope.get("name") if isinstance(scope, dict) else None
    return name if isinstance(name, str) else ""


def _value(value: Any) -> Scalar | None:
    """A scalar AnyValue; None for an empty one, for lists, maps and bytes, and for what is not what it says."""
    if not isinstance(value, dict):
        return None
    for kind, read in KINDS.items():
        if kind in value:
            return read(value[kind])
    return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _integer(value: Any) -> int | str | None:
    """What is no integer stays text or nothing, and whoever needs a number refuses it."""
    try:
        return whole(value)
    except Unreadable:
        return _text(value)


def _double(value: Any) -> float | str | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        return float(value) if is_number else _text(value)
    except OverflowError:
        return "too large"


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


KINDS: dict[str, Callable[[Any], Scalar | None]] = {
    "stringValue": _text,
    "intValue": _integer,
    "doubleValue": _double,
    "boolValue": _boolean,
}


def _log(raw: Any, source: Source, allowed: Allowed) -> Log | None:
    record = _object(raw)
    times = nanos(record.get("timeUnixNano")), nanos(record.get("observedTimeUnixNano"))
    body = record.get("body")
    names = (body.get("stringValue") if isinstance(body, dict) else None, record.get("eventName"))
    ids = hex_id(record.get("traceId")), hex_id(record.get("spanId"))
    return log(source, allowed, names, times, kept(_pairs(record), _value, allowed), ids)


def _span(raw: Any, source: Source, allowed: Allowed) -> Span | None:
    record = _object(raw)
    attributes, email = kept(_pairs(record), _value, allowed)
    if not attributes:
        return None
    start, end = nanos(record.get("startTimeUnixNano")), nanos(record.get("endTimeUnixNano"))
    trace, span, parent = (hex_id(record.get(name)) for name in ("traceId", "spanId", "parentSpanId"))
    failed = _object(record.get("status")).get("code") == FAILED
    return Span(source, end or start, attributes, email or source.email, trace, span, parent, start, failed)


def _points(part: dict[str, Any]) -> Iterable[Any]:
    """Each point with its metric and what it is in."""
    for metric in _listed("metrics")(part):
        for kind in ("sum", "histogram", "exponentialHistogram"):
            data = metric.get(kind) if isinstance(metric, dict) else None
            if isinstance(data, dict):
                yield from ((metric, kind, data, one) for one in _listed("dataPoints")(data))


def _point(unit: Any, source: Source, allowed: Allowed) -> Point | None:
    metric, kind, data, raw = unit
    name, record = metric.get("name"), _object(raw)
    if not isinstance(name, str) or name not in allowed.metrics or whole(record.get("flags") or 0) & NO_VALUE:
        return None
    return point(
        source,
        name,
        list(_pairs(record)),
        _value,
        allowed,
        number=_number(record, kind),
        temporality=whole(data.get("aggregationTemporality") or 0),
        monotonic=kind != "sum" or data.get("isMonotonic") is True,
        start=nanos(record.get("startTimeUnixNano")),
        at=nanos(record.get("timeUnixNano")),
    )


def _number(record: dict[str, Any], kind: str) -> Any:
    """The value of a point, the sum of a histogram."""
    if kind != "sum":
        return _decimal(record.get("sum", 0))
    return whole(record["asInt"]) if "asInt" in record else _decimal(record.get("asDouble"))


def _decimal(value: Any) -> Any:
    """Proto3 JSON may write a double as text."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return None


WIRES = {
    Signal.LOGS: Wire(
        _children("resourceLogs"), _resource, _children("scopeLogs"), _scope, _listed("logRecords"), _log, _value
    ),
    Signal.TRACES: Wire(
        _children("resourceSpans"), _resource, _children("scopeSpans"), _scope, _listed("spans"), _span, _value
    ),
    Signal.METRICS: Wire(
        _children("resourceMetrics"), _resource, _children("scopeMetrics"), _scope, _points, _point, _value
    ),
}
