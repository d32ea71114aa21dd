"""Real processes that deliver, a fake Slack, and what must hold after any fault."""

import json
import multiprocessing
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.domain.delivery import State, Timing, opaque
from bot.store import outbox
from bot.store.db import transaction
from tests.fake_slack import FakeSlack, serve
from tests.faults import worker
from tests.faults.worker import NOW, OWNER, Orders

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["__main__", "tests.faults.worker"])
PATIENCE_S = 20.0
AFTER_LEASE_S = Timing().lease.total_seconds() + 1
WEEK = "2026-W20"


class Running:
    """A process that delivers."""

    def __init__(self, process: ForkServerProcess, line: Connection) -> None:
        self.process, self.line = process, line

    @property
    def pid(self) -> int:
        assert self.process.pid
        return self.process.pid

    def reached(self) -> str:
        """The step at which it waits now."""
        assert self.line.poll(PATIENCE_S), "the process never came to the step"
        found = self.line.recv()
        assert isinstance(found, str), "the process ended before the step"
        return found

    def let_go(self) -> None:
        self.line.send("go on")

    def kill(self) -> None:
        """Like a power cut; asserts that it struck."""
        os.kill(self.pid, signal.SIGKILL)
        self.process.join(PATIENCE_S)
        assert self.process.exitcode == -signal.SIGKILL

    def stop(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)
        deadline = time.monotonic() + PATIENCE_S
        while not self.stopped():
            assert time.monotonic() < deadline, "the process does not stop"
            time.sleep(0.005)

    def stopped(self) -> bool:
        file = Path(f"/proc/{self.pid}/stat")
        if file.exists():
            return file.read_text().rpartition(")")[2].split()[0] == "T"
        ps = subprocess.run(["ps", "-o", "state=", "-p", str(self.pid)], capture_output=True, text=True, check=True)
        return ps.stdout.strip().startswith("T")

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def finish(self) -> int:
        """How many writes it sent."""
        assert self.line.poll(PATIENCE_S), "the process does not end"
        sent = self.line.recv()
        assert isinstance(sent, int), f"the process waits at {sent}"
        self.process.join(PATIENCE_S)
        assert self.process.exitcode == 0
        return sent


class Town:
    """A database, a Slack, a clock that all processes share, and the digests of some teams."""

    def __init__(self, engine: Engine, url: str, slack: FakeSlack) -> None:
        self.engine, self.url, self.slack = engine, url, slack
        self.ahead = PROCESSES.RawValue("d", 0.0)
        self.teams: list[str] = []

    def queue(self, teams: int) -> None:
        """The digests of so many teams are due; they are worked off in the order of their numbers."""
        self.teams = [f"team{number}" for number in range(teams)]
        with transaction(self.engine) as session:
            for team in self.teams:
                payload = json.dumps({"text": f"{team}: a week", "blocks": None})
                outbox.put(session, self.key(team), "digest", f"C{team}", payload, NOW)

    @contextmanager
    def process(self, name: str = "one", **orders: object) -> Iterator[Running]:
        mine, theirs = PROCESSES.Pipe()
        given = Orders(name, self.url, self.slack.url, **orders)  # type: ignore[arg-type]
        process = PROCESSES.Process(target=worker.run, args=(given, self.ahead, theirs), daemon=True)
        process.start()
        theirs.close()
        try:
            yield Running(process, mine)
        finally:
            if process.is_alive():
                process.kill()
                process.join(PATIENCE_S)
            mine.close()
            process.close()

    def restart(self, after_s: float = AFTER_LEASE_S) -> int:
        """Later, a new process works for a few minutes, as after a crash. Returns how many writes it sent."""
        self.ahead.value += after_s
        with self.process("again", rounds=4) as process:
            return process.finish()

    def person_wants_it_posted(self, team: str) -> None:
        """What a person decides who looked at the channel and saw nothing."""
        free = outbox.ROWS.update().where(outbox.ROW.key == self.key(team)).values(state=State.DUE, owner=None)
        with transaction(self.engine) as session:
            assert session.connection().execute(free).rowcount == 1

    def key(self, team: str) -> str:
        return f"digest/{team}/{WEEK}"

    def state(self, team: str) -> State:
        with transaction(self.engine) as session:
            found = outbox.record(session, self.key(team))
        assert found
        return found.state

    def copies(self, team: str) -> int:
        """How many of its digests stay in the channel."""
        return sum(one.key == opaque(self.key(team)) for one in self.slack.channel(f"C{team}"))

    def notes(self, team: str) -> int:
        """How often the owner was told about it."""
        return sum(f"digest of {team} for" in one.text for one in self.slack.channel(f"D{OWNER}"))

    def nothing_is_lost_or_doubled(self) -> None:
        for team in self.teams:
            copies, state, told = self.copies(team), self.state(team), self.notes(team)
            assert copies <= 1, f"{team}: {copies} copies"
            assert (state, copies, told > 0) in {
                (State.SENT, 1, False),
                (State.SENT, 1, True),
                (State.UNKNOWN, 0, True),
                (State.UNKNOWN, 1, True),
            }, f"{team}: {state}, {copies} copies, told {told} times"


@pytest.fixture
def town(engine: Engine, database_url: str) -> Iterator[Town]:
    with serve() as slack:
        yield Town(engine, database_url, slack)


def seeds() -> range:
    """Two in `make test`, twenty in `make soak`."""
    return range(int(os.environ.get("SOAK_SEEDS", "2")))
