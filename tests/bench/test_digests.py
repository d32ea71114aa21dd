"""The bench itself, on a company so small that its figures mean nothing: it runs, and it checks its sums."""

import json

import pytest

from bench import ours
from bench.company import generate
from bench.databases import opened
from bench.digests import Digests, first_week
from bench.load import load
from bench.report import Line, as_json, as_table, machine
from bench.teams import Size, teams
from bench.watch import Differs
from bot.store.db import transaction
from bot.store.tables import PersonDay, table

TINY = Size(people=24, events=2_000)


@pytest.fixture
def digests(tmp_path, monkeypatch) -> Digests:
    monkeypatch.setattr("bench.digests.ROUNDS", 1)
    monkeypatch.setattr("bench.digests.LONG", 2)
    return Digests(tmp_path, TINY, lambda text: None)


@pytest.mark.e2e
def test_both_bars_are_measured_and_the_closings_are_what_duckdb_finds(digests):
    lines, servers = digests.run(["B6", "B7"])
    assert [line.bar for line in lines] == ["B6"] * 6 + ["B7"] * 2
    assert all(line.ours for line in lines)
    assert "2 blocks, 2 published" in lines[3].note
    assert servers["postgres"][0].isdigit()
    assert all(line["verdict"] in ("pass", "falls short", "") for line in json.loads(as_json({}, lines))["lines"])


def test_a_micro_dollar_of_difference_stops_the_bench(digests, monkeypatch):
    def spoilt(duck, engine, size, quarters):
        load(duck, engine, size, quarters)
        row = table(PersonDay)
        with transaction(engine) as session:
            session.execute(row.update().where(row.c.pending).values(list_micro=row.c.list_micro + 1))

    monkeypatch.setattr("bench.digests.load", spoilt)
    with pytest.raises(Differs):
        digests.run([])


def test_the_digest_reads_the_same_however_long_the_history_is(digests):
    """Steps of SQLite's machine, which are the same on any machine at any load."""
    generate(digests.duck, digests.folder, TINY)
    steps = []
    for quarters in (1, 3):
        with opened(f"sqlite:///{digests.folder}/{quarters}.db") as engine:
            load(digests.duck, engine, TINY, quarters)
            ours.digest(engine, teams(TINY), first_week(quarters))
            steps.append(ours.sqlite_steps(engine, teams(TINY), first_week(quarters)))
    assert steps[1] <= 1.05 * steps[0]


def test_a_bar_without_its_peer_says_so_and_prints_no_figure():
    text = as_table(machine(), [Line("B6", "a digest", note="duckdb is not installed")])
    assert "not run" in text
    assert "duckdb is not installed" in text
    assert " ms" not in text


def test_a_ratio_above_its_bar_falls_short_and_one_below_passes():
    assert Line("B6", "a digest", "s", ours=4.0, baseline=10.0, most=0.3).verdict == "falls short"
    assert Line("B6", "a digest", "s", ours=3.0, baseline=10.0, most=0.3).verdict == "pass"
    assert Line("B7", "memory", "B", ours=101e6, most=100e6).verdict == "falls short"
