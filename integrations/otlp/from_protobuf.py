"""OTLP in protobuf, by `opentelemetry-proto`, which is imported when the first such body arrives.

Before the library unpacks a body its records are counted: an empty one takes two bytes on the wire and a hundred and
forty in memory.
"""

from collections.abc import Iterable, Iterator
from importlib import import_module
from itertools import islice
from operator import attrgetter
from typing import Any

from integrations.otlp.records import Allowed, BadBody, Batch, Log, Point, Scalar, Signal, Source, Span
from integrations.otlp.reduce import MOST_RECORDS, NO_VALUE, Wire, bounded, gather, hex_id, kept, log, nanos, point

MESSAGES = {
    Signal.LOGS: ("logs.v1.logs_service_pb2", "ExportLogsServiceRequest"),
    Signal.METRICS: ("metrics.v1.metrics_service_pb2", "ExportMetricsServiceRequest"),
    Signal.TRACES: ("trace.v1.trace_service_pb2", "ExportTraceServiceRequest"),
}
FAILED = 2  # a span's status
RECORDS = (frozenset({1}), frozenset({2}), frozenset({2}))
POINTS = (*RECORDS, frozenset({5, 7, 9, 10, 11}), frozenset({1}))
"""The fields that lead from a request to its records, and from there to the points of a metric."""
FIXED = {1: 8, 5: 4}  # bytes of the wire types that have no length
LENGTH, VARINT = 2, 0
SCALARS = frozenset({"string_value", "int_value", "double_value", "bool_value"})
MALFORMED = "The body is not an OTLP request in protobuf."


def decode_protobuf(signal: Signal, body: bytes, allowed: Allowed) -> Batch:
    _bound(body, POINTS if signal is Signal.METRICS else RECORDS)
    module, name = MESSAGES[signal]
    # Late, as it takes 7 MB that a server without such senders does not need; by name, as protobuf has no types.
    message = getattr(import_module(f"opentelemetry.proto.collector.{module}"), name)
    unreadable = import_module("google.protobuf.message").DecodeError
    try:
        request = message.FromString(body)
    except unreadable:
        raise BadBody(400, MALFORMED) from None
    return gather(request, WIRES[signal], allowed)


def _bound(body: bytes, levels: tuple[frozenset[int], ...]) -> None:
    """Refuse a body with too many parts at any level, without unpacking it."""
    pieces = [memoryview(body)]
    for wanted in levels:
        found = (content for piece in pieces for number, content in _fields(piece) if number in wanted)
        pieces = list(islice(found, MOST_RECORDS + 1))
        if len(pieces) > MOST_RECORDS:
            raise BadBody(413, f"More than {MOST_RECORDS} records in one body: send smaller batches.")


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The number and content of each field that has a length."""
    place, end = 0, len(data)
    while place < end:
        tag, place = _varint(data, place)
        kind = tag & 7
        if kind == LENGTH:
            size, place = _varint(data, place)
            yield tag >> 3, data[place : place + size]
            place += size
        elif kind == VARINT:
            _, place = _varint(data, place)
        elif kind in FIXED:
            place += FIXED[kind]
        else:
            raise BadBody(400, MALFORMED)
    if place > end:
        raise BadBody(400, MALFORMED)


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    """A number, and where it ends."""
    number = 0
    for shift in range(0, 70, 7):
        if place >= len(data):
            break
        byte = data[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place
    raise BadBody(400, MALFORMED)


def _pairs(owner: Any) -> Iterator[tuple[str, Any]]:
    return ((pair.key, pair.value) for pair in bounded(owner.attributes))


def _resource(group: Any) -> Iterator[tuple[str, Any]]:
    return _pairs(group.resource)


def _scope(part: Any) -> str:
    return str(part.scope.name)


def _value(value: Any) -> Scalar | None:
    """A scalar AnyValue; None for an empty one, and for lists, maps and bytes."""
    kind = value.WhichOneof("value")
    found: Scalar | None = getattr(value, kind) if kind in SCALARS else None
    return found


def _log(record: Any, source: Source, allowed: Allowed) -> Log | None:
    times = nanos(record.time_unix_nano), nanos(record.observed_time_unix_nano)
    names = (record.body.string_value, record.event_name)
    ids = hex_id(record.trace_id.hex()), hex_id(record.span_id.hex())
    return log(source, allowed, names, times, kept(_pairs(record), _value, allowed), ids)


def _span(record: Any, source: Source, allowed: Allowed) -> Span | None:
    attributes, email = kept(_pairs(record), _value, allowed)
    if not attributes:
        return None
    start, end = nanos(record.start_time_unix_nano), nanos(record.end_time_unix_nano)
    trace, span, parent = (hex_id(id.hex()) for id in (record.trace_id, record.span_id, record.parent_span_id))
    failed = record.status.code == FAILED
    return Span(source, end or start, attributes, email or source.email, trace, span, parent, start, failed)


def _points(part: Any) -> Iterable[Any]:
    """Each point with its metric and what it is in."""
    for metric in part.metrics:
        kind = metric.WhichOneof("data")
        if kind in ("sum", "histogram", "exponential_histogram"):
            data = getattr(metric, kind)
            yield from ((metric, kind, data, one) for one in data.data_points)


def _point(unit: Any, source: Source, allowed: Allowed) -> Point | None:
    metric, kind, data, record = unit
    if metric.name not in allowed.metrics or record.flags & NO_VALUE:
        return None
    return point(
        source,
        metric.name,
        list(_pairs(record)),
        _value,
        allowed,
        number=_number(record) if kind == "sum" else record.sum,
        temporality=data.aggregation_temporality,
        monotonic=kind != "sum" or data.is_monotonic,
        start=nanos(record.start_time_unix_nano),
        at=nanos(record.time_unix_nano),
    )


def _number(record: Any) -> int | float | None:
    kind = record.WhichOneof("value")
    found: int | float | None = getattr(record, kind) if kind else None
    return found


WIRES = {
    Signal.LOGS: Wire(
        attrgetter("resource_logs"),
        _resource,
        attrgetter("scope_logs"),
        _scope,
        attrgetter("log_records"),
        _log,
        _value,
    ),
    Signal.TRACES: Wire(
        attrgetter("resource_spans"), _resource, attrgetter("scope_spans"), _scope, attrgetter("spans"), _span, _value
    ),
    Signal.METRICS: Wire(
        attrgetter("resource_metrics"), _resource, attrgetter("scope_metrics"), _scope, _points, _point, _value
    ),
}
