"""OTLP over HTTP: bodies of /v1/logs, /v1/metrics and /v1/traces, in JSON and protobuf, into small plain records.

Docs: open-telemetry/opentelemetry-proto `docs/specification`. A record keeps what `Allowed` names and nothing else.
"""

from integrations.otlp.answers import answer, status
from integrations.otlp.body import load_json, media, unpack
from integrations.otlp.from_json import decode_json
from integrations.otlp.from_protobuf import decode_protobuf
from integrations.otlp.records import Allowed, BadBody, Batch, Log, Media, Piece, Point, Record, Signal, Source, Span

__all__ = [
    "Allowed",
    "BadBody",
    "Batch",
    "Log",
    "Media",
    "Piece",
    "Point",
    "Record",
    "Signal",
    "Source",
    "Span",
    "answer",
    "decode",
    "load_json",
    "media",
    "status",
    "unpack",
]


def decode(signal: Signal, media: Media, body: bytes, allowed: Allowed) -> Batch:
    """The records of a plain body. A record that cannot be true is left out and counted; where no record can be told
    from another, BadBody is raised."""
    return (decode_json if media is Media.JSON else decode_protobuf)(signal, body, allowed)
