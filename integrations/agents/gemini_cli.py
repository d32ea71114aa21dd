"""Gemini CLI over OTLP: its log events. The `gen_ai` event beside each answer repeats it, as do the metrics.

Docs: google-gemini/gemini-cli `docs/cli/telemetry` (read 2026-08) and what 0.61.0 sends. Input holds what was
cached, but not what tools read; thoughts are beside output. Answers have no id. Its GitHub action names the
pull request.
"""

from collections.abc import Callable, Iterator

from pydantic import BaseModel

from bot.domain.agents import AgentRequest, Evidence, Happening, Origin, Proof, request_key
from bot.domain.model import Tokens
from bot.domain.series import Meter
from integrations.agents.places import checked, repository_of
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

AGENT = "gemini_cli"
PREFIX = "gemini_cli."
SERVICES = frozenset({"gemini-cli"})
SCOPES = frozenset({"gemini-cli"})
METRICS = frozenset({"gemini_cli.token.usage"})
METERS = {
    "input": Meter.INPUT,
    "cache": Meter.CACHE_READ,
    "output": Meter.ANSWER,
    "thought": Meter.REASONING,
    "tool": Meter.FRESH,
}


class Usage(BaseModel):
    input_token_count: Counted
    output_token_count: Counted = 0
    cached_content_token_count: Counted = 0
    thoughts_token_count: Counted = 0
    tool_token_count: Counted = 0
    total_token_count: Counted = 0

    def tokens(self) -> Tokens:
        """Thoughts are inside output where the total says so: Qwen on an OpenAI interface."""
        given, output, thoughts = self.input_token_count, self.output_token_count, self.thoughts_token_count
        beside = given + output + thoughts + self.tool_token_count
        is_inside = 0 < self.total_token_count < beside
        said = output if is_inside else output + thoughts
        return apart(given, self.cached_content_token_count, 0, said, thoughts) + Tokens(fresh=self.tool_token_count)


ATTRIBUTES = names_of(Usage) | {
    *("event.name", "event.timestamp", "session.id", "prompt_id", "model", "role", "type", "github_pr_number"),
    *("function_name", "success", "decision", "duration_ms"),
}


def told(record: Record, traces: Traces) -> Iterator[Fact]:
    if isinstance(record, Log):
        yield from LOGS[record.name.removeprefix(PREFIX)](record, AGENT, session_of(record, "session.id"))
    elif isinstance(record, Point):
        meter = METERS.get(str(record.get("type")))
        if meter is None:
            raise Refused("unknown_kind")
        session, model = named(record, "session.id"), named(record, "model")
        yield reading(record, AGENT, session, meter, model)


def answer(record: Log, agent: str, session: str, id: str | None, origin: Origin) -> AgentRequest:
    """A request; without an id it is told apart by its moment and counters."""
    usage = usage_of(Usage, record)
    model, counters = named(record, "model") or UNKNOWN, list(usage.model_dump().values())
    return AgentRequest(
        agent=agent,
        session=session,
        key=request_key(agent, id) if id else key_of(agent, *print_of(record, session, model, *counters)),
        at=moment(record.at),
        model=model,
        tokens=usage.tokens(),
        turn=_turn(record),
        origin=origin,
    )


def _answer(record: Log, agent: str, session: str) -> Iterator[Fact]:
    yield answer(record, agent, session, None, _origin(str(record.get("role") or "main")))


def _prompt(record: Log, agent: str, session: str) -> Iterator[Fact]:
    turn = _turn(record)
    key = request_key(agent, turn) if turn else key_of(agent, *print_of(record, session))
    yield happened(record, agent, session, Happening.PROMPT, key, turn=turn)


def _tool(record: Log, agent: str, session: str) -> Iterator[Fact]:
    """Calls have no id; a shell command's exit code is not told."""
    is_rejected = record.get("decision") == "reject"
    happening = Happening.REJECTED if is_rejected else outcome(flag(record.get("success")))
    name = named(record, "function_name")
    key = key_of(agent, *print_of(record, session, name, record.get("duration_ms")))
    yield happened(record, agent, session, happening, key, turn=_turn(record), what=tool_name(agent, name))


def _error(record: Log, agent: str, session: str) -> Iterator[Fact]:
    key = key_of(agent, *print_of(record, session))
    yield happened(record, agent, session, Happening.API_ERROR, key, turn=_turn(record))


def _compression(record: Log, agent: str, session: str) -> Iterator[Fact]:
    yield happened(record, agent, session, Happening.COMPACTION, key_of(agent, *print_of(record, session)))


def _start(record: Log, agent: str, session: str) -> Iterator[Fact]:
    """Run by its GitHub action, it says for which pull request."""
    number = record.get("github_pr_number")
    if number is None or number == "":
        return
    is_text = isinstance(number, str) and number.isascii() and number.isdigit() and len(number) < 10
    place = checked(repository=repository_of(record), pull=int(number) if is_text else number)
    at, where = moment(record.at), place.repository
    yield Evidence(agent, session, at, Proof.PULL, repository=where, pull=place.pull)


LOGS: dict[str, Callable[[Log, str, str], Iterator[Fact]]] = {
    "api_response": _answer,
    "user_prompt": _prompt,
    "tool_call": _tool,
    "api_error": _error,
    "chat_compression": _compression,
    "config": _start,
}
EVENTS = frozenset(PREFIX + name for name in LOGS)


def _turn(record: Log) -> str | None:
    return named(record, "prompt_id")


def _origin(role: str) -> Origin:
    """Roles other than these are the agent's own: routing, compressing, correcting edits."""
    if role == "main":
        return Origin.MAIN
    return Origin.SUBAGENT if role.startswith("subagent") else Origin.AUXILIARY
