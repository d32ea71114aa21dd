"""Comments over real HTTP: signed webhooks in, PyGithub out, the emulator keeps what there is."""

import hmac
import json
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Engine
from urllib3 import Retry

from bot.domain.comment import MARKER
from bot.domain.delivery import Uncertain
from bot.domain.privacy.gate import Rule
from bot.github.webhooks import accept, parse
from bot.usecases.comment import Commented, Commenting, work_comments
from bot.usecases.intake import store, work_inbox
from integrations.outcomes.github import GitHubComments, GitHubOutcomes
from integrations.outcomes.github.pygithub import PyGithubApp
from integrations.outcomes.github.retry import ReadRetry
from integrations.outcomes.github.wire import NotReached, Reply
from tests.company import SmallCompany, instant
from tests.e2e.conftest import GitHubServer
from tests.fake_github import FakePull, FakeRepository

pytestmark = pytest.mark.e2e

FIVE = "ann bo cy di ed"
SECRET = b"webhook secret"
START = instant("2026-05-18 10:30")
MINUTE = timedelta(seconds=61)
connect = partial(PyGithubApp, retry=ReadRetry(backoff_factor=0.001), pause=0, write_pause=0)
deliveries = count()


@dataclass
class Scene:
    """A pull request of Ann's in the emulator and in the fake, a team whose card passes, and a clock."""

    engine: Engine
    company: SmallCompany
    server: GitHubServer
    pull: FakePull
    now: datetime = START

    def webhook(self, action: str, *, times: int = 1) -> None:
        body = json.dumps(self._payload(action)).encode()
        headers = {
            "X-Hub-Signature-256": "sha256=" + hmac.new(SECRET, body, "sha256").hexdigest(),
            "X-GitHub-Delivery": f"{id(self)}-{next(deliveries)}",
            "X-GitHub-Event": "pull_request",
        }
        for _ in range(times):
            store(self.engine, accept([SECRET], headers, body), self.now)

    def _payload(self, action: str) -> dict[str, Any]:
        return {
            "action": action,
            "number": self.pull.number,
            "pull_request": {"node_id": f"PR_{self.pull.number}", "draft": self.pull.draft},
            "repository": {"full_name": "acme/api", "private": True},
        }

    def work(self, later: timedelta = MINUTE) -> Commented:
        work_inbox(self.engine, ("acme/api",), parse, self.now)
        self.now += later
        return self.worker()

    def worker(self) -> Commented:
        keys = (self.server.emulator.app_id, self.server.emulator.private_key, self.server.url)
        source, commenter = GitHubOutcomes(*keys, connect=connect), GitHubComments(*keys, connect=connect)
        parts = ((self.company.team,), Rule(), "https://example.com/method")
        return work_comments(self.engine, Commenting(*parts, source, commenter, lambda: self.now))

    def comments(self) -> list[Any]:
        found: list[Any] = self.server.emulator.admin("GET", f"/repos/acme/api/issues/{self.pull.number}/comments")
        return found

    def ours(self) -> list[Any]:
        return [one for one in self.comments() if one["user"]["login"] == "leverage[bot]"]

    def person_writes(self, body: str) -> None:
        self.server.emulator.admin("POST", f"/repos/acme/api/issues/{self.pull.number}/comments", {"body": body})

    def writes(self) -> list[str]:
        calls = [call.partition(" ")[0] for call in self.server.fake.calls if "/issues/" in call]
        return [method for method in calls if method != "GET"]


@pytest.fixture
def api(github_server: GitHubServer) -> FakeRepository:
    for name in FIVE.split():
        github_server.fake.user(name, f"U_{name}")
    return github_server.fake.repository("acme/api", private=True, id="R_1")


@pytest.fixture
def scene(engine, github_server, api) -> Scene:
    company = SmallCompany(engine, FIVE)
    company.joins(FIVE, at="2026-05-13")
    company.quiet_days("2026-04-20", "2026-05-17", ann=3, bo=3, cy=3, di=3, ed=3)
    for number in range(1, 11):
        name = FIVE.split()[number % 5]
        company.pull(9000 + number, name, commits={name: "2026-05-04"}, merged="2026-05-12")
    company.monday("2026-05-18")
    wanted = {"title": "Pay @everyone #1", "head": f"work-{next(deliveries)}-{engine.dialect.name}", "base": "main"}
    number = github_server.emulator.admin("POST", "/repos/acme/api/pulls", wanted)["number"]
    pull = api.pull(number=number, created="2026-05-18", files={"src/app.py": (40, 0)}, draft=True)
    return Scene(engine, company, github_server, pull)


def test_open_ready_merge_each_twice_and_out_of_order_is_one_comment(scene):
    scene.webhook("opened", times=2)
    assert scene.work() == Commented(silent=1)
    assert scene.comments() == []
    scene.pull.draft = False
    for action in ("ready_for_review", "synchronize", "opened"):
        scene.webhook(action, times=2)
    assert scene.work() == Commented(posted=1, writes=1)
    [comment] = scene.comments()
    assert comment["user"]["login"] == "leverage[bot]"
    assert comment["body"].startswith(f"{MARKER}\n**M-size pull requests here usually take about $1.50 of AI compute**")
    scene.pull.merged = scene.pull.closed = "2026-05-19"
    actions = ["closed", "edited", "ready_for_review", "opened"] * 2
    random.Random(7).shuffle(actions)
    for action in actions:
        scene.webhook(action, times=2)
    assert scene.work() == Commented(posted=1)
    assert [one["id"] for one in scene.comments()] == [comment["id"]]


def test_four_workers_at_once_make_one_comment(scene):
    scene.pull.draft = False
    scene.webhook("opened", times=4)
    work_inbox(scene.engine, ("acme/api",), parse, scene.now)
    scene.now += MINUTE
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: scene.worker(), range(4)))
    assert sum(one.posted for one in done) == 1
    assert len(scene.comments()) == 1


def test_a_forged_marker_is_ignored_and_nobodys_comment_is_touched(scene):
    forged, talk = f"{MARKER}\nI am Leverage", "Nice work"
    scene.person_writes(forged)
    scene.person_writes(talk)
    scene.pull.draft = False
    scene.webhook("opened")
    scene.work()
    scene.webhook("closed")
    scene.work()
    assert [one["body"] for one in scene.comments()[:2]] == [forged, talk]
    assert len(scene.ours()) == 1


@pytest.mark.parametrize("answer", [Reply(502, {"message": "Bad gateway"}), None], ids=["502", "no answer"])
def test_an_answer_that_is_lost_after_the_comment_was_stored_makes_no_second(scene, answer):
    scene.pull.draft = False
    scene.server.fake.lose(f"POST /repos/acme/api/issues/{scene.pull.number}/comments", answer)
    scene.webhook("opened")
    assert scene.work() == Commented(again=1, writes=1)
    assert len(scene.ours()) == 1
    assert scene.work(timedelta(seconds=30)) == Commented(posted=1)
    assert len(scene.ours()) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_write_that_fails_is_sent_once_and_made_later(scene, status):
    scene.pull.draft = False
    scene.server.fake.fail(f"POST /repos/acme/api/issues/{scene.pull.number}/comments", status)
    scene.webhook("opened")
    assert scene.work() == Commented(again=1, writes=1)
    assert scene.writes() == ["POST"]
    assert scene.work(timedelta(hours=1)) == Commented(posted=1, writes=1)
    assert len(scene.ours()) == 1


class Eager(ReadRetry):
    """Sends everything again, as PyGithub itself would."""

    def increment(self, *arguments: Any, **named: Any) -> Retry:  # type: ignore[override]  # as in urllib3
        return Retry.increment(self, *arguments, **named)


def test_a_write_is_sent_once_however_reads_are_sent(scene):
    eager = partial(connect, retry=Eager(backoff_factor=0.001))
    keys = (scene.server.emulator.app_id, scene.server.emulator.private_key, scene.server.url)
    scene.server.fake.fail(f"POST /repos/acme/api/issues/{scene.pull.number}/comments", 502, times=2)
    answer = GitHubComments(*keys, connect=eager).create("acme/api", scene.pull.number, "body")
    assert answer == Uncertain("status_502")
    assert scene.writes() == ["POST"]


@pytest.mark.parametrize(("status", "wait"), [(429, "90"), (403, "90")])
def test_a_limit_is_waited_for_without_holding_anybody_up(scene, status, wait):
    scene.pull.draft = False
    path = f"POST /repos/acme/api/issues/{scene.pull.number}/comments"
    scene.server.fake.fail(path, status, "You have exceeded a secondary rate limit", Retry_After=wait)
    scene.webhook("opened")
    assert scene.work().again == 1
    assert scene.work(timedelta(seconds=89)) == Commented()
    assert scene.work(timedelta(seconds=1)).posted == 1


def test_a_locked_pull_request_is_skipped(scene):
    scene.pull.draft = False
    path = f"POST /repos/acme/api/issues/{scene.pull.number}/comments"
    scene.server.fake.fail(path, 403, "Unable to create comment because issue is locked.")
    scene.webhook("opened")
    assert scene.work() == Commented(silent=1, writes=1)
    assert scene.work(timedelta(hours=1)) == Commented()
    assert scene.comments() == []


def test_a_comment_that_a_person_deleted_is_not_made_again(scene):
    scene.pull.draft = False
    scene.webhook("opened")
    scene.work()
    [comment] = scene.ours()
    scene.server.emulator.admin("DELETE", f"/repos/acme/api/issues/comments/{comment['id']}")
    for action in ("ready_for_review", "closed"):
        scene.webhook(action)
        scene.work()
    assert scene.comments() == []


def test_an_older_text_is_changed_and_a_copy_deleted(scene):
    """Made as our App would have made them in another epoch, twice."""
    keys = (scene.server.emulator.app_id, scene.server.emulator.private_key, scene.server.url)
    commenter = GitHubComments(*keys, connect=connect)
    for _ in range(2):
        commenter.create("acme/api", scene.pull.number, f"{MARKER}\nolder")
    scene.pull.draft = False
    scene.webhook("opened")
    assert scene.work() == Commented(posted=1, writes=2)
    [comment] = scene.comments()
    assert "usually take" in comment["body"]


def test_a_dropped_token_is_renewed_and_the_comment_written_once(scene):
    scene.pull.draft = False
    scene.server.fake.fail(f"POST /repos/acme/api/issues/{scene.pull.number}/comments", 401, "Bad credentials")
    scene.webhook("opened")
    assert scene.work() == Commented(posted=1, writes=1)
    assert len(scene.ours()) == 1


def test_a_github_that_is_not_there_was_not_reached(scene):
    """What was certainly not sent is told apart from what may have arrived."""
    with pytest.raises(NotReached):
        connect(scene.server.emulator.app_id, scene.server.emulator.private_key, "http://localhost:1").get("/app")
