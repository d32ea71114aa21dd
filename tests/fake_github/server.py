"""The fake as a server on this machine: it answers GraphQL and what it holds, the emulator answers everything else."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from integrations.outcomes.github.wire import Reply
from tests.fake_github.fake import FakeGitHub

Plain = tuple[int, Mapping[str, str], bytes]
HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "accept-encoding"}
NO_TOKEN = Reply(401, {"message": "Bad credentials"})


@contextmanager
def serve(fake: FakeGitHub, upstream: str) -> Iterator[str]:
    """The base URL of the fake in front of the emulator at `upstream`. It is `localhost`: PyGithub insists on it."""

    class Handler(_Handler):
        github = fake
        behind = upstream
        lock = threading.Lock()

    server = ThreadingHTTPServer(("localhost", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    github: FakeGitHub
    behind: str
    lock: threading.Lock
    protocol_version = "HTTP/1.1"

    def _respond(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.lock:
            reply = self._own_reply(sent)
        answer: Plain | None = _plain(reply) if reply else self._proxied(sent)
        if loss := self.github.lost(f"{self.command} {self.path}"):
            answer = _plain(loss[1]) if loss[1] else None
        if answer is None:
            self.close_connection = True
            return
        status, headers, content = answer
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _respond  # noqa: N815  # names of http.server

    def _own_reply(self, sent: bytes) -> Reply | None:
        if self.path == "/graphql":
            asked = json.loads(sent)
            has_token = self.headers.get("Authorization", "").startswith("token ghs_")
            return self.github.graphql(asked["query"], asked.get("variables") or {}) if has_token else NO_TOKEN
        known = self.github.get(self.path) if self.command == "GET" else None
        return known or self.github.planned(f"{self.command} {self.path}")

    def _proxied(self, sent: bytes) -> Plain:
        """The emulator's answer, with its own address replaced by ours."""
        address = urlsplit(self.behind)
        connection = HTTPConnection(address.hostname or "", address.port, timeout=10)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        try:
            connection.request(self.command, self.path, sent or None, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        ours = f"http://{self.headers['Host']}"
        back = {
            name: value.replace(self.behind, ours) for name, value in answer.getheaders() if name.lower() not in HOP
        }
        return answer.status, back, content.replace(self.behind.encode(), ours.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Tests are quiet."""


def _plain(reply: Reply) -> Plain:
    return reply.status, {**reply.headers, "Content-Type": "application/json"}, json.dumps(reply.body).encode()
