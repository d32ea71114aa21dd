"""What agents told of one person: every telling is kept once, and each query is about one person."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlmodel import Session

from bot.domain.agents import AgentEvent, AgentRequest, Evidence, Happening, Origin, Proof, Via
from bot.domain.model import Tokens
from bot.domain.series import Meter, Reading, Temporality
from bot.domain.sessions import Arrival, SessionKey
from bot.store import tables
from bot.store.bulk import Row, upsert
from bot.store.tables import AgentCounter, AgentModel, AgentPlace, AgentSession

REQUESTS = tables.table(tables.AgentRequest).c
EVENTS = tables.table(tables.AgentEvent).c
PLACES = tables.table(AgentPlace).c
COUNTERS = tables.table(AgentCounter).c
SESSIONS = tables.table(AgentSession).c
MODELS = tables.table(AgentModel).c
KINDS = ("fresh", "cache_write_5m", "cache_write_1h", "cache_read", "output", "reasoning")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

FULLER = " + ".join(f"coalesce({{0}}.{kind}, 0)" for kind in KINDS)
"""Of two tellings of one moment the fuller counts: a stream's first lines hold less than its last."""
LATER = "({0}.at, {0}.value)"


@dataclass(frozen=True, slots=True)
class Stored:
    """A request as it is kept: how it came, and its price when it came (None: it has none)."""

    arrival: Arrival
    list_micro: int | None


def add_requests(
    session: Session, person: str, via: Via, told: Sequence[tuple[AgentRequest, int | None]], received: datetime
) -> int:
    """Keep requests, each with its list price; returns how many were new or fuller."""
    rows = [_request_row(person, via, request, micro, received) for request, micro in told]
    return upsert(session, tables.AgentRequest, rows, greater=FULLER)


def add_events(session: Session, person: str, via: Via, events: Iterable[AgentEvent]) -> int:
    """Keep events; of one that is told again nothing changes."""
    rows = [_event_row(person, via, event) for event in events]
    return upsert(session, tables.AgentEvent, rows, keep=("agent", "happening", "turn", "what"))


def add_places(session: Session, person: str, evidence: Iterable[Evidence]) -> int:
    """Keep where sessions were."""
    rows = [_place_row(person, one) for one in evidence]
    kept = ("agent", "proof", "repository", "branch", "sha", "pull", "turn")
    return upsert(session, AgentPlace, rows, keep=kept)


def add_readings(session: Session, person: str, readings: Iterable[Reading]) -> int:
    """Keep points of counters: of one that goes on, the last of each UTC day."""
    rows = sorted((_counter_row(person, one) for one in readings), key=lambda row: (row["at"], row["value"]))
    return upsert(session, AgentCounter, rows, greater=LATER)


def requests(session: Session, person: str, first: date, last: date) -> list[Stored]:
    """All tellings of requests on the UTC days `first` to `last`."""
    found = session.execute(
        select(
            REQUESTS.via,
            REQUESTS.agent,
            REQUESTS.session,
            REQUESTS.key,
            REQUESTS.at,
            REQUESTS.model,
            REQUESTS.origin,
            REQUESTS.turn,
            REQUESTS.cost_micro,
            REQUESTS.list_micro,
            *(REQUESTS[kind] for kind in KINDS),
        ).where(REQUESTS.person_key == person, REQUESTS.at.between(*_window(first, last)))
    )
    return [_stored(*row) for row in found]


def _stored(
    via: str,
    agent: str,
    conversation: str,
    key: str,
    at: int,
    model: str,
    origin: str,
    turn: str | None,
    cost: int | None,
    listed: int | None,
    *kinds: Any,
) -> Stored:
    request = AgentRequest(agent, conversation, key, _moment(at), model, Tokens(*kinds), cost, turn, Origin(origin))
    return Stored(Arrival(Via(via), request), listed)


def events(
    session: Session, person: str, first: date, last: date, happenings: Collection[Happening]
) -> list[tuple[Via, AgentEvent]]:
    """What happened on these days, of these kinds, and in which way it was told."""
    found = session.execute(
        select(
            EVENTS.via, EVENTS.agent, EVENTS.session, EVENTS.key, EVENTS.at, EVENTS.happening, EVENTS.turn, EVENTS.what
        )
        .where(EVENTS.person_key == person, EVENTS.at.between(*_window(first, last)))
        .where(EVENTS.happening.in_(happenings))
    )
    return [
        (Via(via), AgentEvent(agent, conversation, key, _moment(at), Happening(happening), turn, what))
        for via, agent, conversation, key, at, happening, turn, what in found
    ]


def places(session: Session, person: str, first: date, last: date) -> list[Evidence]:
    """Where the person's sessions were on these days."""
    found = session.execute(
        select(
            PLACES.agent,
            PLACES.session,
            PLACES.at,
            PLACES.proof,
            PLACES.repository,
            PLACES.branch,
            PLACES.sha,
            PLACES.pull,
            PLACES.turn,
        ).where(PLACES.person_key == person, PLACES.at.between(*_window(first, last)))
    )
    return [
        Evidence(agent, conversation, _moment(at), Proof(proof), *rest)
        for agent, conversation, at, proof, *rest in found
    ]


def readings(session: Session, person: str, first: date, last: date) -> list[Reading]:
    """The points of counters of these days."""
    found = session.execute(
        select(
            COUNTERS.agent,
            COUNTERS.session,
            COUNTERS.model,
            COUNTERS.origin,
            COUNTERS.meter,
            COUNTERS.series,
            COUNTERS.temporality,
            COUNTERS.start,
            COUNTERS.at,
            COUNTERS.value,
        ).where(COUNTERS.person_key == person, COUNTERS.day.between(first, last))
    )
    return [
        Reading(agent, conversation, model, Origin(origin), Meter(meter), series, Temporality(temporality), *rest)
        for agent, conversation, model, origin, meter, series, temporality, *rest in found
    ]


def models(session: Session, person: str) -> set[str]:
    """The models that the person's agents have named so far."""
    return set(session.execute(select(MODELS.model).where(MODELS.person_key == person)).scalars())


def add_models(session: Session, person: str, named: Iterable[str], today: date) -> None:
    upsert(session, AgentModel, [{"person_key": person, "model": model, "seen": today} for model in named])


def owner(session: Session, agent: str, conversation: str) -> str | None:
    """Whose a session is, where its agent has said so, and to nobody else's name."""
    found = session.execute(
        select(SESSIONS.person_key).where(SESSIONS.session == conversation, SESSIONS.agent == agent).limit(2)
    ).all()
    return found[0].person_key if len(found) == 1 else None


def add_sessions(session: Session, person: str, told: Iterable[SessionKey], today: date) -> None:
    """An agent has said whose these sessions are."""
    rows = [{"session": one, "agent": agent, "person_key": person, "seen": today} for agent, one in told]
    upsert(session, AgentSession, rows)


def drop(session: Session, before: date) -> int:
    """Forget what is of days before this one, person by person: the tables are in the order of people."""
    moment, dropped = _micro(datetime.combine(before, time(), UTC)), 0
    people = list(session.execute(select(tables.table(tables.Person).c.person_key)).scalars())
    for model, column, limit in (
        (tables.AgentRequest, "at", moment),
        (tables.AgentEvent, "at", moment),
        (AgentPlace, "at", moment),
        (AgentCounter, "day", before),
        (tables.AgentDay, "day", before),
        (AgentModel, "seen", before),
        (AgentSession, "seen", before),
    ):
        row = tables.table(model).c
        for person in people:
            gone = delete(tables.table(model)).where(row.person_key == person, row[column] < limit)
            dropped += session.connection().execute(gone).rowcount
    return dropped


def _request_row(person: str, via: Via, request: AgentRequest, micro: int | None, received: datetime) -> Row:
    return {
        "person_key": person,
        "at": _micro(request.at),
        "key": request.key,
        "via": via,
        "session": request.session,
        "agent": request.agent,
        "model": request.model,
        "origin": request.origin,
        "turn": request.turn,
        **{kind: getattr(request.tokens, kind) for kind in KINDS},  # asdict copies deeply: a third of all this
        "cost_micro": request.cost_micro,
        "list_micro": micro,
        "received": _micro(received),
    }


def _event_row(person: str, via: Via, event: AgentEvent) -> Row:
    return {
        "person_key": person,
        "at": _micro(event.at),
        "key": event.key,
        "via": via,
        "session": event.session,
        "agent": event.agent,
        "happening": event.happening,
        "turn": event.turn,
        "what": event.what,
    }


def _place_row(person: str, one: Evidence) -> Row:
    told = {
        "proof": one.proof,
        "repository": one.repository,
        "branch": one.branch,
        "sha": one.commit,
        "pull": one.pull,
        "turn": one.turn,
    }
    digest = hashlib.sha256(repr(sorted(told.items())).encode()).hexdigest()[:16]
    return {
        "person_key": person,
        "at": _micro(one.at),
        "session": one.session,
        "digest": digest,
        "agent": one.agent,
        **told,
    }


def _counter_row(person: str, one: Reading) -> dict[str, Any]:
    _, _, _, moment = one.identity
    return {
        "person_key": person,
        "day": one.moment.date(),
        "series": one.series,
        "temporality": one.temporality,
        "start": one.start,
        "moment": moment,
        "at": one.at,
        "agent": one.agent,
        "session": one.session,
        "model": one.model,
        "origin": one.origin,
        "meter": one.meter,
        "value": one.value,
    }


def _window(first: date, last: date) -> tuple[int, int]:
    start, end = datetime.combine(first, time(), UTC), datetime.combine(last + timedelta(days=1), time(), UTC)
    return _micro(start), _micro(end) - 1


def _micro(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND


def _moment(micro: int) -> datetime:
    return EPOCH + timedelta(microseconds=micro)
