"""The emulator's Slack, with what it lacks put in: addresses that are confirmed, people it was not seeded with."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.e2e.emulate import PEOPLE

WORKSPACE = "T000000001"
FORM = "application/x-www-form-urlencoded"
Json = dict[str, Any]


@dataclass
class SlackFront:
    """`calls` are the methods the product called; `url` is for it, the methods are for tests."""

    upstream: str
    url: str = ""
    calls: list[str] = field(default_factory=list)
    guests: dict[str, Json] = field(default_factory=dict)

    def people(self) -> dict[str, str]:
        """The ids of the emulator's people by name."""
        return {one["name"]: one["id"] for one in self.ask("users.list")["members"] if one["name"] in PEOPLE}

    def adds(self, name: str) -> str:
        """Somebody more; their id."""
        user = f"U0{name.upper()}00000"
        profile = {"email": f"{name}@example.com"}
        self.guests[user] = {"id": user, "team_id": WORKSPACE, "name": name, "deleted": False, "profile": profile}
        return user

    def channel(self, name: str) -> str:
        return str(self.ask("conversations.create", name=name)["channel"]["id"])

    def messages(self, channel: str) -> list[Json]:
        return list(self.ask("conversations.history", channel=channel)["messages"])

    def trigger(self, user: str) -> str:
        """What Slack sends with a command, to open a window with; good for one."""
        asker = next(iter(self.people().values())) if user in self.guests else user
        return str(self.ask("views.generateTriggerId", user_id=asker)["trigger_id"])

    def ask(self, method: str, **values: str) -> Json:
        found = self.forward(
            method, urlencode(values).encode(), {"Authorization": "Bearer xoxb-test", "Content-Type": FORM}
        )
        assert found["ok"], found
        return found

    def forward(self, method: str, body: bytes, headers: dict[str, str]) -> Json:
        address = urlsplit(self.upstream)
        connection = HTTPConnection(address.hostname or "", address.port, timeout=10)
        try:
            connection.request("POST", f"/api/{method}", body, headers)
            answer: Json = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return answer

    def answer(self, method: str, body: bytes, headers: dict[str, str]) -> Json:
        self.calls.append(method)
        asked = (
            dict(parse_qsl(body.decode())) if headers["Content-Type"].startswith(FORM) else json.loads(body or b"{}")
        )
        if method == "users.info" and asked["user"] in self.guests:
            found: Json = {"ok": True, "user": dict(self.guests[asked["user"]])}
        else:
            found = self.forward(method, body, headers)
        if method == "users.info" and found["ok"]:
            found["user"]["is_email_confirmed"] = True
        return found


@contextmanager
def serve(upstream: str) -> Iterator[SlackFront]:
    """Serve until the block ends."""
    front = SlackFront(upstream)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: self.headers.get(name, "") for name in ("Authorization", "Content-Type")}
            content = json.dumps(front.answer(self.path.removeprefix("/api/"), body, headers)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    front.url = f"http://127.0.0.1:{server.server_port}/api"
    try:
        yield front
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
