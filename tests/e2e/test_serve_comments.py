"""A pull request's life as webhooks tell it to `leverage serve`: twice, out of order, four at once; one comment."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import httpx2
import pytest
from sqlalchemy import Engine, text

from bot.domain.comment import MARKER
from bot.store.db import reading
from tests.company import SECRET, SmallCompany, instant
from tests.e2e.conftest import GitHubServer
from tests.e2e.serving import WEBHOOK_SECRET, Deployment, Serving, plain_url, until
from tests.fake_github import FakePull

pytestmark = pytest.mark.e2e

FIVE = "ann bo cy di ed"
START = instant("2026-05-18 10:30")
DEBOUNCE = timedelta(seconds=61)
TOML = """
[[team]]
name = "payments"
slack_channel = "C0123ABCD"
members = ["ann", "bo", "cy", "di", "ed"]
repositories = ["acme/api"]
timezone = "UTC"
digest = "Mon 09:00"
service_accounts = ["ci"]
"""
deliveries = count()


@dataclass
class Scene:
    """A draft of Ann's in the emulator and in the fake, and a team of five whose reference card passes."""

    deployment: Deployment
    engine: Engine
    server: GitHubServer
    pull: FakePull

    def body(self, action: str) -> bytes:
        told = {
            "action": action,
            "number": self.pull.number,
            "pull_request": {"node_id": f"PR_{self.pull.number}", "draft": self.pull.draft, "title": "canary"},
            "repository": {"full_name": "acme/api", "private": True},
        }
        return json.dumps(told).encode()

    def tells(self, process: Serving, *actions: str) -> None:
        """Each is delivered twice, in this order, over four connections at once."""
        told = [(self.body(action), f"{id(self)}-{next(deliveries)}") for action in actions]
        with ThreadPoolExecutor(4) as pool:
            statuses = list(pool.map(lambda one: process.webhook(*one).status_code, [*told, *told]))
        assert statuses == [202] * len(statuses)

    def settles(self) -> None:
        """What was told is looked at: the debounce is over."""
        until(lambda: not self.rows("SELECT 1 FROM inbox WHERE state <> 'done'"), "the inbox is worked off")
        self.deployment.clock.set(self.deployment.clock.now() + DEBOUNCE)
        until(lambda: not self.rows("SELECT 1 FROM comments WHERE due_at IS NOT NULL"), "the comment is looked at")

    def rows(self, query: str) -> list[Any]:
        with reading(self.engine) as session:
            return list(session.execute(text(query)).all())

    @property
    def _path(self) -> str:
        return f"/repos/acme/api/issues/{self.pull.number}/comments"

    def comments(self) -> list[Any]:
        found: list[Any] = self.server.emulator.admin("GET", self._path)
        return found

    def somebody_writes(self, body: str) -> None:
        self.server.emulator.admin("POST", self._path, {"body": body})


@pytest.fixture
def scene(tmp_path, database_url: str, engine: Engine, github_server: GitHubServer) -> Scene:
    company = SmallCompany(engine, FIVE)
    company.joins(FIVE, at="2026-05-13")
    company.quiet_days("2026-04-20", "2026-05-17", ann=3, bo=3, cy=3, di=3, ed=3)
    for number in range(1, 11):
        name = FIVE.split()[number % 5]
        company.pull(9000 + number, name, commits={name: "2026-05-04"}, merged="2026-05-12")
    company.monday("2026-05-18")
    for name in FIVE.split():
        github_server.fake.user(name, f"U_{name}")
    repository = github_server.fake.repository("acme/api", private=True, id="R_1")
    wanted = {"title": "Pay", "head": f"serve-{engine.dialect.name}", "base": "main"}
    number = github_server.emulator.admin("POST", "/repos/acme/api/pulls", wanted)["number"]
    pull = repository.pull(number=number, created="2026-05-18", files={"src/app.py": (40, 0)}, draft=True)
    (tmp_path / "leverage.toml").write_text(TOML)
    settings = {
        "DATABASE_URL": plain_url(database_url),
        "LEVERAGE_SECRET_KEY": SECRET.decode(),
        "GITHUB_APP_ID": github_server.emulator.app_id,
        "GITHUB_APP_PRIVATE_KEY": github_server.emulator.private_key,
        "GITHUB_API_URL": github_server.url,
        "GITHUB_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "SLACK_BOT_TOKEN": "",
    }
    deployment = Deployment(tmp_path, settings)
    deployment.clock.set(START)
    return Scene(deployment, engine, github_server, pull)


def test_a_pull_request_gets_one_comment_whatever_is_told_and_a_forged_one_is_let_be(scene):
    forged, talk = f"{MARKER}\nI am Leverage", "Nice work"
    scene.somebody_writes(forged)
    scene.somebody_writes(talk)
    with scene.deployment.serving() as process:
        scene.tells(process, "opened", "labeled")
        scene.settles()
        assert [one["body"] for one in scene.comments()] == [forged, talk], "a draft gets none"
        scene.pull.draft = False
        scene.tells(process, "synchronize", "ready_for_review", "opened", "edited")
        scene.settles()
        *others, ours = scene.comments()
        assert [one["body"] for one in others] == [forged, talk]
        assert ours["user"]["login"] == "leverage[bot]"
        assert ours["body"].startswith(f"{MARKER}\n**M-size pull requests here usually take about $1.50")
        scene.pull.merged = scene.pull.closed = "2026-05-18T10:40:00Z"
        actions = ["closed", "ready_for_review", "opened", "synchronize"] * 2
        random.Random(7).shuffle(actions)
        scene.tells(process, *actions)
        scene.settles()
        assert scene.comments() == [*others, ours]
        not_github(process, scene)
        code, _ = process.told_to_end()
        assert code == 0
        assert "canary" not in process.said()
        assert '"level": "error"' not in process.said()
    writes = [call for call in scene.server.fake.calls if "/issues/" in call and not call.startswith("GET")]
    assert len(writes) == 1


def not_github(process: Serving, scene: Scene) -> None:
    """401 for what GitHub did not sign, 413 for what it never sends, and nothing of it is kept."""
    before = scene.rows("SELECT count(*) FROM inbox")
    body = scene.body("opened")
    named = {"x-github-delivery": "canary", "x-github-event": "pull_request"}
    signatures = ["", "sha256=", "sha256=" + "0" * 64, "sha1=" + "0" * 40, "canary"]
    for signature in signatures:
        assert sends(process, body, {**named, "x-hub-signature-256": signature}) == 401
    headers = [(name.encode(), value.encode()) for name, value in named.items()]
    assert sends(process, body, [*headers, (b"x-hub-signature-256", "sha256=é".encode())]) == 401
    assert sends(process, b"canary" * (5 << 20), named) == 413
    assert scene.rows("SELECT count(*) FROM inbox") == before


def sends(process: Serving, body: bytes, headers: Any) -> int:
    try:
        return process.client.post(f"{process.url}/github/webhooks", content=body, headers=headers).status_code
    except httpx2.WriteError:
        return 413  # it hung up on a body that was announced as too large
