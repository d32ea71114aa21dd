"""Where requests end up: in a pull request, on a branch, in exploration, or nowhere (docs/method.md, "Binding").

Exploration is work that is bound to no pull request and in whose thread no file was edited, or that a branch name
declares to be exploration. It is never waste.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.agents import AgentEvent, AgentRequest, Happening
from bot.domain.binding.bound import Bound, Thread
from bot.domain.sessions import SessionKey, session_of

DECLARED = ("spike/", "explore/")

Work = Thread | SessionKey
"""What belongs together: a thread, or, without a branch, a session."""


class Place(StrEnum):
    """Each request is in exactly one. `BRANCH` is work in progress: a thread that has no pull request so far."""

    PULL = "pull"
    BRANCH = "branch"
    EXPLORATION = "exploration"
    UNATTRIBUTED = "unattributed"


@dataclass(frozen=True, slots=True)
class Edits:
    """What is known of edited files. `seen` are the sessions whose edits would be known: where nobody looked, that
    nothing was edited cannot be said."""

    events: tuple[AgentEvent, ...] = ()
    seen: frozenset[SessionKey] = frozenset()


def places(requests: Collection[AgentRequest], bounds: Mapping[str, Bound], edits: Edits) -> dict[str, Place]:
    """The place of each request, by its key."""
    worked = _worked(requests, bounds, edits)
    return {one.key: _place(bounds[one.key], _work(one, bounds) in worked) for one in requests}


def _place(bound: Bound, is_worked: bool) -> Place:
    if bound.thread and bound.thread.branch.startswith(DECLARED):
        return Place.EXPLORATION
    if bound.pull is not None:
        return Place.PULL
    if not is_worked:
        return Place.EXPLORATION
    return Place.BRANCH if bound.thread else Place.UNATTRIBUTED


def _worked(requests: Iterable[AgentRequest], bounds: Mapping[str, Bound], edits: Edits) -> set[Work]:
    """The work in which a file was edited, or may have been. An edit of a turn without requests counts for all of its
    session."""
    by_turn: dict[tuple[SessionKey, str | None], set[Work]] = defaultdict(set)
    by_session: dict[SessionKey, set[Work]] = defaultdict(set)
    for request in requests:
        work, session = _work(request, bounds), session_of(request)
        by_turn[session, request.turn].add(work)
        by_session[session].add(work)
    worked = {work for session, found in by_session.items() if session not in edits.seen for work in found}
    for event in edits.events:
        if event.happening is Happening.EDIT:
            session = session_of(event)
            own = by_turn.get((session, event.turn)) if event.turn is not None else None
            worked |= own or by_session.get(session, set())
    return worked


def _work(request: AgentRequest, bounds: Mapping[str, Bound]) -> Work:
    return bounds[request.key].thread or session_of(request)
