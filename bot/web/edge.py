"""The routes: Slack's and GitHub's requests, and two pages for whoever watches the process.

A face is a plain function from headers and body to an answer; it runs in a pool of threads of its own, so that slow
work elsewhere never delays an acknowledgement.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

SLACK_LIMIT = 1 << 20
GITHUB_LIMIT = 25 << 20
ARRIVAL_S = 10.0
THREADS = 32
WAITING = 64


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


class Faces:
    """Runs the faces in threads; when too many wait, the next one is told so at once."""

    def __init__(self, threads: int = THREADS, waiting: int = WAITING) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="face")
        self._room = threads + waiting

    async def answer(self, face: Face, busy: Reply, request: Request) -> Reply:
        try:
            async with asyncio.timeout(ARRIVAL_S):
                body = await request.body()
        except TimeoutError:
            return TOO_SLOW
        if self._room <= 0:
            return busy
        self._room -= 1
        try:
            work = partial(face, dict(request.headers), body)
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._room += 1

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        yield
        self._pool.shutdown(wait=True)


def make(slack: Face | None, github: Face | None, healthy: Callable[[], bool], ready: Callable[[], bool]) -> Starlette:
    """The web application. A face that is not set up has no route."""
    faces = Faces()
    routes = [_page("/healthz", healthy), _page("/readyz", ready)]
    if slack:
        routes.append(_route("/slack/events", faces, slack, SLACK_LIMIT, BUSY_COMMAND))
    if github:
        routes.append(_route("/github/webhooks", faces, github, GITHUB_LIMIT, BUSY))
    return Starlette(routes=routes, lifespan=faces.lifespan)


def _route(path: str, faces: Faces, face: Face, limit: int, busy: Reply) -> Route:
    async def endpoint(request: Request) -> Response:
        reply = await faces.answer(face, busy, request)
        return Response(reply.text, reply.status, media_type=reply.content_type)

    return Route(path, endpoint, methods=["POST"], max_body_size=limit)


def _page(path: str, holds: Callable[[], bool]) -> Route:
    """A page that says ok, or 503 without saying why: it is open to everybody."""

    def endpoint(_request: Request) -> Response:
        return PlainTextResponse("ok") if holds() else PlainTextResponse("not ok", 503)

    return Route(path, endpoint, methods=["GET"])
