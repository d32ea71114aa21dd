"""Coding agents over OTLP: one dialect a file, and from decoded records to what they tell.

Each agent has one signal that counts, which its dialect reads; whatever repeats it is not read, or, as counters, read
apart (`bot.domain.series`).
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from typing import Protocol

from bot.domain.agents import AgentEvent, AgentRequest, Evidence, Telemetry
from bot.domain.series import Reading
from integrations.agents import claude_code, codex, copilot, cursor, gemini_cli, generic, opencode, places, qwen_code
from integrations.agents.reading import Fact, Refused, Traces, traces_of
from integrations.otlp import Allowed, Log, Point, Record


class Dialect(Protocol):
    """A module of this package. SERVICES and SCOPES are what its sender calls itself, EVENTS, METRICS and ATTRIBUTES
    all that is kept of what it sends."""

    AGENT: str
    SERVICES: frozenset[str]
    SCOPES: frozenset[str]
    EVENTS: frozenset[str]
    METRICS: frozenset[str]
    ATTRIBUTES: frozenset[str]

    def told(self, record: Record, traces: Traces) -> Iterator[Fact]:
        """What one record tells; a log or a point is one that EVENTS or METRICS name. Raises Refused where it cannot be
        true."""


DIALECTS: tuple[Dialect, ...] = (claude_code, codex, gemini_cli, qwen_code, copilot, opencode, cursor, generic)
PREFIXES: dict[str, Dialect] = {
    "claude_code": claude_code,
    "codex": codex,
    "gemini_cli": gemini_cli,
    "qwen-code": qwen_code,
    "cursor": cursor,
}
"""What the names of events and counters begin with, where nobody says who sent them."""
BY_SERVICE = {name: dialect for dialect in DIALECTS for name in dialect.SERVICES}
BY_SCOPE = {name: dialect for dialect in DIALECTS for name in dialect.SCOPES}


def _union(*parts: frozenset[str]) -> frozenset[str]:
    return reduce(frozenset.union, parts)


ALLOWED = Allowed(
    attributes=_union(frozenset({"service.name"}), places.ATTRIBUTES, *(dialect.ATTRIBUTES for dialect in DIALECTS)),
    events=_union(*(dialect.EVENTS for dialect in DIALECTS)),
    metrics=_union(*(dialect.METRICS for dialect in DIALECTS)),
    scopes=frozenset(BY_SCOPE),
    pieces=claude_code.PIECES,
)
"""What `integrations.otlp.decode` keeps for these dialects."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one batch tells of one person: requests, events and places, and counters apart from them."""

    telemetry: Telemetry
    readings: tuple[Reading, ...] = ()


def read(records: Iterable[Record]) -> tuple[list[Told], Counter[str]]:
    """What decoded records tell, by the address their agent was signed in with, and how much was refused, by reason.

    It depends on the set of records only, and everything has the same key whenever it is sent again. A record may be
    refused in part: a request counts though the place beside it cannot be true. Whether times are near now is for
    whoever knows the time.
    """
    given = list(records)
    traces = traces_of(given, generic.CONVERSATION, copilot.INTERACTION)
    people: dict[str | None, _Person] = {}
    refused: Counter[str] = Counter()
    for record in given:
        person = people.setdefault(record.email, _Person())
        try:
            person.take(record, traces)
        except Refused as refusal:
            refused[str(refusal)] += 1
    told = (person.told(email) for email, person in sorted(people.items(), key=_by_address))
    return [one for one in told if one != Told(Telemetry(one.telemetry.email))], refused


def dialect_of(record: Record) -> Dialect:
    """Who sent a record: as its resource says, else as the name of its event or counter or of its instrumentation."""
    service, scope = str(record.source.resource.get("service.name")), record.source.scope
    by_service = codex if service.startswith("codex_") else BY_SERVICE.get(service)
    named = record.name if isinstance(record, Log | Point) else ""
    return by_service or PREFIXES.get(named.partition(".")[0]) or BY_SCOPE.get(scope) or generic


@dataclass(slots=True)
class _Person:
    """What is known of one person so far."""

    requests: dict[str, AgentRequest] = field(default_factory=dict)
    events: dict[str, AgentEvent] = field(default_factory=dict)
    evidence: set[Evidence] = field(default_factory=set)
    readings: set[Reading] = field(default_factory=set)
    fixed: dict[tuple[object, ...], Evidence] = field(default_factory=dict)

    def take(self, record: Record, traces: Traces) -> None:
        dialect = dialect_of(record)
        if isinstance(record, Log) and record.name not in dialect.EVENTS:
            return
        if isinstance(record, Point) and record.name not in dialect.METRICS:
            return
        facts = list(dialect.told(record, traces))
        for fact in facts:
            self.add(fact)
        if facts and isinstance(facts[0], AgentRequest | AgentEvent):
            for place in places.resource(record, facts[0]):
                self.add_fixed(place)

    def add(self, fact: Fact) -> None:
        """Of two with one key the fuller counts, of two events the first."""
        if isinstance(fact, AgentRequest):
            known = self.requests.get(fact.key)
            self.requests[fact.key] = max(known, fact, key=_worth) if known else fact
        elif isinstance(fact, AgentEvent):
            self.events[fact.key] = min(self.events.get(fact.key, fact), fact, key=_first)
        elif isinstance(fact, Evidence):
            self.evidence.add(fact)
        else:
            self.readings.add(fact)

    def add_fixed(self, place: Evidence) -> None:
        """A process has one place: the first record that tells it is enough."""
        what = place.agent, place.session, place.repository, place.branch, place.pull
        self.fixed[what] = min(self.fixed.get(what, place), place, key=_first)

    def told(self, email: str | None) -> Told:
        requests, events = sorted(self.requests.values(), key=_first), sorted(self.events.values(), key=_first)
        evidence = sorted({*self.evidence, *self.fixed.values()}, key=_first)
        readings = tuple(sorted(self.readings, key=lambda one: (one.at, repr(one))))
        return Told(Telemetry(email, tuple(requests), tuple(events), tuple(evidence)), readings)


def _first(fact: AgentRequest | AgentEvent | Evidence) -> tuple[object, ...]:
    return fact.at, repr(fact)


def _worth(request: AgentRequest) -> tuple[object, ...]:
    return request.tokens.total, request.at, repr(request)


def _by_address(item: tuple[str | None, object]) -> str:
    return item[0] or ""
