"""A person's own numbers, for that person only (docs/privacy.md, "The only things that may leave the store").

They are exact: nothing here is compared with anybody else, and nothing is ranked.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import reduce
from operator import add
from zoneinfo import ZoneInfo

from bot.domain.block import Part
from bot.domain.model import PullState, Tokens
from bot.domain.weeks import Week

FULL_WEEKS = 4
PATIENCE = timedelta(days=2)


class Comments(StrEnum):
    """What comments on a person's pull requests may show of the own cost."""

    NOTHING = "nothing"
    BAND = "pr_band"
    AMOUNT = "pr_exact"


@dataclass(frozen=True, slots=True)
class Switches:
    """What somebody who has joined switched on. `collect_from` is the first UTC day that is theirs to keep,
    `team_from` the Monday from which they count in their team, None while they do not."""

    person: str
    joined_at: datetime
    collect_from: date
    team_from: date | None
    comments: Comments


@dataclass(frozen=True, slots=True)
class DaySpend:
    """What a person spent on one UTC day, at list price."""

    day: date
    micro: int
    tokens: Tokens


@dataclass(frozen=True, slots=True)
class OwnPull:
    """A pull request of the person's own, or of a coding agent they own; `at` is when it came to `state`. `micro` is
    what was measured of the person's spend on it, 0 for nothing so far."""

    repository: str
    number: int
    state: PullState
    at: datetime
    micro: int = 0


@dataclass(frozen=True, slots=True)
class WeekSpend:
    """A week of the person's own spend; the running one is not `over`."""

    week: Week
    micro: int
    over: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What the person's agents told of these weeks: calls of a model, prompts, and runs without anybody."""

    requests: int = 0
    human_turns: int = 0
    auto_turns: int = 0


@dataclass(frozen=True, slots=True)
class Sorted:
    """The person's spend of these weeks by where it went; `open_micro` is what no digest has taken in yet."""

    parts: Mapping[Part, int]
    open_micro: int


@dataclass(frozen=True, slots=True)
class Own:
    """A person's own stored rows of the last weeks, as they were read. `booked` is what digests took in, by part."""

    switches: Switches
    linked: bool
    days: Sequence[DaySpend]
    booked: Mapping[Part, int]
    pulls: Sequence[OwnPull]
    told: Told = Told()


@dataclass(frozen=True, slots=True)
class Me:
    """What `/leverage me` shows: the last four full weeks and the running one, oldest first; the sums are over all of
    them. `new` is true while the first numbers cannot be there yet."""

    switches: Switches
    linked: bool
    weeks: tuple[WeekSpend, ...]
    tokens: Tokens
    sorted: Sorted
    pulls: tuple[OwnPull, ...]
    new: bool
    told: Told = Told()

    @property
    def has_spend(self) -> bool:
        return any(week.micro for week in self.weeks) or self.tokens.total > 0


def weeks_shown(now: datetime, zone: ZoneInfo) -> tuple[Week, ...]:
    """The last four full weeks and the running one, oldest first."""
    running = Week.of(now, zone)
    return tuple(running.plus(offset) for offset in range(-FULL_WEEKS, 1))


def view(own: Own, now: datetime, zone: ZoneInfo) -> Me:
    """Fold the rows into what is shown; rows of other weeks play no part."""
    weeks = weeks_shown(now, zone)
    days = [(Week.of_day(day.day, zone), day) for day in own.days]
    shown = [day for week, day in days if week in weeks]
    total = sum(day.micro for day in shown)
    return Me(
        switches=own.switches,
        linked=own.linked,
        weeks=tuple(_week(week, days, over=week != weeks[-1]) for week in weeks),
        tokens=reduce(add, (day.tokens for day in shown), Tokens()),
        sorted=Sorted(own.booked, total - sum(own.booked.values())),
        pulls=tuple(sorted(own.pulls, key=lambda pull: (pull.at, pull.repository, pull.number), reverse=True)),
        new=now - own.switches.joined_at < PATIENCE,
        told=own.told,
    )


def _week(week: Week, days: Sequence[tuple[Week, DaySpend]], *, over: bool) -> WeekSpend:
    return WeekSpend(week, sum(day.micro for of, day in days if of == week), over)


def token_kinds(tokens: Tokens) -> Iterator[tuple[str, int]]:
    """The kinds in plain words; what a source does not tell apart is named with its neighbour."""
    yield "fresh input", tokens.fresh
    yield "written to the cache", tokens.cache_write_5m + (tokens.cache_write_1h or 0)
    yield "read from the cache", tokens.cache_read
    if tokens.reasoning is None:
        yield "output, reasoning included", tokens.output
    else:
        yield "output", tokens.output
        yield "reasoning, where a tool tells it apart", tokens.reasoning
