"""The door of telemetry and the bounds of its bodies: who is let in, and what is answered to what cannot be taken.

Nothing of a body is ever logged, and nothing that anybody sends is an error of ours.
"""

import asyncio
import gzip
import json
import logging
import shutil
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from bot.store.db import WRITER
from bot.usecases import tokens
from bot.web.pools import INGEST
from tests.integrations.agents.hostile import LIMIT, bodies
from tests.integrations.agents.samples import any_value, logs, to_protobuf, zipped
from tests.people import dump
from tests.receiving import JSON, PROTOBUF, Receiver
from tests.web.sending import (
    AGENT_TABLES,
    CANARY,
    NOW,
    OTLP,
    Wire,
    as_json,
    call,
    calls,
    document,
    everything,
    other_bounds,
    receiving,
    requests,
    send,
    turn,
    words,
)

KIB = 1024
MIB = 1 << 20
MEDIA = (JSON, PROTOBUF)
PATHS = [*((path, media) for path in OTLP for media in MEDIA), ("/v1/sessions", JSON)]


@pytest.fixture
def receiver(engine: Engine) -> Receiver:
    return receiving(engine, "ann", "bo")


@pytest.fixture(autouse=True)
def _nothing_of_a_body_is_logged(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    caplog.set_level(logging.INFO)
    for name in ("bot", "integrations", "asyncio"):
        caplog.set_level(logging.DEBUG, logger=name)
    yield
    output = capfd.readouterr()
    logged = " ".join((caplog.text, output.out, output.err))
    assert CANARY not in logged
    assert "Traceback" not in logged


# --- the token


def presented(receiver: Receiver) -> dict[str, str | None]:
    """Headers of those who are not let in."""
    valid = receiver.tokens["ann"]
    expiring = tokens.new_fleet(receiver.engine, "for a day", NOW, timedelta(days=1)).token
    tokens.revoke_person(receiver.engine, receiver.company.people["bo"], NOW)
    receiver.now = NOW + timedelta(days=1)
    return {
        "none": None,
        "empty": "",
        "another scheme": f"Basic {valid}",
        "no token of ours": "Bearer sesame",
        "too short": f"Bearer {valid[:-1]}",
        "unknown": "Bearer lev_" + "0" * 64,
        "forged, with the id of a real one": f"Bearer {valid[:12]}" + "0" * 56,
        "expired": f"Bearer {expiring}",
        "revoked": f"Bearer {receiver.tokens['bo']}",
        "not even text": "Bearer \xff\xfe",
    }


@pytest.mark.parametrize(("path", "media"), PATHS)
def test_who_has_no_valid_token_is_told_so_and_their_body_is_not_even_read(
    receiver: Receiver, path: str, media: str
) -> None:
    before = everything(receiver.engine)["agent_requests"]
    for why, value in presented(receiver).items():
        wire = Wire(path, None, media, {"authorization": value} if value is not None else {})
        wire.headers = {**wire.headers, "content-length": str(10 * MIB), "content-encoding": "rot13"}
        if value is None:
            wire.headers = {**wire.headers, "authorization": ""}
        answer = asyncio.run(wire.through(receiver.client.app, CANARY.encode()))
        assert (answer.status_code, wire.asked) == (401, 0), why
        said = answer.json()["error"] if path == "/v1/sessions" else words(answer, media)
        assert "/leverage token" in said
    assert everything(receiver.engine)["agent_requests"] == before == []


def test_a_refusal_in_a_form_that_nobody_reads_is_json(receiver: Receiver) -> None:
    answer = receiver.post("/v1/logs", b"", None, "text/plain")
    assert (answer.status_code, answer.json()["code"]) == (401, 16)  # google.rpc.Code.UNAUTHENTICATED
    assert answer.headers["content-type"] == JSON


# --- the rate


@pytest.mark.parametrize("media", MEDIA)
def test_after_its_burst_a_token_has_to_wait_and_others_have_not(receiver: Receiver, media: str) -> None:
    body = b"{}" if media == JSON else b""
    ann, bo = receiver.tokens["ann"], receiver.tokens["bo"]
    assert {receiver.post("/v1/logs", body, ann, media).status_code for _ in range(120)} == {200}
    refused = receiver.post("/v1/traces", body, ann, media)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert "larger batches" in words(refused, media)
    assert receiver.post("/v1/logs", body, bo, media).status_code == 200
    receiver.now += timedelta(seconds=1)
    assert receiver.post("/v1/logs", body, ann, media).status_code == 200
    assert receiver.post("/v1/logs", body, ann, media).status_code == 429


# --- bodies that are not taken


def nested(depth: int) -> bytes:
    return b'{"resourceLogs":' + b"[" * depth + b"]" * depth + b"}"


def many(count: int) -> bytes:
    return logs("claude-code", *[{"event.name": CANARY}] * count).body


@cache
def bomb() -> bytes:
    """A quarter of a gibibyte of blanks, in a body of a size that is allowed."""
    body = gzip.compress(b" " * (256 * MIB))
    assert len(body) <= MIB
    return body


GZIP = {"content-encoding": "gzip"}
REFUSED: dict[str, tuple[bytes, str, dict[str, str], int]] = {
    "another type": (b"{}", "text/plain", {}, 415),
    "no type": (b"{}", "", {}, 415),
    "another encoding": (b"{}", JSON, {"content-encoding": "br"}, 415),
    "two encodings": (gzip.compress(b"{}"), JSON, {"content-encoding": "gzip, gzip"}, 415),
    "announced as too large": (b" " * (MIB + 1), JSON, {}, 413),
    "too large unpacked": (gzip.compress(b" " * (LIMIT + 1)), JSON, GZIP, 413),
    "10,001 records": (gzip.compress(many(10_001)), JSON, GZIP, 413),
    "no JSON": (CANARY.encode(), JSON, {}, 400),
    "empty JSON": (b"", JSON, {}, 400),
    "a list": (b"[]", JSON, {}, 400),
    "no text": (b'"\xff\xfe"', JSON, {}, 400),
    "not a number": (b'{"resourceLogs":[],"x":NaN}', JSON, {}, 400),
    "infinity": (b'{"resourceLogs":[],"x":-Infinity}', JSON, {}, 400),
    "a number of 5,000 digits": (b'{"x":' + b"9" * 5_000 + b"}", JSON, {}, 400),
    "nested too deep": (nested(64), JSON, {}, 400),
    "nested very deep": (nested(100_000), JSON, {}, 400),
    "no gzip": (b"{}", JSON, GZIP, 400),
    "half a gzip": (gzip.compress(b"{}")[:-6], JSON, GZIP, 400),
    "two gzip members": (gzip.compress(b"{}") * 2, JSON, GZIP, 400),
    "gzip and more": (gzip.compress(b"{}") + b"more", JSON, GZIP, 400),
    "a wrong sum": (gzip.compress(b"{}")[:-8] + b"\0" * 8, JSON, GZIP, 400),
    "no protobuf": (CANARY.encode(), PROTOBUF, {}, 400),
    "JSON as protobuf": (b'{"resourceLogs":[]}', PROTOBUF, {}, 400),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_body_that_is_not_taken_is_refused_for_good_and_its_sender_may_go_on(receiver: Receiver, why: str) -> None:
    body, media, headers, status = REFUSED[why]
    answer = receiver.post("/v1/logs", body, receiver.tokens["ann"], media, headers=headers)
    assert answer.status_code == status
    assert "retry-after" not in answer.headers
    assert CANARY not in words(answer, media if media in MEDIA else JSON)
    assert requests(receiver) == []
    assert send(receiver, calls("r1"), receiver.tokens["ann"]).status_code == 200


def test_10_000_records_are_taken(receiver: Receiver) -> None:
    answer = receiver.post("/v1/logs", many(10_000), receiver.tokens["ann"], JSON, zipped=True)
    assert (answer.status_code, answer.json()) == (200, {})


def test_a_body_that_does_not_say_how_long_it_is_may_be_no_longer(receiver: Receiver) -> None:
    """In chunks, as Claude Code sends: refused when it has got too long, and no more of it is read."""
    wire = Wire("/v1/logs", receiver.tokens["ann"], PROTOBUF)
    answer = asyncio.run(wire.through(receiver.client.app, *[b"x" * (MIB // 4)] * 100))
    assert (answer.status_code, wire.asked) == (413, 5)
    assert words(answer, PROTOBUF)


def test_a_body_in_chunks_is_taken(receiver: Receiver) -> None:
    body = gzip.compress(calls("r1").body)
    chunks = [body[place : place + 50] for place in range(0, len(body), 50)]
    wire = Wire("/v1/logs", receiver.tokens["ann"], JSON, GZIP)
    assert asyncio.run(wire.through(receiver.client.app, *chunks)).status_code == 200
    assert len(requests(receiver)) == 1


@pytest.mark.parametrize("path", [*OTLP, "/v1/sessions"])
def test_a_gzip_bomb_takes_no_more_memory_than_a_large_body(receiver: Receiver, path: str) -> None:
    body = bomb()
    tracemalloc.start()
    try:
        answer = receiver.post(path, body, receiver.tokens["ann"], JSON, headers=GZIP)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.status_code == 413
    assert peak < 4 * LIMIT, "all of it was unpacked"


def test_the_dearest_bodies_that_fit_are_answered(receiver: Receiver) -> None:
    for what, make in bodies().items():
        signal, media, body = make()
        answer = receiver.post(f"/v1/{signal}", body, receiver.tokens["ann"], media, zipped=True)
        assert answer.status_code in (200, 400, 413), what
    assert {table: dump(receiver.engine, table) for table in AGENT_TABLES} == {table: [] for table in AGENT_TABLES}


# --- numbers and times that cannot be


HUGE: list[Any] = [10**12 + 1, 2**63, 2**64, 10**400, -1, 1.5, 1e308, "1e999999999", "9" * 4_000, True]


@pytest.mark.parametrize("value", HUGE, ids=lambda value: str(value)[:12])
def test_a_number_that_cannot_be_costs_its_record_and_no_other(receiver: Receiver, value: Any) -> None:
    given = logs("claude-code", call("r1"), call("r2"), call("r3"))
    body = json.loads(given.body)
    records = body["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    for pair in records[1]["attributes"]:
        if pair["key"] == "input_tokens":
            pair["value"] = any_value(value)
    answer = receiver.tells("/v1/logs", body, receiver.tokens["ann"])
    assert answer.status_code == 200
    assert answer.json()["partialSuccess"]["rejectedLogRecords"] == "1"
    assert [row["fresh"] for row in requests(receiver)] == [100, 100]


def test_the_largest_numbers_that_are_taken_can_be_added_up(receiver: Receiver) -> None:
    """10,000 requests of a thousand million dollars each: more than fits a number of the database."""
    dear = [call(f"r{number}", cost_usd=10**9, input_tokens=10**12) for number in range(10_000)]
    receiver.now += timedelta(hours=3)
    answer = send(receiver, zipped(to_protobuf(logs("claude-code", *dear))), receiver.tokens["ann"], headers=GZIP)
    assert answer.status_code == 200
    send(receiver, calls("r1"), receiver.tokens["bo"])
    receiver.measure()
    assert not any(row["pending"] for row in dump(receiver.engine, "agent_days"))


@pytest.mark.parametrize(
    "at",
    ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59.999999Z", "2026-13-45T99:99:99Z"],
)
def test_a_turn_at_a_time_at_the_end_of_the_calendar_is_refused_and_the_others_kept(
    receiver: Receiver, at: str
) -> None:
    request = {"key": "ab" * 16, "at": "2026-11-22T02:07:14Z", "model": "m", "fresh": 1, "output": 1}
    told = document(turn(at, counters={"tool_ok": 3}), turn(turn="t2", requests=[request]))
    answer = receiver.tells("/v1/sessions", told, receiver.tokens["ann"])
    assert answer.status_code == 200
    assert sum(answer.json()["rejected"].values()) >= 1
    assert len(requests(receiver)) == 1


# --- trouble that is ours


@pytest.mark.parametrize(("path", "media"), PATHS)
def test_a_body_that_does_not_arrive_is_not_waited_for(receiver: Receiver, path: str, media: str) -> None:
    app = other_bounds(receiver, replace(INGEST, arrival_s=0.1))
    answer = asyncio.run(Wire(path, receiver.tokens["ann"], media).through(app, b"{", silent=True))
    assert answer.status_code == 408
    assert answer.headers["content-type"] == media


@pytest.mark.parametrize(("path", "media"), PATHS)
def test_who_finds_no_room_is_told_to_come_again_in_a_moment(receiver: Receiver, path: str, media: str) -> None:
    app = other_bounds(receiver, replace(INGEST, held=KIB, arrival_s=1))

    async def two() -> Any:
        first = asyncio.create_task(Wire(path, receiver.tokens["bo"], media).through(app, b" " * KIB, silent=True))
        await asyncio.sleep(0.3)
        second = await Wire(path, receiver.tokens["ann"], media).through(app, b" ")
        return await first, second

    first, second = asyncio.run(two())
    assert (first.status_code, second.status_code, second.headers["retry-after"]) == (408, 503, "5")
    assert second.headers["content-type"] == media


@pytest.fixture
def held(engine: Engine) -> Iterator[None]:
    """Somebody else writes and does not end; we wait a tenth of a second instead of ten."""

    def impatient(connection: Any, _record: Any) -> None:
        if engine.dialect.name == "sqlite":
            connection.execute("PRAGMA busy_timeout = 100")
        else:
            connection.execute("SET lock_timeout = '100ms'")
            connection.commit()

    engine.dispose()
    event.listen(engine, "connect", impatient)
    yield
    event.remove(engine, "connect", impatient)


@pytest.mark.parametrize("media", MEDIA)
@pytest.mark.usefixtures("held")
def test_while_the_database_takes_nothing_a_batch_is_to_be_sent_again_and_then_counts_once(
    receiver: Receiver, media: str
) -> None:
    given = calls("r1") if media == JSON else to_protobuf(calls("r1"))
    before = everything(receiver.engine)
    with receiver.engine.connect() as other:
        is_postgres = receiver.engine.dialect.name == "postgresql"
        other.execute(text(f"SELECT pg_advisory_xact_lock({WRITER})" if is_postgres else "SELECT 1"))
        refused = send(receiver, given, receiver.tokens["ann"])
        other.rollback()
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "60")
    assert "nothing was kept" in words(refused, media)
    assert everything(receiver.engine) == before
    assert send(receiver, given, receiver.tokens["ann"]).status_code == 200
    assert len(requests(receiver)) == 1


def test_while_all_connections_are_taken_a_batch_is_to_be_sent_again(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for one for half a minute (here: a tenth of a second) goes without."""
    monkeypatch.setattr(receiver.engine.pool, "_timeout", 0.1)
    with ExitStack() as taken:
        for _ in range(15):
            taken.enter_context(receiver.engine.connect())
        refused = send(receiver, calls("r1"), receiver.tokens["ann"])
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "60")


@pytest.mark.parametrize(("path", "media"), PATHS)
def test_without_a_database_nobody_is_let_in_or_sent_away_for_good(receiver: Receiver, path: str, media: str) -> None:
    with receiver.engine.begin() as connection:
        connection.execute(text("ALTER TABLE ingest_tokens RENAME TO gone"))
    wire = Wire(path, receiver.tokens["ann"], media)
    answer = asyncio.run(wire.through(receiver.client.app, b"{}"))
    assert (answer.status_code, answer.headers["retry-after"], wire.asked) == (503, "60", 0)
    assert answer.headers["content-type"] == media


@pytest.fixture
def full(engine: Engine) -> None:
    """The disk has room for requests, and none for the days that they are of."""
    engine.dispose()
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count = 1"))
        return
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100'; END $$"
            )
        )
        connection.execute(
            text("CREATE TRIGGER full_disk BEFORE INSERT ON agent_days FOR EACH ROW EXECUTE FUNCTION full_disk()")
        )


def test_a_full_disk_keeps_nothing_of_a_batch_and_says_when_to_come_again(receiver: Receiver, full: None) -> None:
    before = everything(receiver.engine)
    given = zipped(calls(*(f"r{number}" for number in range(3_000))))
    answer = send(receiver, given, receiver.tokens["ann"], headers=GZIP)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert everything(receiver.engine) == before


def test_before_the_disk_is_full_nothing_is_taken_in(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than 2 GiB and less than a tenth are free. Only the disk of a SQLite file is ours to look at."""
    usage = type(shutil.disk_usage("/"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100 << 30, 99 << 30, 1 << 30))
    wire = Wire("/v1/logs", receiver.tokens["ann"])
    answer = asyncio.run(wire.through(receiver.client.app, calls("r1").body))
    if receiver.engine.dialect.name == "sqlite":
        assert (answer.status_code, answer.headers["retry-after"], wire.asked) == (503, "60", 0)
        assert "disk" in words(answer, JSON)
    else:
        assert answer.status_code == 200


def test_a_body_of_another_form_than_it_says_is_no_trouble_of_ours(receiver: Receiver) -> None:
    for path in (*OTLP, "/v1/sessions"):
        for body in (as_json(document(turn())), calls("r1").body, to_protobuf(calls("r1")).body):
            for media in MEDIA:
                assert receiver.post(path, body, receiver.tokens["ann"], media).status_code in (200, 400)
