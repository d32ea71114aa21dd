"""The fake as a real HTTP server on loopback."""

import itertools
import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from tests.fake_slack.faults import Fault

POST = "chat.postMessage"
PATIENCE_S = 20.0
Json = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """A call as it came in."""

    method: str
    token: str
    values: Json


@dataclass(frozen=True)
class Posted:
    """A message that was stored."""

    channel: str
    ts: str
    text: str
    blocks: list[Json] | None
    key: str | None
    values: Json


@dataclass
class FakeSlack:
    """`next` scripts what happens to the coming calls of a method; `struck` tells which of it happened."""

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    struck: list[Fault] = field(default_factory=list)
    shared: dict[str, Json] = field(default_factory=dict)
    takes_blocks: bool = True
    latency_s: float = 0.0
    holding: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)
    _messages: list[Posted] = field(default_factory=list)
    _script: dict[str, deque[Fault]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def next(self, *faults: Fault, method: str = POST) -> None:
        self._script.setdefault(method, deque()).extend(faults)

    def channel(self, name: str) -> list[Posted]:
        """What is in a channel now; the private one with a person is called D and their id."""
        return [one for one in self._messages if one.channel == name]

    def calls(self, method: str = POST) -> list[Request]:
        return [one for one in self.requests if one.method == method]

    def take(self, request: Request) -> tuple[Fault, Json]:
        """Do what is asked, as far as the script allows."""
        with self._lock:
            self.requests.append(request)
            script = self._script.get(request.method)
            fault = script.popleft() if script else None
            if fault is None:
                return Fault(), self._do(request)
            self.struck.append(fault)
            done = self._do(request) if fault.stored else {"ok": True}
            return fault, {"ok": False, "error": fault.code, **fault.more} if fault.code else done

    def _do(self, request: Request) -> Json:
        values = request.values
        match request.method:
            case "chat.postMessage":
                return self._post(values)
            case "chat.delete":
                return self._delete(values)
            case "conversations.info":
                return {"ok": True, "channel": {"id": values["channel"], **self.shared.get(values["channel"], {})}}
            case "conversations.open":
                return {"ok": True, "channel": {"id": f"D{values['users']}"}}
            case "auth.test":
                return {"ok": True, "user_id": "UBOT", "team_id": "T1"}
        return {"ok": False, "error": "unknown_method"}

    def _post(self, values: Json) -> Json:
        if values.get("blocks") and not self.takes_blocks:
            return {"ok": False, "error": "invalid_blocks"}
        key = values.get("metadata", {}).get("event_payload", {}).get("key")
        ts = f"1780000000.{next(self._numbers):06}"
        self._messages.append(Posted(values["channel"], ts, values["text"], values.get("blocks"), key, values))
        return {"ok": True, "channel": values["channel"], "ts": ts}

    def _delete(self, values: Json) -> Json:
        found = [one for one in self._messages if (one.channel, one.ts) == (values["channel"], values["ts"])]
        if not found:
            return {"ok": False, "error": "message_not_found"}
        self._messages.remove(found[0])
        return {"ok": True, "channel": values["channel"], "ts": values["ts"]}


@contextmanager
def serve() -> Iterator[FakeSlack]:
    """Serve until the block ends."""
    slack = FakeSlack()

    class Handler(_Handler):
        fake = slack

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    slack.url = f"http://127.0.0.1:{server.server_port}/api"
    try:
        yield slack
    finally:
        slack.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    fake: FakeSlack

    def do_POST(self) -> None:
        fault, answer = self.fake.take(self._request())
        time.sleep(self.fake.latency_s)
        if fault.hold:
            self.fake.holding.set()
            self.fake.let_go.wait(PATIENCE_S)
        self.close_connection = True
        if not fault.answer:
            return
        body = json.dumps(answer).encode() if fault.body is None else fault.body
        try:
            self.send_response(fault.status)
            for name, value in fault.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            """Whoever asked is gone."""

    def _request(self) -> Request:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        is_json = self.headers.get_content_type() == "application/json"
        values = json.loads(body or "{}") if is_json else dict(parse_qsl(body))
        return Request(self.path.removeprefix("/api/"), self.headers.get("Authorization", ""), values)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
