"""Qwen Code over OTLP: Gemini CLI's events under its own name, with the response's id.

From what 0.15.10 sends, which includes prompts, answers and arguments whatever its settings say. Its metrics were not
seen and are not read: they do not tell whether thoughts are inside output.
"""

from collections.abc import Iterator

from bot.domain.agents import Origin
from integrations.agents import gemini_cli
from integrations.agents.reading import Fact, Traces, named, session_of
from integrations.otlp import Log, Record

AGENT = "qwen_code"
PREFIX = "qwen-code."
SERVICES = frozenset({"qwen-code"})
SCOPES = frozenset({"qwen-code"})
METRICS: frozenset[str] = frozenset()
ATTRIBUTES = gemini_cli.ATTRIBUTES | {"response_id", "subagent_name"}


def told(record: Record, traces: Traces) -> Iterator[Fact]:
    if isinstance(record, Log):
        yield from LOGS[record.name.removeprefix(PREFIX)](record, AGENT, session_of(record, "session.id"))


def _answer(record: Log, agent: str, session: str) -> Iterator[Fact]:
    origin = Origin.SUBAGENT if record.get("subagent_name") else Origin.MAIN
    yield gemini_cli.answer(record, agent, session, named(record, "response_id"), origin)


LOGS = gemini_cli.LOGS | {"api_response": _answer}
EVENTS = frozenset(PREFIX + name for name in LOGS)
