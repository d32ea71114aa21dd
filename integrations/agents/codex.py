"""OpenAI Codex over OTLP: its log events. Its traces and metrics repeat them.

Docs: developers.openai.com/codex, `config-advanced` (telemetry), and what 0.169.0 sends. A response is told twice: the
record with counters counts. Input holds what was cached, output what was reasoned; `tool_token_count` is the total.
Records have no id and no turn, and a tool that ended with an exit code still counts as a success here.
"""

from collections.abc import Callable, Iterator

from pydantic import BaseModel

from bot.domain.agents import AgentRequest, Happening, request_key
from bot.domain.model import Tokens
from bot.domain.series import Meter
from integrations.agents.reading import (
    UNKNOWN,
    Counted,
    Fact,
    Refused,
    Traces,
    apart,
    flag,
    happened,
    key_of,
    moment,
    named,
    names_of,
    outcome,
    print_of,
    reading,
    session_of,
    tool_name,
    usage_of,
)
from integrations.otlp import Log, Point, Record

AGENT = "codex"
PREFIX = "codex."
SERVICES = frozenset({"codex_exec", "codex_cli_rs", "codex_vscode", "codex_sdk_ts", "codex_mcp_server"})
SCOPES = frozenset({"codex", "codex_otel.log_only", "codex_exec", "codex_cli_rs"})
TOKENS = "codex.turn.token_usage"
METRICS = frozenset({TOKENS})
METERS = {
    "input": Meter.INPUT,
    "cached_input": Meter.CACHE_READ,
    "cache_write_input": Meter.CACHE_WRITE,
    "output": Meter.OUTPUT,
    "reasoning_output": Meter.REASONING,
}
SUM = "total"
COMPLETED = "response.completed"
REFUSED = ("denied", "abort")


class Usage(BaseModel):
    input_token_count: Counted
    output_token_count: Counted = 0
    cached_token_count: Counted = 0
    cache_write_token_count: Counted = 0
    reasoning_token_count: Counted = 0

    def tokens(self) -> Tokens:
        written, reasoning = self.cache_write_token_count, self.reasoning_token_count
        return apart(self.input_token_count, self.cached_token_count, written, self.output_token_count, reasoning)


ATTRIBUTES = names_of(Usage) | {
    *("event.name", "event.timestamp", "event.kind", "conversation.id", "model", "attempt", "token_type"),
    *("http.response.status_code", "tool_name", "call_id", "success", "decision", "source"),
}


def told(record: Record, traces: Traces) -> Iterator[Fact]:
    if isinstance(record, Log):
        yield from LOGS[record.name](record, session_of(record, "conversation.id"))
    elif isinstance(record, Point) and record.get("token_type") != SUM:
        meter = METERS.get(str(record.get("token_type")))
        if meter is None:
            raise Refused("unknown_kind")
        yield reading(record, AGENT, None, meter, named(record, "model"))


def _response(record: Log, session: str) -> Iterator[Fact]:
    if record.get("event.kind") != COMPLETED or record.get("input_token_count") is None:
        return
    usage = usage_of(Usage, record)
    model, counters = named(record, "model") or UNKNOWN, list(usage.model_dump().values())
    yield AgentRequest(
        agent=AGENT,
        session=session,
        key=key_of(AGENT, *print_of(record, session, COMPLETED, *counters)),
        at=moment(record.at),
        model=model,
        tokens=usage.tokens(),
    )


def _prompt(record: Log, session: str) -> Iterator[Fact]:
    yield happened(record, AGENT, session, Happening.PROMPT, key_of(AGENT, *print_of(record, session)))


def _tool(record: Log, session: str) -> Iterator[Fact]:
    key, what = _call(record, session, "tool"), tool_name(AGENT, named(record, "tool_name"))
    yield happened(record, AGENT, session, outcome(flag(record.get("success"))), key, what=what)


def _decision(record: Log, session: str) -> Iterator[Fact]:
    """Only what a person refused."""
    if str(record.get("source")) == "User" and str(record.get("decision")).startswith(REFUSED):
        yield happened(record, AGENT, session, Happening.REJECTED, _call(record, session, "reject"))


def _attempt(record: Log, session: str) -> Iterator[Fact]:
    """Every attempt is told; one that got no answer has no status."""
    status = record.get("http.response.status_code")
    if not isinstance(status, int) or status >= 400:
        key = key_of(AGENT, *print_of(record, session, record.get("attempt")))
        yield happened(record, AGENT, session, Happening.API_ERROR, key)


LOGS: dict[str, Callable[[Log, str], Iterator[Fact]]] = {
    "codex.sse_event": _response,
    "codex.user_prompt": _prompt,
    "codex.tool_result": _tool,
    "codex.tool_decision": _decision,
    "codex.api_request": _attempt,
}
EVENTS = frozenset(LOGS)


def _call(record: Log, session: str, kind: str) -> str:
    call = named(record, "call_id")
    return request_key(AGENT, f"{kind}:{session}:{call}") if call else key_of(AGENT, *print_of(record, session))
