"""opencode over OTLP: its spans of streamed answers. The span around each repeats its numbers.

From what 1.18.33 sends, by way of the AI SDK (ai-sdk.dev, `telemetry`). Input holds what was cached, output what was
reasoned. Neither prompts nor branches are told.
"""

from collections.abc import Iterator

from pydantic import BaseModel, Field

from bot.domain.agents import AgentRequest, request_key
from bot.domain.model import Tokens
from integrations.agents.reading import (
    UNKNOWN,
    Counted,
    Fact,
    Traces,
    apart,
    key_of,
    moment,
    named,
    names_of,
    session_of,
    usage_of,
)
from integrations.otlp import Record, Span

AGENT = "opencode"
SERVICES = frozenset({"opencode"})
SCOPES = frozenset({"opencode"})
EVENTS: frozenset[str] = frozenset()
METRICS: frozenset[str] = frozenset()
OPERATION, ANSWER, INPUT = "ai.operationId", "ai.streamText.doStream", "ai.usage.inputTokens"
SESSION = ("session.id", "ai.telemetry.metadata.sessionId")
MODEL = ("ai.response.model", "gen_ai.response.model", "ai.model.id", "gen_ai.request.model")
ID = ("gen_ai.response.id", "ai.response.id")


class Usage(BaseModel):
    given: Counted = Field(alias="ai.usage.inputTokens")
    output: Counted = Field(0, alias="ai.usage.outputTokens")
    read: Counted = Field(0, alias="ai.usage.inputTokenDetails.cacheReadTokens")
    written: Counted = Field(0, alias="ai.usage.inputTokenDetails.cacheWriteTokens")
    reasoning: Counted = Field(0, alias="ai.usage.outputTokenDetails.reasoningTokens")

    def tokens(self) -> Tokens:
        return apart(self.given, self.read, self.written, self.output, self.reasoning)


ATTRIBUTES = names_of(Usage) | {OPERATION, *SESSION, *MODEL, *ID}


def told(record: Record, traces: Traces) -> Iterator[Fact]:
    """A stream that broke off has no counters."""
    is_answer = isinstance(record, Span) and record.get(OPERATION) == ANSWER
    if not isinstance(record, Span) or not is_answer or record.get(INPUT) is None:
        return
    usage, id = usage_of(Usage, record), named(record, *ID)
    yield AgentRequest(
        agent=AGENT,
        session=session_of(record, *SESSION),
        key=request_key(AGENT, id) if id else key_of(AGENT, "call", record.trace, record.span),
        at=moment(record.at),
        model=named(record, *MODEL) or UNKNOWN,
        tokens=usage.tokens(),
    )
