"""What the product would hold of the generated company on its last Monday: rollups, books and frozen blocks.

`quarters` repeats the quarter backwards, 13 weeks apart, with ids of their own. Weeks before the last are closed as the
product would have closed them; the last one is pending.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
from sqlmodel import SQLModel

from bench.teams import ACCOUNT, FIRST, LAST, NOW, QUARTER
from bot.store import tables


@dataclass(frozen=True, slots=True)
class Rollup:
    """A table of the product and the DuckDB query of its rows, in the order of its key."""

    model: type[SQLModel]
    query: str


def prepare(duck: duckdb.DuckDBPyConnection, quarters: int) -> None:
    """Make `books`: each share of each person-day with the part it lands as, when, and in which block."""
    first = FIRST.plus(-QUARTER * (quarters - 1))
    names = {"quarters": quarters, "opening": first.plus(3).monday, "end": LAST.next().monday, "now": f"{NOW:%F %T}"}
    for statement in (_BACK, _DAYS, _PULLS, _BOOKS):
        duck.execute(statement.format(account=ACCOUNT, last=LAST.monday, **names))


def rollups() -> Iterator[Rollup]:
    queries: dict[type[SQLModel], str] = {
        tables.Spend: _SPEND,
        tables.PersonDay: "SELECT * FROM days ORDER BY person_key, day",
        tables.AccountDay: _ACCOUNT_DAYS,
        tables.Remainder: _REMAINDERS,
        tables.ServiceSpend: _SERVICES,
        tables.Pull: "SELECT * FROM pulls ORDER BY id",
        tables.PullReview: _REVIEWS,
        tables.CommitDay: _COMMIT_DAYS,
        tables.Attribution: _ATTRIBUTIONS,
        tables.OpenWork: _OPEN_WORK,
        tables.Booking: _BOOKINGS,
    }
    return (Rollup(model, query.format(account=ACCOUNT, last=LAST.monday)) for model, query in queries.items())


_BACK = """
CREATE OR REPLACE TABLE back AS
SELECT q::INT AS q, (q * 91)::INT AS days, CASE WHEN q = 0 THEN '' ELSE '-' || q END AS suffix
FROM range({quarters}) t(q)
"""

_DAYS = """
CREATE OR REPLACE TABLE days AS
SELECT person AS person_key, day - back.days AS day, '{account}' AS account, sum(list_micro)::BIGINT AS list_micro,
    sum(billed_micro)::BIGINT AS billed_micro, sum(requests)::BIGINT AS requests,
    sum(fresh + cache_write_5m + cache_read + output)::BIGINT AS tokens,
    CASE WHEN day - back.days < '{last}' THEN sum(list_micro)::BIGINT ELSE 0 END AS entered_micro,
    day - back.days >= '{last}' AS pending
FROM spend, back GROUP BY person, day, back.days
"""

_PULLS = """
CREATE OR REPLACE TABLE pulls AS
WITH moved AS (
    SELECT plans.* REPLACE (created_at - to_days(days) AS created_at, ready_at - to_days(days) AS ready_at,
        ends_at - to_days(days) AS ends_at, id || suffix AS id, number - q * 1000000 AS number,
        reverts - q * 1000000 AS reverts)
    FROM plans, back
)
SELECT id, repository, repository_id, number + 10000000 AS number,
    CASE WHEN by_agent THEN 'BOT_agent' ELSE github END AS author_id,
    CASE WHEN by_agent THEN 'agent' ELSE lower(github) END AS author_login, by_agent AS author_is_bot,
    CASE WHEN by_agent THEN github END AS owner_id, CASE WHEN by_agent THEN lower(github) END AS owner_login,
    CASE WHEN ends_at > '{now}' THEN 'open' WHEN merges THEN 'merged' ELSE 'closed' END AS state, false AS draft,
    created_at, ready_at, CASE WHEN merges AND ends_at <= '{now}' THEN ends_at END AS merged_at,
    CASE WHEN ends_at <= '{now}' THEN ends_at END AS closed_at, least(ends_at, TIMESTAMP '{now}') AS updated_at,
    'main' AS base_branch, 'branch-' || id AS head_branch, (h % 400)::BIGINT AS lines, (h % 20)::INT AS files,
    reverts + 10000000 AS reverts
FROM moved
"""

_BOOKS = """
CREATE OR REPLACE TABLE books AS
WITH touched AS (
    SELECT *, row_number() OVER (PARTITION BY person, day ORDER BY number, repository, pull_id) AS position,
        count(*) OVER (PARTITION BY person, day) AS pulls FROM commits
), spent AS (
    SELECT person, day, sum(list_micro)::BIGINT AS micro FROM spend GROUP BY ALL
), quarter AS (
    SELECT person, day, pull_id, coalesce(position, 1) - 1 AS position, micro, coalesce(pulls, 1) AS pulls,
        coalesce(ends_at, day + INTERVAL 15 DAY) AS landed,
        CASE WHEN pull_id IS NULL OR (merges AND reverts IS NOT NULL) THEN 'unattributed'
             WHEN merges THEN 'direct' ELSE 'abandoned' END AS part
    FROM spent LEFT JOIN touched USING (person, day)
)
SELECT person AS person_key, team AS unit, day - days AS day, '{account}' AS account, position, part,
    coalesce(pull_id || suffix, '') AS pull_id, landed - to_days(days) < '{last}' AS booked,
    CASE WHEN position = 0 THEN micro - micro // pulls * (pulls - 1) ELSE micro // pulls END AS micro,
    greatest(date_trunc('week', landed - to_days(days))::DATE, DATE '{opening}') AS week
FROM quarter JOIN members USING (person), back
"""

_SPEND = """
SELECT person AS person_key, day - days AS day, '{account}' AS account, model, list_micro, billed_micro, requests,
    fresh, cache_write_5m, NULL AS cache_write_1h, cache_read, output, NULL AS reasoning
FROM spend, back ORDER BY 1, 2, 3, 4
"""

_ACCOUNT_DAYS = """
SELECT account, day, (sum(billed_micro) * 21 // 20)::BIGINT AS billed_micro, sum(list_micro)::BIGINT AS list_micro,
    'none' AS outside, NULL::TIMESTAMP AS refreshed_at, day + INTERVAL 30 HOUR AS collected_at
FROM days GROUP BY account, day ORDER BY day
"""

_REMAINDERS = """
SELECT account, day, (sum(billed_micro) * 21 // 20 - sum(billed_micro))::BIGINT AS billed_micro
FROM days GROUP BY account, day ORDER BY day
"""

_SERVICES = """
SELECT DISTINCT '{account}' AS account, day, replace(team, 'team', 'ci') AS service_account, 5000000 AS list_micro,
    4500000 AS billed_micro, 100 AS requests, 100000 AS tokens,
    CASE WHEN day < '{last}' THEN 5000000 ELSE 0 END AS entered_micro
FROM members, days ORDER BY day, service_account
"""

_REVIEWS = """
WITH reviewed AS (
    SELECT id || suffix AS pull_id, neighbour, h,
        ready_at - to_days(days) + to_minutes((60 + h % 240)::INT) AS read_at
    FROM plans, back
)
SELECT pull_id, member.github AS author_id, read_at AS "at", false AS author_is_bot,
    CASE WHEN h % 3 = 0 THEN 'changes_requested' ELSE 'approved' END AS state
FROM reviewed JOIN members member ON member.p = reviewed.neighbour
UNION ALL
SELECT pull_id, 'BOT_review', read_at - INTERVAL 20 MINUTE, true, 'commented' FROM reviewed ORDER BY pull_id
"""

_COMMIT_DAYS = """
SELECT hand AS author_id, day - days AS day, pull_id || suffix AS pull_id FROM commits, back ORDER BY ALL
"""

_ATTRIBUTIONS = """
SELECT person_key, day, position, pull_id, 'allocated' AS grade, 1 AS weight FROM books
WHERE (person_key, day) IN (SELECT (person_key, day) FROM books WHERE booked) ORDER BY 1, 2, 3
"""

_OPEN_WORK = """
SELECT person_key, day, account, pull_id, 'allocated' AS grade, micro FROM books
WHERE NOT booked AND day < '{last}' ORDER BY 1, 2, 3, 4
"""

_BOOKINGS = """
SELECT person_key, day, account, pull_id, unit, week, part, 'allocated' AS grade, micro FROM books
WHERE booked ORDER BY 1, 2, 3, 4
"""
