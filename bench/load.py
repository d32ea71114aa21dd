"""Loading the generated company into a database, as the product would have written it over the weeks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
from sqlalchemy import Engine, text
from sqlmodel import Session, SQLModel

from bench.rollups import Rollup, prepare, rollups
from bench.teams import ACCOUNT, FIRST, LAST, NOW, QUARTER, SECRET, Size, teams
from bot.domain.block import METRIC_VERSION, Part, PartSum, PublicFacts, Published
from bot.domain.handles import HandleKind, keyed_hash
from bot.domain.weeks import Week, epoch_start
from bot.store import cursors, tables
from bot.store.block_codec import encode
from bot.store.bulk import upsert
from bot.store.cursors import SourceKind
from bot.store.db import transaction

BATCH = 20_000


def load(duck: duckdb.DuckDBPyConnection, engine: Engine, size: Size, quarters: int) -> None:
    """Fill a migrated, empty database with this many quarters of history, the last week being due."""
    prepare(duck, quarters)
    first = FIRST.plus(-QUARTER * (quarters - 1))
    with transaction(engine) as session:
        for rollup in rollups():
            _copy(duck, session, rollup)
        _people(duck, session, first)
        _units(duck, session, size, first)
        _blocks(duck, session, first)
        _cursors(session, size, first)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _copy(duck: duckdb.DuckDBPyConnection, session: Session, rollup: Rollup) -> None:
    found = duck.execute(rollup.query)
    names = [column[0] for column in found.description or ()]
    while rows := found.fetchmany(BATCH):
        upsert(session, rollup.model, [dict(zip(names, map(_aware, row), strict=True)) for row in rows])


def _save(session: Session, model: type[SQLModel], rows: list[dict[str, Any]]) -> None:
    """Write rows with what the table gives them by default."""
    upsert(session, model, [model(**row).model_dump() for row in rows])


def _aware(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def _people(duck: duckdb.DuckDBPyConnection, session: Session, first: Week) -> None:
    """Everybody joined before it began: a person with three handles and two switches on."""
    joined = datetime.combine(first.monday, datetime.min.time(), UTC) - timedelta(days=3)
    everybody = duck.execute("SELECT person, github FROM members").fetchall()
    people = [
        {"person_key": person, "joined_at": joined, "collect_from": first.monday, "team_from": first.monday}
        for person, _ in everybody
    ]
    handles = [
        {
            "hash": keyed_hash(SECRET, kind, github),
            "kind": kind.value,
            "person_key": person,
            "since": first.monday,
            "proved": True,
        }
        for person, github in everybody
        for kind in (HandleKind.GITHUB, HandleKind.SLACK, HandleKind.EMAIL)
    ]
    switches = [(person, scope) for person, _ in everybody for scope in ("collect", "team")]
    consents = [
        {"id": number, "person_key": person, "scope": scope, "granted": True, "text_version": 1, "at": joined}
        for number, (person, scope) in enumerate(switches, start=1)
    ]
    _save(session, tables.Person, people)
    _save(session, tables.Handle, handles)
    _save(session, tables.Consent, consents)


def _units(duck: duckdb.DuckDBPyConnection, session: Session, size: Size, first: Week) -> None:
    created = datetime.combine(first.plus(4).monday, datetime.min.time(), UTC)
    units = [
        {"name": team.name, "created_at": created, "first_week": first.plus(3).monday, "opened": first.monday}
        for team in teams(size)
    ]
    members = duck.execute("SELECT team, github FROM members").fetchall()
    epochs = {epoch_start(week).monday for week in _weeks(first)}
    rosters = [
        {"unit": team, "epoch": epoch, "github_id": github, "login": github.lower()}
        for epoch in sorted(epochs)
        for team, github in members
    ]
    _save(session, tables.Unit, units)
    upsert(session, tables.Roster, rosters)


def _weeks(first: Week) -> Iterator[Week]:
    week = first
    while week <= LAST:
        yield week
        week = week.next()


def _blocks(duck: duckdb.DuckDBPyConnection, session: Session, first: Week) -> None:
    """The blocks before the last week, with the sums that are booked in them."""
    sums: dict[tuple[str, Week], dict[Part, int]] = {}
    booked = "SELECT unit, week, part, sum(micro)::BIGINT FROM books WHERE booked GROUP BY ALL ORDER BY ALL"
    for unit, week, part, micro in duck.execute(booked).fetchall():
        sums.setdefault((unit, Week(week)), {})[Part(part)] = micro
    opening = first.plus(3)
    rows = [
        _block_row(_published(unit, first if week == opening else week, week, parts))
        for (unit, week), parts in sums.items()
    ]
    upsert(session, tables.BlockRow, rows)


def _published(unit: str, first: Week, last: Week, parts: dict[Part, int]) -> Published:
    return Published(
        unit=unit,
        first=first,
        last=last,
        spend_micro=sum(parts.values()),
        parts=tuple(PartSum((part,), micro) for part, micro in parts.items()),
        merged=30,
        touched=28,
        service_micro=25_000_000,
        typical=None,
        contributors_band=None,
        coverage_band=None,
        touched_band=None,
        linked_band=None,
        bound_band=None,
        explained_band=None,
        leads_with_coverage=False,
        missing_days=0,
        public=PublicFacts(30, 1, None),
    )


def _block_row(block: Published) -> dict[str, Any]:
    return {
        "unit": block.unit,
        "last_week": block.last.monday,
        "first_week": block.first.monday,
        "state": "published",
        "frozen_at": datetime.combine(block.last.next().monday, datetime.min.time(), UTC),
        "metric_version": METRIC_VERSION,
        "content": encode(block),
    }


def _cursors(session: Session, size: Size, first: Week) -> None:
    """Every source was read just now, so nothing waits."""
    cursors.succeeded(session, SourceKind.SPEND, ACCOUNT, first.monday, NOW, lag_days=1)
    for repository in {name for team in teams(size) for name in team.repositories}:
        cursors.succeeded(session, SourceKind.OUTCOME, repository, first.monday, NOW)
