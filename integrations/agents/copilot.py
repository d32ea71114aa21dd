"""GitHub Copilot over OTLP, CLI and VS Code: its spans. VS Code's log events and both agents' metrics repeat them.

Docs: `copilot help monitoring`, microsoft/vscode-copilot-chat `docs/monitoring` (read 2026-05), and
what CLI 1.0.102 sends. Counters as in the conventions for generative AI; `github.copilot.cost` counts premium requests
and is no money. A prompt is the request that a person began, in VS Code the span of the agent, whose trace is the turn.
"""

from collections.abc import Iterator

from bot.domain.agents import Evidence, Happening, Proof, request_key
from bot.domain.series import Meter
from integrations.agents import generic
from integrations.agents.generic import CONVERSATION, OPERATION
from integrations.agents.places import checked, repository_at
from integrations.agents.reading import Fact, Refused, Traces, happened, key_of, moment, named, reading
from integrations.otlp import Point, Record, Span

AGENT = "copilot"
VS_CODE = "copilot-chat"
SERVICES = frozenset({"github-copilot", VS_CODE})
SCOPES = frozenset({"github.copilot", VS_CODE})
EVENTS: frozenset[str] = frozenset()
INTERACTION, INITIATOR, AGENT_SPAN = "github.copilot.interaction_id", "github.copilot.initiator", "invoke_agent"
REPOSITORY = ("github.copilot.git.repository", "copilot_chat.repo.remote_url")
BRANCH = ("github.copilot.git.branch", "copilot_chat.repo.head_branch_name")
ATTRIBUTES = generic.ATTRIBUTES | {INTERACTION, INITIATOR, *REPOSITORY, *BRANCH}
USAGE = "gen_ai.client.inference.usage."
METERS = {
    f"{USAGE}input_tokens": Meter.INPUT,
    f"{USAGE}cache_read.input_tokens": Meter.CACHE_READ,
    f"{USAGE}cache_write.input_tokens": Meter.CACHE_WRITE,
    f"{USAGE}output_tokens": Meter.OUTPUT,
    f"{USAGE}reasoning.output_tokens": Meter.REASONING,
}
METRICS = frozenset(METERS)


def told(record: Record, traces: Traces) -> Iterator[Fact]:
    if isinstance(record, Span) and record.get(OPERATION) in {*generic.CALLS, generic.TOOL, AGENT_SPAN}:
        yield from _span(record, traces)
    elif isinstance(record, Point):
        model = named(record, generic.ANSWERED_BY, generic.MODEL)
        yield reading(record, AGENT, None, METERS[record.name], model)


def _span(span: Span, traces: Traces) -> Iterator[Fact]:
    """Tools do not always say in which conversation they ran: their trace does, if its other spans came along."""
    trace = traces.get(span.trace)
    session = named(span, CONVERSATION) or (trace.session if trace else None)
    if session is None:
        raise Refused("no_session")
    turn = span.trace if _is_vs_code(span) else named(span, INTERACTION) or (trace.turn if trace else None)
    yield from generic.told_as(AGENT, span, session, turn)
    yield from _prompt(span, session, turn)
    if span.get(OPERATION) == AGENT_SPAN:
        yield from _place(span, session, turn)


def _prompt(span: Span, session: str, turn: str | None) -> Iterator[Fact]:
    if _is_vs_code(span):
        is_prompt = span.get(OPERATION) == AGENT_SPAN and not span.parent
    else:
        is_prompt = span.get(INITIATOR) == "user"
    if is_prompt:
        key = request_key(AGENT, turn) if turn else key_of(AGENT, "prompt", span.trace, span.span)
        yield happened(span, AGENT, session, Happening.PROMPT, key, turn=turn)


def _place(span: Span, session: str, turn: str | None) -> Iterator[Fact]:
    """Where the agent was started. The commit it names was there before: it says nothing of what the turn made."""
    url, branch = named(span, *REPOSITORY), named(span, *BRANCH)
    place = checked(repository=repository_at(url), branch=branch)
    if place.repository:
        at = moment(span.start or span.at)
        yield Evidence(AGENT, session, at, Proof.BRANCH, place.repository, place.branch, turn=turn)


def _is_vs_code(span: Span) -> bool:
    return VS_CODE in (span.source.resource.get("service.name"), span.source.scope)
