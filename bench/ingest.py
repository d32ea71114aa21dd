"""B1, B2 and B4: what it costs to take telemetry in, against bare `executemany` of the same rows, on SQLite."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sqlalchemy import Engine

from bench import serving
from bench.databases import opened
from bench.receiver import PATH, Sender, address, app_on, joins, post
from bench.report import Line
from bench.stored import check, insert, rollups_of, rows
from bench.stream import A_BODY, Call, bodies
from bench.teams import NOW
from bench.watch import Differs, Took, least, once
from bot import telemetry
from bot.domain.agents import AgentRequest, Via
from bot.store import agent_days
from bot.store.db import transaction
from bot.store.telemetry import add_requests
from bot.usecases.measure import measure

ROUNDS = 3
MICRO = 1e6
Told = Sequence[tuple[AgentRequest, int | None]]


@dataclass(frozen=True)
class Ingest:
    """`requests` are those of a round. Files live in `folder`; each measurement has a new database."""

    folder: Path
    say: Callable[[str], None]
    requests: int = 20_000
    seconds: int = 15
    _made: list[int] = field(default_factory=list)

    def run(self, bars: Sequence[str]) -> list[Line]:
        lines: list[Line] = []
        for bar, step in {"B1": self._b1, "B2": self._b2, "B4": self._b4}.items():
            if bar in bars:
                self.say(f"measuring {bar}: {self.requests:,} requests, {ROUNDS} times")
                lines += step()
        return lines

    def _new(self) -> str:
        self._made.append(len(self._made))
        return f"sqlite:///{self.folder}/ingest-{len(self._made)}.db"

    def _us(self, tooks: Sequence[Took]) -> float:
        """CPU microseconds an event."""
        return least(tooks).cpu / self.requests * MICRO

    def _bare(self, engine: Engine, a_transaction: int) -> Took:
        """The same rows, written past the product into a database of the same tables."""
        same = rows(engine)
        with opened(self._new()) as other:
            took = once(partial(insert, other, same, a_transaction))
            check(other, range(self.requests))
        return took

    def _b1(self) -> Iterator[Line]:
        ours, bare, by_body = [], [], []
        sent = list(bodies(0, self.requests, address()))
        for _ in range(ROUNDS):
            with opened(self._new()) as engine:
                ours.append(once(partial(deliver, engine, joins(engine), sent)))
                check(engine, range(self.requests))
                bare.append(self._bare(engine, self.requests))
                by_body.append(self._bare(engine, A_BODY))
        what = f"token, decode, receive, commit: bodies of {A_BODY} / executemany at once, CPU"
        yield Line("B1", what, "us an event", self._us(ours), self._us(bare), 10, DOOR)
        what = f"the same / executemany in transactions of {A_BODY}"
        yield Line("B1", what, "us an event", self._us(ours), self._us(by_body))
        yield self._over_http()

    def _over_http(self) -> Line:
        url, events = self._new(), serving.BODIES_A_SECOND * A_BODY * self.seconds
        with opened(url) as engine:
            sender = joins(engine)
        sent = list(bodies(0, events, address()))
        found = serving.offer(url, sender, sent)
        with opened(url) as engine:
            check(engine, range(events))
        what = f"p99 over HTTP, {serving.BODIES_A_SECOND * A_BODY:,} events a second offered"
        slowest = f"p50 {found.at(0.5) * 1000:.0f} ms, the slowest {found.at(1) * 1000:.0f} ms of {len(sent):,} bodies"
        return Line("B1", what, "s", found.at(0.99), most=0.05, note=f"{slowest}; {KILLED}")

    def _b2(self) -> Iterator[Line]:
        told = [(call.request, call.micro) for call in map(Call, range(self.requests))]
        raw, summed, bare = [], [], []
        for _ in range(ROUNDS):
            with opened(self._new()) as engine:
                person = joins(engine).person
                raw.append(once(partial(store, engine, person, told)))
                summing = once(partial(measure, engine, app_on(engine).prices))
                summed.append(Took(raw[-1].wall + summing.wall, raw[-1].cpu + summing.cpu))
                check(engine, range(self.requests))
                bare.append(self._bare(engine, self.requests))
        what = "add_requests and its days noted, one transaction / executemany, CPU"
        yield Line("B2", what, "us a row", self._us(raw), self._us(bare), 2, STORE)
        yield Line("B2", "the same with each day summed up", "us a row", self._us(summed), self._us(bare), 2, SUMMED)

    def _b4(self) -> Iterator[Line]:
        firsts, agains = [], []
        sent = list(bodies(0, self.requests, address()))
        for _ in range(ROUNDS):
            with opened(self._new()) as engine:
                sender = joins(engine)
                firsts.append(once(partial(deliver_all, engine, sender, sent)))
                before = rollups_of(engine)
                agains.append(once(partial(deliver_all, engine, sender, sent)))
                check(engine, range(self.requests))
                same_rollups(before, rollups_of(engine))
        wall = least(agains).wall / least(firsts).wall
        note = f"{len(before)} rollups identical; wall {wall:.2f}x"
        what = "the stream again, summed up / the first time, CPU"
        yield Line("B4", what, "us an event", self._us(agains), self._us(firsts), 1.2, note)


def deliver(engine: Engine, sender: Sender, sent: Sequence[bytes]) -> None:
    """Each body through the door and its face, as the edge does it."""
    door, _ = telemetry.doors(app_on(engine), lambda: NOW)[PATH]
    for body in sent:
        post(door, sender.headers, body)


def deliver_all(engine: Engine, sender: Sender, sent: Sequence[bytes]) -> None:
    """The stream, and what a tick then sums up of it."""
    deliver(engine, sender, sent)
    measure(engine, app_on(engine).prices)


def store(engine: Engine, person: str, told: Told) -> None:
    """The store's stage by itself."""
    with transaction(engine) as session:
        add_requests(session, person, Via.OTLP, told, NOW)
        agent_days.arrived(session, person, {(one.at.date(), one.agent) for one, _ in told})


def same_rollups(before: object, after: object) -> None:
    """Raises Differs."""
    if not before or before != after:
        raise Differs("the rollups are not what they were before the second delivery")


DOOR = "a body is one durable transaction, decoded from 21 attributes an event, all in Python"
STORE = "each row passes through a dataclass, a dict and SQLAlchemy's converters, and is compared on conflict"
SUMMED = "a day is read back and summed up by itself, so that any order and repetition gives the same rollup"
KILLED = "the server was then killed with SIGKILL, and every event was there"
