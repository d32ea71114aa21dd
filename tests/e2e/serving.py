"""`leverage serve` as a process, somebody at a keyboard in Slack, GitHub's webhooks, and a clock that moves them all.

with deployment.serving() as process:
    process.command("S_ann", "me")
"""

import hashlib
import hmac
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
from sqlalchemy import Engine

from bot.slack.commands import WINDOW
from bot.store import heartbeat
from bot.store.db import reading
from tests.e2e.clocked import MovingClock

SIGNING_SECRET = "canary-of-the-signatures"
WEBHOOK_SECRET = "canary-of-the-webhooks"
FORM = "application/x-www-form-urlencoded"
PATIENCE_S = 30.0
ENDING_S = 25.0
NUMBERS = itertools.count(1)
SECRETS = {
    "LEVERAGE_SECRET_KEY": "a secret of at least thirty-two characters",
    "SLACK_BOT_TOKEN": "xoxb-canary",
    "SLACK_SIGNING_SECRET": SIGNING_SECRET,
}


def until(holds: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """What `holds` gives once it gives something."""
    deadline = time.monotonic() + patience_s
    while not (found := holds()):
        assert time.monotonic() < deadline, f"it never came to this: {what}"
        time.sleep(0.05)
    return found


def ticks(engine: Engine) -> None:
    """Some process has ticked from beginning to end since this was called."""
    for _ in range(2):
        seen = _beat(engine)
        until(lambda: _beat(engine) != seen, "a tick")  # noqa: B023  # called here


def _beat(engine: Engine) -> datetime | None:
    with reading(engine) as session:
        return heartbeat.last(session)


@dataclass
class Serving:
    """A running `leverage serve`."""

    process: subprocess.Popen[bytes]
    url: str
    clock: MovingClock
    log: Path
    client: httpx2.Client

    def get(self, path: str) -> httpx2.Response:
        return self.client.get(self.url + path)

    def said(self) -> str:
        """Its log up to now."""
        return self.log.read_text()

    def lines(self, event: str) -> list[dict[str, Any]]:
        """The lines of its log about this."""
        found = [json.loads(line) for line in self.said().splitlines() if line.startswith("{")]
        return [line for line in found if line["event"] == event]

    def told_to_end(self) -> tuple[int, float]:
        """SIGTERM; its exit code, and how many seconds it took to end."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(ENDING_S), time.monotonic() - began

    # --- Slack

    def slack(self, body: bytes, headers: Mapping[str, str] | None = None) -> httpx2.Response:
        """Signed by Slack now, unless headers are given."""
        return self.client.post(
            f"{self.url}/slack/events", content=body, headers=self.signed(body) if headers is None else headers
        )

    def signed(self, body: bytes, at: datetime | None = None, secret: str = SIGNING_SECRET) -> dict[str, str]:
        stamp = str(int((at or self.clock.now()).timestamp()))
        digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
        return {"content-type": FORM, "x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={digest}"}

    def command(self, user: str, text: str, /, **more: str) -> httpx2.Response:
        return self.slack(command_body(user, text, **more))

    def joins(self, user: str, login: str, trigger: str, *, switches: tuple[str, ...] = ("collect", "team")) -> None:
        """`/leverage join`, and its window filled in and sent off."""
        opened = self.command(user, "join", trigger_id=trigger)
        assert (opened.status_code, opened.text) == (200, "")
        answer = self.slack(submission_body(user, login, switches))
        assert answer.json()["response_action"] == "update", answer.text

    # --- GitHub

    def webhook(self, body: bytes, delivery: str, event: str = "pull_request") -> httpx2.Response:
        return self.client.post(
            f"{self.url}/github/webhooks",
            content=body,
            headers={
                "content-type": "application/json",
                "x-github-delivery": delivery,
                "x-github-event": event,
                "x-hub-signature-256": "sha256=" + hmac.new(WEBHOOK_SECRET.encode(), body, "sha256").hexdigest(),
            },
        )


def command_body(user: str, text: str, /, **more: str) -> bytes:
    fields = {
        "command": "/leverage",
        "text": text,
        "user_id": user,
        "team_id": "T000000001",
        "channel_id": "C0123ABCD",
        "trigger_id": f"trigger.{next(NUMBERS)}",  # makes each body another one, as in Slack
        "response_url": "https://hooks.slack.com/commands/T/1/canary",
    }
    return urlencode({**fields, **more}).encode()


def submission_body(user: str, login: str, switches: tuple[str, ...], /, **more: Any) -> bytes:
    values = {
        "switches": {"switches": {"type": "checkboxes", "selected_options": [{"value": one} for one in switches]}},
        "comments": {"comments": {"type": "radio_buttons", "selected_option": {"value": "nothing"}}},
        "login": {"login": {"type": "plain_text_input", "value": login}},
    }
    view = {"id": f"V{next(NUMBERS)}", "type": "modal", "callback_id": WINDOW, "state": {"values": values}}
    payload = {"type": "view_submission", "team": {"id": "T000000001"}, "user": {"id": user}, "view": view, **more}
    return urlencode({"payload": json.dumps(payload)}).encode()


@dataclass
class Deployment:
    """A folder with settings, and a clock that all its processes share."""

    folder: Path
    settings: dict[str, str]
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def clock(self) -> MovingClock:
        return MovingClock(self.folder / "clock.json")

    @property
    def environment(self) -> dict[str, str]:
        own = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])}
        return own | SECRETS | self.settings

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "tests.e2e.clocked", str(self.folder / "clock.json"), *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @contextmanager
    def serving(self, *arguments: str) -> Iterator[Serving]:
        """Until the block ends; it may be over before. It is there once `ready` or a line of its log says so."""
        log, port = self.folder / f"log{next(self._numbers)}.jsonl", free_port()
        with log.open("wb") as file, httpx2.Client(timeout=PATIENCE_S) as client:
            process = subprocess.Popen(
                self.command("serve", "--port", str(port), *arguments),
                cwd=self.folder,
                env=self.environment,
                stdout=file,
                stderr=file,
            )
            serving = Serving(process, f"http://127.0.0.1:{port}", self.clock, log, client)
            try:
                until(lambda: serving.lines("serving") or process.poll() is not None, "it starts")
                if "--jobs" not in arguments:
                    until(lambda: answers(serving) or process.poll() is not None, "it answers")
                assert process.poll() is None, serving.said()
                yield serving
            finally:
                process.kill()
                process.wait(PATIENCE_S)


def answers(serving: Serving) -> bool:
    try:
        return serving.get("/readyz").status_code == 200
    except httpx2.TransportError:
        return False


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def plain_url(database_url: str) -> str:
    """As a person writes it."""
    return database_url.replace("postgresql+psycopg", "postgresql")
