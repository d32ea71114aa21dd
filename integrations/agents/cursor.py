"""Cursor over OTLP, sent by its servers: log events of requests. Its metrics repeat them and name no conversation.

Docs: cursor.com/docs/enterprise `opentelemetry-export/wire` (beta, read 2026-11); partly verified, as no body was seen.
Kinds of tokens are taken to be disjoint, as in its reports. A correction says that a request was not billed; its tokens
were used all the same. Users are numbers that only Cursor knows.
"""

from collections.abc import Callable, Iterator

from pydantic import BaseModel, Field

from bot.domain.agents import AgentRequest, Evidence, Happening, Proof, request_key
from bot.domain.model import Tokens
from bot.domain.series import Meter
from integrations.agents.places import checked, repository_of
from integrations.agents.reading import (
    UNKNOWN,
    Counted,
    Fact,
    Refused,
    Traces,
    happened,
    moment,
    named,
    names_of,
    reading,
    session_of,
    usage_of,
)
from integrations.otlp import Log, Point, Record

AGENT = "cursor"
PREFIX = "cursor."
SERVICES = frozenset({"cursor"})
SCOPES = frozenset({"cursor.telemetry"})
TOKENS, COST = "cursor.token.usage", "cursor.cost.usage"
METRICS = frozenset({TOKENS, COST})
METERS = {
    "input": Meter.FRESH,
    "output": Meter.ANSWER,
    "cache_read": Meter.CACHE_READ,
    "cache_creation": Meter.CACHE_WRITE,
}
EVENT, CONVERSATION, MODEL = "cursor.event.id", "cursor.conversation.id", "cursor.model.name"
KIND, NUMBER = "cursor.cloud_agent.pull_request.kind", "cursor.cloud_agent.pull_request.number"


class Usage(BaseModel):
    given: Counted = Field(alias="cursor.api.request.input_tokens")
    output: Counted = Field(alias="cursor.api.request.output_tokens")
    read: Counted = Field(0, alias="cursor.api.request.cache_read_tokens")
    written: Counted = Field(0, alias="cursor.api.request.cache_creation_tokens")

    def tokens(self) -> Tokens:
        return Tokens(fresh=self.given, cache_write_5m=self.written, cache_read=self.read, output=self.output)


ATTRIBUTES = names_of(Usage) | {
    *("event.name", EVENT, CONVERSATION, MODEL, KIND, NUMBER, "cursor.token.type"),
}


def told(record: Record, traces: Traces) -> Iterator[Fact]:
    if isinstance(record, Log):
        yield from LOGS[record.name](record, session_of(record, CONVERSATION))
    elif isinstance(record, Point):
        meter = Meter.COST if record.name == COST else METERS.get(str(record.get("cursor.token.type")))
        if meter is None:
            raise Refused("unknown_kind")
        yield reading(record, AGENT, None, meter, named(record, MODEL))


def _request(record: Log, session: str) -> Iterator[Fact]:
    usage = usage_of(Usage, record)
    yield AgentRequest(
        agent=AGENT,
        session=session,
        key=_key(record),
        at=moment(record.at),
        model=named(record, MODEL) or UNKNOWN,
        tokens=usage.tokens(),
    )


def _error(record: Log, session: str) -> Iterator[Fact]:
    yield happened(record, AGENT, session, Happening.API_ERROR, _key(record))


def _pull(record: Log, session: str) -> Iterator[Fact]:
    """A cloud agent opened a pull request."""
    if record.get(KIND) == "opened" and record.get(NUMBER) is not None:
        place = checked(repository=repository_of(record), pull=record.get(NUMBER))
        yield Evidence(AGENT, session, moment(record.at), Proof.PULL, place.repository, pull=place.pull)


READS: dict[str, Callable[[Log, str], Iterator[Fact]]] = {
    "api.request": _request,
    "api.error": _error,
    "cloud_agent.pull_request": _pull,
}
LOGS = {PREFIX + name: read for name, read in READS.items()} | {
    "api_request": _request,
    "api_error": _error,
    "cloud_agent_pull_request_opened": _pull,
}
"""Events go by their name, or by a body that is one."""
EVENTS = frozenset(LOGS)


def _key(record: Log) -> str:
    """The id that is the same in each delivery. Raises Refused where there is none."""
    id = named(record, EVENT)
    if id is None:
        raise Refused("no_id")
    return request_key(AGENT, id)
