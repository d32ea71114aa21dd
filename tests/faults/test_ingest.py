"""Telemetry and kill -9: what was acknowledged is stored, all of a batch or nothing; twice at once is stored once."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import Engine

from bot.domain.agents import request_key
from bot.usecases import tokens
from tests.company import REPOSITORY, SECRET, SmallCompany
from tests.e2e.serving import Deployment, Serving, plain_url, until
from tests.integrations.agents.samples import logs
from tests.people import dump
from tests.receiving import utc

pytestmark = pytest.mark.e2e

NOW = utc("2026-11-22 03:00")  # soon after the records of `logs`
ROUNDS = 5
SENDERS = 3
OF_A_BATCH = 5
TOML = f"""
[[team]]
name = "payments"
slack_channel = "C0PAYMENTS"
members = ["ann", "bo", "cy", "di", "ed"]
repositories = ["{REPOSITORY}"]
timezone = "UTC"
digest = "Mon 09:00"
"""


@dataclass
class Town:
    """A deployment that receives, and a fleet's token: people's may not send as fast as this."""

    engine: Engine
    deployment: Deployment
    token: str

    def stored(self) -> Counter[str]:
        return Counter(row["key"] for row in dump(self.engine, "agent_requests"))


@pytest.fixture
def town(tmp_path: Path, database_url: str, engine: Engine) -> Town:
    SmallCompany(engine, "ann bo cy di ed").joins("ann", at="2026-01-05")
    (tmp_path / "leverage.toml").write_text(TOML)
    settings = {"DATABASE_URL": plain_url(database_url), "LEVERAGE_SECRET_KEY": SECRET.decode()}
    deployment = Deployment(tmp_path, settings)
    deployment.clock.set(NOW)
    return Town(engine, deployment, tokens.new_fleet(engine, "laptops", NOW, None).token)


def ids(batch: str) -> list[str]:
    return [f"{batch}-{number}" for number in range(OF_A_BATCH)]


def keys(batch: str) -> set[str]:
    return {request_key("claude_code", id) for id in ids(batch)}


def body(batch: str) -> bytes:
    told = {"event.name": "api_request", "session.id": "s1", "model": "m", "user.email": "ann@example.com"}
    return logs("claude-code", *(told | {"request_id": id, "input_tokens": 1} for id in ids(batch))).body


def post(client: httpx2.Client, url: str, token: str, batch: str) -> int:
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    answer = client.post(f"{url}/v1/logs", content=body(batch), headers=headers)
    assert answer.status_code != 200 or answer.json() == {}, answer.text
    return answer.status_code


@dataclass
class Sender:
    """Sends a batch after the other, until the server is gone."""

    name: str
    acknowledged: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    others: Counter[int] = field(default_factory=Counter)

    def took(self, round: int) -> bool:
        """Whether anything of this round was acknowledged."""
        return any(batch.startswith(f"{self.name}-{round}-") for batch in self.acknowledged)

    def send(self, url: str, token: str, round: int) -> None:
        with httpx2.Client(timeout=10) as client:
            for number in range(100_000):
                batch = f"{self.name}-{round}-{number}"
                try:
                    code = post(client, url, token, batch)
                except httpx2.TransportError:
                    self.open.append(batch)
                    return
                if code == 200:
                    self.acknowledged.append(batch)
                else:
                    self.open.append(batch)
                    self.others[code] += 1


@contextmanager
def sending(senders: list[Sender], process: Serving, token: str, round: int) -> Iterator[None]:
    threads = [threading.Thread(target=one.send, args=(process.url, token, round)) for one in senders]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


@pytest.mark.parametrize("seed", [1])
def test_whatever_was_acknowledged_before_a_kill_is_stored(town: Town, seed: int) -> None:
    """And what was not is stored whole or not at all, so that sending it again makes it right."""
    chance, senders = random.Random(seed), [Sender(f"s{number}") for number in range(SENDERS)]
    for round in range(ROUNDS):
        with town.deployment.serving("--web") as process, sending(senders, process, town.token, round):
            until(lambda: any(one.took(round) for one in senders), "it acknowledges")  # noqa: B023  # called here
            time.sleep(chance.uniform(0, 0.6))
            process.process.kill()
        stored = town.stored()
        acknowledged = [batch for one in senders for batch in one.acknowledged]
        missing = [batch for batch in acknowledged if not keys(batch) <= set(stored)]
        assert missing == [], f"acknowledged minus stored is {len(missing)}"
        opened = [batch for one in senders for batch in one.open]
        assert {len(keys(batch) & set(stored)) for batch in opened} <= {0, OF_A_BATCH}
        assert max(stored.values()) == 1
    assert len(acknowledged) >= ROUNDS * SENDERS, "it never got going"
    assert set().union(*(one.others for one in senders)) <= {503}
    with town.deployment.serving("--web") as process, httpx2.Client(timeout=10) as client:
        assert {post(client, process.url, town.token, batch) for batch in opened} == {200}
        said = process.said()
    every = set[str]().union(*map(keys, acknowledged + opened))
    assert town.stored() == Counter(every)
    assert not [line for line in said.splitlines() if json.loads(line)["level"] == "error"]


def test_what_is_sent_to_two_processes_at_once_is_stored_once(town: Town) -> None:
    batches = [f"b{number}" for number in range(20)]
    with (
        town.deployment.serving("--web") as one,
        town.deployment.serving("--web") as two,
        ThreadPoolExecutor(4) as pool,
        httpx2.Client(timeout=30) as client,
    ):
        for batch in batches:
            urls = [process.url for process in (one, two, one, two)]
            codes = pool.map(lambda url: post(client, url, town.token, batch), urls)  # noqa: B023  # waited for
            assert set(codes) == {200}
        said = one.said() + two.said()
    assert town.stored() == Counter(set[str]().union(*map(keys, batches)))
    assert '"error"' not in said
