"""The body of a request: which encoding it is in, and unpacked without ever holding more of it than is allowed."""

import zlib

from integrations.otlp.records import BadBody, Media

GZIP = 16 + zlib.MAX_WBITS


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
