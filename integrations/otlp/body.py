"""The body of a request: which encoding it is in, unpacked without ever holding more of it than is allowed, and JSON
without more nesting than is safe."""

import json
import zlib
from typing import Any

from integrations.otlp.records import BadBody, Media

GZIP = 16 + zlib.MAX_WBITS
MOST_NESTING = 64
MOST_BRACKETS = 500_000
"""Telemetry has one in ten bytes or fewer. A body of nothing else would take a hundred times its size in memory."""
SQUARE = bytes.maketrans(b"{}", b"[]")
NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def media(content_type: str | None) -> Media:
    """The encoding of a body, by its Content-Type. Raises BadBody (415)."""
    named = (content_type or "").partition(";")[0].strip().lower()
    if named not in tuple(Media):
        raise BadBody(415, f"OTLP is read as {Media.JSON} or {Media.PROTOBUF}: set the exporter's protocol to HTTP.")
    return Media(named)


def unpack(body: bytes, encoding: str | None, limit: int) -> bytes:
    """The plain body. Raises BadBody: 413 as soon as it is known to be larger than the limit, 415 for an encoding other
    than gzip, 400 for anything but one complete gzip member."""
    named = (encoding or "identity").strip().lower()
    if named not in ("identity", "gzip"):
        raise BadBody(415, "Only gzip is unpacked: set the exporter's compression to gzip or none.")
    plain = body if named == "identity" else _unzipped(body, limit)
    if len(plain) > limit:
        raise BadBody(413, f"The body is larger than {limit} bytes unpacked: send smaller batches.")
    return plain


def _unzipped(body: bytes, limit: int) -> bytes:
    """At most one byte more than the limit."""
    unzip = zlib.decompressobj(GZIP)
    try:
        plain = unzip.decompress(body, limit + 1)
    except zlib.error:
        raise BadBody(400, "The body is not gzip.") from None
    if len(plain) <= limit and (not unzip.eof or unzip.unused_data):
        raise BadBody(400, "The body is not one complete gzip member.")
    return plain


def load_json(body: bytes, malformed: str) -> Any:
    """The decoded JSON of a plain body. Raises BadBody (400), saying `malformed` where it is none."""
    _bound(body)
    try:
        return json.loads(body.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise BadBody(400, malformed) from None


def _refuse(constant: str) -> None:
    raise ValueError("JSON has no NaN or infinity.")


def _bound(body: bytes) -> None:
    """Refuse what would take too much memory or stack, before it does. The first look also counts brackets in texts;
    only where it finds too much is it looked at again without them."""
    if not _is_fine(body):
        outside = b"".join(body.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2])
        if not _is_fine(outside):
            raise BadBody(400, f"The body has more than {MOST_BRACKETS} brackets, or nests deeper than {MOST_NESTING}.")


def _is_fine(text: bytes) -> bool:
    """Each turn takes the innermost brackets away."""
    brackets = text.translate(SQUARE, NO_BRACKETS)
    if len(brackets) > MOST_BRACKETS:
        return False
    for _ in range(MOST_NESTING):
        brackets = brackets.replace(b"[]", b"")
    return not brackets
