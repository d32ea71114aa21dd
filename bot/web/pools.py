"""How much of each kind of request is in work at once: bodies and threads within bounds, and doors before bodies.

A face is a plain function from headers and body to an answer; each kind runs in threads of its own, so that slow work
elsewhere never delays an acknowledgement. Where a face has a door, the headers are looked at before the body is read.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from starlette.requests import ClientDisconnect, Request


@dataclass(frozen=True, slots=True)
class Reply:
    """What a face answers; `retry_s` is after how many seconds asking again makes sense."""

    status: int
    text: str | bytes = ""
    content_type: str = "text/plain; charset=utf-8"
    retry_s: int | None = None


Headers = Mapping[str, str]
Face = Callable[[Headers, bytes], Reply]
Door = Callable[[Headers], Face | Reply]
"""Who may come in: from the headers to what takes the body, or to a refusal."""
Dress = Callable[[Headers, Reply], Reply]
"""In which form a refusal of the edge's own is answered."""
BUSY = Reply(503, "busy, try again")
BUSY_COMMAND = Reply(200, "Leverage is busy just now: try again in a moment.")  # Slack shows the person a 200 only
TOO_SLOW = Reply(408, "too slow")
TOO_LARGE = Reply(413, "too large")
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
INGEST = Bounds(body=1 << 20, held=32 << 20, threads=2, waiting=64, busy=Reply(503, "busy, try again", retry_s=5))
"""Decoding takes many times the size of a body in memory, so no more than two are decoded at once."""
GITHUB = Bounds(body=25 << 20, held=64 << 20, threads=8, waiting=2000, busy=BUSY)
"""GitHub does not send again what was refused, so more of it may wait."""


class Pool:
    """Runs faces in threads, within bounds that they share."""

    def __init__(self, bounds: Bounds, name: str) -> None:
        self._bounds = bounds
        self._threads = ThreadPoolExecutor(bounds.threads, thread_name_prefix=name)
        self._room = bounds.threads + bounds.waiting
        self._held = 0

    async def answer(self, request: Request, face: Face) -> Reply:
        """Read the body, and let the face answer."""
        body = bytearray()
        try:
            async with asyncio.timeout(self._bounds.arrival_s):
                refused = await self._read(request, body)
            return refused or await self._work(partial(face, dict(request.headers), bytes(body)))
        except TimeoutError:
            return TOO_SLOW
        except ClientDisconnect:
            return GONE
        finally:
            self._held -= len(body)

    async def _read(self, request: Request, body: bytearray) -> Reply | None:
        """None where there was room for all of it."""
        told = request.headers.get("content-length", "")
        if told.isascii() and told.isdigit() and int(told[:20]) > self._bounds.body:
            return TOO_LARGE
        async for chunk in request.stream():
            if len(body) + len(chunk) > self._bounds.body:
                return TOO_LARGE
            if self._held + len(chunk) > self._bounds.held:
                return self._bounds.busy
            body += chunk
            self._held += len(chunk)
        return None

    async def _work(self, work: Callable[[], Reply]) -> Reply:
        if self._room <= 0:
            return self._bounds.busy
        self._room -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._room += 1

    def close(self) -> None:
        self._threads.shutdown(wait=True)


DOORS = 2
"""Threads that look at headers: they ask the database one short question each."""
BEFORE_DOORS = 1_000
"""Requests that may wait for them."""


class Guarded:
    """A pool behind doors: nothing of a body is read before its sender is known."""

    def __init__(self, bounds: Bounds, name: str) -> None:
        self._bounds, self._pool = bounds, Pool(bounds, name)
        self._threads = ThreadPoolExecutor(DOORS, thread_name_prefix=f"{name}-door")
        self._room = BEFORE_DOORS

    async def answer(self, request: Request, door: Door, dress: Dress) -> Reply:
        headers = dict(request.headers)
        if self._room <= 0:
            return dress(headers, self._bounds.busy)
        self._room -= 1
        try:
            face = await asyncio.get_running_loop().run_in_executor(self._threads, partial(door, headers))
        finally:
            self._room += 1
        if isinstance(face, Reply):
            return face
        reply = await self._pool.answer(request, face)
        return dress(headers, reply) if reply in (self._bounds.busy, TOO_SLOW, TOO_LARGE, GONE) else reply

    def close(self) -> None:
        self._threads.shutdown(wait=True)
        self._pool.close()
