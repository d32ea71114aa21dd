"""A generated stream of one person's Claude Code: requests as bodies of OTLP, and as what the store is given.

It is the same each time. A request is told with the attributes that Claude Code gives it, most of which nobody keeps.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from bench.teams import NOW
from bot.domain.agents import AgentRequest, request_key
from bot.domain.model import Tokens

A_BODY = 20
A_TURN, A_SESSION = 8, 80
EVERY = timedelta(seconds=7)
DAYS = 25
MODELS = ("claude-opus-4-5-20251101", "claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001")


@dataclass(frozen=True, slots=True)
class Call:
    """The call of a model with this number, before NOW and within what telemetry is kept."""

    number: int

    @property
    def at(self) -> datetime:
        return NOW - timedelta(days=DAYS) + self.number * EVERY % timedelta(days=DAYS - 1) + self._lap

    @property
    def _lap(self) -> timedelta:
        """Every time around the days, calls fall between those of before."""
        return timedelta(microseconds=1_000 * (self.number // (timedelta(days=DAYS - 1) // EVERY)))

    @property
    def id(self) -> str:
        return f"req_{_hex('request', self.number)[:24]}"

    @property
    def session(self) -> str:
        return _uuid("session", self.number // A_SESSION)

    @property
    def turn(self) -> str:
        return _uuid("turn", self.number // A_TURN)

    @property
    def model(self) -> str:
        return MODELS[self.number // A_TURN % len(MODELS)]

    @property
    def fresh(self) -> int:
        return 3 + self.number % 40

    @property
    def written(self) -> int:
        return 200 + self.number * 37 % 9_000

    @property
    def read(self) -> int:
        return 11_000 + self.number * 101 % 90_000

    @property
    def output(self) -> int:
        return 40 + self.number * 13 % 1_500

    @property
    def micro(self) -> int:
        return 900 + self.number * 7 % 60_000

    @property
    def request(self) -> AgentRequest:
        """As the store is given it."""
        return AgentRequest(
            agent="claude_code",
            session=self.session,
            key=request_key("claude_code", self.id),
            at=self.at,
            model=self.model,
            tokens=Tokens(self.fresh, self.written, None, self.read, self.output),
            cost_micro=self.micro,
            turn=self.turn,
        )


def bodies(first: int, count: int, email: str) -> Iterator[bytes]:
    """The calls from this number on, in protobuf, so many a body as Claude Code sends at once."""
    for start in range(first, first + count, A_BODY):
        yield body([Call(number) for number in range(start, min(start + A_BODY, first + count))], email)


def body(calls: list[Call], email: str) -> bytes:
    logs, export = (import_module(f"opentelemetry.proto.{name}") for name in ("logs.v1.logs_pb2", EXPORT))
    records = [_record(logs, call, email) for call in calls]
    scope = import_module("opentelemetry.proto.common.v1.common_pb2").InstrumentationScope(name=SCOPE, version=VERSION)
    part = logs.ScopeLogs(scope=scope, log_records=records)
    resource = import_module("opentelemetry.proto.resource.v1.resource_pb2").Resource(attributes=_pairs(RESOURCE))
    group = logs.ResourceLogs(resource=resource, scope_logs=[part])
    whole: bytes = export.ExportLogsServiceRequest(resource_logs=[group]).SerializeToString()
    return whole


def _record(logs: Any, call: Call, email: str) -> Any:
    nanos = int(call.at.timestamp()) * 10**9 + call.at.microsecond * 1_000
    record = logs.LogRecord(
        time_unix_nano=nanos,
        observed_time_unix_nano=nanos,
        attributes=_pairs(_attributes(call, email)),
        flags=1,
        trace_id=bytes.fromhex(_hex("trace", call.number)[:32]),
        span_id=bytes.fromhex(_hex("span", call.number)[:16]),
    )
    record.body.string_value = "claude_code.api_request"
    return record


def _attributes(call: Call, email: str) -> dict[str, str | int | float]:
    return {
        "user.id": _hex("user", 0),
        "organization.id": _uuid("organization", 0),
        "user.email": email,
        "user.account_uuid": _uuid("account", 0),
        "session.id": call.session,
        "terminal.type": "xterm-256color",
        "event.name": "api_request",
        "event.timestamp": call.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "event.sequence": call.number % 100_000,
        "prompt.id": call.turn,
        "model": call.model,
        "input_tokens": call.fresh,
        "output_tokens": call.output,
        "cache_read_tokens": call.read,
        "cache_creation_tokens": call.written,
        "cost_usd": call.micro / 10**6,
        "cost_usd_micros": call.micro,
        "duration_ms": 1_000 + call.number % 9_000,
        "request_id": call.id,
        "speed": "normal",
        "query_source": "repl_main_thread",
    }


def _pairs(attributes: dict[str, str | int | float]) -> list[Any]:
    common = import_module("opentelemetry.proto.common.v1.common_pb2")
    kinds = {str: "string_value", int: "int_value", float: "double_value"}
    return [
        common.KeyValue(key=name, value=common.AnyValue(**{kinds[type(value)]: value}))
        for name, value in attributes.items()
    ]


EXPORT = "collector.logs.v1.logs_service_pb2"
VERSION = "2.1.197"
SCOPE = "com.anthropic.claude_code.events"
RESOURCE: dict[str, str | int | float] = {
    "host.arch": "amd64",
    "os.type": "linux",
    "os.version": "6.8.0",
    "service.name": "claude-code",
    "service.version": VERSION,
}


def _hex(what: str, number: int) -> str:
    return hashlib.sha256(f"{what} {number}".encode()).hexdigest()


def _uuid(what: str, number: int) -> str:
    text = _hex(what, number)
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:32]))
