"""Taking in what coding agents tell: whose it is, what of it can be true, and kept before it is answered.

Whose it is decides consent, before anything is written: a person's token names them, with a fleet's the address the
agent is signed in with does. What is of nobody who has joined is dropped, and nobody is told: that would tell consent.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session

from bot.domain import tokens
from bot.domain.agents import AgentEvent, AgentRequest, Evidence, Telemetry, Via
from bot.domain.handles import HandleKind, keyed_hash
from bot.domain.model import Request
from bot.domain.prices import Priced
from bot.domain.series import Reading
from bot.domain.sessions import SessionKey, session_of
from bot.domain.tokens import Token
from bot.store import agent_days, cursors, ingest_tokens, people, telemetry
from bot.store.cursors import SourceKind
from bot.store.db import reading, transaction

OLDEST, NEWEST = timedelta(days=30), timedelta(minutes=10)
MOST_TOKENS, MOST_MICRO, MOST_COUNTED = 10**9, 10**10, 10**13
"""Of one request, of its cost, and of one point of a counter: far above all that is real, and no sum overflows."""
MOST_MODELS = 200
OTHER_MODEL = "other"
OTHER_REPOSITORY = "other/other"
MIDNIGHT = timedelta(minutes=5)
"""How far apart two tellings of one request may be."""
NOTED = timedelta(minutes=1)
"""How often it is noted that an agent tells."""


@dataclass(frozen=True, slots=True)
class Receiving:
    """What telemetry is taken in by. `repositories` are those that some team observes."""

    secret: bytes
    repositories: frozenset[str]
    prices: Priced


@dataclass(frozen=True, slots=True)
class Told:
    """What one batch tells of one person."""

    telemetry: Telemetry
    readings: tuple[Reading, ...] = ()


def sender(engine: Engine, authorization: str | None, now: datetime) -> Token | None:
    """The valid token that a request carries, if any."""
    text = tokens.presented(authorization)
    if text is None:
        return None
    with reading(engine) as session:
        stored = ingest_tokens.by_id(session, tokens.id_of(text))
    return stored if tokens.proves(text, stored) and stored and stored.is_valid(now) else None


def receive(
    engine: Engine, token: Token, batch: Iterable[Told], via: Via, receiving: Receiving, now: datetime
) -> Counter[str]:
    """Keep a batch in one transaction. Returns how many parts of it were refused, by reason; what nobody agreed to is
    not among them. Raises StoreError: then nothing was kept, and it may be sent again."""
    rejected: Counter[str] = Counter()
    with transaction(engine) as session:
        for told in batch:
            possible, refused = _possible(told, now)
            rejected += refused  # whosever it is: a count for those only who have joined would tell who has
            for person, part in _by_person(session, token, possible, receiving.secret):
                joined = people.joined(session, [person]).get(person)
                if joined:
                    own = _since(part, joined.collect_from)
                    if token.person is None:
                        telemetry.add_sessions(session, person, _sessions(own.telemetry), now.date())
                    _keep(session, person, via, own, receiving, refused, now)
        ingest_tokens.used(session, token, now)
    return rejected


def _by_person(session: Session, token: Token, told: Told, secret: bytes) -> Iterator[tuple[str, Told]]:
    """What was told, by whose it is; what is nobody's who has joined is left out.

    A fleet's agents say it by their address, and with it whose their sessions are. The hook of a fleet knows no
    address: its sessions are whose their agents said.
    """
    if token.person is not None:
        yield token.person, told
    elif told.telemetry.email is not None:
        hash_ = keyed_hash(secret, HandleKind.EMAIL, told.telemetry.email)
        known = people.owners(session, [hash_]).get(hash_)
        if known and known.person:
            yield known.person, told
    else:
        for key, own in sorted(_by_session(told.telemetry).items()):
            person = telemetry.owner(session, *key)
            if person:
                yield person, Told(own.telemetry())


def _sessions(told: Telemetry) -> set[SessionKey]:
    parts: tuple[AgentRequest | AgentEvent | Evidence, ...] = (*told.requests, *told.events, *told.evidence)
    return {session_of(one) for one in parts}


@dataclass(slots=True)
class _Parts:
    """What was told of one session."""

    requests: list[AgentRequest] = field(default_factory=list)
    events: list[AgentEvent] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)

    def telemetry(self) -> Telemetry:
        return Telemetry(None, tuple(self.requests), tuple(self.events), tuple(self.evidence))


def _by_session(told: Telemetry) -> dict[SessionKey, _Parts]:
    found: dict[SessionKey, _Parts] = defaultdict(_Parts)
    for request in told.requests:
        found[session_of(request)].requests.append(request)
    for event in told.events:
        found[session_of(event)].events.append(event)
    for evidence in told.evidence:
        found[session_of(evidence)].evidence.append(evidence)
    return found


def _possible(told: Told, now: datetime) -> tuple[Told, Counter[str]]:
    """What is not of a time or a size that cannot be, and how much is."""
    refused: Counter[str] = Counter()
    given = told.telemetry
    requests = tuple(one for one in given.requests if _is_sane(one))
    readings = tuple(one for one in told.readings if one.value <= MOST_COUNTED)
    refused["too_large"] = len(given.requests) - len(requests) + len(told.readings) - len(readings)
    told = Told(replace(given, requests=requests), readings)

    def fits(at: datetime) -> bool:
        is_near = now - OLDEST <= at <= now + NEWEST
        refused["clock"] += not is_near
        return is_near

    return _those(told, fits), +refused


def _is_sane(request: AgentRequest) -> bool:
    return request.tokens.total <= MOST_TOKENS and (request.cost_micro or 0) <= MOST_MICRO


def _since(told: Told, first: date) -> Told:
    """What is of days that the person agreed to."""
    return _those(told, lambda at: at.date() >= first)


def _those(told: Told, fits: Callable[[datetime], bool]) -> Told:
    """What is of fitting moments."""
    given = told.telemetry
    own = Telemetry(
        given.email,
        tuple(one for one in given.requests if fits(one.at)),
        tuple(one for one in given.events if fits(one.at)),
        tuple(one for one in given.evidence if fits(one.at)),
    )
    return Told(own, tuple(one for one in told.readings if fits(one.moment)))


def _keep(
    session: Session, person: str, via: Via, told: Told, receiving: Receiving, refused: Mapping[str, int], now: datetime
) -> None:
    known = telemetry.models(session, person)
    named = _Names(known)
    priced = [_priced(replace(one, model=named.of(one.model)), receiving) for one in told.telemetry.requests]
    readings = [replace(one, model=named.of(one.model)) for one in told.readings]
    observed = _Observed(receiving.repositories)
    places = [observed.place(one) for one in told.telemetry.evidence]
    written = telemetry.add_requests(session, person, via, priced, now)
    written += telemetry.add_events(session, person, via, told.telemetry.events)
    written += telemetry.add_readings(session, person, readings)
    telemetry.add_places(session, person, places)
    telemetry.add_models(session, person, named.new, now.date())
    if written:
        agent_days.arrived(session, person, _days(told))
        for day in _neighbours(told):
            agent_days.told_anew(session, [person], day)
    _note(session, told, {one.model for one, micro in priced if micro is None}, Counter(refused) + named.over, now)


class _Names:
    """The models a person may name: many, but not without end."""

    def __init__(self, known: set[str]) -> None:
        self._known = {*known, OTHER_MODEL}
        self.new: set[str] = set()
        self.over: Counter[str] = Counter()

    def of(self, model: str) -> str:
        if model in self._known:
            return model
        if len(self._known) > MOST_MODELS:
            self.over["too_many_models"] += 1
            return OTHER_MODEL
        self._known.add(model)
        self.new.add(model)
        return model


def _priced(request: AgentRequest, receiving: Receiving) -> tuple[AgentRequest, int | None]:
    """With its list price: the company's own, else the agent's own figure, else the price book's; None for none."""
    own = receiving.prices.terms.prices(None, request.model)
    if own is None and request.cost_micro is not None:
        return request, request.cost_micro
    asked = Request(request.model, None, request.at, request.tokens)
    micro = receiving.prices.price(asked)
    return replace(request, cost_micro=None), micro if micro is None or micro <= MOST_MICRO else None


class _Observed:
    """The repositories that some team observes. A fork is observed if what it is a fork of is: it goes by the same name
    at another owner."""

    def __init__(self, repositories: frozenset[str]) -> None:
        self._names = {one.casefold() for one in repositories}
        self._forks = {one.partition("/")[2] for one in self._names}

    def place(self, evidence: Evidence) -> Evidence:
        """A place in a repository that no team observes is kept as that only."""
        if evidence.repository is None:
            return replace(evidence, branch=None)
        name = evidence.repository.casefold()
        if name in self._names or name.partition("/")[2] in self._forks:
            return evidence
        return replace(evidence, repository=OTHER_REPOSITORY, branch=None, commit=None, pull=None)


def _days(told: Told) -> set[tuple[date, str]]:
    parts: tuple[AgentRequest | AgentEvent, ...] = (*told.telemetry.requests, *told.telemetry.events)
    counted = {(one.moment.date(), one.agent) for one in told.readings}
    return {(one.at.date(), one.agent) for one in parts} | counted


def _neighbours(told: Told) -> set[date]:
    """Days that may hold another telling of the same requests: the two ways may put them on both sides of midnight."""
    days = {one.at.date() for one in told.telemetry.requests}
    near = {(one.at + shift).date() for one in told.telemetry.requests for shift in (-MIDNIGHT, MIDNIGHT)}
    return near - days


def _note(session: Session, told: Told, unpriced: set[str], refused: Mapping[str, int], now: datetime) -> None:
    """For `doctor`: that an agent tells, at most once a minute, or what was wrong with what it told."""
    parts: tuple[AgentRequest | AgentEvent | Reading, ...] = (
        *told.telemetry.requests,
        *told.telemetry.events,
        *told.readings,
    )
    for agent in {one.agent for one in parts}:
        known = cursors.one(session, SourceKind.TELEMETRY, agent)
        if refused or unpriced or known is None or known.fetched_at is None or now - known.fetched_at > NOTED:
            first = known.first_day if known else now.date()
            cursors.succeeded(
                session, SourceKind.TELEMETRY, agent, first, now, rejected=refused, unpriced=sorted(unpriced)
            )
