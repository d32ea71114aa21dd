"""The peer: DuckDB answers the digest's question from the events themselves, as Parquet.

The question: per team, what was recognised in the week of each person as which part, and how many merged pull requests
count. Read from the files of that week alone, it leaves out what earlier weeks carried into it: that is all the bar
asks of the peer. Read from the whole quarter it is what our blocks hold, to the micro-dollar.
"""

from pathlib import Path

import duckdb

from bench.teams import FIRST, LAST
from bot.domain.block import Part

Recognised = dict[tuple[str, str, Part], int]
Included = dict[str, int]


def files(folder: Path, kind: str, weeks: int) -> str:
    """A DuckDB list of one kind's files, of the last `weeks` weeks."""
    last = (LAST.monday - FIRST.monday).days // 7
    names = (f"'{folder}/{kind}-{number:03}.parquet'" for number in range(last + 1 - weeks, last + 1))
    return f"[{', '.join(names)}]"


def ask(duck: duckdb.DuckDBPyConnection, folder: Path, weeks: int) -> tuple[Recognised, Included]:
    """Answer for the last week from the files of the last `weeks` weeks."""
    names = {
        "events": files(folder, "events", weeks),
        "commits": files(folder, "commits", weeks),
        "merged": files(folder, "merged", 1),
        "members": f"'{folder}/members.parquet'",
        "start": LAST.monday,
        "end": LAST.next().monday,
    }
    rows = duck.execute(_RECOGNISED.format(**names)).fetchall()
    included = duck.execute(_INCLUDED.format(**names)).fetchall()
    return {(team, person, Part(part)): micro for team, person, part, micro in rows}, dict(included)


_RECOGNISED = """
WITH spent AS (
    SELECT person, day, sum(list_micro)::BIGINT AS micro FROM read_parquet({events}) GROUP BY ALL
), touched AS (
    SELECT *, row_number() OVER day_ AS position, count(*) OVER (PARTITION BY person, day) AS pulls
    FROM read_parquet({commits}) WINDOW day_ AS (PARTITION BY person, day ORDER BY number, repository, pull_id)
), shares AS (
    SELECT member.team, person, merged_at, closed_at, author.team IS NOT DISTINCT FROM member.team AND reverts IS NULL
            AS counts, coalesce(merged_at, closed_at, CASE WHEN pulls IS NULL THEN day + INTERVAL 15 DAY END) AS landed,
        CASE WHEN coalesce(position, 1) = 1 THEN micro - micro // coalesce(pulls, 1) * (coalesce(pulls, 1) - 1)
             ELSE micro // pulls END AS micro
    FROM spent LEFT JOIN touched USING (person, day)
    JOIN read_parquet({members}) member USING (person)
    LEFT JOIN read_parquet({members}) author ON author.github = author
)
SELECT team, person, CASE WHEN merged_at IS NOT NULL AND counts THEN 'direct' WHEN closed_at IS NOT NULL
    THEN 'abandoned' ELSE 'unattributed' END AS part, sum(micro)::BIGINT
FROM shares WHERE landed >= '{start}' AND landed < '{end}' GROUP BY ALL
"""

_INCLUDED = """
SELECT team, count(*) FROM read_parquet({merged}) JOIN read_parquet({members}) ON github = author
WHERE reverts IS NULL GROUP BY ALL
"""
