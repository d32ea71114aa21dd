"""What an OTLP client is answered, in the encoding it used.

All of these messages have a number in field 1 and a text in field 2, so their protobuf is written here by hand.
Docs: opentelemetry-proto `docs/specification` (partial success, failures), `google/rpc/status.proto`, `code.proto`.
"""

import json

from integrations.otlp.records import Media, Signal

REJECTED = {Signal.LOGS: "rejectedLogRecords", Signal.METRICS: "rejectedDataPoints", Signal.TRACES: "rejectedSpans"}
CODES = {400: 3, 401: 16, 403: 7, 408: 4, 413: 3, 415: 3, 429: 8, 503: 14}
"""HTTP's status as google.rpc.Code: invalid argument, unauthenticated, denied, too slow, exhausted, unavailable."""
UNKNOWN = 2


def answer(signal: Signal, media: Media, rejected: int = 0, message: str = "") -> bytes:
    """The body of a 200: empty where everything was taken, else how much was not, and why."""
    is_partial = bool(rejected or message)
    if media is Media.PROTOBUF:
        return _bytes(1, _pair(rejected, message)) if is_partial else b""
    partial = {REJECTED[signal]: str(rejected), "errorMessage": message}
    return json.dumps({"partialSuccess": partial} if is_partial else {}).encode()


def status(code: int, message: str, media: Media) -> bytes:
    """The body of a refusal with this HTTP status: a google.rpc.Status."""
    number = CODES.get(code, UNKNOWN)
    return (
        _pair(number, message) if media is Media.PROTOBUF else json.dumps({"code": number, "message": message}).encode()
    )


def _pair(number: int, text: str) -> bytes:
    """A number in field 1 and a text in field 2; the defaults are left out, as proto3 does."""
    return (b"\x08" + _varint(number) if number else b"") + (_bytes(2, text.encode()) if text else b"")


def _bytes(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])
