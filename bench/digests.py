"""B6 and B7: what the digest of all teams costs, against DuckDB and against its own history."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
from sqlalchemy import Engine

from bench import ours, peer
from bench.company import generate
from bench.databases import NotHere, Postgres, opened, postgres
from bench.load import load
from bench.report import Line
from bench.teams import FIRST, QUARTER, Size, teams
from bench.watch import Differs, in_turns, once
from bot.domain.block import Published
from bot.domain.weeks import Week
from bot.usecases.close import Closed

ROUNDS = 7
LONG = 8


@dataclass
class Digests:
    """The generated company: as Parquet for the peer, in databases for us. Files live in `folder`."""

    folder: Path
    size: Size
    say: Callable[[str], None]
    duck: duckdb.DuckDBPyConnection = field(default_factory=duckdb.connect)

    def run(self, bars: Sequence[str]) -> tuple[list[Line], dict[str, str]]:
        """The lines of the wanted bars, and what servers took part."""
        self.say(f"generating {self.size.all_events:,} events of {self.size.people} people in {self.size.teams} teams")
        generate(self.duck, self.folder, self.size)
        lines: list[Line] = []
        with ExitStack() as stack:
            short = self._sqlite(stack, 1)
            self._check(short)
            server, missing = _server(stack, self.folder / "postgres")
            servers = {"postgres": server.version if server else "not run"}
            if "B6" in bars:
                lines += self._b6(stack, short, server, missing)
            if "B7" in bars:
                lines += self._b7(short, self._sqlite(stack, LONG))
        return lines, servers

    def _sqlite(self, stack: ExitStack, quarters: int) -> Engine:
        self.say(f"loading {quarters * QUARTER} weeks into SQLite")
        engine = stack.enter_context(opened(f"sqlite:///{self.folder}/{quarters}.db"))
        load(self.duck, engine, self.size, quarters)
        return engine

    def _digest(self, engine: Engine, quarters: int = 1) -> list[Closed]:
        return ours.digest(engine, teams(self.size), first_week(quarters))

    def _check(self, engine: Engine) -> None:
        """Raises Differs unless our closings are the peer's answers, to the micro-dollar and the pull request."""
        closings = self._digest(engine)
        merged = {closed.facts.unit: len(closed.facts.pulls) for closed in closings}
        for weeks in (1, QUARTER):
            recognised, included = peer.ask(self.duck, self.folder, weeks)
            if ours.recognised(closings, of_week=weeks == 1) != recognised or merged != included:
                raise Differs(f"our closings are not what DuckDB finds in {weeks} week(s) of events")

    def _b6(self, stack: ExitStack, sqlite: Engine, server: Postgres | None, missing: str) -> Iterator[Line]:
        runs: dict[str, Callable[[], object]] = {
            "duckdb": lambda: peer.ask(self.duck, self.folder, 1),
            "sqlite": lambda: self._digest(sqlite),
        }
        if server:
            self.say("loading 13 weeks into PostgreSQL")
            engine = stack.enter_context(opened(server.create("company")))
            load(self.duck, engine, self.size, 1)
            if ours.recognised(self._digest(engine), of_week=False) != ours.recognised(
                self._digest(sqlite), of_week=False
            ):
                raise Differs("PostgreSQL and SQLite close differently")
            runs["postgres"] = lambda: self._digest(engine)
        took = in_turns(ROUNDS, runs)
        with ours.statements(sqlite) as seen:
            self._digest(sqlite)
        count = len(teams(self.size))
        cpu = took["sqlite"].cpu / took["duckdb"].cpu
        each = took["sqlite"].wall / count * 1000
        yield Line(
            "B6",
            f"digest of {count} teams, SQLite / DuckDB on that week's Parquet",
            "s",
            took["sqlite"].wall,
            took["duckdb"].wall,
            0.3,
            f"{each:.1f} ms and {len(seen) / count:.1f} statements a team; CPU {cpu:.1f}x. {CAUSE}",
        )
        if server:
            yield Line("B6", "the same, PostgreSQL", "s", took["postgres"].wall, took["duckdb"].wall, 0.5, CAUSE)
        else:
            yield Line("B6", "the same, PostgreSQL", most=0.5, note=missing)
        yield self._carried(took["sqlite"].wall)
        copy = self._copied(stack, sqlite)
        yield self._frozen("SQLite", copy)
        yield self._read_back(copy, sqlite, took["duckdb"].wall)
        if server:
            engine.dispose()
            yield self._frozen("PostgreSQL", stack.enter_context(opened(server.create("frozen", like="company"))))

    def _carried(self, wall: float) -> Line:
        took = in_turns(ROUNDS, {"duckdb": lambda: peer.ask(self.duck, self.folder, QUARTER)})["duckdb"]
        what = "the same answer: DuckDB reads the quarter, for work carried over"
        return Line("B6", what, "s", wall, took.wall)

    def _copied(self, stack: ExitStack, engine: Engine) -> Engine:
        engine.dispose()
        file = Path(engine.url.database or "")
        return stack.enter_context(opened(f"sqlite:///{shutil.copy(file, file.with_suffix('.copy'))}"))

    def _frozen(self, name: str, engine: Engine) -> Line:
        """One Monday for all teams. It happens once, so it is measured once."""
        blocks: list[Any] = []
        took = once(lambda: blocks.extend(ours.freeze(engine, teams(self.size))))
        published = sum(isinstance(block, Published) for block in blocks)
        note = f"closed, written, rendered, queued, fsynced: {len(blocks)} blocks, {published} published"
        return Line("B6", f"full freeze of all teams, {name}", "s", took.wall, note=note)

    def _read_back(self, frozen: Engine, pending: Engine, duckdb_wall: float) -> Line:
        """The peer's question again, asked of what the freeze wrote."""
        if ours.booked(frozen) != ours.recognised(self._digest(pending), of_week=False):
            raise Differs("what was frozen is not what was closed")
        took = in_turns(ROUNDS, {"booked": lambda: ours.booked(frozen)})["booked"]
        what = "the sums read back once frozen, SQLite, one statement"
        return Line("B6", what, "s", took.wall, duckdb_wall)

    def _b7(self, short: Engine, long: Engine) -> Iterator[Line]:
        took = in_turns(ROUNDS, {"short": lambda: self._digest(short), "long": lambda: self._digest(long, LONG)})
        steps = [
            ours.sqlite_steps(engine, teams(self.size), first_week(quarters))
            for engine, quarters in ((short, 1), (long, LONG))
        ]
        note = f"SQLite's machine takes {steps[1]:,} steps for it, {steps[0]:,} with {QUARTER} weeks"
        what = f"the digest with {LONG * QUARTER} weeks of history / with {QUARTER}"
        yield Line("B7", what, "s", took["long"].wall, took["short"].wall, 1.5, note)
        fresh = self._fresh(long)
        note = f"{fresh['seconds'] * 1000:,.0f} ms cold, imports and start not counted"
        yield Line("B7", "memory of a fresh process that does it", "B", fresh["bytes"], most=100e6, note=note)

    def _fresh(self, engine: Engine) -> dict[str, Any]:
        url = engine.url.render_as_string(hide_password=False)
        command = [sys.executable, "-m", "bench.ours", url, str(self.size.people), str(first_week(LONG).monday)]
        found: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        return found


CAUSE = "DuckDB answers all teams in one pass; we close each team by itself, in Python, from rows"


def first_week(quarters: int) -> Week:
    """The first week of this much history: that of every team's first block."""
    return FIRST.plus(-QUARTER * (quarters - 1))


def _server(stack: ExitStack, folder: Path) -> tuple[Postgres | None, str]:
    try:
        return stack.enter_context(postgres(folder)), ""
    except NotHere as reason:
        return None, str(reason)
