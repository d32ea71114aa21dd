"""OpenTelemetry's own SDK as the sender, over real HTTP: exact totals, whatever is sent twice or begun again."""

import gzip
import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import uvicorn
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExportResult
from opentelemetry.sdk.metrics import Counter, MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from sqlalchemy import Engine

from bot import clock, telemetry
from bot.domain.agents import AgentRequest
from bot.domain.model import Tokens
from bot.store.db import reading
from bot.usecases.measure import counted
from bot.web import edge
from tests.company import SmallCompany
from tests.e2e.serving import free_port, until
from tests.integrations.agents.samples import logs
from tests.people import dump
from tests.receiving import Receiver, utc

pytestmark = pytest.mark.e2e

LONG_AGO = utc("2026-01-05 12:00")
HOUR_MS = 3_600_000
MODEL = "claude-opus-5"
BEGIN = int(clock.now().timestamp() - 3_600) * 10**9  # an hour ago


class Served:
    """A server that receives, and Ann, who has joined."""

    def __init__(self, receiver: Receiver, url: str) -> None:
        self.receiver, self.url = receiver, url
        self.headers = {"authorization": f"Bearer {receiver.tokens['ann']}"}

    def how(self, signal: str) -> dict[str, Any]:
        """What an exporter is made with."""
        return {"endpoint": f"{self.url}/v1/{signal}", "headers": self.headers, "compression": Compression.Gzip}

    def requests(self) -> tuple[AgentRequest, ...]:
        """What counts of what Ann's agents told."""
        today = clock.now().date()
        with reading(self.receiver.engine) as session:
            ann = self.receiver.company.people["ann"]
            return counted(session, ann, today - timedelta(days=2), today + timedelta(days=1), None).requests

    def tokens(self) -> Tokens:
        return sum((one.tokens for one in self.requests()), Tokens())

    def days(self) -> tuple[int, int]:
        """Requests and micro-dollars of all days, summed up; the test may run over midnight."""
        self.receiver.measure()
        rows = dump(self.receiver.engine, "agent_days")
        assert not [row for row in rows if row["pending"]]
        return sum(row["requests"] for row in rows), sum(row["list_micro"] for row in rows)


@pytest.fixture
def served(engine: Engine) -> Iterator[Served]:
    receiver = Receiver(engine, clock.now(), SmallCompany(engine, "ann bo cy di ed"))
    receiver.joins("ann", LONG_AGO)
    app = edge.make(None, None, lambda: True, lambda: True, ingest=telemetry.doors(receiver.app))
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started, "it listens")
        yield Served(receiver, f"http://127.0.0.1:{port}")
    finally:
        server.should_exit = True
        thread.join(30)


class MetricsTwice(OTLPMetricExporter):
    """The first answer was lost, so each batch is delivered twice."""

    def export(self, metrics_data: MetricsData, *more: Any, **named: Any) -> MetricExportResult:
        assert super().export(metrics_data, *more, **named) is MetricExportResult.SUCCESS
        return super().export(metrics_data, *more, **named)


class LogsTwice(OTLPLogExporter):
    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        assert super().export(batch) is LogRecordExportResult.SUCCESS
        return super().export(batch)


class SpansTwice(OTLPSpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        assert super().export(spans) is SpanExportResult.SUCCESS
        return super().export(spans)


@contextmanager
def meter(served: Served, service: str, temporality: AggregationTemporality) -> Iterator[tuple[Any, Any]]:
    """A process of an agent that counts, until the block ends; with what sends off what it has counted."""
    exporter = MetricsTwice(**served.how("metrics"), preferred_temporality={Counter: temporality})
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=HOUR_MS)
    provider = MeterProvider([reader], Resource({"service.name": service}), shutdown_on_exit=False)
    yield provider.get_meter(service), provider.force_flush
    provider.shutdown()


@pytest.mark.parametrize("temporality", [AggregationTemporality.DELTA, AggregationTemporality.CUMULATIVE])
def test_counters_of_claude_code_come_to_exact_totals_across_a_restart(
    served: Served, temporality: AggregationTemporality
) -> None:
    """Two processes; each counts thrice and sends after each time, all twice.

    Input 100 + 200 + 300 = 600 a process, 1200 in all; output a tenth of it, 120; cache read ten times as much, 12000;
    cost 6 times 0.1 dollars: 600,000 micro-dollars.
    """
    for _process in range(2):
        with meter(served, "claude-code", temporality) as (counting, flush):
            tokens = counting.create_counter("claude_code.token.usage", "tokens")
            cost = counting.create_counter("claude_code.cost.usage", "USD")
            for number in (1, 2, 3):
                own = {"session.id": "s1", "model": MODEL, "query_source": "main"}
                for kind, amount in (("input", 100), ("output", 10), ("cacheRead", 1_000)):
                    tokens.add(number * amount, own | {"type": kind})
                cost.add(0.1, own)
                flush()
    assert served.tokens() == Tokens(fresh=1_200, cache_read=12_000, output=120)
    assert sum(one.cost_micro or 0 for one in served.requests()) == 600_000
    assert served.days()[1] == 600_000


@pytest.mark.parametrize("temporality", [AggregationTemporality.DELTA, AggregationTemporality.CUMULATIVE])
def test_counters_of_gemini_cli_come_to_exact_totals_across_a_restart(
    served: Served, temporality: AggregationTemporality
) -> None:
    """Three processes, each with two sessions. Input 50, of which 20 cached, twice a session: 6 * 2 * 30 = 360 fresh
    and 240 cached; output 6 * 2 * 7 = 84, thoughts 6 * 2 * 3 = 36, and 6 * 2 * 5 = 60 that tools read, which are
    fresh: 420."""
    for _process in range(3):
        with meter(served, "gemini-cli", temporality) as (counting, flush):
            tokens = counting.create_counter("gemini_cli.token.usage")
            for _time in range(2):
                for session in ("s1", "s2"):
                    for kind, amount in (("input", 50), ("cache", 20), ("output", 7), ("thought", 3), ("tool", 5)):
                        tokens.add(amount, {"session.id": session, "model": "gemini-3-pro", "type": kind})
                flush()
    assert served.tokens() == Tokens(fresh=420, cache_read=240, output=84, reasoning=36)
    assert {one.session for one in served.requests()} == {"s1", "s2"}


def test_log_records_count_once_each_across_a_restart(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token comes as users write it, in a variable. 3 processes of 700 requests, of which 100 were told before:
    100 + 3 * 600 = 1900; 3 tokens in, 2 out and 1,000 micro-dollars each."""
    token = served.receiver.tokens["ann"]
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"authorization=Bearer%20{token}")
    for process in range(3):
        exporter = LogsTwice(endpoint=f"{served.url}/v1/logs", compression=Compression.Gzip)
        provider = LoggerProvider(Resource({"service.name": "claude-code"}), shutdown_on_exit=False)
        provider.add_log_record_processor(BatchLogRecordProcessor(exporter, schedule_delay_millis=HOUR_MS))
        logger = provider.get_logger("com.anthropic.claude_code.events")
        for number in range(process * 600, process * 600 + 700):
            told = {"event.name": "api_request", "session.id": "s1", "request_id": f"r{number}", "model": MODEL}
            told |= {"input_tokens": "3", "output_tokens": "2", "cost_usd": "0.001"}
            moment = BEGIN + number * 10**6  # a request has one moment, whichever process tells of it
            logger.emit(LogRecord(timestamp=moment, body="claude_code.api_request", attributes=told))
        provider.shutdown()
    assert len(served.requests()) == 1_900
    assert served.tokens() == Tokens(fresh=5_700, output=3_800)
    assert served.days() == (1_900, 1_900_000)


def test_spans_count_once_each_across_a_restart(served: Served) -> None:
    """2 processes of 300 chats each: 50 in, of which 20 cached, and 9 out, of which 4 reasoned."""
    for process in range(2):
        provider = TracerProvider(resource=Resource({"service.name": "github-copilot"}), shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(SpansTwice(**served.how("traces"))))
        tracer = provider.get_tracer("github.copilot")
        for number in range(300):
            with tracer.start_as_current_span(
                "chat gpt-5",
                attributes={
                    "gen_ai.operation.name": "chat",
                    "gen_ai.conversation.id": "c1",
                    "gen_ai.response.id": f"{process} {number}",
                    "gen_ai.request.model": "gpt-5",
                    "gen_ai.usage.input_tokens": 50,
                    "gen_ai.usage.cache_read.input_tokens": 20,
                    "gen_ai.usage.output_tokens": 9,
                    "gen_ai.usage.reasoning.output_tokens": 4,
                },
            ):
                pass
        provider.shutdown()
    assert served.tokens() == Tokens(fresh=600 * 30, cache_read=600 * 20, output=600 * 5, reasoning=600 * 4)
    assert served.days()[0] == 600


def test_a_body_in_chunks_counts_as_one_in_one_piece(served: Served) -> None:
    told = {"event.name": "api_request", "session.id": "s1", "request_id": "r1", "model": MODEL}
    body = json.loads(logs("claude-code", told | {"input_tokens": 5, "output_tokens": 1}).body)
    [record] = body["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    record["timeUnixNano"] = str(BEGIN)
    zipped = gzip.compress(json.dumps(body).encode())

    def pieces() -> Iterator[bytes]:
        for place in range(0, len(zipped), 40):
            yield zipped[place : place + 40]
            time.sleep(0.01)

    headers = {**served.headers, "content-type": "application/json", "content-encoding": "gzip"}
    with httpx2.Client() as client:
        for content in (pieces(), zipped, pieces()):
            answer = client.post(f"{served.url}/v1/logs", content=content, headers=headers)
            assert ("transfer-encoding" in answer.request.headers) == (content is not zipped)
            assert (answer.status_code, answer.json()) == (200, {})
    assert served.tokens() == Tokens(fresh=5, output=1)
