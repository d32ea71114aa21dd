"""What the hook sends: sessions and their turns, as one JSON document, into requests, events and places.

`integrations/hook.py` makes the document (its section 9), but anybody with a token may: whatever cannot be true is
refused and counted by reason, one request or turn at a time, and never bent into shape.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from itertools import chain, count, repeat
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, Field, StringConstraints

from bot.domain.agents import AgentEvent, AgentRequest, Evidence, Happening, Origin, Proof, Telemetry, request_key
from bot.domain.model import Tokens
from integrations.parse import Number, parsed

AGENTS = {"claude_code", "codex", "gemini_cli", "qwen_code", "copilot", "opencode", "cursor"}
MOST_REQUESTS, MOST_EVENTS = 10_000, 20_000  # of one document; the hook sends 500 requests at a time
MOST_OF_A_KIND = 2_000  # of one turn
RUN = 3  # equal failing calls that make a run (docs/method.md)
TICK = timedelta(microseconds=1)  # keeps the order of what happened within a turn, whose moments nobody sends
WRITTEN = re.compile(r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
NOT_IN_A_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[/-]|[/.]$|\.lock$")


class Malformed(ValueError):
    """The document as a whole is not one of the hook's."""


def _written(value: Any) -> Any:
    if not isinstance(value, str) or not WRITTEN.fullmatch(value):
        raise ValueError("a time is text with a zone, such as 2026-11-22T02:07:14Z")
    return value


def _ref(value: str) -> str:
    if NOT_IN_A_REF.search(value):
        raise ValueError("git has no branch of this name")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(lambda at: at.astimezone(UTC))]
Name = Annotated[str, StringConstraints(strict=True, pattern=r"^[^\x00-\x1f\x7f]{1,200}$")]
Key = Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9a-f]{32}$")]
File = Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9a-f]{16}$")]
Sha = Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9a-f]{7,64}$")]
Repository = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}$")]
Branch = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=250), AfterValidator(_ref)]
Many = Annotated[int, Field(strict=True, ge=0, le=MOST_OF_A_KIND)]


class _Document(BaseModel):
    version: Literal[1]
    agent: Name
    sessions: list[Any] = Field(max_length=1_000)


class _Session(BaseModel):
    session: Name
    turns: list[Any]


class _Turn(BaseModel):
    turn: Name | None = None
    prompted: bool = True
    headless: bool = False
    started: Moment
    ended: Moment
    requests: list[Any] = []
    counters: dict[str, Any] = {}


class _Request(BaseModel):
    key: Key
    at: Moment
    model: Name
    origin: Origin = Origin.MAIN
    fresh: Number
    cache_write_5m: Number = 0
    cache_write_1h: Number | None = None
    cache_read: Number = 0
    output: Number
    reasoning: Number | None = None
    cost_micro: Number | None = None


class _Place(BaseModel):
    repository: Repository | None = None
    branch: Branch | None = None
    head_before: Sha | None = None
    head_after: Sha | None = None
    commits: list[Sha] = Field(default=[], max_length=1_000)


class _Pull(BaseModel):
    at: Moment
    repository: Repository | None = None
    pull: int = Field(strict=True, ge=1, lt=10**9)


class _Edited(BaseModel):
    file: File
    edits: Many


class _Counters(BaseModel):
    tool_ok: Many = 0
    tool_failed: Many = 0
    rejected: Many = 0
    interrupted: Many = 0
    compactions: Many = 0
    api_errors: Many = 0
    error_runs: Many = 0
    edited: list[_Edited] = Field(default=[], max_length=MOST_OF_A_KIND)


@dataclass(frozen=True, slots=True)
class _Of:
    """Whose turn it is."""

    agent: str
    session: str
    turn: str | None
    started: datetime
    ended: datetime

    def key(self, what: str) -> str:
        """The same for a copy of a turn in a forked session, so that nothing of it counts twice."""
        return request_key(self.agent, f"{self.turn or self.session}:{what}")


@dataclass(slots=True)
class _Taken:
    """What has been accepted so far, and what was not."""

    requests: dict[str, AgentRequest] = field(default_factory=dict)
    events: dict[str, AgentEvent] = field(default_factory=dict)
    evidence: list[Evidence] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)

    def request(self, of: _Of, raw: Any) -> None:
        told = parsed(_Request, raw)
        if told is None:
            self.rejected["bad_request"] += 1
        elif told.key in self.requests:
            self.rejected["duplicate"] += 1
        elif len(self.requests) >= MOST_REQUESTS:
            self.rejected["too_many"] += 1
        else:
            self.requests[told.key] = _request(of, told)

    def telemetry(self) -> Telemetry:
        return Telemetry(None, tuple(self.requests.values()), tuple(self.events.values()), tuple(self.evidence))

    def event(self, event: AgentEvent) -> None:
        if len(self.events) < MOST_EVENTS:
            self.events.setdefault(event.key, event)
        else:
            self.rejected["too_many"] += 1


def parse(body: Any) -> tuple[Telemetry, Mapping[str, int]]:
    """The decoded document as telemetry, and how many parts of it were refused, by reason.

    Raises Malformed where nothing of it can be used. Whether its times are near now is for whoever knows the time.
    """
    document = parsed(_Document, body)
    if document is None:
        raise Malformed("This is no document of the hook, version 1: install the hook of this server again.")
    agent = document.agent if document.agent in AGENTS else "other"
    taken = _Taken()
    for raw in document.sessions:
        session = parsed(_Session, raw)
        if session is None:
            taken.rejected["bad_session"] += 1
        else:
            _take_session(taken, agent, session)
    return taken.telemetry(), dict(taken.rejected)


def _take_session(taken: _Taken, agent: str, session: _Session) -> None:
    for raw in session.turns:
        turn = parsed(_Turn, raw)
        if turn is None or turn.ended < turn.started:
            taken.rejected["bad_turn"] += 1
        else:
            _take_turn(taken, _Of(agent, session.session, turn.turn, turn.started, turn.ended), turn, raw)


def _take_turn(taken: _Taken, of: _Of, turn: _Turn, raw: dict[str, Any]) -> None:
    for request in turn.requests:
        taken.request(of, request)
    place = _place(taken, raw)
    counters = parsed(_Counters, turn.counters)
    if counters is None:
        taken.rejected["bad_counters"] += 1
        counters = _Counters()
    for event in chain(_prompt(of, turn), _events(of, counters, place.commits)):
        taken.event(event)
    taken.evidence += _evidence(of, place, _pulls(taken, of, raw), raw)


def _place(taken: _Taken, raw: dict[str, Any]) -> _Place:
    """Where the turn was. A part that cannot be is left out: what the turn took stays true without it."""
    parts = {name: raw[name] for name in _Place.model_fields if raw.get(name) is not None}
    for name in list(parts):
        if parsed(_Place, {name: parts[name]}) is None:
            taken.rejected["bad_place"] += 1
            del parts[name]
    return _Place.model_validate(parts)


def _pulls(taken: _Taken, of: _Of, raw: dict[str, Any]) -> Iterator[_Pull]:
    """The pull requests that were opened in the turn, each with its moment; else the one it was about."""
    alone = [{"at": of.ended.isoformat(), "pull": raw["pull"]}] if raw.get("pull") is not None else []
    told = raw.get("pulls") or alone
    for one in told[:100] if isinstance(told, list) else [told]:
        pull = parsed(_Pull, one)
        if pull is None:
            taken.rejected["bad_place"] += 1
        else:
            yield pull


def _request(of: _Of, told: _Request) -> AgentRequest:
    return AgentRequest(
        agent=of.agent,
        session=of.session,
        key=told.key,
        at=told.at,
        model=told.model,
        tokens=Tokens(**{kind.name: getattr(told, kind.name) for kind in fields(Tokens)}),
        cost_micro=told.cost_micro,
        turn=of.turn,
        origin=told.origin,
    )


def _event(of: _Of, key: str, at: datetime, happening: Happening, what: str | None = None) -> AgentEvent:
    return AgentEvent(of.agent, of.session, key, at, happening, of.turn, what)


def _prompt(of: _Of, turn: _Turn) -> Iterator[AgentEvent]:
    """A prompt has an id of its own, which is its key however it arrives."""
    if turn.turn and turn.prompted:
        yield _event(of, request_key(of.agent, turn.turn), of.started, Happening.PROMPT)
    if turn.headless:
        yield _event(of, request_key(of.agent, f"{of.session}:headless"), of.started, Happening.HEADLESS)


def _events(of: _Of, counters: _Counters, commits: list[str]) -> Iterator[AgentEvent]:
    """Counters, told one by one. Their keys are numbered: a turn that is told again adds only what is new."""
    tick = count(1)
    tools = chain(
        _numbered(Happening.TOOL_FAILED, _failures(of, counters)),
        _numbered(Happening.TOOL_OK, repeat(None, counters.tool_ok)),
        _numbered(Happening.REJECTED, repeat(None, counters.rejected)),
        *(_numbered(Happening.EDIT, repeat(edited.file, edited.edits), edited.file) for edited in counters.edited),
        ((Happening.COMMIT, f"commit:{sha[:7]}", None) for sha in commits),
        _numbered(Happening.COMPACTION, repeat(None, counters.compactions)),
        _numbered(Happening.API_ERROR, repeat(None, counters.api_errors)),
    )
    for happening, name, what in tools:
        yield _event(of, of.key(name), of.started + next(tick) * TICK, happening, what)
    for happening, name, what in _numbered(Happening.INTERRUPTED, repeat(None, counters.interrupted)):
        yield _event(of, of.key(name), max(of.ended, of.started + next(tick) * TICK), happening, what)


def _numbered(happening: Happening, whats: Any, of: str = "") -> Iterator[tuple[Happening, str, str | None]]:
    return ((happening, f"{happening}:{of}:{number}", what) for number, what in enumerate(whats))


def _failures(of: _Of, counters: _Counters) -> Iterator[str]:
    """A fingerprint for each failed call: equal ones where a run was counted, else each its own. A run that began in an
    earlier turn has too few failures in this one to show."""
    in_runs = RUN * min(counters.error_runs, counters.tool_failed // RUN)
    for number in range(counters.tool_failed):
        told = f"run {number // RUN}" if number < in_runs else f"call {number}"
        yield hashlib.sha256(of.key(told).encode()).hexdigest()[:16]


def _evidence(of: _Of, place: _Place, pulls: Iterator[_Pull], raw: dict[str, Any]) -> Iterator[Evidence]:
    """A turn that was told to be nowhere was outside of any repository: it does not stay where the one before was."""

    def told(at: datetime, proof: Proof, **what: Any) -> Evidence:
        return Evidence(of.agent, of.session, at, proof, turn=of.turn, **{"repository": place.repository, **what})

    where = {name: raw[name] for name in ("repository", "branch") if name in raw}
    if where and all(getattr(place, name) == value for name, value in where.items()):
        yield told(of.started, Proof.BRANCH, branch=place.branch)
    before, after = place.head_before, place.head_after
    for sha in dict.fromkeys([*place.commits, *([after] if before and after and before != after else [])]):
        yield told(of.ended, Proof.COMMIT, branch=place.branch, commit=sha)
    for pull in pulls:
        yield told(pull.at, Proof.PULL, repository=pull.repository or place.repository, pull=pull.pull)
