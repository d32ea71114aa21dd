"""The queries that run at every closing and collecting go by an index, on both databases, in a company of some size.

Each plan is of the statement that the store really sends: it is listened for while the query runs.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlmodel import Session

from bot.domain.ledger import Closing, Slice
from bot.domain.weeks import Week
from bot.store import blocks, books, bulk, people, pulls, spend
from bot.store.db import connect, transaction
from bot.store.tables import (
    METADATA,
    AccountDay,
    Attribution,
    BlockRow,
    Booking,
    CommitDay,
    Handle,
    OpenWork,
    OutboxRow,
    PersonDay,
    Pull,
    PullReview,
    Remainder,
    ServiceSpend,
    Spend,
)
from tests.conftest import Postgres
from tests.domain.metrics.pulls import pull
from tests.people import parted, report

FIRST = date(2026, 1, 5)
DAYS = [FIRST + timedelta(days=number) for number in range(84)]
EVERYBODY = [f"person-{number:02}" for number in range(60)]
TEAM = EVERYBODY[10:18]
LAST_WEEK = DAYS[-7:]
ACCOUNTS = ["anthropic", "openai", "cursor"]
NOON = datetime(2026, 3, 30, 12, tzinfo=UTC)


def instant(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def fill(session: Session) -> None:
    """Twelve weeks of sixty people, long entered but for the last week."""
    amounts = {"list_micro": 1, "billed_micro": 1, "requests": 1}
    kinds = dict.fromkeys(["fresh", "cache_write_5m", "cache_write_1h", "cache_read", "output", "reasoning"], 1)
    slices = [{"person_key": person, "day": day, "account": "anthropic"} for person in EVERYBODY for day in DAYS]
    states = [{"entered_micro": 0, "pending": piece["day"] in LAST_WEEK} for piece in slices]
    bulk.upsert(session, Spend, [{**piece, "model": "opus", **amounts, **kinds} for piece in slices])
    bulk.upsert(
        session,
        PersonDay,
        [{**piece, **amounts, "tokens": 1, **state} for piece, state in zip(slices, states, strict=True)],
    )
    shares = [
        {**piece, "pull_id": f"PR_{number}", "grade": "allocated", "micro": 1} for number, piece in enumerate(slices)
    ]
    bulk.upsert(session, OpenWork, shares)
    bulk.upsert(session, Booking, [{**share, "unit": "payments", "week": FIRST, "part": "direct"} for share in shares])
    settled = [{"person_key": one["person_key"], "day": one["day"], "pull_id": one["pull_id"]} for one in shares]
    bulk.upsert(session, Attribution, [{**one, "position": 0} for one in settled])
    bills = [{"account": account, "day": day, "billed_micro": 1} for account in ACCOUNTS for day in DAYS]
    bulk.upsert(session, Remainder, bills)
    facts = {"list_micro": None, "outside": "few", "refreshed_at": None, "collected_at": NOON}
    bulk.upsert(session, AccountDay, [{**bill, **facts} for bill in bills])
    machines = [{"account": "anthropic", "day": day, "service_account": f"svac_{n}"} for day in DAYS for n in range(20)]
    bulk.upsert(session, ServiceSpend, [{**one, **amounts, "tokens": 1, "entered_micro": 0} for one in machines])
    names = [{"hash": f"{n:064x}", "person_key": EVERYBODY[n % 60], "kind": "email"} for n in range(600)]
    bulk.upsert(session, Handle, [{**name, "since": FIRST, "proved": True} for name in names])
    fill_github(session)
    fill_blocks(session)


def fill_github(session: Session) -> None:
    rows = [pull_row(number, EVERYBODY[number % 60], DAYS[number % 84]) for number in range(5040)]
    bulk.upsert(session, Pull, rows)
    review = {"author_is_bot": False, "state": "approved"}
    bulk.upsert(
        session,
        PullReview,
        [
            {"pull_id": row["id"], "author_id": EVERYBODY[(n + 7) % 60], "at": row["merged_at"], **review}
            for n, row in enumerate(rows)
        ],
    )
    bulk.upsert(
        session,
        CommitDay,
        [{"author_id": row["author_id"], "day": row["merged_at"].date(), "pull_id": row["id"]} for row in rows],
    )


def pull_row(number: int, author: str, day: date) -> dict[str, Any]:
    moment = instant(day)
    times = dict.fromkeys(["created_at", "ready_at", "merged_at", "closed_at", "updated_at"], moment)
    repository = {"repository": f"acme/{number % 9}", "repository_id": f"R_{number % 9}", "number": number}
    people = {"author_id": author, "author_login": author, "author_is_bot": False}
    people |= {"owner_id": None, "owner_login": None}
    rest = {"state": "merged", "draft": False, "base_branch": "main", "head_branch": "b", "lines": 1, "files": 1}
    return {"id": f"PR_{number}", **repository, **people, **times, **rest, "reverts": None}


def fill_blocks(session: Session) -> None:
    weeks = [FIRST - timedelta(weeks=number) for number in range(104)]
    facts = {"state": "held", "frozen_at": NOON, "metric_version": 1, "content": "{}" * 500}
    rows = [
        {"unit": f"team-{unit}", "last_week": week, "first_week": week, **facts} for unit in range(20) for week in weeks
    ]
    bulk.upsert(session, BlockRow, rows)
    queued = {"kind": "digest", "target": "C1", "payload": "{}", "created_at": NOON, "not_before": NOON, "attempts": 0}
    bulk.upsert(session, OutboxRow, [{"key": f"k{n}", "state": "sent", **queued} for n in range(2000)])


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def company(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A filled database. SQLite gets no ANALYZE, as in production; PostgreSQL does so by itself there."""
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        with server.database("migrated") as url, filled(url) as engine:
            with transaction(engine) as session:
                session.execute(text("ANALYZE"))
            yield engine
    else:
        file = tmp_path_factory.mktemp("plans") / "leverage.db"
        file.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
        with filled(f"sqlite:///{file}") as engine:
            yield engine


@contextmanager
def filled(url: str) -> Iterator[Engine]:
    engine = connect(url)
    with transaction(engine) as session:
        fill(session)
    try:
        yield engine
    finally:
        engine.dispose()


def write_books(session: Session) -> None:
    closing = Closing((), (), {})
    slices = [Slice(person, DAYS[-1], "anthropic") for person in TEAM]
    books.write(session, "payments", FIRST, TEAM, slices, closing)


def replace_a_day(session: Session) -> None:
    day = report("person-10 opus 1, svac_1 opus 1", str(DAYS[-1]), bill="20")
    spend.replace(session, parted(day, "person-10", "svac_1"), day, NOON)


QUERIES: dict[str, Callable[[Session], object]] = {
    "pending": lambda session: books.pending(session, dict.fromkeys(TEAM, FIRST), DAYS[-1]),
    "open_work": lambda session: books.open_work(session, TEAM),
    "settled": lambda session: books.settled(session, [(person, day) for person in TEAM for day in LAST_WEEK]),
    "occurred": lambda session: books.occurred(session, TEAM, LAST_WEEK[0], LAST_WEEK[-1]),
    "write": write_books,
    "by_id": lambda session: pulls.by_id(session, [f"PR_{number}" for number in range(20)]),
    "merged_by": lambda session: pulls.merged_by(session, TEAM, instant(LAST_WEEK[0]), instant(LAST_WEEK[-1])),
    "touched": lambda session: pulls.touched(session, TEAM, LAST_WEEK),
    "active": lambda session: pulls.active(session, [*TEAM, "new"], instant(DAYS[-14]), instant(LAST_WEEK[-1])),
    "taken_back": lambda session: pulls.taken_back(session, [pull(2, repository_id="R_1", reverts=1)]),
    "save": lambda session: pulls.save(session, [pull(1), pull(2)]),
    "replace": replace_a_day,
    "bill": lambda session: spend.bill(session, LAST_WEEK[0], LAST_WEEK[-1]),
    "collected_days": lambda session: spend.collected_days(session, "anthropic", LAST_WEEK[0], LAST_WEEK[-1]),
    "services": lambda session: books.enter_services(session, ["svac_1"], LAST_WEEK[0], LAST_WEEK[-1]),
    "others": lambda session: spend.others(session, TEAM, LAST_WEEK[0], LAST_WEEK[-1], 5),
    "history": lambda session: blocks.history(session, "team-3", Week(FIRST), 8),
    "last_frozen": lambda session: blocks.last_frozen(session, "team-3"),
    "owners": lambda session: people.owners(session, [f"{number:064x}" for number in range(12)]),
    "forget": lambda session: people.forget(session, "person-11", DAYS[-1]),
}


def plans(engine: Engine, run: Callable[[Session], object]) -> Iterator[tuple[str, list[str]]]:
    """Every statement that the store sends while this runs, with the database's plan for it."""
    sent: list[tuple[str, Any]] = []

    def listen(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        sent.append((statement, parameters[0] if many else parameters))

    with transaction(engine) as session:
        event.listen(engine, "before_cursor_execute", listen)
        try:
            run(session)
        finally:
            event.remove(engine, "before_cursor_execute", listen)
        for statement, parameters in sent:
            if statement.split()[0] in ("SELECT", "UPDATE", "DELETE") and "advisory" not in statement:
                yield statement, plan(session, statement, parameters)
        session.rollback()


def plan(session: Session, statement: str, parameters: Any) -> list[str]:
    """The plan's steps. PostgreSQL reads what has a few pages whole, however good its indices are: it is asked for the
    plan that it would choose if that were dear."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        return [str(row[-1]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    for way in ("seqscan", "hashjoin", "mergejoin"):
        connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
    connection.exec_driver_sql("SET LOCAL random_page_cost = 1.1")
    return [str(row[-1]) for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)]


LEADING = {
    **{str(table.primary_key.name): next(iter(table.primary_key)).name for table in METADATA.tables.values()},
    **{str(index.name): index.columns[0].name for table in METADATA.tables.values() for index in table.indexes},
}
"""Of each index its first column: a condition on others only means that the index is read from end to end."""


def whole_reads(steps: list[str]) -> list[str]:
    """The steps that read a table, or an index, from one end to the other."""
    scans = [step for step in steps if step.startswith("SCAN ") and "CONSTANT ROW" not in step]
    in_sequence = [step for step in steps if "Seq Scan on" in step]
    by_index = [
        step
        for step, condition in pairwise([*steps, ""])
        if (index := re.search(r"Index (?:Only )?Scan (?:Backward )?(?:using|on) (\w+)", step))
        and not ("Index Cond:" in condition and re.search(rf"\b{LEADING[index[1]]}\b", condition))
    ]
    return [*scans, *in_sequence, *by_index]


@pytest.mark.parametrize("name", QUERIES)
def test_no_hot_query_reads_a_whole_table(company, name):
    if name in SKIPS_THROUGH and company.dialect.name == "postgresql":
        return
    found = [(steps, statement) for statement, steps in plans(company, QUERIES[name])]
    assert found
    assert [one for one in found if whole_reads(one[0])] == []


SKIPS_THROUGH = {"others", "services"}
"""These have no condition on the first column of their index, an account or a person: PostgreSQL 18 skips from one to
the next, older ones read the index."""


NARROWED_BY = {
    "pending": ["(pending=? AND person_key=? AND day<?)"],
    "open_work": ["(person_key=?)"],
    "settled": ["(person_key=? AND day=?)"],
    "occurred": ["(person_key=? AND day>? AND day<?)"],
    "merged_by": ["(author_id=? AND merged_at>? AND merged_at<?)", "(owner_id=? AND merged_at>? AND merged_at<?)"],
    "touched": ["(author_id=? AND day=?)", "(id=?)"],
    "active": ["(author_id=? AND merged_at>? AND merged_at<?)", "(author_id=? AND at>? AND at<?)"],
    "taken_back": ["(repository_id=? AND number=?)"],
    "services": ["(account=? AND day>? AND day<?)"],
    "others": ["(account=? AND day>? AND day<?)"],
    "collected_days": ["(account=? AND day>? AND day<?)"],
    "history": ["(unit=? AND last_week<?)"],
}


@pytest.mark.parametrize("company", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", NARROWED_BY)
def test_what_is_asked_for_narrows_the_search_so_that_history_costs_nothing(company, name):
    steps = [step for _, steps in plans(company, QUERIES[name]) for step in steps]
    assert [part for part in NARROWED_BY[name] if not any(part in step for step in steps)] == []


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM pulls WHERE head_branch = 'b'",
        "SELECT count(*) FROM person_days WHERE tokens = 1",
        "SELECT day FROM person_days WHERE requests > 0 ORDER BY person_key, day LIMIT 1",
        "SELECT commit_days.day FROM commit_days JOIN pulls ON pulls.number = commit_days.day - commit_days.day",
        "SELECT pull_id FROM bookings WHERE part = 'direct' AND micro = 1",
    ],
)
def test_a_query_without_an_index_would_be_found(company, query):
    ((_, steps),) = plans(company, lambda session: session.execute(text(query)))
    assert whole_reads(steps)
