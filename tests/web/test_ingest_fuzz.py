"""Whatever is sent, to whichever path: never an error of ours, never a word of it in the log, and memory in bounds."""

import copy
import gzip
import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from tests.integrations.agents.hostile import peak
from tests.integrations.agents.samples import FILES, sample, spans, to_json, to_protobuf
from tests.receiving import JSON, PROTOBUF, Receiver
from tests.web.sending import CANARY, OTLP, as_json, call, calls, document, receiving, turn

FUZZ = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
PATHS = st.sampled_from([*OTLP, "/v1/sessions"])
MOST_MIB = 300
TEXTS = ["", "\0", "\ud800", "'; DROP TABLE agent_requests; --", CANARY * 200, "é" * 2_000, "9" * 400, "0x10", "1e400"]
TIMES = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999Z", "2026-11-22T02:07:14", "2026-02-30T00:00:00Z"]
NUMBERS: list[Any] = [0, -1, 1.5, 10**12, 10**12 + 1, 2**31, 2**63 - 1, 2**63, 2**64, 10**400, 1e308, 5e-324]
SHAPES: list[Any] = [None, True, [], {}, [[]], [{}], {"key": CANARY}, {"stringValue": 1}, {"kvlistValue": {}}, [None]]
ODD = st.sampled_from([*TEXTS, *TIMES, *NUMBERS, *SHAPES])


@pytest.fixture
def receiver(engine: Engine, caplog: pytest.LogCaptureFixture) -> Iterator[Receiver]:
    caplog.set_level(logging.INFO)
    yield receiving(engine, "ann")
    assert CANARY not in caplog.text
    assert not [one for one in caplog.records if one.exc_info or one.levelno >= logging.ERROR]


def post(receiver: Receiver, path: str, body: bytes, media: str, **how: Any) -> None:
    receiver.now += timedelta(seconds=2)  # not faster than is allowed
    before = peak()
    answer = receiver.post(path, body, receiver.tokens["ann"], media, **how)
    assert answer.status_code in (200, 400, 413, 415), answer.text
    assert CANARY.encode() not in answer.content
    assert peak() - before < MOST_MIB


@FUZZ
@given(PATHS, st.binary(max_size=300), st.sampled_from([JSON, PROTOBUF]), st.booleans())
def test_any_bytes_are_answered(receiver: Receiver, path: str, body: bytes, media: str, zipped: bool) -> None:
    post(receiver, path, body, media, zipped=zipped)


FIELDS = [
    *("resourceLogs", "resourceMetrics", "resourceSpans", "resource", "attributes", "key", "value", "version"),
    *("scopeLogs", "scopeMetrics", "scopeSpans", "logRecords", "metrics", "spans", "sum", "dataPoints"),
]
JSONS = st.recursive(
    ODD | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(FIELDS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@FUZZ
@given(PATHS, JSONS)
def test_any_document_is_answered(receiver: Receiver, path: str, told: Any) -> None:
    post(receiver, path, as_json(told), JSON)


def hooks_document() -> Any:
    request = {"key": "ab" * 16, "at": "2026-11-22T02:07:14Z", "model": "m", "fresh": 1, "output": 1}
    counted = {"tool_ok": 2, "tool_failed": 3, "error_runs": 1, "edited": [{"file": "ab" * 8, "edits": 2}]}
    place = {"repository": "acme/api", "branch": "fix", "head_before": "a" * 40, "head_after": "b" * 40}
    pulls = [{"at": "2026-11-22T02:07:14Z", "repository": "acme/api", "pull": 7}]
    return document(turn(requests=[request], counters=counted, pulls=pulls, commits=["c" * 40], **place))


def of_agents() -> list[tuple[str, Any]]:
    chat = {"gen_ai.operation.name": "chat", "gen_ai.conversation.id": "c", "gen_ai.usage.input_tokens": 7}
    where = {"vcs.repository.name": "acme/api", "vcs.ref.head.name": "fix", "user.email": "ann@example.com"}
    own = [calls("r1", "r2", **where), spans("github-copilot", chat | {"gen_ai.response.id": "r"})]
    told = [*own, *(to_json(sample(name)) for name in FILES if len(sample(name).body) < 60_000)]
    return [(f"/v1/{one.signal}", json.loads(one.body)) for one in told]


OF_AGENTS = of_agents()


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to everything in a document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield (*path, key)
        yield from places(inner, (*path, key))


def put(told: Any, path: tuple[Any, ...], value: Any) -> None:
    """Another value at the end of that way, if it still leads there."""
    for key in path[:-1]:
        if not leads(told, key):
            return
        told = told[key]
    if leads(told, path[-1]):
        told[path[-1]] = value


def leads(told: Any, key: Any) -> bool:
    return (isinstance(told, dict) and key in told) or (isinstance(told, list) and key in range(len(told)))


@FUZZ
@given(st.data())
@pytest.mark.parametrize("sender", ["hook", "agent"])
def test_a_true_document_with_something_odd_in_it_is_answered(
    receiver: Receiver, sender: str, data: st.DataObject
) -> None:
    where, told = data.draw(st.sampled_from(OF_AGENTS)) if sender == "agent" else ("/v1/sessions", hooks_document())
    told, ways = copy.deepcopy(told), list(places(told))
    for _ in range(data.draw(st.integers(1, 3))):
        put(told, data.draw(st.sampled_from(ways)), data.draw(st.sampled_from(TIMES) | ODD))
    post(receiver, where, as_json(told), JSON)


PROTOBUFS = [to_protobuf(sample(name)) for name in FILES if not name.endswith(".gz")]


@FUZZ
@given(st.data())
def test_a_true_protobuf_with_other_bytes_in_it_is_answered(receiver: Receiver, data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(PROTOBUFS))
    body = bytearray(one.body)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, max(0, len(body) - 1)))
        body[place : place + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=6))
    path = data.draw(st.sampled_from([f"/v1/{one.signal}", *OTLP]))
    post(receiver, path, bytes(body), PROTOBUF)


@FUZZ
@given(PATHS, st.data())
def test_a_gzip_with_other_bytes_in_it_is_answered(receiver: Receiver, path: str, data: st.DataObject) -> None:
    body = bytearray(gzip.compress(calls("r1").body, mtime=0))
    place = data.draw(st.integers(0, len(body) - 1))
    body[place : place + 1] = data.draw(st.binary(max_size=3))
    post(receiver, path, bytes(body), JSON, headers={"content-encoding": "gzip"})


@FUZZ
@given(
    st.dictionaries(st.sampled_from(["content-type", "content-encoding", "x-odd"]), st.text("\t !~aé/;=", max_size=9))
)
def test_any_headers_are_answered(receiver: Receiver, headers: dict[str, str]) -> None:
    given = {name: value.strip().encode("latin-1").decode("latin-1") for name, value in headers.items()}
    receiver.now += timedelta(seconds=2)
    body = as_json(call("r1"))
    sent = {"authorization": f"Bearer {receiver.tokens['ann']}", "content-type": JSON, **given}
    answer = receiver.client.post(
        "/v1/logs", content=body, headers=[(a.encode(), b.encode("latin-1")) for a, b in sent.items()]
    )
    assert answer.status_code in (200, 400, 415)
