"""A process that delivers, and can be held at any step between a claim and its mark.

At the step it is told to stop at, it says so on its line and waits there: to be killed, stopped, or let go.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any

from sqlalchemy import Engine, event

from bot.domain.delivery import Answer
from bot.slack.messenger import SlackMessenger
from bot.store.db import connect
from bot.usecases.deliver import Worker, work_off

NOW = datetime(2026, 5, 18, 9, tzinfo=UTC)
OWNER = "U1"
ROUND = timedelta(seconds=61)
TIMEOUT_S = 8
CHANGES = ("sent", "posting", "claimed")
COMMITTING = {"claimed": "claiming", "posting": "marking as begun", "sent": "marking as sent"}

STEPS = ("before the claim", "claiming", "claimed", "marking as begun", "begun", "answered", "marking as sent", "sent")
"""In their order; between "begun" and "answered" the fake Slack can hold the request."""


@dataclass(frozen=True)
class Orders:
    """What a process is to do: deliver for so many rounds, and wait at this step of the `nth` digest (from 0)."""

    name: str
    database_url: str
    slack_url: str
    step: str | None = None
    nth: int = 0
    rounds: int = 1


@dataclass
class Gate:
    """Waits at the step that is ordered."""

    orders: Orders
    line: Connection
    seen: int = field(default=0)

    def at(self, step: str) -> None:
        if step == self.orders.step:
            self.seen += 1
            if self.seen == self.orders.nth + 1:
                self.line.send(step)
                self.line.recv()


class GatedMessenger(SlackMessenger):
    """A gate before a post and after it."""

    def __init__(self, slack_url: str, gate: Gate) -> None:
        super().__init__("xoxb-test", slack_url, TIMEOUT_S)
        self._gate = gate

    def post(self, channel: str, text: str, blocks: list[dict[str, Any]] | None, key: str) -> Answer:
        self._gate.at("begun")
        answer = super().post(channel, text, blocks, key)
        self._gate.at("answered")
        return answer


class Watch:
    """Gates around the transactions of the outbox, told from the statements they make."""

    def __init__(self, engine: Engine, gate: Gate) -> None:
        self._gate = gate
        self._changing: str | None = None
        self._changed: str | None = None
        event.listen(engine, "before_cursor_execute", self._execute)
        event.listen(engine, "commit", self._commit)
        event.listen(engine, "checkin", self._give_back)

    def _execute(self, _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if not statement.startswith("UPDATE outbox"):
            return
        values = parameters.values() if isinstance(parameters, Mapping) else parameters
        changing = next(change for change in CHANGES if change in values)
        self._changing = changing
        if changing == "claimed":
            self._gate.at("before the claim")

    def _commit(self, _connection: Any) -> None:
        changed, self._changing = self._changing, None
        self._changed = changed
        if changed:
            self._gate.at(COMMITTING[changed])

    def _give_back(self, _connection: Any, _record: Any) -> None:
        """The transaction is over and its lock is free."""
        changed, self._changed = self._changed, None
        if changed in ("claimed", "sent"):
            self._gate.at(changed)


def run(orders: Orders, ahead: Any, line: Connection) -> None:
    """Deliver; `ahead.value` is how many seconds the shared clock is after `NOW`. Says how many it sent at the end."""
    gate = Gate(orders, line)
    engine = connect(orders.database_url)
    Watch(engine, gate)
    messenger = GatedMessenger(orders.slack_url, gate)
    sent = 0
    for number in range(orders.rounds):
        worker = Worker(orders.name, clock(ahead, number * ROUND))
        sent += work_off(engine, messenger, lambda _: OWNER, worker).sent
    line.send(sent)


def clock(ahead: Any, more: timedelta) -> Callable[[], datetime]:
    return lambda: NOW + timedelta(seconds=ahead.value) + more
