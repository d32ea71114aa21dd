"""Answers to OTLP clients, read by the libraries that clients use."""

import json
from typing import Any

import pytest
from google.protobuf import json_format
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from integrations.otlp import Media, Signal, answer, status

RESPONSES: dict[Signal, Any] = {
    Signal.LOGS: ExportLogsServiceResponse,
    Signal.METRICS: ExportMetricsServiceResponse,
    Signal.TRACES: ExportTraceServiceResponse,
}
REJECTED = {
    Signal.LOGS: "rejected_log_records",
    Signal.METRICS: "rejected_data_points",
    Signal.TRACES: "rejected_spans",
}


def understood(signal: Signal, media: Media, body: bytes) -> Any:
    kind = RESPONSES[signal]
    return kind.FromString(body) if media is Media.PROTOBUF else json_format.Parse(body, kind())


@pytest.mark.parametrize("signal", Signal)
def test_where_everything_was_taken_the_answer_is_empty(signal: Signal) -> None:
    assert answer(signal, Media.JSON) == b"{}"
    assert answer(signal, Media.PROTOBUF) == b""


@pytest.mark.parametrize("media", Media)
@pytest.mark.parametrize("signal", Signal)
@pytest.mark.parametrize(
    ("rejected", "message"), [(1, "bad_usage: 1"), (10_000, "x" * 300), (0, "späte Daten"), (3, "")]
)
def test_what_was_not_taken_is_told(signal: Signal, media: Media, rejected: int, message: str) -> None:
    partial = understood(signal, media, answer(signal, media, rejected, message)).partial_success
    assert (getattr(partial, REJECTED[signal]), partial.error_message) == (rejected, message)


@pytest.mark.parametrize(
    ("http", "code"), [(400, 3), (401, 16), (403, 7), (413, 3), (415, 3), (429, 8), (503, 14), (418, 2)]
)
def test_a_refusal_is_a_status(http: int, code: int) -> None:
    in_protobuf = Status.FromString(status(http, "Try later.", Media.PROTOBUF))
    assert (in_protobuf.code, in_protobuf.message) == (code, "Try later.")
    assert json.loads(status(http, "Try later.", Media.JSON)) == {"code": code, "message": "Try later."}
    assert json_format.Parse(status(http, "Try later.", Media.JSON), Status()) == in_protobuf
