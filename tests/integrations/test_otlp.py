"""Bodies into records: what senders write differently, and what is refused of one record while the rest counts."""

import json
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from bot.domain.series import Temporality
from integrations.otlp import Allowed, Batch, Log, Media, Piece, Point, Signal, Span, decode
from tests.integrations.agents.samples import Sent, pairs, sample, sent, to_protobuf

AT = 1_787_650_200_000_000_000
KEPT = Allowed(
    attributes=frozenset({"event.name", "event.timestamp", "text", "number", "flag", "service.name"}),
    events=frozenset({"asked", "agent.asked"}),
    metrics=frozenset({"tokens"}),
    scopes=frozenset({"known"}),
    pieces={"long": Piece("short", lambda text: text[:3] or None)},
)


def log_body(*records: Any, resource: Any = None) -> dict[str, Any]:
    return {"resourceLogs": [{"resource": resource or {}, "scopeLogs": [{"logRecords": list(records)}]}]}


def record(name: str = "asked", **more: Any) -> dict[str, Any]:
    return {"timeUnixNano": str(AT), "attributes": pairs({"event.name": name})} | more


def batch(body: Any, signal: Signal = Signal.LOGS, allowed: Allowed = KEPT) -> Batch:
    return sent(signal, body).batch(allowed)


def only(body: Any) -> Log:
    (log,) = batch(body).records
    assert isinstance(log, Log)
    return log


# --- tolerance --------------------------------------------------------------------------------------------------------


def test_the_edge_cases_are_read_exactly() -> None:
    allowed = Allowed(
        attributes=frozenset(
            {"event.name", "conversation.id", "input_tokens", "output_tokens", "cache_read_tokens", "cost_usd"}
            | {"unknown_kind", "nested", "raw", "no_value"}
        ),
        events=frozenset({"codex.user_prompt", "claude_code.api_request"}),
    )
    for given in (sample("edge_cases.logs.json"), to_protobuf(sample("edge_cases.logs.json"))):
        prompt, request = given.batch(allowed).records
        assert isinstance(prompt, Log)
        assert isinstance(request, Log)
        assert (prompt.name, prompt.at, prompt.trace) == ("codex.user_prompt", AT, "")  # body null, time "0"
        assert prompt.attributes == {"event.name": "codex.user_prompt", "conversation.id": "edge-1"}
        assert request.attributes == {  # 2^53 + 1; empty, unknown, nested and missing values are gone
            "event.name": "api_request",
            "input_tokens": 9_007_199_254_740_993,
            "output_tokens": 7,
            "cost_usd": 1.0,
        }
        assert (request.trace, request.span) == ("5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b173")
        assert not given.batch(allowed).rejected  # the third record is no event


@pytest.mark.parametrize("body", [{}, {"resourceLogs": []}, {"resourceLogs": None}, {"resourceLogs": [{}]}])
def test_an_empty_request_is_a_batch_of_nothing(body: Any) -> None:
    assert batch(body) == Batch((), batch({}).rejected)


@pytest.mark.parametrize("signal", Signal)
def test_an_empty_protobuf_body_is_a_request_of_nothing(signal: Signal) -> None:
    assert not decode(signal, Media.PROTOBUF, b"", KEPT).records


def test_a_resource_or_scope_may_be_missing_or_null() -> None:
    for group in ({}, {"resource": None}, {"resource": {"attributes": None}}):
        body = {"resourceLogs": [group | {"scopeLogs": [{"scope": None, "logRecords": [record()]}]}]}
        assert (only(body).source.resource, only(body).source.scope) == ({}, "")


def test_an_attribute_of_the_resource_counts_where_the_record_has_none() -> None:
    resource = {"attributes": pairs({"service.name": "a", "text": "of the resource"})}
    own = record()
    own["attributes"] += pairs({"text": "its own"})
    assert only(log_body(own, resource=resource)).get("text") == "its own"
    assert only(log_body(record(), resource=resource)).get("text") == "of the resource"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"stringValue": "a"}, "a"),
        ({"intValue": "12"}, 12),
        ({"intValue": 12}, 12),
        ({"intValue": 12.0}, 12),
        ({"intValue": "-3"}, -3),
        ({"intValue": str(2**63 - 1)}, 2**63 - 1),
        ({"doubleValue": 0.1}, 0.1),
        ({"doubleValue": 3}, 3.0),
        ({"boolValue": False}, False),
        ({}, None),
        (None, None),
        ("bare", None),
        ({"stringValue": 5}, None),
        ({"stringValue": None}, None),
        ({"boolValue": "true"}, None),
        ({"intValue": [1]}, None),
        ({"doubleValue": True}, None),
        ({"bytesValue": "AAEC"}, None),
        ({"arrayValue": {"values": [{"stringValue": "a"}]}}, None),
        ({"stringValue": "nul \0"}, None),
        ({"stringValue": "half a pair \ud800"}, None),
        ({"stringValue": "ü" * 2000}, "ü" * 1024),
    ],
)
def test_values(value: Any, kept: Any) -> None:
    given = record()
    given["attributes"].append({"key": "text", "value": value})
    found = only(log_body(given)).attributes.get("text")
    assert (found, type(found)) == (kept, type(kept))


@pytest.mark.parametrize("attributes", [5, "x", {"key": "text"}, [5], [None], [{"key": 5}], [{"value": {}}], [["key"]]])
def test_attributes_that_are_none_are_passed_over(attributes: Any) -> None:
    given = record(attributes=attributes, eventName="asked")
    assert only(log_body(given)).attributes == {}


def test_a_number_that_is_too_large_for_a_double_is_not_taken_for_zero() -> None:
    given = Sent(
        Signal.LOGS,
        Media.JSON,
        json.dumps(log_body(record(attributes=[*pairs({"event.name": "asked"}), {"key": "number", "value": {}}])))
        .replace('"value": {}', '"value": {"doubleValue": 1' + "0" * 400 + "}")
        .encode(),
    )
    (log,) = given.batch(KEPT).records
    assert log.attributes["number"] == "too large"


# --- names and times --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (record("asked"), "asked"),
        (record("asked", body={"stringValue": "agent.asked"}), "agent.asked"),
        (record("other", eventName="asked"), "asked"),
        (record("asked", eventName="event otel/src/events.rs:703"), "asked"),
        (record("asked", body={"stringValue": "A sentence for people."}), "asked"),
        (record("asked", body=None), "asked"),
        (record("asked", body={"kvlistValue": {}}), "asked"),
    ],
)
def test_an_event_has_its_name_in_one_of_three_places(given: Any, name: str) -> None:
    assert only(log_body(given)).name == name
    as_protobuf = to_protobuf(sent(Signal.LOGS, log_body(given))).batch(KEPT)
    assert as_protobuf == batch(log_body(given))


@pytest.mark.parametrize("name", ["other", "", "ASKED", "asked "])
def test_what_is_no_event_that_anybody_reads_is_left_out_and_not_refused(name: str) -> None:
    found = batch(log_body(record(name), record()))
    assert (len(found.records), found.rejected) == (1, {})


@pytest.mark.parametrize(
    ("times", "at"),
    [
        ({"timeUnixNano": AT}, AT),
        ({"timeUnixNano": "0", "observedTimeUnixNano": str(AT + 1)}, AT + 1),
        ({"timeUnixNano": None, "observedTimeUnixNano": AT}, AT),
        ({"timeUnixNano": str(AT), "observedTimeUnixNano": "7"}, AT),
        ({"timeUnixNano": 0, "text": "2026-08-25T09:30:00.001Z"}, AT + 10**6),
        ({"timeUnixNano": 0, "text": "2026-08-25T11:30:00+02:00"}, AT),
    ],
)
def test_the_first_time_that_is_told_counts(times: dict[str, Any], at: int) -> None:
    written = times.pop("text", None)
    given = record(**times)
    given["attributes"] += pairs({"event.timestamp": written}) if written else []
    assert only(log_body(given)).at == at


@pytest.mark.parametrize(
    "times",
    [
        {"timeUnixNano": "0"},
        {"timeUnixNano": "-1"},
        {"timeUnixNano": str(2**64)},
        {"timeUnixNano": 2**63},
        {"timeUnixNano": 0, "text": "yesterday"},
        {"timeUnixNano": 0, "text": "2026-08-25T09:30:00"},  # no zone
        {"timeUnixNano": 0, "text": "0001-01-01T00:00:00+23:59"},
        {"timeUnixNano": 0, "text": "9999-12-31T23:59:59-23:59"},
    ],
)
def test_a_record_without_a_time_that_can_be_is_refused_alone(times: dict[str, Any]) -> None:
    written = times.pop("text", None)
    given = record(**times)
    given["attributes"] += pairs({"event.timestamp": written}) if written else []
    found = batch(log_body(given, record()))
    assert (len(found.records), found.rejected) == (1, {"bad_time": 1})


@pytest.mark.parametrize("given", [5, "x", [], None, record(timeUnixNano="soon"), record(timeUnixNano={"a": 1})])
def test_a_record_that_is_none_is_refused_alone(given: Any) -> None:
    found = batch(log_body(given, record()))
    if given is None:
        assert (len(found.records), found.rejected) == (1, {})  # proto3: null is the empty message
    else:
        assert (len(found.records), found.rejected) == (1, {"unreadable": 1})


@pytest.mark.parametrize("id", ["zz" * 16, "ab" * 15, "00" * 16, "", None, 5, "ab" * 16 + "\n"])
def test_an_id_that_is_none_is_empty(id: Any) -> None:
    assert only(log_body(record(traceId=id))).trace == ""


def test_a_scope_that_nobody_knows_is_not_kept() -> None:
    body = log_body(record())
    for name, kept in (("known", "known"), ("/a/secret/path", ""), (5, "")):
        body["resourceLogs"][0]["scopeLogs"][0]["scope"] = {"name": name}
        assert only(body).source.scope == kept


def test_only_a_piece_of_some_attributes_is_kept_and_of_the_whole_text() -> None:
    given = record()
    given["attributes"] += pairs({"long": "abcdef"})
    assert only(log_body(given)).attributes == {"event.name": "asked", "short": "abc"}


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("Ann@Example.COM ", "ann@example.com"),
        ("nobody", None),
        ("", None),
        ("a" * 300 + "@b.c", None),
        ("a\0@b", None),
    ],
)
def test_the_address_is_apart_from_the_attributes(address: str, kept: str | None) -> None:
    given = record()
    given["attributes"] += pairs({"user.email": address})
    assert (only(log_body(given)).email, only(log_body(given)).attributes) == (kept, {"event.name": "asked"})
    resource = {"attributes": pairs({"user.email": address})}
    assert only(log_body(record(), resource=resource)).email == kept


# --- spans and points -------------------------------------------------------------------------------------------------


def span_body(**more: Any) -> dict[str, Any]:
    one = {"traceId": "AB" * 16, "spanId": "cd" * 8, "attributes": pairs({"text": "a"})} | more
    return {"resourceSpans": [{"scopeSpans": [{"spans": [one]}]}]}


def test_a_span_keeps_ids_times_and_whether_it_failed_but_not_its_name() -> None:
    body = span_body(name="POST /secret", startTimeUnixNano=str(AT), endTimeUnixNano=str(AT + 5), status={"code": 2})
    for found in (batch(body, Signal.TRACES), to_protobuf(sent(Signal.TRACES, body)).batch(KEPT)):
        (span,) = found.records
        assert isinstance(span, Span)
        assert (span.trace, span.span, span.parent) == ("ab" * 16, "cd" * 8, "")
        assert (span.start, span.at, span.failed) == (AT, AT + 5, True)
        assert "secret" not in repr(span)


def test_a_span_with_nothing_that_anybody_reads_is_left_out() -> None:
    assert batch(span_body(attributes=pairs({"other": 1})), Signal.TRACES).records == ()


@pytest.mark.parametrize("status", [5, "failed", [2]])
def test_a_span_with_a_status_that_is_none_is_refused(status: Any) -> None:
    assert batch(span_body(status=status), Signal.TRACES).rejected == {"unreadable": 1}


def metric_body(point: dict[str, Any], kind: str = "sum", name: str = "tokens", **more: Any) -> dict[str, Any]:
    own = {"timeUnixNano": str(AT), "startTimeUnixNano": str(AT - 10)} | point
    data = {"aggregationTemporality": 1, "isMonotonic": True} | more | {"dataPoints": [own]}
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": name, kind: data}]}]}]}


@pytest.mark.parametrize(
    ("point", "kind", "value"),
    [
        ({"asInt": "9007199254740993"}, "sum", 9_007_199_254_740_993),
        ({"asInt": 5}, "sum", 5),
        ({"asDouble": 0.00243}, "sum", 0.00243),
        ({"asDouble": "37"}, "sum", 37.0),
        ({"sum": 680.0, "count": "4"}, "histogram", 680.0),
        ({"sum": 680.0, "count": "4"}, "exponentialHistogram", 680.0),
        ({"count": "0"}, "histogram", 0),
    ],
)
def test_the_value_of_a_counter_or_the_sum_of_a_histogram(point: dict[str, Any], kind: str, value: Any) -> None:
    body = metric_body(point, kind)
    (found,) = batch(body, Signal.METRICS).records
    assert isinstance(found, Point)
    assert (found.value, found.start, found.at) == (value, AT - 10, AT)
    assert found.temporality is Temporality.DELTA
    del body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0][kind]["isMonotonic"]
    body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0][kind] |= {"isMonotonic": True} if kind == "sum" else {}
    assert to_protobuf(sent(Signal.METRICS, body)).batch(KEPT).records == (found,)


@pytest.mark.parametrize(
    ("point", "more", "reason"),
    [
        ({"asInt": "-1"}, {}, "bad_value"),
        ({"asDouble": "NaN"}, {}, "bad_value"),
        ({"asDouble": "Infinity"}, {}, "bad_value"),
        ({"asDouble": "many"}, {}, "bad_value"),
        ({"asDouble": True}, {}, "bad_value"),
        ({"asDouble": [1]}, {}, "bad_value"),
        ({}, {}, "bad_value"),
        ({"asInt": "x"}, {}, "unreadable"),
        ({"asInt": 5}, {"aggregationTemporality": 0}, "no_counter"),
        ({"asInt": 5}, {"aggregationTemporality": 7}, "no_counter"),
        ({"asInt": 5}, {"aggregationTemporality": "AGGREGATION_TEMPORALITY_DELTA"}, "unreadable"),
        ({"asInt": 5}, {"aggregationTemporality": [1]}, "unreadable"),
        ({"asInt": 5}, {"isMonotonic": False}, "no_counter"),
        ({"asInt": 5, "timeUnixNano": "-5"}, {}, "bad_time"),
        ({"asInt": 5, "flags": "x"}, {}, "unreadable"),
    ],
)
def test_a_point_that_cannot_be_added_up_is_refused(point: Any, more: Any, reason: str) -> None:
    assert batch(metric_body(point, **more), Signal.METRICS).rejected == {reason: 1}


@pytest.mark.parametrize("kind", ["gauge", "summary", "somethingNew"])
def test_what_is_no_counter_is_passed_over(kind: str) -> None:
    found = batch(metric_body({"asInt": 5}, kind), Signal.METRICS)
    assert (found.records, found.rejected) == ((), {})


def test_a_point_that_says_that_it_has_no_value_is_none() -> None:
    found = batch(metric_body({"asInt": 5, "flags": 1}), Signal.METRICS)
    assert (found.records, found.rejected) == ((), {})


def series(resource: dict[str, Any], point: dict[str, Any], scope: str = "", name: str = "tokens") -> str:
    body = metric_body({"asInt": 1, "attributes": pairs(point)}, name=name)
    body["resourceMetrics"][0]["resource"] = {"attributes": pairs(resource)}
    body["resourceMetrics"][0]["scopeMetrics"][0]["scope"] = {"name": scope}
    wide = Allowed(attributes=frozenset(), metrics=frozenset({"tokens", "dollars"}))
    (found,) = batch(body, Signal.METRICS, wide).records
    (other,) = to_protobuf(sent(Signal.METRICS, body)).batch(wide).records
    assert isinstance(found, Point)
    assert isinstance(other, Point)
    assert found.series == other.series
    return found.series


def test_a_series_is_told_apart_by_all_attributes_also_those_that_are_dropped() -> None:
    plain = series({"pid": 1}, {"kind": "a"})
    different = {
        series({"pid": 2}, {"kind": "a"}),
        series({"pid": 1}, {"kind": "b"}),
        series({"pid": 1}, {"kind": "a", "more": 1}),
        series({"pid": 1, "kind": "a"}, {}),
        series({"pid": 1}, {"kind": "a"}, scope="b"),
        series({"pid": 1}, {"kind": "a"}, name="dollars"),
        series({"pid": "1"}, {"kind": "a"}),
    }
    assert len({plain, *different}) == 8
    assert series({"pid": 1, "host": "x"}, {"b": 1, "a": 2}) == series({"host": "x", "pid": 1}, {"a": 2, "b": 1})


def test_a_series_is_the_same_whoever_it_is_and_whatever_the_prompt_was() -> None:
    """Content and persons are in no name, however opaque."""
    plain = series({"pid": 1}, {"kind": "a"})
    resource = {"pid": 1, "user.email": "ann@example.com", "user.id": "u", "host.name": "h", "process.owner": "o"}
    assert series(resource, {"kind": "a", "prompt": "p", "installation.id": "i"}) == plain


def test_protobuf_with_unknown_fields_is_read() -> None:
    body = ExportLogsServiceRequest.FromString(to_protobuf(sent(Signal.LOGS, log_body(record()))).body)
    later = body.SerializeToString() + b"\xfa\x3e\x03new" + b"\x80\x3e\x05" + b"\xfd\x3e\x00\x00\x00\x00"
    assert len(decode(Signal.LOGS, Media.PROTOBUF, later, KEPT).records) == 1
