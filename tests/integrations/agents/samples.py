"""The captured bodies, in either encoding, and what is read of them.

Bodies are re-encoded by protobuf's own library, so that our two decoders are held against something that is not ours.
"""

import base64
import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bot.domain.agents import AgentRequest, Happening, Telemetry
from bot.domain.model import Tokens
from integrations.agents import ALLOWED, Told, read
from integrations.otlp import Allowed, Batch, Media, Signal, decode, unpack

FOLDER = Path(__file__).parents[2] / "samples" / "otlp"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())
FILES = sorted(path.name for path in FOLDER.iterdir() if path.name not in ("README.md", "expected.json"))
LIMIT = 4 << 20
MESSAGES: dict[Signal, Any] = {
    Signal.LOGS: ExportLogsServiceRequest,
    Signal.METRICS: ExportMetricsServiceRequest,
    Signal.TRACES: ExportTraceServiceRequest,
}
IDS = ("traceId", "spanId", "parentSpanId")


@dataclass(frozen=True)
class Sent:
    """A body as it is sent."""

    signal: Signal
    media: Media
    body: bytes
    encoding: str | None = None

    def batch(self, allowed: Allowed = ALLOWED) -> Batch:
        return decode(self.signal, self.media, unpack(self.body, self.encoding, LIMIT), allowed)


def sample(name: str) -> Sent:
    signal = next(signal for signal in Signal if f".{signal}." in name)
    media = Media.PROTOBUF if ".pb" in name else Media.JSON
    return Sent(signal, media, (FOLDER / name).read_bytes(), "gzip" if name.endswith(".gz") else None)


def document(name: str) -> Any:
    """A sample as JSON."""
    return json.loads(to_json(sample(name)).body)


def sent(signal: Signal, request: Any) -> Sent:
    return Sent(signal, Media.JSON, json.dumps(request).encode())


def to_json(given: Sent) -> Sent:
    """As another sender would write it: integers as text, upper-case ids."""
    if given.media is Media.JSON:
        return given
    message = MESSAGES[given.signal].FromString(unpack(given.body, given.encoding, LIMIT))
    written = json_format.MessageToDict(message, use_integers_for_enums=True)
    return sent(given.signal, _with_ids(written, lambda id: base64.b64decode(id).hex().upper()))


def to_protobuf(given: Sent) -> Sent:
    if given.media is Media.PROTOBUF:
        return given
    plain = _with_ids(json.loads(given.body), lambda id: base64.b64encode(bytes.fromhex(id)).decode())
    message = json_format.ParseDict(plain, MESSAGES[given.signal](), ignore_unknown_fields=True)
    return Sent(given.signal, Media.PROTOBUF, message.SerializeToString())


def zipped(given: Sent) -> Sent:
    plain = unpack(given.body, given.encoding, LIMIT)
    return Sent(given.signal, given.media, gzip.compress(plain), "gzip")


def told_by(*names: str) -> Told:
    """What these samples tell, as one person's."""
    records = [record for name in names for record in sample(name).batch().records]
    (told,), _ = read(records)
    return told


def total(requests: tuple[AgentRequest, ...]) -> Tokens:
    return sum((request.tokens for request in requests), Tokens())


def counted(told: Told) -> Counter[Happening]:
    return Counter(event.happening for event in told.telemetry.events)


def attributes(value: Any) -> Iterator[tuple[str, Any]]:
    """Every attribute anywhere in a document: its name and AnyValue."""
    if isinstance(value, dict):
        if isinstance(value.get("key"), str):
            yield value["key"], value.get("value")
        for inner in value.values():
            yield from attributes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from attributes(inner)


def texts(value: Any) -> Iterator[str]:
    """Every text in an AnyValue, however deep."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(inner)


def _with_ids(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, list):
        return [_with_ids(inner, change) for inner in value]
    if isinstance(value, dict):
        return {
            key: change(inner) if key in IDS and isinstance(inner, str) else _with_ids(inner, change)
            for key, inner in value.items()
        }
    return value


# --- bodies made by hand ----------------------------------------------------------------------------------------------


def any_value(value: Any) -> dict[str, Any]:
    kind = {str: "stringValue", bool: "boolValue", int: "intValue", float: "doubleValue"}[type(value)]
    return {kind: value}


def pairs(given: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": any_value(value)} for key, value in given.items()]


def logs(service: str, *events: dict[str, Any], **more: Any) -> Sent:
    """Log records with these attributes, a second apart; `more` are attributes of the resource."""
    at = 1_795_313_234_000_000_000  # 2026-11-22T02:07:14Z
    records = [
        {"timeUnixNano": str(at + place * 10**9), "attributes": pairs(event)} for place, event in enumerate(events)
    ]
    resource = {"attributes": pairs({"service.name": service} | more)}
    return sent(Signal.LOGS, {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": records}]}]})


def spans(service: str, *given: dict[str, Any], **more: Any) -> Sent:
    """Spans of one trace with these attributes; `parent` and `failed` are no attributes."""
    at = 1_795_313_234_000_000_000
    found = []
    for place, one in enumerate(given):
        own = {key: value for key, value in one.items() if key not in ("parent", "failed")}
        found.append(
            {
                "traceId": "ab" * 16,
                "spanId": f"{place + 1:016x}",
                "parentSpanId": one.get("parent", "00000000000000aa"),
                "startTimeUnixNano": str(at),
                "endTimeUnixNano": str(at + place * 10**9),
                "status": {"code": 2 if one.get("failed") else 0},
                "attributes": pairs(own),
            }
        )
    resource = {"attributes": pairs({"service.name": service} | more)}
    return sent(Signal.TRACES, {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": found}]}]})


def told(given: Sent) -> tuple[Told, dict[str, int]]:
    """What one body tells of one person, and what was refused."""
    batch = given.batch()
    people, refused = read(batch.records)
    return (people[0] if people else Told(Telemetry())), dict(refused + batch.rejected)
