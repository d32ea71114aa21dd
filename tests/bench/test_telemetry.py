"""The bars of telemetry and transcripts, so small that their figures mean nothing: they run, and check their sums."""

import json

import pytest

from bench import local, serving, stored
from bench.databases import NotHere, opened
from bench.growth import Growth
from bench.ingest import Ingest, deliver, same_rollups
from bench.local import LocalRuns
from bench.receiver import Refused, address, joins
from bench.report import Line, as_json, as_table
from bench.stream import Call, bodies
from bench.transcripts import generate
from bench.watch import Differs, Took

SENT = range(40)


@pytest.fixture
def engine(tmp_path):
    with opened(f"sqlite:///{tmp_path}/bench.db") as engine:
        yield engine


@pytest.fixture
def delivered(engine):
    """40 requests, taken in by the real door."""
    deliver(engine, joins(engine), list(bodies(0, len(SENT), address())))
    return engine


def quiet(text: str) -> None:
    """Nobody wants to read how far a test is."""


def test_the_stream_is_stored_as_it_was_sent(delivered):
    stored.check(delivered, SENT)
    assert len(stored.rows(delivered)) == 40


@pytest.mark.parametrize("column", ["fresh", "cache_write_5m", "cache_read", "output", "list_micro"])
def test_one_wrong_number_stops_the_bench(delivered, column):
    with delivered.begin() as connection:
        first = "at = (SELECT min(at) FROM agent_requests)"
        connection.exec_driver_sql(f"UPDATE agent_requests SET {column} = {column} + 1 WHERE {first}")
    with pytest.raises(Differs):
        stored.check(delivered, SENT)


def test_a_lost_request_stops_the_bench(delivered):
    with delivered.begin() as connection:
        connection.exec_driver_sql("DELETE FROM agent_requests WHERE at = (SELECT max(at) FROM agent_requests)")
    with pytest.raises(Differs):
        stored.check(delivered, SENT)
    with pytest.raises(Differs):
        stored.check_count(delivered, 40)


def test_the_baseline_writes_the_same_rows(delivered, tmp_path):
    with opened(f"sqlite:///{tmp_path}/bare.db") as bare:
        stored.insert(bare, stored.rows(delivered), 20)
        stored.check(bare, SENT)


def test_a_body_that_is_not_taken_stops_the_bench(engine):
    sender = joins(engine)
    with pytest.raises(Refused):
        deliver(engine, sender, [b"no protobuf"])


def test_ingest_is_measured_against_its_baseline(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.ingest.ROUNDS", 1)
    monkeypatch.setattr(Ingest, "_over_http", lambda self: Line("B1", "over HTTP"))
    lines = Ingest(tmp_path, quiet, requests=40).run(["B1", "B2", "B4"])
    assert [(line.bar, line.most) for line in lines] == [
        ("B1", 10),
        ("B1", None),
        ("B1", None),
        ("B2", 2),
        ("B2", 2),
        ("B4", 1.2),
    ]
    assert all(line.ours and line.baseline for line in lines if line.what != "over HTTP")


@pytest.mark.parametrize("after", [[("person", "2026-05-01", 2)], []])
def test_rollups_that_changed_stop_the_bench(after):
    with pytest.raises(Differs):
        same_rollups([("person", "2026-05-01", 1)], after)


def test_no_rollups_at_all_stop_the_bench():
    with pytest.raises(Differs):
        same_rollups([], [])


def test_the_slowest_answers_are_the_last_percentiles():
    took = serving.Latencies(tuple(number / 100 for number in range(1, 101)))  # 0.01 to 1.00 s
    assert (took.at(0.5), took.at(0.99), took.at(1)) == (0.51, 1.0, 1.0)


@pytest.mark.e2e
def test_what_was_answered_over_http_survives_the_kill(tmp_path):
    url = f"sqlite:///{tmp_path}/http.db"
    with opened(url) as engine:
        sender = joins(engine)
    found = serving.offer(url, sender, list(bodies(0, len(SENT), address())))
    assert len(found.seconds) == 2
    with opened(url) as engine:
        stored.check(engine, SENT)


def test_growth_is_measured_and_weighed(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.growth.ROUNDS", 1)
    small = Growth(tmp_path, quiet, few=100, many=400, kept=200, events=10_000, people=5)
    lines = small.run(["B3", "B5"])
    assert [line.bar for line in lines] == ["B3", "B5", "B5"]
    assert "400 rows stored / with 100" in lines[0].what
    assert all(line.ours for line in lines)
    assert (lines[1].ours or 0) > 100  # a row holds a key of 32 and ids of 22, 36 and 36 characters


def test_transcripts_come_to_what_leverage_local_finds(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.transcripts.FILE", 20_000)
    made = generate(tmp_path / ".claude", 200_000)
    found, took = local.started([*local.OUR_COMMAND, "--claude-dir", str(tmp_path / ".claude")], tmp_path)
    local.same(local.ours(found), made.tokens, "leverage local")
    assert made.files > 1
    assert took.cpu > 0


def test_one_wrong_token_in_either_report_stops_the_bench():
    tokens = {"fresh": 1, "cache_write_5m": 2, "cache_read": 3, "output": 4}
    told = {"inputTokens": 1, "cacheCreationTokens": 2, "cacheReadTokens": 3, "outputTokens": 4}
    report = {"models": [{"model": "m", "tokens": tokens}]}
    peer = {"daily": [{"modelBreakdowns": [{"modelName": "m", **told}]}]}
    local.same(local.theirs(peer), local.ours(report), "ccusage")
    for name in told:
        wrong = {"daily": [{"modelBreakdowns": [{"modelName": "m", **told, name: told[name] + 1}]}]}
        with pytest.raises(Differs):
            local.same(local.theirs(wrong), local.ours(report), "ccusage")


def test_days_of_the_peer_add_up():
    day = {"modelBreakdowns": [dict.fromkeys(local.THEIRS, 5) | {"modelName": "m"}]}
    assert local.theirs({"daily": [day, day]}) == {"m": {"fresh": 10, "written": 10, "read": 10, "output": 10}}


def test_without_ccusage_its_bars_are_not_run(tmp_path, monkeypatch):
    def missing(folder):
        raise NotHere("ccusage could not be installed")

    monkeypatch.setattr(local, "installed", missing)
    monkeypatch.setattr(LocalRuns, "_ours", lambda self, made: lambda: Took(2.0, 1.0))
    lines, servers = LocalRuns(tmp_path, quiet, size=1_000).run()
    assert servers == {"ccusage": "not run"}
    assert [line.verdict for line in lines] == ["not run", "not run", "falls short"]
    assert "ccusage could not be installed" in as_table({}, lines)
    assert all(line["ours"] is None for line in json.loads(as_json({}, lines))["lines"][:2])


def test_a_call_has_one_moment_and_one_id():
    calls = [Call(number) for number in (*range(200), *range(296_200, 296_300))]
    assert len({call.at for call in calls}) == len({call.id for call in calls}) == 300
