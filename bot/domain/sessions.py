"""What counts of a session when the same work arrives twice, over OTLP and from the hook (docs/method.md, "Binding").

All of it depends on the set of what arrived and on nothing else: order, repeats and how it was cut into batches change
nothing.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.domain.agents import AgentEvent, AgentRequest, Evidence, Origin, Via

NO_IDS = frozenset({"codex", "gemini_cli"})
"""Agents whose OTLP gives a request no id, so that keys cannot tell what the hook has told as well."""
EDGE = timedelta(seconds=5)
"""How far apart the hook and OTLP may put the same moment of one session."""
TWINS = timedelta(minutes=1)
"""How far apart two tellings with the same counters and different keys may be to be one request."""

SessionKey = tuple[str, str]
"""(agent, its own conversation id)."""
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request, and how it came."""

    via: Via
    request: AgentRequest


@dataclass(slots=True)
class _Work:
    """All tellings of one request."""

    tellings: dict[Via, list[AgentRequest]] = field(default_factory=lambda: {via: [] for via in Via})

    def best(self, via: Via) -> AgentRequest | None:
        told = self.tellings[via]
        return max(told, key=_worth) if len(told) > 1 else next(iter(told), None)

    def only(self, via: Via) -> AgentRequest | None:
        """The best telling, where it came in this way alone."""
        others = any(told for way, told in self.tellings.items() if way is not via)
        return None if others else self.best(via)


@dataclass(frozen=True, slots=True)
class Turns:
    """How many turns there were: prompts of people, and runs without a person (headless)."""

    human: int
    auto: int


def session_of(told: AgentRequest | AgentEvent | Evidence) -> SessionKey:
    return told.agent, told.session


def chosen(arrivals: Iterable[Arrival]) -> tuple[AgentRequest, ...]:
    """The requests that count, each once, oldest first."""
    distinct = set(arrivals)
    works = _paired(_by_key(distinct))
    spans = _hook_spans(works)
    began = _began(arrival.request for arrival in distinct)
    counted = (_merged(work, began) for work in works if not _is_replaced(work.only(Via.OTLP), spans))
    return tuple(sorted(counted, key=_order))


def turns(
    requests: Iterable[AgentRequest], prompts: Iterable[AgentEvent], headless: Collection[SessionKey] = ()
) -> Turns:
    """The turns of these sessions: distinct prompt ids. Each prompt of a headless session is a run of its own and is
    counted apart; a prompt that an interactive session has too (a fork's copy) is a person's."""
    main = sorted((one for one in requests if one.origin is Origin.MAIN), key=_order)
    given = tuple(prompts)
    both: tuple[AgentRequest | AgentEvent, ...] = (*main, *given)
    told = {(session_of(one), (one.agent, one.turn)) for one in both if one.turn is not None}
    told |= {(session_of(one), (one.agent, one.key)) for one in _nameless(main, given)}
    human = {turn for session, turn in told if session not in headless}
    return Turns(human=len(human), auto=len({turn for _, turn in told} - human))


def _nameless(main: Iterable[AgentRequest], prompts: Iterable[AgentEvent]) -> Iterator[AgentEvent]:
    """Prompts that have no id and are no turn that has one: the request that follows does not name its turn either."""
    following: dict[SessionKey, list[AgentRequest]] = defaultdict(list)
    for request in main:
        following[session_of(request)].append(request)
    for prompt in prompts:
        later = following[session_of(prompt)]
        place = bisect_left(later, prompt.at, key=lambda request: request.at)
        if prompt.turn is None and (place == len(later) or later[place].turn is None):
            yield prompt


def _by_key(arrivals: Iterable[Arrival]) -> list[_Work]:
    works: dict[tuple[str, str], _Work] = defaultdict(_Work)
    for arrival in arrivals:
        works[arrival.request.agent, arrival.request.key].tellings[arrival.via].append(arrival.request)
    return list(works.values())


def _paired(works: Iterable[_Work]) -> list[_Work]:
    """Join what one way told under one key and the other way under another: some versions of an agent leave the request
    id out of one of the two. It takes the same counters in the same session within a minute, and that neither was told
    both ways under its own key."""
    groups: dict[object, dict[Via, list[_Work]]] = defaultdict(lambda: {via: [] for via in Via})
    done: list[_Work] = []
    for work in works:
        lone = next(((via, one) for via in Via if (one := work.only(via))), None)
        if lone is None or not lone[1].tokens.total:
            done.append(work)
        else:
            groups[_counters(lone[1])][lone[0]].append(work)
    return done + [work for group in groups.values() for work in _pairs(group)]


def _pairs(group: Mapping[Via, list[_Work]]) -> Iterator[_Work]:
    """Works with the same counters: those near in time joined one to one, the others as they are."""
    waiting = deque(sorted(((one, work) for work in group[Via.HOOK] if (one := work.best(Via.HOOK))), key=_first))
    for one, work in sorted(((one, work) for work in group[Via.OTLP] if (one := work.best(Via.OTLP))), key=_first):
        while waiting and waiting[0][0].at < one.at - TWINS:
            yield waiting.popleft()[1]
        if waiting and waiting[0][0].at <= one.at + TWINS:
            hook = waiting.popleft()[1]
            yield _Work({Via.HOOK: hook.tellings[Via.HOOK], Via.OTLP: work.tellings[Via.OTLP]})
        else:
            yield work
    yield from (work for _, work in waiting)


def _first(pair: tuple[AgentRequest, _Work]) -> tuple[datetime, str, str]:
    return _order(pair[0])


def _order(request: AgentRequest) -> tuple[datetime, str, str]:
    return request.at, request.agent, request.key


def _counters(request: AgentRequest) -> object:
    """A session's counters, with apart only what both ways tell apart."""
    tokens = request.tokens
    written = tokens.cache_write_5m + (tokens.cache_write_1h or 0)
    said = tokens.output + (tokens.reasoning or 0)
    return request.agent, request.session, tokens.fresh, written, tokens.cache_read, said


def _worth(request: AgentRequest) -> tuple[object, ...]:
    """Of one request's tellings in one way, which counts: not a replay by a sub-agent, the fullest (a stream's first
    lines hold less than its last), the one that tells more apart. The rest only makes the choice certain."""
    tokens = request.tokens
    told = (tokens.cache_write_1h is not None, tokens.reasoning is not None, request.cost_micro is not None)
    return request.origin is not Origin.SUBAGENT, tokens.total, told, request.at, repr(request)


def _merged(work: _Work, began: Mapping[SessionKey, datetime]) -> AgentRequest:
    """One request of all its tellings.

    The hook's counters count, as they tell the kinds of cache writes apart, unless they are of a line that was not
    complete yet. Cost and turn come from whichever tells them. The session is the one that said so while it happened;
    where only copies of a forked session tell, it is the one that began first.
    """
    hook, otlp = work.best(Via.HOOK), work.best(Via.OTLP)
    told = [one for one in (hook, otlp) if one is not None]
    best = max(told, key=lambda one: one.tokens.total)  # of equals the first: the hook
    first, *others = [best, *(one for one in told if one is not best)]
    cost = next((one.cost_micro for one in (first, *others) if one.cost_micro is not None), None)
    turn = next((one.turn for one in (first, *others) if one.turn is not None), None)
    owners = work.tellings[Via.OTLP] or work.tellings[Via.HOOK]
    session = min((began[session_of(one)], one.session) for one in owners)[1]
    key = hook.key if hook else best.key
    return replace(best, key=key, session=session, cost_micro=cost, turn=turn)


def _began(requests: Iterable[AgentRequest]) -> dict[SessionKey, datetime]:
    began: dict[SessionKey, datetime] = {}
    for request in requests:
        session = session_of(request)
        began[session] = min(request.at, began.get(session, request.at))
    return began


def _hook_spans(works: Iterable[_Work]) -> dict[SessionKey, list[Span]]:
    """When the hook's turns were, from their first to their last request; apart and in order.

    Only requests make a span, so a turn that the hook could not read yet replaces nothing.
    """
    times: dict[tuple[SessionKey, str], list[datetime]] = defaultdict(list)
    for work in works:
        for one in work.tellings[Via.HOOK]:
            times[session_of(one), one.turn or f"request {one.key}"].append(one.at)
    spans: dict[SessionKey, list[Span]] = defaultdict(list)
    for (session, _), moments in times.items():
        spans[session].append((min(moments) - EDGE, max(moments) + EDGE))
    return {session: _apart(found) for session, found in spans.items()}


def _apart(spans: list[Span]) -> list[Span]:
    """The same time in spans that do not overlap, in order."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _is_replaced(request: AgentRequest | None, spans: Mapping[SessionKey, list[Span]]) -> bool:
    """Whether the hook has told of this OTLP request under another key. Transcripts leave out an agent's own
    housekeeping, so that is never replaced."""
    if request is None or request.agent not in NO_IDS or request.origin is Origin.AUXILIARY:
        return False
    of_session = spans.get(session_of(request), [])
    place = bisect_right(of_session, request.at, key=lambda span: span[0])
    return place > 0 and request.at <= of_session[place - 1][1]
