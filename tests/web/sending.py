"""Bodies that agents could send, routes with other bounds, and what a refusal says in either encoding."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.rpc.status_pb2 import Status
from httpx2 import Response
from sqlalchemy import Engine, inspect
from starlette.applications import Starlette

from bot import telemetry
from bot.web import edge
from bot.web.pools import GITHUB, SLACK, Bounds
from tests.company import SmallCompany
from tests.integrations.agents.samples import Sent, logs
from tests.people import dump
from tests.receiving import JSON, PROTOBUF, Receiver, utc

AT = utc("2026-11-22 02:07:14")
"""The moment of the first record of `tests.integrations.agents.samples.logs`."""
NOW = utc("2026-11-22 03:00")
LONG_AGO = utc("2026-01-05 12:00")
CANARY = "canary-9b1f"
OTLP = ("/v1/logs", "/v1/metrics", "/v1/traces")
AGENT_TABLES = ("agent_requests", "agent_events", "agent_places", "agent_counters", "agent_days", "agent_models")


def receiving(engine: Engine, *names: str) -> Receiver:
    made = Receiver(engine, NOW, SmallCompany(engine, "ann bo cy di ed"))
    for name in names:
        made.joins(name, LONG_AGO)
    return made


def call(id: str, **more: Any) -> dict[str, Any]:
    """A request that Claude Code tells: 100 tokens in, 10 out, a cent."""
    told: dict[str, Any] = {"event.name": "api_request", "session.id": "s1", "request_id": id, "model": "claude-opus-5"}
    return told | {"input_tokens": 100, "output_tokens": 10, "cost_usd": 0.01} | more


def calls(*ids: str, **resource: Any) -> Sent:
    return logs("claude-code", *map(call, ids), **resource)


def send(receiver: Receiver, given: Sent, token: str, **how: Any) -> Response:
    return receiver.post(f"/v1/{given.signal}", given.body, token, given.media, **how)


def turn(at: str = "2026-11-22T02:07:14Z", **more: Any) -> dict[str, Any]:
    return {"turn": "t1", "started": at, "ended": at, "requests": [], **more}


def document(*turns: dict[str, Any]) -> dict[str, Any]:
    """What the hook sends."""
    return {"version": 1, "agent": "claude_code", "sessions": [{"session": "s1", "turns": list(turns)}]}


def words(answer: Response, media: str) -> str:
    """What a refusal says; asserts that it is in the encoding of the sender, and of OTLP's kind."""
    assert answer.headers["content-type"] == media
    if media == PROTOBUF:
        return str(Status.FromString(answer.content).message)
    return str(answer.json()["message"])


def requests(receiver: Receiver) -> list[dict[str, Any]]:
    return dump(receiver.engine, "agent_requests")


def everything(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table."""
    return {table: dump(engine, table) for table in inspect(engine).get_table_names()}


def other_bounds(receiver: Receiver, bounds: Bounds) -> Starlette:
    doors = telemetry.doors(receiver.app, lambda: receiver.now)
    return edge.make(None, None, lambda: True, lambda: True, (SLACK, GITHUB, bounds), ingest=doors)


@dataclass
class Wire:
    """One request as a server hands it over: it counts the pieces of the body that were asked for."""

    path: str
    token: str | None
    media: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    asked: int = 0
    sent: list[dict[str, Any]] = field(default_factory=list)

    async def through(self, app: Callable[..., Any], *bodies: bytes, silent: bool = False) -> Response:
        coming = iter(bodies)

        async def receive() -> dict[str, Any]:
            self.asked += 1
            for body in coming:
                return {"type": "http.request", "body": body, "more_body": True}
            if silent:
                await asyncio.sleep(60)
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            self.sent.append(message)

        told = {"content-type": self.media, "authorization": f"Bearer {self.token}", **self.headers}
        headers = [(name.encode(), value.encode()) for name, value in told.items()]
        scope = {"type": "http", "method": "POST", "path": self.path, "headers": headers, "query_string": b""}
        await app({**scope, "app": app}, receive, send)
        start, *rest = self.sent
        return Response(start["status"], headers=start["headers"], content=b"".join(one["body"] for one in rest))


def as_json(document: Any) -> bytes:
    return json.dumps(document).encode()
