"""A generated company, the same each time: events as Parquet by week, and what the product would keep of them.

DuckDB makes it, by arithmetic on hashes. People work Monday to Friday in UTC. Everything a digest depends on occurs:
helpers' commits, pull requests of coding agents, reverts, abandoned work, work that lands weeks later, days without a
pull request. One quarter is generated; a longer history repeats it backwards, so that the last week stays the same.
"""

from datetime import timedelta
from pathlib import Path

import duckdb

from bench.teams import FIRST, NOW, QUARTER, REPOSITORIES, Size


def generate(duck: duckdb.DuckDBPyConnection, folder: Path, size: Size) -> None:
    """Write the Parquet files, and make the tables `members`, `plans`, `commits` and `spend` in this DuckDB."""
    duck.execute(_MEMBERS.format(teams=size.teams, people=size.people))
    duck.execute(_PLANS.format(first=FIRST.monday, people=size.people, repositories=REPOSITORIES, weeks=QUARTER))
    duck.execute(_COMMITS.format(first=FIRST.monday, now=f"{NOW:%Y-%m-%d %H:%M:%S}"))
    duck.execute(f"COPY members TO '{folder}/members.parquet'")
    for number in range(QUARTER):
        monday = FIRST.plus(number).monday
        names = {"monday": monday, "sunday": monday + timedelta(days=6), "folder": folder, "week": number}
        duck.execute(_EVENTS.format(**names, events=size.events_a_day))
        duck.execute(_COMMITS_OF_WEEK.format(**names))
        duck.execute(_MERGED_IN_WEEK.format(**names))
    duck.execute(f"CREATE TABLE spend AS {_SPEND.format(folder=folder)}")


_MEMBERS = """
CREATE TABLE members AS SELECT
    p::INT AS p, left(md5('person' || p), 22) AS person, 'U_' || lpad(p::VARCHAR, 5, '0') AS github,
    'team-' || lpad((p % {teams})::VARCHAR, 3, '0') AS team,
    CASE WHEN p + {teams} < {people} THEN p + {teams} ELSE p % {teams} END::INT AS neighbour
FROM range({people}) t(p)
"""

# `ends_at` is planned; what is after NOW has not happened yet (see `commits`, and `rollups` for other quarters).
_PLANS = """
CREATE TABLE plans AS
WITH drawn AS (
    SELECT *, hash(p, w, s, 17) AS h, ((w * {people} + p) * 3 + s + 1)::INT AS number
    FROM members, range({weeks}) a(w), range(3) b(s)
), dated AS (
    SELECT *, (h % 5)::INT AS first_day, least((h % 5 + (h >> 8) % 2)::INT, 4) AS last_day FROM drawn
)
SELECT
    'PR_' || lpad(number::VARCHAR, 9, '0') AS id, number, 'acme/repo-' || (p % {repositories}) AS repository,
    'R_' || (p % {repositories}) AS repository_id, github, team, neighbour, h, w, first_day, last_day,
    DATE '{first}' + (7 * w + first_day)::INT + INTERVAL 9 HOUR AS created_at,
    DATE '{first}' + (7 * w + last_day)::INT + INTERVAL 12 HOUR AS ready_at,
    DATE '{first}' + (7 * w + last_day)::INT + INTERVAL 18 HOUR + to_minutes(((h >> 24) % 12960)::INT)
        + to_days(CASE WHEN (h >> 16) % 100 >= 97 THEN 28 ELSE 0 END) AS ends_at,
    (h >> 16) % 100 < 88 AS merges, (h >> 40) % 20 = 0 AS by_agent,
    CASE WHEN number % 33 = 0 THEN number - 1 END AS reverts
FROM dated
"""

_COMMITS = """
CREATE TABLE commits AS
WITH days AS (SELECT *, DATE '{first}' + (7 * w + offset_)::INT AS day
              FROM plans, LATERAL (SELECT unnest(range(first_day, last_day + 1)) AS offset_)),
hands AS (SELECT *, github AS hand FROM days
          UNION ALL
          SELECT days.*, other.github FROM days JOIN members other ON other.p = days.neighbour
          WHERE (h >> 32) % 10 = 0 AND other.github <> days.github)
SELECT hands.id AS pull_id, number, repository, hand, members.person, day, hands.github AS author, ends_at, merges,
    reverts, CASE WHEN merges AND ends_at <= '{now}' THEN ends_at END AS merged_at,
    CASE WHEN NOT merges AND ends_at <= '{now}' THEN ends_at END AS closed_at
FROM hands JOIN members ON members.github = hand
"""

_EVENTS = """
COPY (
    SELECT person, day, day + INTERVAL 8 HOUR + to_seconds((h % 36000)::INT) AS at, h >> 12 AS session,
        'acme/repo-' || (p % 12) AS repository,
        CASE WHEN h % 4 = 0 THEN 'claude-sonnet-5-5' ELSE 'claude-opus-5-5' END AS model,
        (h % 3000)::INT AS fresh, ((h >> 8) % 9000)::INT AS cache_write_5m, ((h >> 16) % 90000)::INT AS cache_read,
        ((h >> 24) % 2000)::INT AS output, ((1000 + (h >> 4) % 40000) * (1 + p % 4))::BIGINT AS list_micro
    FROM (SELECT *, DATE '{monday}' + d::INT AS day, hash(p, DATE '{monday}' + d::INT, e) AS h
          FROM range({events}) a(e), range(5) b(d), members)
) TO '{folder}/events-{week:03}.parquet'
"""

_COMMITS_OF_WEEK = """
COPY (SELECT pull_id, number, repository, person, day, author, merged_at, closed_at, reverts FROM commits
      WHERE day BETWEEN '{monday}' AND '{sunday}') TO '{folder}/commits-{week:03}.parquet'
"""

_MERGED_IN_WEEK = """
COPY (SELECT id, github AS author, reverts FROM plans
      WHERE merges AND ends_at >= '{monday}' AND ends_at < DATE '{sunday}' + 1) TO '{folder}/merged-{week:03}.parquet'
"""

_SPEND = """
SELECT person, day, model, sum(list_micro)::BIGINT AS list_micro, (sum(list_micro) * 9 // 10)::BIGINT AS billed_micro,
    count(*) AS requests, sum(fresh)::BIGINT AS fresh, sum(cache_write_5m)::BIGINT AS cache_write_5m,
    sum(cache_read)::BIGINT AS cache_read, sum(output)::BIGINT AS output
FROM read_parquet('{folder}/events-*.parquet') GROUP BY ALL
"""
