"""Any agent that follows OpenTelemetry's conventions for generative AI: its spans of model calls and tools.

Docs: open-telemetry/semantic-conventions `docs/registry/attributes/gen-ai` (v1.44.0). Input holds what was cached,
output what was reasoned. Spans of whole agents repeat the sums of those inside, and log events the spans: neither is
read. Where there is no conversation, a trace is one.
"""

from collections.abc import Iterator

from pydantic import BaseModel, Field

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
    happened,
    key_of,
    moment,
    named,
    names_of,
    outcome,
    reading,
    session_of,
    tool_name,
    usage_of,
)
from integrations.otlp import Point, Record, Span

AGENT = "other"
SERVICES: frozenset[str] = frozenset()
SCOPES: frozenset[str] = frozenset()
EVENTS: frozenset[str] = frozenset()
METRICS = frozenset({"gen_ai.client.token.usage"})
METERS = {"input": Meter.INPUT, "output": Meter.OUTPUT}
OPERATION, CONVERSATION, MODEL = "gen_ai.operation.name", "gen_ai.conversation.id", "gen_ai.request.model"
ANSWERED_BY, ID, INPUT = "gen_ai.response.model", "gen_ai.response.id", "gen_ai.usage.input_tokens"
CALLS = frozenset({"chat", "text_completion", "generate_content"})
TOOL = "execute_tool"


class Usage(BaseModel):
    given: Counted = Field(0, alias="gen_ai.usage.input_tokens")
    output: Counted = Field(0, alias="gen_ai.usage.output_tokens")
    read: Counted = Field(0, alias="gen_ai.usage.cache_read.input_tokens")
    created: Counted = Field(0, alias="gen_ai.usage.cache_creation.input_tokens")
    written: Counted = Field(0, alias="gen_ai.usage.cache_write.input_tokens")
    reasoning: Counted | None = Field(None, alias="gen_ai.usage.reasoning.output_tokens")
    thought: Counted | None = Field(None, alias="gen_ai.usage.reasoning_tokens")

    def tokens(self) -> Tokens:
        """Two names of one counter are not added."""
        reasoning = self.thought if self.reasoning is None else self.reasoning
        return apart(self.given, self.read, max(self.created, self.written), self.output, reasoning)


ATTRIBUTES = names_of(Usage) | {
    *(OPERATION, CONVERSATION, MODEL, ANSWERED_BY, ID, "session.id", "error.type", "process.exit.code"),
    *("gen_ai.tool.name", "gen_ai.tool.call.id", "gen_ai.token.type"),
}


def told(record: Record, traces: Traces) -> Iterator[Fact]:
    if isinstance(record, Span):
        session = named(record, CONVERSATION, "session.id") or record.trace or session_of(record)
        yield from told_as(AGENT, record, session, None)
    elif isinstance(record, Point):
        meter = METERS.get(str(record.get("gen_ai.token.type")))
        if meter is None:
            raise Refused("unknown_kind")
        yield reading(record, AGENT, named(record, CONVERSATION), meter, named(record, ANSWERED_BY, MODEL))


def told_as(agent: str, span: Span, session: str, turn: str | None) -> Iterator[Fact]:
    """A span of a model call or a tool, whoever sends it. A call that failed without counters took nothing known."""
    operation = span.get(OPERATION)
    if operation == TOOL:
        yield _tool(agent, span, session, turn)
    elif operation in CALLS and span.get(INPUT) is not None:
        yield _request(agent, span, session, turn)
    elif operation in CALLS and _has_failed(span):
        key = key_of(agent, "error", span.trace, span.span)
        yield happened(span, agent, session, Happening.API_ERROR, key, turn=turn)


def _request(agent: str, span: Span, session: str, turn: str | None) -> Fact:
    usage, id = usage_of(Usage, span), named(span, ID)
    return AgentRequest(
        agent=agent,
        session=session,
        key=request_key(agent, id) if id else _own_key(agent, span, "call"),
        at=moment(span.at),
        model=named(span, ANSWERED_BY, MODEL) or UNKNOWN,
        tokens=usage.tokens(),
        turn=turn,
    )


def _tool(agent: str, span: Span, session: str, turn: str | None) -> Fact:
    call, what = named(span, "gen_ai.tool.call.id"), tool_name(agent, named(span, "gen_ai.tool.name"))
    key = request_key(agent, f"tool:{call}") if call else _own_key(agent, span, "tool")
    return happened(span, agent, session, outcome(not _has_failed(span)), key, turn=turn, what=what)


def _has_failed(span: Span) -> bool:
    return span.failed or span.get("error.type") is not None or span.get("process.exit.code") not in (None, 0, "0")


def _own_key(agent: str, span: Span, kind: str) -> str:
    """By the span's id. Raises Refused where there is none: it could not be told from its repetition."""
    if not span.span:
        raise Refused("no_id")
    return key_of(agent, kind, span.trace, span.span)
