"""B3 and B5: what stored telemetry weighs, and whether it slows down what comes after it, on SQLite."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Engine

from bench.databases import opened
from bench.ingest import MICRO, ROUNDS, store
from bench.report import Line
from bench.stored import bytes_of, check_count, content_of, fill
from bench.stream import A_BODY, Call
from bench.teams import LAST, QUARTER, WORKDAYS
from bench.watch import Took, least, once
from bot.domain.weeks import Week
from bot.store import agent_days
from bot.store.db import transaction


@dataclass(frozen=True)
class Growth:
    """`few` and `many` are stored before B3 measures; `kept` requests are weighed by B5, and the rollups of `events`.
    Files live in `folder`."""

    folder: Path
    say: Callable[[str], None]
    few: int = 500_000
    many: int = 4_000_000
    kept: int = 200_000
    events: int = 10_000_000
    people: int = 500

    def run(self, bars: Sequence[str]) -> list[Line]:
        lines: list[Line] = []
        for bar, step in {"B3": self._b3, "B5": self._b5}.items():
            if bar in bars:
                self.say(f"measuring {bar}")
                lines += step()
        return lines

    def _url(self, name: str) -> str:
        return f"sqlite:///{self.folder}/{name}.db"

    def _arrive(self, engine: Engine, number: int) -> None:
        """A body of each person, one after the other, a transaction each."""
        told = [(call.request, call.micro) for call in map(Call, range(number * A_BODY, (number + 1) * A_BODY))]
        for person in range(self.people):
            store(engine, f"person-{person:015}", told)

    def _b3(self) -> Iterator[Line]:
        before = [self._filled(name, count) for name, count in (("few", self.few), ("many", self.many))]
        with opened(self._url("few")) as few, opened(self._url("many")) as many:
            tooks: tuple[list[Took], list[Took]] = ([], [])
            for number in range(ROUNDS + 1):
                for engine, took in zip((few, many), tooks, strict=True):
                    took.append(once(partial(self._arrive, engine, number)))
            for engine, count in zip((few, many), before, strict=True):
                check_count(engine, count + (ROUNDS + 1) * self.people * A_BODY)
        rows = self.people * A_BODY / MICRO
        small, large = (least(took[1:]) for took in tooks)  # the first round warms up
        what = f"insert with {before[1]:,} rows stored / with {before[0]:,}, CPU"
        note = f"{A_BODY} rows a transaction, of {self.people} people in turn; wall {large.wall / small.wall:.2f}x"
        yield Line("B3", what, "us a row", large.cpu / rows, small.cpu / rows, 1.15, note)

    def _filled(self, name: str, count: int) -> int:
        self.say(f"storing {count:,} rows")
        with opened(self._url(name)) as engine:
            return fill(engine, count, self.people)

    def _b5(self) -> Iterator[Line]:
        rounds = -(-self.kept // (self.people * A_BODY))
        rows = rounds * self.people * A_BODY
        with opened(self._url("disk")) as engine:
            for number in range(rounds):
                self._arrive(engine, number)
            check_count(engine, rows)
            weight = bytes_of(engine, "agent_requests") / rows
            note = ", ".join(f"{name} {size / rows:.0f}" for name, size in content_of(engine).items())
        yield Line("B5", f"disk of {rows:,} requests", "bytes an event", weight, most=90, note=f"{TEXTS}: {note}")
        with opened(self._url("days")) as engine:
            days = self._summed(engine)
            weight = bytes_of(engine, "agent_days", "ix_agent_days_pending") / self.events
        what = f"disk of {days:,} rollups of {self.events:,} events"
        yield Line("B5", what, "bytes an event", weight, most=2.5, note="agent_days with its index")

    def _summed(self, engine: Engine) -> int:
        """The rollups of a quarter: a person-day of every person on each workday; returns how many there are."""
        days = [week.monday + timedelta(days=day) for week in _quarter() for day in range(WORKDAYS)]
        each = -(-self.events // (self.people * len(days)))
        for day in days:
            with transaction(engine) as session:
                for person in range(self.people):
                    took = agent_days.Day("claude_code", each * 40_000, each, 0, each // 8, 0)
                    agent_days.write(session, f"person-{person:015}", day, [took])
        return self.people * len(days)


def _quarter() -> list[Week]:
    return [LAST.plus(-number) for number in reversed(range(QUARTER))]


TEXTS = "mean lengths of its texts"
