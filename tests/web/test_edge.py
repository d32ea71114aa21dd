"""The HTTP edge without a network: bounds, and what is said to whom."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import pytest
from starlette.testclient import TestClient

from bot.web.edge import make
from bot.web.pools import GITHUB, SLACK, Bounds, Face, Reply

KIB = 1024
SMALL = Bounds(body=KIB, held=KIB, threads=1, waiting=1, busy=Reply(503, "busy"), arrival_s=0.2)


def yes() -> bool:
    return True


def no() -> bool:
    return False


@dataclass
class Told:
    """A face that remembers what it was given."""

    seen: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)

    def __call__(self, headers: Mapping[str, str], body: bytes) -> Reply:
        self.seen.append((headers, body))
        return Reply(202, "stored", "text/x-test")


def client(slack: Face | None = None, github: Face | None = None, **pages: Callable[[], bool]) -> TestClient:
    app = make(slack, github, pages.get("healthy", yes), pages.get("ready", yes), (SMALL, SMALL, SMALL))
    return TestClient(app, raise_server_exceptions=False)


def test_a_face_gets_the_headers_and_the_raw_body_and_its_answer_goes_out():
    told = Told()
    answer = client(github=told).post("/github/webhooks", content=b"\xff\x00raw", headers={"X-Some": "Thing"})
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (
        202,
        "stored",
        "text/x-test; charset=utf-8",
    )
    [(headers, body)] = told.seen
    assert (headers["x-some"], body) == ("Thing", b"\xff\x00raw")


@pytest.mark.parametrize("path", ["/slack/events", "/github/webhooks"])
def test_a_face_that_is_not_set_up_has_no_route(path):
    assert client().post(path).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/slack/events", 405),
        ("PUT", "/slack/events", 405),
        ("POST", "/healthz", 405),
        ("GET", "/", 404),
        ("POST", "/slack/events/../../etc/passwd", 404),
    ],
)
def test_everything_else_is_not_there(method, path, status):
    assert client(Told(), Told()).request(method, path).status_code == status


def chunks(size: int) -> Iterator[bytes]:
    """Without a length beforehand."""
    while size > 0:
        yield b"x" * min(size, 100)
        size -= 100


@pytest.mark.parametrize(("size", "status"), [(KIB, 202), (KIB + 1, 413)])
@pytest.mark.parametrize("announced", [True, False])
def test_a_body_may_be_so_large_and_no_larger(size, status, announced):
    told = Told()
    content = b"x" * size if announced else chunks(size + (-size % 100 if status == 413 else 0))
    assert client(told).post("/slack/events", content=content).status_code == status
    assert len(told.seen) == (status == 202)


def test_the_real_bounds_are_those_of_slack_and_github():
    assert (SLACK.body, GITHUB.body) == (1 << 20, 25 << 20)
    assert SLACK.arrival_s == GITHUB.arrival_s == 10


@pytest.mark.parametrize(("page", "check"), [("/healthz", "healthy"), ("/readyz", "ready")])
def test_the_pages_for_machines_say_yes_or_no_and_not_why(page, check):
    good, bad = client().get(page), client(None, None, **{check: no}).get(page)
    assert (good.status_code, good.text) == (200, "ok")
    assert (bad.status_code, bad.text) == (503, "not ok")


def test_each_page_asks_its_own_question():
    assert client(healthy=no).get("/readyz").status_code == 200
    assert client(ready=no).get("/healthz").status_code == 200


# --- over ASGI itself: bodies that come late or not at all, and many at once


@dataclass
class Line:
    """One request as a server hands it over."""

    path: str = "/slack/events"
    sent: list[dict[str, object]] = field(default_factory=list)

    async def through(self, app: Callable[..., object], *bodies: bytes, then: str = "end") -> tuple[int, bytes]:
        coming = iter(bodies)

        async def receive() -> dict[str, object]:
            for body in coming:
                return {"type": "http.request", "body": body, "more_body": True}
            if then == "silence":
                await asyncio.sleep(60)
            if then == "gone":
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, object]) -> None:
            self.sent.append(message)

        scope = {"type": "http", "method": "POST", "path": self.path, "headers": [], "query_string": b"", "app": app}
        await app(scope, receive, send)  # type: ignore[misc]
        status = self.sent[0]["status"]
        assert isinstance(status, int)
        return status, b"".join(bytes(one.get("body", b"")) for one in self.sent[1:])  # type: ignore[call-overload]


def application(face: Face, bounds: Bounds = SMALL) -> Callable[..., object]:
    return make(face, None, yes, yes, (bounds, bounds, bounds))


def test_a_body_that_does_not_arrive_is_not_waited_for():
    told = Told()
    assert asyncio.run(Line().through(application(told), b"begun", then="silence")) == (408, b"too slow")
    assert told.seen == []


def test_who_goes_away_leaves_nothing_behind():
    told = Told()
    app = application(told)
    status, _ = asyncio.run(Line().through(app, b"x" * KIB, then="gone"))
    assert (status, told.seen) == (400, [])
    assert asyncio.run(Line().through(app, b"x" * KIB))[0] == 202, "its room is free again"


def test_all_bodies_together_may_be_so_large():
    """The second comes while the first has filled the room and is still arriving."""

    async def two() -> tuple[tuple[int, bytes], tuple[int, bytes]]:
        app = application(Told(), replace(SMALL, arrival_s=0.5))
        first = asyncio.create_task(Line().through(app, b"x" * KIB, then="silence"))
        await asyncio.sleep(0.1)
        second = await Line().through(app, b"x")
        return await first, second

    first, second = asyncio.run(two())
    assert (first[0], second) == (408, (503, b"busy"))


def test_when_too_many_wait_the_next_one_is_told_so_at_once_and_later_ones_are_served():
    held = threading.Event()

    def slow(_headers: Mapping[str, str], _body: bytes) -> Reply:
        held.wait(10)
        return Reply(200)

    async def three() -> list[int]:
        app = application(slow)
        waiting = [asyncio.create_task(Line().through(app)) for _ in range(2)]
        await asyncio.sleep(0.1)
        refused = await asyncio.wait_for(Line().through(app), 1)
        held.set()
        return [refused[0], *[status for status, _ in await asyncio.gather(*waiting)], (await Line().through(app))[0]]

    assert asyncio.run(three()) == [503, 200, 200, 200]


def test_a_face_that_breaks_is_a_500_and_the_next_request_is_served():
    broken = iter([True, False])

    def breaks(_headers: Mapping[str, str], _body: bytes) -> Reply:
        if next(broken):
            raise RuntimeError("canary")
        return Reply(200)

    app = client(breaks)
    first = app.post("/slack/events")
    assert first.status_code == 500
    assert "canary" not in first.text
    assert app.post("/slack/events").status_code == 200
