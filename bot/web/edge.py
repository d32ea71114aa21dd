"""The routes: Slack's and GitHub's requests, and two pages for whoever watches the process.

A face is a plain function from headers and body to an answer; each runs in a pool of threads of its own, so that slow
work elsewhere never delays an acknowledgement.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route


@dataclass(frozen=True, slots=True)
class Reply:
    """What a face answers."""

    status: int
    text: str = ""
    content_type: str = "text/plain; charset=utf-8"


Face = Callable[[Mapping[str, str], bytes], Reply]
BUSY = Reply(503, "busy, try again")
BUSY_COMMAND = Reply(200, "Leverage is busy just now: try again in a moment.")  # Slack shows the person a 200 only
TOO_SLOW = Reply(408, "too slow")
GONE = Reply(400, "gone")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a face may take: bytes a body, bytes of all bodies that are held at once, threads, requests that wait for
    one, and seconds for a body to arrive. Beyond them the answer is `busy`."""

    body: int
    held: int
    threads: int
    waiting: int
    busy: Reply
    arrival_s: float = 10.0


SLACK = Bounds(body=1 << 20, held=32 << 20, threads=32, waiting=64, busy=BUSY_COMMAND)
GITHUB = Bounds(body=25 << 20, held=64 << 20, threads=8, waiting=2000, busy=BUSY)
"""GitHub does not send again what was refused, so more of it may wait."""


class Pool:
    """Runs one face in threads, within its bounds."""

    def __init__(self, face: Face, bounds: Bounds, name: str) -> None:
        self._face, self._bounds = face, bounds
        self._threads = ThreadPoolExecutor(bounds.threads, thread_name_prefix=name)
        self._room = bounds.threads + bounds.waiting
        self._held = 0

    async def answer(self, request: Request) -> Reply:
        body = bytearray()
        try:
            async with asyncio.timeout(self._bounds.arrival_s):
                if not await self._read(request, body):
                    return self._bounds.busy
            return await self._work(dict(request.headers), bytes(body))
        except TimeoutError:
            return TOO_SLOW
        except ClientDisconnect:
            return GONE
        finally:
            self._held -= len(body)

    async def _read(self, request: Request, body: bytearray) -> bool:
        """Whether there was room for all of it."""
        async for chunk in request.stream():
            if self._held + len(chunk) > self._bounds.held:
                return False
            body += chunk
            self._held += len(chunk)
        return True

    async def _work(self, headers: Mapping[str, str], body: bytes) -> Reply:
        if self._room <= 0:
            return self._bounds.busy
        self._room -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, partial(self._face, headers, body))
        finally:
            self._room += 1

    def close(self) -> None:
        self._threads.shutdown(wait=True)


def make(
    slack: Face | None,
    github: Face | None,
    healthy: Callable[[], bool],
    ready: Callable[[], bool],
    bounds: tuple[Bounds, Bounds] = (SLACK, GITHUB),
) -> Starlette:
    """The web application. A face that is not set up has no route."""
    places = (("/slack/events", slack, bounds[0], "slack"), ("/github/webhooks", github, bounds[1], "github"))
    pools = {path: (Pool(face, bound, name), bound.body) for path, face, bound, name in places if face}
    routes = [_page("/healthz", healthy), _page("/readyz", ready)]
    routes += [_route(path, pool, limit) for path, (pool, limit) in pools.items()]

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        for pool, _ in pools.values():
            pool.close()

    return Starlette(routes=routes, lifespan=lifespan)


def _route(path: str, pool: Pool, limit: int) -> Route:
    async def endpoint(request: Request) -> Response:
        reply = await pool.answer(request)
        return Response(reply.text, reply.status, media_type=reply.content_type)

    return Route(path, endpoint, methods=["POST"], max_body_size=limit)


def _page(path: str, holds: Callable[[], bool]) -> Route:
    """A page that says ok, or 503 without saying why: it is open to everybody."""

    def endpoint(_request: Request) -> Response:
        return PlainTextResponse("ok") if holds() else PlainTextResponse("not ok", 503)

    return Route(path, endpoint, methods=["GET"])
