"""Answers of a fake as a real HTTP server on loopback, for tests that start the product as a process."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2


@contextmanager
def serve(answer: Callable[[httpx2.Request], httpx2.Response]) -> Iterator[str]:
    """Serve until the block ends; gives the base URL."""

    class Handler(BaseHTTPRequestHandler):
        lock = threading.Lock()

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["content-length"])))

        def _answer(self, body: bytes) -> None:
            url = f"http://{self.headers['Host']}{self.path}"
            with self.lock:
                response = answer(httpx2.Request(self.command, url, headers=dict(self.headers), content=body))
            self.send_response(response.status_code)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(response.content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
