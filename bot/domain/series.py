"""Counters that agents keep, as points of series: exact totals whatever arrives twice, late, or after a restart.

A delta point says what was added between two moments. A cumulative point says where a counter stands that began at
`start`: a later point of the same start replaces it, and another start is another run of the process, which adds.

Counters are for comparison, and count themselves only where an agent tells of no requests (`metered`).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from bot.domain.agents import AgentRequest, Origin, request_key
from bot.domain.model import Tokens
from bot.domain.sessions import SessionKey

NANO_PER_MICRO = 1_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Temporality(StrEnum):
    """What the value of a point means."""

    DELTA = "delta"
    CUMULATIVE = "cumulative"


class Meter(StrEnum):
    """What a counter counts. `INPUT` and `OUTPUT` hold the kinds that are told beside them (cache and reasoning);
    `FRESH` and `ANSWER` do not. `COST` is in billionths of a dollar, so that small amounts add up exactly."""

    INPUT = "input"
    FRESH = "fresh"
    CACHE_READ = "cache_read"
    CACHE_WRITE = "cache_write"
    OUTPUT = "output"
    ANSWER = "answer"
    REASONING = "reasoning"
    COST = "cost"


@dataclass(frozen=True, slots=True)
class Reading:
    """One point of a counter. `series` is an opaque name of all that tells this counter apart, without its start.
    `start` and `at` are nanoseconds since 1970, 0 where an agent does not say."""

    agent: str
    session: str | None
    model: str
    origin: Origin
    meter: Meter
    series: str
    temporality: Temporality
    start: int
    at: int
    value: int

    @property
    def moment(self) -> datetime:
        """`at`, to the microsecond."""
        return EPOCH + timedelta(microseconds=self.at // 1_000)

    @property
    def identity(self) -> tuple[str, str, int, int]:
        """Points with the same identity are one: the same delta again, or a counter that went on."""
        moment = self.at if self.temporality is Temporality.DELTA else 0
        return self.series, self.temporality, self.start, moment


@dataclass(frozen=True, slots=True)
class Metered:
    """What counters say that an agent took in a session (None: they do not say in which), up to `last`."""

    agent: str
    session: str | None
    model: str
    origin: Origin
    tokens: Tokens
    cost_micro: int | None
    last: datetime


@dataclass(slots=True)
class _Sums:
    meters: dict[Meter, int] = field(default_factory=dict)
    last: int = 0

    def add(self, reading: Reading) -> None:
        self.meters[reading.meter] = self.meters.get(reading.meter, 0) + reading.value
        self.last = max(self.last, reading.at)


def kept(readings: Iterable[Reading]) -> tuple[Reading, ...]:
    """The points that have to be kept so that nothing which comes later can make a total wrong.

    Depends on the set of what arrived only: keeping what was kept and something new is keeping both.
    """
    found: dict[tuple[str, str, int, int], Reading] = {}
    for reading in readings:
        known = found.get(reading.identity)
        if known is None or _order(known) < _order(reading):
            found[reading.identity] = reading
    return tuple(found[identity] for identity in sorted(found))


def totals(readings: Iterable[Reading]) -> dict[Meter, int]:
    """What these points add up to, by what they count."""
    sums = _Sums()
    for reading in kept(readings):
        sums.add(reading)
    return sums.meters


def metered(readings: Iterable[Reading], told: Collection[SessionKey]) -> tuple[tuple[Metered, ...], int]:
    """What counts by counters alone, and how many of these sums contradict themselves and are left out.

    `told` are the sessions whose requests are known: their counters repeat them. Counters that name no session count
    only for an agent of which no session is told.
    """
    agents = {agent for agent, _ in told}
    groups: dict[tuple[str, str | None, str, Origin], _Sums] = defaultdict(_Sums)
    for one in kept(readings):
        repeats = one.agent in agents if one.session is None else (one.agent, one.session) in told
        if not repeats:
            groups[one.agent, one.session, one.model, one.origin].add(one)
    found = list(_metered(groups))
    return tuple(one for one in found if one is not None), sum(one is None for one in found)


def daily(readings: Iterable[Reading], told: Collection[SessionKey], first: date) -> list[AgentRequest]:
    """What counters alone say of each UTC day from `first` on, as requests: one a day, session, model and origin.

    `readings` are all there are, so that a counter that goes on over midnight is cut where the day ended.
    """
    given = [(one.moment.date(), one) for one in sorted(readings, key=lambda one: one.at)]
    before = _standing((one for day, one in given if day < first), told)
    found: list[AgentRequest] = []
    for today in sorted({day for day, _ in given if day >= first}):
        now = _standing((one for day, one in given if day <= today), told)
        found += [grown for key, one in now.items() if (grown := _grown(one, before.get(key), today))]
        before = now
    return found


def _standing(
    readings: Iterable[Reading], told: Collection[SessionKey]
) -> dict[tuple[str, str | None, str, Origin], Metered]:
    sums, _ = metered(readings, told)
    return {(one.agent, one.session, one.model, one.origin): one for one in sums}


def _grown(now: Metered, before: Metered | None, day: date) -> AgentRequest | None:
    """What a sum has grown by; None for nothing, and for one that has fallen, which no counter does."""
    old, old_cost = (before.tokens, before.cost_micro) if before else (Tokens(), None)
    tokens = now.tokens - old
    cost = None if now.cost_micro is None else now.cost_micro - (old_cost or 0)
    parts = (*astuple(tokens), cost)
    if any((part or 0) < 0 for part in parts) or not any(parts):
        return None
    key = request_key(now.agent, f"counters:{now.session}:{now.model}:{now.origin}:{day}")
    return AgentRequest(now.agent, now.session or "", key, now.last, now.model, tokens, cost, None, now.origin)


def _metered(groups: Mapping[tuple[str, str | None, str, Origin], _Sums]) -> Iterator[Metered | None]:
    for (agent, session, model, origin), sums in groups.items():
        tokens, cost = _tokens(sums.meters), sums.meters.get(Meter.COST)
        micro = None if cost is None else (cost + NANO_PER_MICRO // 2) // NANO_PER_MICRO
        last = EPOCH + timedelta(microseconds=sums.last // 1_000)
        yield Metered(agent, session, model, origin, tokens, micro, last) if tokens else None


def _tokens(meters: Mapping[Meter, int]) -> Tokens | None:
    """The kinds apart; None where a part is more than the whole."""
    read, written = meters.get(Meter.CACHE_READ, 0), meters.get(Meter.CACHE_WRITE, 0)
    reasoning = meters.get(Meter.REASONING)
    fresh = meters[Meter.INPUT] - read - written if Meter.INPUT in meters else 0
    output = meters[Meter.OUTPUT] - (reasoning or 0) if Meter.OUTPUT in meters else 0
    if fresh < 0 or output < 0:
        return None
    return Tokens(
        fresh=fresh + meters.get(Meter.FRESH, 0),
        cache_write_5m=written,
        cache_read=read,
        output=output + meters.get(Meter.ANSWER, 0),
        reasoning=reasoning,
    )


def _order(reading: Reading) -> tuple[object, ...]:
    """Of two points with one identity the later counts. Two of one moment do not differ, where nothing is broken; the
    rest only makes the choice certain."""
    return reading.at, reading.value, repr(reading)
