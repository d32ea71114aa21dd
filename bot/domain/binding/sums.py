"""What bound requests come to (docs/method.md, "Binding"). Amounts are micro-USD by request key, None where a model has
no price: such a request counts as a request and adds nothing."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from bot.domain.agents import AgentRequest, Evidence
from bot.domain.binding.bound import Bound, Candidate, Grade, Thread
from bot.domain.binding.places import Place
from bot.domain.binding.pulls import Pulls
from bot.domain.metrics.cost import Links
from bot.domain.sessions import session_of

Amounts = Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class Totals:
    """Every micro-dollar in one place: by pull request, by branch without one, and without either."""

    pulls: Mapping[str, int]
    branches: Mapping[Thread, int]
    exploration: int
    unattributed: int

    @property
    def spend(self) -> int:
        return sum(self.pulls.values()) + sum(self.branches.values()) + self.exploration + self.unattributed


@dataclass(frozen=True, slots=True)
class PullCost:
    """What one pull request took. It is a lower bound: work that no telemetry tells of is not in it.

    `measured` and `inferred` are never added up; only the first may stand in a comment. `remainder` is what the
    sessions that served it spent without a link to any pull request. `requests` are those linked, `unpriced` those of
    them without a price. `grade` is the best of its links.
    """

    measured: int
    inferred: int
    remainder: int
    requests: int
    unpriced: int
    grade: Grade


@dataclass(frozen=True, slots=True)
class Coverage:
    """For how many of a pull request's commits it is known which session made them."""

    told: int
    commits: int


def totals(bounds: Mapping[str, Bound], places: Mapping[str, Place], amounts: Amounts) -> Totals:
    """The sums over all places."""
    pulls: dict[str, int] = defaultdict(int)
    branches: dict[Thread, int] = defaultdict(int)
    rest: dict[Place, int] = defaultdict(int)
    for key, bound in bounds.items():
        micro = amounts.get(key) or 0
        match places[key], bound:
            case Place.PULL, Bound(pull=str() as pull):
                pulls[pull] += micro
            case Place.BRANCH, Bound(thread=Thread() as thread):
                branches[thread] += micro
            case place, _:
                rest[place] += micro
    return Totals(dict(pulls), dict(branches), rest[Place.EXPLORATION], rest[Place.UNATTRIBUTED])


def links(bounds: Mapping[str, Bound], places: Mapping[str, Place], amounts: Amounts) -> Links:
    """How much of the spend is linked to pull requests, by grade (docs/method.md, "From request to pull request")."""
    linked: dict[Grade, int] = defaultdict(int)
    for key in _in_pulls(bounds, places):
        linked[bounds[key].grade] += amounts.get(key) or 0
    spend = sum(amounts.get(key) or 0 for key in bounds)
    return Links(linked[Grade.MEASURED], linked[Grade.INFERRED], linked[Grade.ALLOCATED], spend)


def pull_cost(
    pull: str,
    requests: Collection[AgentRequest],
    bounds: Mapping[str, Bound],
    places: Mapping[str, Place],
    amounts: Amounts,
) -> PullCost:
    """What a pull request (by id) took, out of the requests of all sessions that served it."""
    linked = _in_pulls(bounds, places)
    own = [one for one in requests if one.key in linked and bounds[one.key].pull == pull]
    served = {session_of(one) for one in own}
    spent: dict[Grade, int] = defaultdict(int)
    for one in own:
        spent[bounds[one.key].grade] += amounts.get(one.key) or 0
    remainder = sum(
        amounts.get(one.key) or 0 for one in requests if session_of(one) in served and one.key not in linked
    )
    grades = {bounds[one.key].grade for one in own}
    return PullCost(
        measured=spent[Grade.MEASURED],
        inferred=spent[Grade.INFERRED],
        remainder=remainder,
        requests=len(own),
        unpriced=sum(amounts.get(one.key) is None for one in own),
        grade=next((grade for grade in Grade if grade in grades), Grade.UNATTRIBUTED),
    )


def coverage(candidate: Candidate, evidence: Iterable[Evidence], trailers: Mapping[str, Collection[str]]) -> Coverage:
    """How many of the commits that are in a pull request today some session says it made."""
    pulls = Pulls([candidate])
    made = {one.commit.lower() for one in evidence if one.commit and pulls.holding(one.commit, one.repository)}
    made |= {sha.lower() for sha, sessions in trailers.items() if sessions}
    told = sum(any(sha.lower().startswith(start) for start in made) for sha in candidate.commits)
    return Coverage(told, len(candidate.commits))


def _in_pulls(bounds: Mapping[str, Bound], places: Mapping[str, Place]) -> set[str]:
    return {key for key in bounds if places[key] is Place.PULL}
