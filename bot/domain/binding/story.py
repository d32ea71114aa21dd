"""A session's evidence as a story: where it was, and what its turns named (docs/method.md, "Binding")."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice, takewhile

from bot.domain.agents import AgentRequest, Evidence, Proof
from bot.domain.binding.bound import Candidate
from bot.domain.binding.pulls import Pulls
from bot.domain.binding.whereabouts import Spot, Whereabouts
from bot.domain.sessions import SessionKey, Span, session_of

STRENGTH = {proof: place for place, proof in enumerate(Proof)}
MARKS = (Proof.PULL, Proof.COMMIT, Proof.TRAILER)


@dataclass(frozen=True, slots=True)
class Mark:
    """A turn named a pull request: by a link, or by a commit that it has. `pull` is None where we do not know it.

    `start` is when its turn began: a mark may be told when its turn ended, late. `left` is when the session was first
    known to be elsewhere afterwards; for a link that is there again (`is_repeat`), after the first one.
    """

    start: datetime
    at: datetime
    turn: str | None
    proof: Proof
    pull: Candidate | None
    left: datetime | None
    is_repeat: bool = False


@dataclass(frozen=True, slots=True)
class Reach:
    """The marks of another turn that a request may belong to, strongest first: all of one pull request, the next one
    (`ahead`) or the last. `since` is the last mark before the request."""

    marks: tuple[Mark, ...]
    since: datetime | None
    ahead: bool


class Story:
    """One session: whereabouts, marks in order of their turns, and when its turns were."""

    def __init__(self, where: Whereabouts, marks: Iterable[Mark], turns: Mapping[str, Span]) -> None:
        self.where = where
        self.marks = list(marks)
        self.pulls = frozenset(mark.pull for mark in self.marks)
        self._turns = turns
        self._marked: dict[str, list[Mark]] = defaultdict(list)
        for mark in self.marks:
            if mark.turn is not None:
                self._marked[mark.turn].append(mark)

    def spot(self, request: AgentRequest) -> Spot | None:
        return self.where.at(request.at, request.turn)

    def in_turn(self, request: AgentRequest) -> list[Mark]:
        """The marks of a request's own turn that speak for it: the strongest, and of these the next, else the last.
        More than one means that they came at once."""
        until = self._known_until(request)
        held = [mark for mark in self._marked.get(request.turn or "", ()) if _holds(mark, until)]
        best = min((STRENGTH[mark.proof] for mark in held if mark.pull), default=None)
        strongest = [mark for mark in held if mark.pull and STRENGTH[mark.proof] == best] or held
        moment = next((mark.at for mark in strongest if mark.at >= request.at), strongest[-1].at if strongest else None)
        return [mark for mark in strongest if mark.at == moment]

    def reach(self, request: AgentRequest) -> Reach | None:
        """What a request of a turn without marks may belong to."""
        start = self._turns[request.turn][0] if request.turn else request.at
        until = self._known_until(request)
        place = bisect_left(self.marks, start, key=lambda mark: mark.start)
        since = self.marks[place - 1].at if place else None
        later = (mark for mark in islice(self.marks, place, None) if _holds(mark, until))
        ahead = next(later, None)
        if ahead:
            run = (ahead, *takewhile(lambda mark: mark.pull is ahead.pull, later))
            return Reach(tuple(sorted(run, key=lambda mark: STRENGTH[mark.proof])), since, ahead=True)
        return Reach((self.marks[place - 1],), since, ahead=False) if place else None

    def has_left(self, mark: Mark, request: AgentRequest) -> bool:
        """Whether the session is known to have been elsewhere between a mark and a request."""
        return mark.left is not None and mark.left <= self._known_until(request)

    def _known_until(self, request: AgentRequest) -> datetime:
        """Up to when the session's whereabouts say something about a request: its turn may tell them a little late."""
        spot = self.spot(request)
        is_own = spot is not None and spot.turn is not None and spot.turn == request.turn
        return max(request.at, spot.at) if spot and is_own else request.at


def stories(requests: Iterable[AgentRequest], evidence: Iterable[Evidence], pulls: Pulls) -> dict[SessionKey, Story]:
    """The story of each session that has requests or evidence."""
    asked: dict[SessionKey, list[AgentRequest]] = defaultdict(list)
    told: dict[SessionKey, list[Evidence]] = defaultdict(list)
    for request in requests:
        asked[session_of(request)].append(request)
    for one in sorted(set(evidence), key=_order):
        told[session_of(one)].append(one)
    turns = {session: _turns((*asked[session], *told[session])) for session in {*asked, *told}}
    copies = _copies(asked, told)
    return {session: _story(told[session], turns[session], copies[session], pulls) for session in turns}


def _story(told: Sequence[Evidence], turns: Mapping[str, Span], copies: set[str], pulls: Pulls) -> Story:
    """Marks of turns that were copied from another session are known here, but the other session's own."""
    where = Whereabouts(told, pulls)
    marks = [mark for one in told if one.proof in MARKS and (mark := _mark(one, turns, where, pulls))]
    marks.sort(key=lambda mark: (mark.start, mark.at))
    return Story(where, [mark for mark in _repeats_known(marks) if mark.turn not in copies], turns)


def _mark(one: Evidence, turns: Mapping[str, Span], where: Whereabouts, pulls: Pulls) -> Mark | None:
    """None for a commit that no pull request has: it says nothing. A link to one that we do not know still says that
    work on it ended there."""
    turn = one.turn or _turn_at(one.at, turns)
    spot = where.at(one.at, turn)
    repository = one.repository or (spot.repository if spot else None)
    start = turns[turn][0] if turn else one.at
    left = where.left(start, turn)
    if one.proof is Proof.PULL and one.pull is not None:
        return Mark(start, one.at, turn, one.proof, pulls.numbered(one.pull, repository), left)
    pull = pulls.holding(one.commit, repository) if one.commit else None
    return Mark(start, one.at, turn, one.proof, pull, left) if pull else None


def _holds(mark: Mark, until: datetime) -> bool:
    """Agents write the last link again when a session is resumed, forked or pushes. That tells nothing new of work on
    another branch."""
    return not mark.is_repeat or mark.left is None or mark.left > until


def _repeats_known(marks: Iterable[Mark]) -> list[Mark]:
    known: list[Mark] = []
    first: Mark | None = None
    for mark in marks:
        if mark.proof is Proof.PULL and mark.pull and first and mark.pull == first.pull:
            known.append(replace(mark, left=first.left, is_repeat=True))
        else:
            known.append(mark)
            first = mark if mark.proof is Proof.PULL else first
    return known


def _turns(told: Iterable[AgentRequest | Evidence]) -> dict[str, Span]:
    """When each turn of a session began and ended, as far as it shows."""
    turns: dict[str, Span] = {}
    for one in told:
        if one.turn is not None:
            start, end = turns.get(one.turn, (one.at, one.at))
            turns[one.turn] = (min(start, one.at), max(end, one.at))
    return turns


def _turn_at(moment: datetime, turns: Mapping[str, Span]) -> str | None:
    """The turn that was going on; of several the latest."""
    return max(((span, turn) for turn, span in turns.items() if span[0] <= moment <= span[1]), default=(None, None))[1]


def _copies(
    asked: Mapping[SessionKey, Sequence[AgentRequest]], told: Mapping[SessionKey, Sequence[Evidence]]
) -> dict[SessionKey, set[str]]:
    """A forked session copies the turns it goes on from. A turn is a copy where its requests are another session's, or,
    where it has none, where another session that told of it began first."""
    moments = [*_moments(asked), *_moments(told)]
    began = {session: moment for moment, session in sorted(moments, reverse=True)}
    owners, tellers = _by_turn(asked), _by_turn(told)
    copies: dict[SessionKey, set[str]] = defaultdict(set)
    for (agent, turn), sessions in tellers.items():
        own = owners.get((agent, turn)) or {min(sessions, key=lambda session: (began[session], session))}
        for session in sessions - own:
            copies[session].add(turn)
    return copies


def _moments(
    by_session: Mapping[SessionKey, Sequence[AgentRequest | Evidence]],
) -> list[tuple[datetime, SessionKey]]:
    return [(one.at, session) for session, ones in by_session.items() for one in ones]


def _by_turn(
    by_session: Mapping[SessionKey, Sequence[AgentRequest | Evidence]],
) -> dict[tuple[str, str], set[SessionKey]]:
    """The sessions that tell of each turn of an agent."""
    found: dict[tuple[str, str], set[SessionKey]] = defaultdict(set)
    for session, ones in by_session.items():
        for turn in {one.turn for one in ones if one.turn is not None}:
            found[session[0], turn].add(session)
    return found


def _order(one: Evidence) -> tuple[object, ...]:
    return one.at, STRENGTH[one.proof], repr(one)
