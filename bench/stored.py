"""What is stored of the generated stream: checked against what was sent, weighed, and written past the product."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Engine

from bench.stream import Call
from bench.watch import Differs

Rows = list[tuple[Any, ...]]

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")
"""As the product opens a database: the baseline is as durable."""
SUMS = "count(*), sum(fresh), sum(cache_write_5m), sum(cache_read), sum(output), sum(list_micro)"


def check(engine: Engine, numbers: Iterable[int]) -> None:
    """Raises Differs unless the requests are these calls, to the token and the micro-dollar."""
    calls = [Call(number) for number in numbers]
    kinds = ("fresh", "written", "read", "output", "micro")
    expected = (len(calls), *(sum(getattr(call, kind) for call in calls) for kind in kinds))
    found = _ask(engine, f"SELECT {SUMS} FROM agent_requests")[0]
    if found != expected:
        raise Differs(f"stored is {found} where {expected} was sent")


def check_count(engine: Engine, expected: int) -> None:
    """Raises Differs unless so many requests are stored."""
    ((found,),) = _ask(engine, "SELECT count(*) FROM agent_requests")
    if found != expected:
        raise Differs(f"{found} rows are stored where {expected} were given")


def rows(engine: Engine) -> Rows:
    """The stored requests, in the order they came."""
    return _ask(engine, "SELECT * FROM agent_requests ORDER BY at")


def rollups_of(engine: Engine) -> Rows:
    return _ask(engine, "SELECT * FROM agent_days ORDER BY person_key, day, agent")


def insert(engine: Engine, given: Rows, a_transaction: int) -> None:
    """The baseline: Python's sqlite3 by itself, into the same table, so many rows a transaction."""
    connection = sqlite3.connect(str(engine.url.database), isolation_level=None)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    statement = f"INSERT INTO agent_requests VALUES ({', '.join('?' * len(given[0]))})"
    for start in range(0, len(given), a_transaction):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(statement, given[start : start + a_transaction])
        connection.execute("COMMIT")
    connection.close()


def fill(engine: Engine, count: int, people: int) -> int:
    """Store about this many requests of earlier weeks, shaped like the stream's; returns how many."""
    with engine.begin() as connection:
        connection.exec_driver_sql(_FILL, (count // people, people))
    check_count(engine, count // people * people)
    return count // people * people


def bytes_of(engine: Engine, *names: str) -> int:
    """Pages of tables and indices on disk, in bytes."""
    named = ", ".join(f"'{name}'" for name in names)
    return int(_ask(engine, f"SELECT sum(pgsize) FROM dbstat WHERE name IN ({named})")[0][0])


def content_of(engine: Engine) -> dict[str, int]:
    """The bytes of each text column, of all rows together."""
    names = ("person_key", "key", "session", "turn", "model", "agent", "origin", "via")
    sums = ", ".join(f"sum(length({name}))" for name in names)
    return dict(zip(names, _ask(engine, f"SELECT {sums} FROM agent_requests")[0], strict=True))


def _ask(engine: Engine, question: str) -> Rows:
    with engine.connect() as connection:
        found: Sequence[Any] = connection.exec_driver_sql(question).all()
    return [tuple(row) for row in found]


_FILL = """
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?1),
people(p) AS (SELECT 0 UNION ALL SELECT p + 1 FROM people WHERE p + 1 < ?2)
INSERT INTO agent_requests (person_key, at, key, via, session, agent, model, origin, turn, fresh, cache_write_5m,
    cache_write_1h, cache_read, output, reasoning, cost_micro, list_micro, received)
SELECT printf('person-%015d', p), 1700000000000000 + n * 7000000, lower(hex(randomblob(16))), 'otlp',
    printf('%08x-0000-4000-8000-%012x', n / 80, p), 'claude_code', 'claude-opus-4-5-20251101', 'main',
    printf('%08x-0000-4000-9000-%012x', n / 8, p), n % 40, n * 37 % 9000, NULL, 11000 + n * 101 % 90000,
    40 + n * 13 % 1500, NULL, 900 + n * 7 % 60000, 900 + n * 7 % 60000, 1700000000000000 + n * 7000000
FROM people, numbers
"""
