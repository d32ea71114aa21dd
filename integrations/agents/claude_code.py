"""Claude Code over OTLP: its log events. Its metrics repeat them, its traces (beta) are not read.

Docs: code.claude.com/docs `monitoring-usage` (read 2026-11); versions before 2.1.122 write numbers as text. Token kinds
are disjoint, thinking is inside output, writes to the cache are not told apart by lifetime. `cost_usd` is the agent's
own estimate at list price.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

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
    flag,
    happened,
    key_of,
    micro,
    moment,
    named,
    names_of,
    outcome,
    reading,
    session_of,
    tool_name,
    usage_of,
)
from integrations.otlp import Log, Piece, Point, Record

AGENT = "claude_code"
PREFIX = "claude_code."
SERVICES = frozenset({"claude-code", "claude-code-desktop"})
SCOPES = frozenset({"com.anthropic.claude_code", "com.anthropic.claude_code.events"})
TOKENS, COST = "claude_code.token.usage", "claude_code.cost.usage"
METRICS = frozenset({TOKENS, COST})
METERS = {
    "input": Meter.FRESH,
    "output": Meter.ANSWER,
    "cacheRead": Meter.CACHE_READ,
    "cacheCreation": Meter.CACHE_WRITE,
}
COMMIT = re.compile(r'"git_commit_id"\s*:\s*"([0-9a-f]{7,40})"')


class Usage(BaseModel):
    input_tokens: Counted = 0
    output_tokens: Counted = 0
    cache_read_tokens: Counted = 0
    cache_creation_tokens: Counted = 0
    cost_usd_micros: Counted | None = None

    def tokens(self) -> Tokens:
        return Tokens(
            fresh=self.input_tokens,
            cache_write_5m=self.cache_creation_tokens,
            cache_read=self.cache_read_tokens,
            output=self.output_tokens,
        )


def commit_in(parameters: str) -> str | None:
    """The commit that a tool's parameters name; the rest of them is what a person's shell was told."""
    found = COMMIT.search(parameters)
    return found[1] if found else None


ATTRIBUTES = names_of(Usage) | {
    *("event.name", "event.timestamp", "event.sequence", "session.id", "prompt.id", "request_id", "model"),
    *("query_source", "cost_usd", "command_name", "tool_name", "tool_use_id", "success", "decision", "source", "type"),
}
PIECES = {"tool_parameters": Piece("git_commit_id", commit_in)}


def told(record: Record, traces: Traces) -> Iterator[Fact]:
    if isinstance(record, Log):
        yield from LOGS[record.name.removeprefix(PREFIX)](record, session_of(record, "session.id"))
    elif isinstance(record, Point):
        yield from _reading(record)


def _request(record: Log, session: str) -> Iterator[Fact]:
    usage = usage_of(Usage, record)
    cost = usage.cost_usd_micros if usage.cost_usd_micros is not None else micro(record.get("cost_usd"))
    yield AgentRequest(
        agent=AGENT,
        session=session,
        key=_key(record, session, "request_id", ""),
        at=moment(record.at),
        model=named(record, "model") or UNKNOWN,
        tokens=usage.tokens(),
        cost_micro=cost,
        turn=_turn(record),
        origin=_origin(record),
    )


def _prompt(record: Log, session: str) -> Iterator[Fact]:
    """A command of the agent's own is no prompt."""
    if record.get("command_name") is None:
        key = _key(record, session, "prompt.id", "")
        yield happened(record, AGENT, session, Happening.PROMPT, key, turn=_turn(record))


def _tool(record: Log, session: str) -> Iterator[Fact]:
    happening = outcome(flag(record.get("success")))
    key, what = _key(record, session, "tool_use_id", "tool:"), tool_name(AGENT, named(record, "tool_name"))
    yield happened(record, AGENT, session, happening, key, turn=_turn(record), what=what)
    if record.get("git_commit_id") is not None:
        yield from _commit(record, session)


def _commit(record: Log, session: str) -> Iterator[Fact]:
    """The key is that of the hook, which sees the same commit."""
    turn = _turn(record)
    place = checked(repository=repository_of(record), commit=record.get("git_commit_id"))
    key = request_key(AGENT, f"{turn or session}:commit:{(place.commit or '')[:7]}")
    yield happened(record, AGENT, session, Happening.COMMIT, key, turn=turn)
    at, where = moment(record.at), place.repository
    yield Evidence(AGENT, session, at, Proof.COMMIT, repository=where, commit=place.commit, turn=turn)


def _decision(record: Log, session: str) -> Iterator[Fact]:
    """Only what a person refused: rules and hooks refuse as well."""
    if record.get("decision") == "reject" and str(record.get("source")).startswith("user_"):
        key = _key(record, session, "tool_use_id", "reject:")
        yield happened(record, AGENT, session, Happening.REJECTED, key, turn=_turn(record))


def _error(record: Log, session: str) -> Iterator[Fact]:
    key = _key(record, session, "request_id", "error:")
    yield happened(record, AGENT, session, Happening.API_ERROR, key, turn=_turn(record))


def _compaction(record: Log, session: str) -> Iterator[Fact]:
    if flag(record.get("success")) is not False:
        key = _key(record, session, "", "")
        yield happened(record, AGENT, session, Happening.COMPACTION, key, turn=_turn(record))


LOGS: dict[str, Callable[[Log, str], Iterator[Fact]]] = {
    "api_request": _request,
    "user_prompt": _prompt,
    "tool_result": _tool,
    "tool_decision": _decision,
    "api_error": _error,
    "compaction": _compaction,
}
EVENTS = frozenset(LOGS) | {PREFIX + name for name in LOGS}


def _reading(point: Point) -> Iterator[Fact]:
    meter = Meter.COST if point.name == COST else METERS.get(str(point.get("type")))
    if meter is None:
        raise Refused("unknown_kind")
    source = str(point.get("query_source") or Origin.MAIN)
    origin = Origin(source) if source in tuple(Origin) else Origin.AUXILIARY
    session, model = named(point, "session.id"), named(point, "model")
    yield reading(point, AGENT, session, meter, model, origin=origin)


def _key(record: Log, session: str, id_name: str, kind: str) -> str:
    """By the id, which the other way of telling knows as well; else by the event's place in its process."""
    id = named(record, id_name)
    if id is not None:
        return request_key(AGENT, kind + id)
    written: Any = record.get("event.timestamp")
    return key_of(AGENT, session, record.name.removeprefix(PREFIX), written or record.at, record.get("event.sequence"))


def _turn(record: Log) -> str | None:
    return named(record, "prompt.id")


def _origin(record: Log) -> Origin:
    """Everything that is neither a person's turn nor a sub-agent's is the agent's own housekeeping. Older versions do
    not say."""
    source = record.get("query_source")
    if source is None or source == "sdk" or str(source).startswith("repl_main_thread"):
        return Origin.MAIN
    return Origin.SUBAGENT if str(source).startswith("agent:") else Origin.AUXILIARY
