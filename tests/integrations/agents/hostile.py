"""Bodies of 4 MiB of one thing, each the smallest on the wire that takes most memory, and a meter for that."""

import resource
import sys
from collections.abc import Callable
from pathlib import Path

from integrations.otlp import Media, Signal

LIMIT = 4 << 20
Body = Callable[[], tuple[Signal, Media, bytes]]
METER = """
import sys
from integrations.agents import ALLOWED, read
from integrations.otlp import BadBody, Media, Signal, decode
from tests.integrations.agents.hostile import bodies, peak
warm = [decode(signal, how, b"{}" if how is Media.JSON else b"", ALLOWED) for signal in Signal for how in Media]
signal, how, body = bodies()[sys.argv[1]]()
before = peak()
try:
    read(decode(signal, how, body, ALLOWED).records)
except BadBody:
    pass
print(peak() - before)
"""


def peak() -> int:
    """The most memory that this process has held, in MiB. A child's `ru_maxrss` begins where its parent was."""
    try:
        status = Path("/proc/self/status").read_text()
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> (20 if sys.platform == "darwin" else 10)
    return int(status.partition("VmHWM:")[2].split()[0]) >> 10


def within(*fields: int, filling: bytes) -> bytes:
    """4 MiB of one thing, inside these fields."""
    body = filling * ((LIMIT - 100) // len(filling))
    for number in reversed(fields):
        body = varint(number << 3 | 2) + varint(len(body)) + body
    return body


def empty(number: int) -> bytes:
    return varint(number << 3 | 2) + b"\x00"


def in_protobuf(signal: Signal, *fields: int, filling: bytes) -> Body:
    return lambda: (signal, Media.PROTOBUF, within(*fields, filling=filling))


def in_json(signal: Signal, filling: str) -> Body:
    def body() -> tuple[Signal, Media, bytes]:
        group, scope, record = LEVELS[signal]
        inside = filling * ((LIMIT - 200) // len(filling))
        text = f'{{"{group}":[{{"{scope}":[{{"{record}":[{inside}{filling[:-1]}]}}]}}]}}'
        return signal, Media.JSON, text.encode()

    return body


LEVELS = {
    Signal.LOGS: ("resourceLogs", "scopeLogs", "logRecords"),
    Signal.TRACES: ("resourceSpans", "scopeSpans", "spans"),
}


def bodies() -> dict[str, Body]:
    return {
        "json records": in_json(Signal.LOGS, "{},"),
        "json numbers": in_json(Signal.LOGS, "1.5,"),
        "json texts": in_json(Signal.LOGS, '"ab",'),
        "json keys": in_json(Signal.LOGS, '{"ab":1},'),
        "json spans": in_json(Signal.TRACES, '{"traceId":"' + "ab" * 16 + '"},'),
        "groups": in_protobuf(Signal.LOGS, filling=empty(1)),
        "scopes": in_protobuf(Signal.LOGS, 1, filling=empty(2)),
        "log records": in_protobuf(Signal.LOGS, 1, 2, filling=empty(2)),
        "attributes": in_protobuf(Signal.LOGS, 1, 2, 2, filling=empty(6)),
        "attributes of a resource": in_protobuf(Signal.LOGS, 1, 1, filling=empty(1)),
        "values in a body": in_protobuf(Signal.LOGS, 1, 2, 2, 5, 6, filling=empty(1)),
        "spans": in_protobuf(Signal.TRACES, 1, 2, filling=empty(2)),
        "links": in_protobuf(Signal.TRACES, 1, 2, 2, filling=empty(13)),
        "metrics": in_protobuf(Signal.METRICS, 1, 2, filling=empty(2)),
        "points": in_protobuf(Signal.METRICS, 1, 2, 2, 9, filling=empty(1)),
        "buckets": in_protobuf(Signal.METRICS, 1, 2, 2, 10, 1, 8, 2, filling=b"\x00"),
        "exemplars": in_protobuf(Signal.METRICS, 1, 2, 2, 7, 1, filling=empty(5)),
    }


def varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])
