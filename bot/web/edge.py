"""The routes: Slack's and GitHub's requests, agents' telemetry, and pages for whoever watches the process."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.web.pools import GITHUB, INGEST, SLACK, Bounds, Door, Dress, Face, Guarded, Pool, Reply

Answer = Callable[[Request], Awaitable[Reply]]


def make(
    slack: Face | None,
    github: Face | None,
    healthy: Callable[[], bool],
    ready: Callable[[], bool],
    bounds: tuple[Bounds, Bounds, Bounds] = (SLACK, GITHUB, INGEST),
    *,
    ingest: Mapping[str, tuple[Door, Dress]] | None = None,
    files: Mapping[str, Reply] | None = None,
) -> Starlette:
    """The web application. A face that is not set up has no route. `ingest` are the doors of telemetry by path, `files`
    what anybody may fetch."""
    places = (("/slack/events", slack, bounds[0], "slack"), ("/github/webhooks", github, bounds[1], "github"))
    faces = {path: (Pool(bound, name), face) for path, face, bound, name in places if face}
    guarded = Guarded(bounds[2], "ingest")
    routes = [_page("/healthz", healthy), _page("/readyz", ready)]
    routes += [_route(path, partial(pool.answer, face=face)) for path, (pool, face) in faces.items()]
    routes += [
        _route(path, partial(guarded.answer, door=door, dress=dress)) for path, (door, dress) in (ingest or {}).items()
    ]
    routes += [_file(path, reply) for path, reply in (files or {}).items()]

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        guarded.close()
        for pool, _ in faces.values():
            pool.close()

    return Starlette(routes=routes, lifespan=lifespan)


def _route(path: str, answer: Answer) -> Route:
    async def endpoint(request: Request) -> Response:
        return _response(await answer(request))

    return Route(path, endpoint, methods=["POST"])


def _response(reply: Reply) -> Response:
    headers = {} if reply.retry_s is None else {"Retry-After": str(reply.retry_s)}
    return Response(reply.text, reply.status, headers, media_type=reply.content_type)


def _file(path: str, reply: Reply) -> Route:
    async def endpoint(_request: Request) -> Response:
        return _response(reply)

    return Route(path, endpoint, methods=["GET"])


def _page(path: str, holds: Callable[[], bool]) -> Route:
    """A page that says ok, or 503 without saying why: it is open to everybody."""

    def endpoint(_request: Request) -> Response:
        return PlainTextResponse("ok") if holds() else PlainTextResponse("not ok", 503)

    return Route(path, endpoint, methods=["GET"])
