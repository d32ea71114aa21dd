"""Our side: the product's own code closes the pending week of every team.

`python -m bench.ours URL PEOPLE OPENED` does it in a process of its own and prints what that took, as JSON. Nothing is
imported here that the product would not import, so that its memory is the product's.
"""

import json
import resource
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from time import perf_counter
from typing import Any

from sqlalchemy import Engine, Select, event, func, select

from bench.teams import LAST, NOW, SECRET, Size, teams
from bot.domain.block import Block, Part
from bot.domain.privacy.gate import Rule
from bot.domain.privacy.publish import publish
from bot.domain.team import Team
from bot.domain.weeks import Week
from bot.store.db import connect, reading
from bot.store.tables import Booking, Unit, table
from bot.usecases.close import Closed, close
from bot.usecases.digest import Publishing, freeze_due

OPCODES = 100


def digest(engine: Engine, everybody: Sequence[Team], opened: Week) -> list[Closed]:
    """Close and gate the pending week of each team, a transaction each; nothing is written."""
    closings = []
    for team in everybody:
        with reading(engine) as session:
            closed = close(session, team, SECRET, LAST, LAST, NOW, opened=opened)
        publish(closed.facts, Rule())
        closings.append(closed)
    return closings


def freeze(engine: Engine, everybody: Sequence[Team]) -> list[Block]:
    """What happens on a Monday: close, gate, write, render and queue, a durable transaction each team."""
    publishing = Publishing(Rule(), SECRET, "https://example.com/method")
    return [block for team in everybody for block in freeze_due(engine, team, publishing, NOW).blocks]


def recognised(closings: Sequence[Closed], *, of_week: bool) -> dict[tuple[str, str, Part], int]:
    """What was recognised by team, person and part; `of_week` leaves out what earlier weeks carried over."""
    sums: dict[tuple[str, str, Part], int] = {}
    for closed in closings:
        for booking in closed.closing.bookings:
            piece = booking.share.slice
            if not of_week or piece.day in closed.scope.days:
                key = closed.facts.unit, piece.person, booking.part
                sums[key] = sums.get(key, 0) + booking.share.micro
    return sums


def booked(engine: Engine) -> dict[tuple[str, str, Part], int]:
    """What is booked in the last week's blocks by team, person and part."""
    row = table(Booking).c
    sums = select(row.unit, row.person_key, row.part, func.sum(row.micro)).where(row.week == LAST.monday)
    with reading(engine) as session:
        rows = session.execute(sums.where(row.unit.in_(_units())).group_by(row.unit, row.person_key, row.part)).all()
    return {(unit, person, Part(part)): int(micro) for unit, person, part, micro in rows}


def _units() -> Select[tuple[str]]:
    return select(table(Unit).c.name)


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """The statements that run meanwhile."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def sqlite_steps(engine: Engine, everybody: Sequence[Team], opened: Week) -> int:
    """How many steps SQLite's machine takes for the digest, to the nearest hundreds: it counts rows, not seconds."""
    calls = 0

    def count() -> int:
        nonlocal calls
        calls += 1
        return 0

    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, SqliteConnection)
        driver.set_progress_handler(count, OPCODES)
    digest(engine, everybody, opened)
    driver.set_progress_handler(None, 0)
    return calls * OPCODES


def peak_memory() -> int:
    """The most bytes this process ever had in memory, not counting what its parent had before exec."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main() -> None:
    url, people, opened = sys.argv[1:]
    engine = connect(url)
    everybody = teams(Size(int(people)))
    start = perf_counter()
    with statements(engine) as seen:
        closings = digest(engine, everybody, Week(date.fromisoformat(opened)))
    took = perf_counter() - start
    recognised_micro = sum(recognised(closings, of_week=False).values())
    found = {"bytes": peak_memory(), "statements": len(seen), "seconds": took, "micro": recognised_micro}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
