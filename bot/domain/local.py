"""What one person's agents did on one machine, by branch and pull request: the report of `leverage local`.

All of it is that person's own, read from their own machine and shown to them alone: exact, and compared with nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from operator import add

from bot.domain.model import Tokens

CHURN = 5
"""From how many edits of one file on a branch on it counts as a loop (docs/method.md, "Turns")."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a model, counted once. `cost_micro` is None for a model without a price."""

    at: datetime
    model: str
    tokens: Tokens
    cost_micro: int | None


@dataclass(frozen=True, slots=True)
class WorkedTurn:
    """One prompt and all that followed, where it was: `place` is None outside of any repository and branch."""

    agent: str
    session: str
    prompted: bool
    started: datetime
    place: "Place | None"
    calls: tuple[Call, ...]
    error_runs: int
    edits: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A branch of a repository, or a pull request where one is known."""

    repository: str
    branch: str
    pull: int | None = None


@dataclass(frozen=True, slots=True)
class Sums:
    """What some turns came to. `unpriced` are tokens whose cost is unknown and in no amount."""

    cost_micro: int = 0
    tokens: Tokens = field(default_factory=Tokens)
    requests: int = 0
    turns: int = 0
    unpriced: int = 0


@dataclass(frozen=True, slots=True)
class Worked:
    """One place: what it took, whether it shipped (None: nobody knows), and how often work on it went round in circles:
    runs of failing calls, and files that were edited again and again."""

    place: Place | None
    sums: Sums
    shipped: bool | None
    last: datetime
    error_runs: int
    churned: int


@dataclass(frozen=True, slots=True)
class SessionSums:
    agent: str
    session: str
    sums: Sums


@dataclass(frozen=True, slots=True)
class Local:
    """Everything, the dearest place first. `unpriced` names models without a price."""

    total: Sums
    places: tuple[Worked, ...]
    sessions: tuple[SessionSums, ...]
    models: tuple[tuple[str, Sums], ...]
    unpriced: tuple[str, ...]

    @property
    def unshipped(self) -> Sums:
        """What lies on branches that are known not to have shipped."""
        return _merged(one.sums for one in self.places if one.shipped is False)


def report(turns: Sequence[WorkedTurn], shipped: Collection[Place], known: Collection[Place]) -> Local:
    """Fold the turns. `shipped` are the places whose work is on the default branch or merged, of those that anything is
    `known` of."""
    places: dict[Place | None, list[WorkedTurn]] = defaultdict(list)
    sessions: dict[tuple[str, str], list[WorkedTurn]] = defaultdict(list)
    for turn in turns:
        places[turn.place].append(turn)
        sessions[turn.agent, turn.session].append(turn)
    worked = [_worked(place, of_place, shipped, known) for place, of_place in places.items()]
    calls = [call for turn in turns for call in turn.calls]
    return Local(
        total=sums(turns),
        places=tuple(sorted(worked, key=_dearest_first)),
        sessions=tuple(SessionSums(*key, sums(of_session)) for key, of_session in sorted(sessions.items())),
        models=tuple(_by_model(calls)),
        unpriced=tuple(sorted({call.model for call in calls if call.cost_micro is None and call.tokens.total})),
    )


def sums(turns: Iterable[WorkedTurn]) -> Sums:
    taken = list(turns)
    calls = [call for turn in taken for call in turn.calls]
    return _of_calls(calls, sum(turn.prompted for turn in taken))


def _of_calls(calls: Sequence[Call], turns: int = 0) -> Sums:
    return Sums(
        cost_micro=sum(call.cost_micro or 0 for call in calls),
        tokens=reduce(add, (call.tokens for call in calls), Tokens()),
        requests=len(calls),
        turns=turns,
        unpriced=sum(call.tokens.total for call in calls if call.cost_micro is None),
    )


def _merged(parts: Iterable[Sums]) -> Sums:
    total = Sums()
    for one in parts:
        total = Sums(
            total.cost_micro + one.cost_micro,
            total.tokens + one.tokens,
            total.requests + one.requests,
            total.turns + one.turns,
            total.unpriced + one.unpriced,
        )
    return total


def _worked(
    place: Place | None, turns: Sequence[WorkedTurn], shipped: Collection[Place], known: Collection[Place]
) -> Worked:
    edits: dict[str, int] = defaultdict(int)
    for turn in turns:
        for file, count in turn.edits:
            edits[file] += count
    return Worked(
        place=place,
        sums=sums(turns),
        shipped=place in shipped if place is not None and place in known else None,
        last=max(turn.started for turn in turns),
        error_runs=sum(turn.error_runs for turn in turns),
        churned=sum(count >= CHURN for count in edits.values()),
    )


def _dearest_first(one: Worked) -> tuple[int, int, str]:
    return -one.sums.cost_micro, -one.sums.tokens.total, str(one.place)


def _by_model(calls: Sequence[Call]) -> Iterable[tuple[str, Sums]]:
    of_model: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        of_model[call.model].append(call)
    found = [(model, _of_calls(some)) for model, some in of_model.items()]
    return sorted(found, key=lambda one: (-one[1].cost_micro, one[0]))
