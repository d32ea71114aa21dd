"""Where a session was, moment by moment (docs/method.md, "Binding")."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.agents import Evidence, Proof
from bot.domain.binding.bound import Thread
from bot.domain.binding.pulls import Pulls


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a session was, from some moment on. Without a thread it had no branch; without a repository either, it was
    outside of any."""

    at: datetime
    turn: str | None
    proof: Proof
    repository: str | None
    thread: Thread | None

    @property
    def place(self) -> tuple[str | None, Thread | None]:
        return self.repository, self.thread


class Whereabouts:
    """One session's spots; `told` is in order of time."""

    def __init__(self, told: Iterable[Evidence], pulls: Pulls) -> None:
        self._spots: dict[Proof, list[Spot]] = defaultdict(list)
        self._in_turn: dict[str, list[Spot]] = defaultdict(list)
        for spot in (_spot(one, pulls) for one in told):
            if spot:
                self._spots[spot.proof].append(spot)
            if spot and spot.proof is Proof.BRANCH and spot.turn is not None:
                self._in_turn[spot.turn].append(spot)

    @property
    def branches(self) -> Sequence[Spot]:
        """Where it was by what was told of single turns."""
        return self._spots[Proof.BRANCH]

    def at(self, moment: datetime, turn: str | None) -> Spot | None:
        """Where it was at a moment of a turn: as that turn says, else as was last said. What was told at its start, and
        what its process was started with, holds while no branch is told; from the first moment, whenever it came."""
        own = self._in_turn.get(turn or "")
        if own:
            return _last(own, moment) or own[0]
        start, resource = self._spots[Proof.START], self._spots[Proof.RESOURCE]
        fixed = start or resource
        return _last(self.branches, moment) or _last(fixed, moment) or next(iter(fixed), None)

    def left(self, moment: datetime, turn: str | None) -> datetime | None:
        """When it was first known to be elsewhere than at the end of the turn that began at that moment (or, without a
        turn, at that moment)."""
        own = self._in_turn.get(turn or "", [])
        then = own[-1] if own else _last(self.branches, moment)
        place = then.place if then else None
        later = self.branches[bisect_right(self.branches, moment, key=lambda spot: spot.at) :]
        return next((spot.at for spot in later if spot not in own and spot.place != place), None)


def _spot(one: Evidence, pulls: Pulls) -> Spot | None:
    """None where it tells nothing: a start or a process without a branch does not mean that there was none."""
    if one.proof not in (Proof.BRANCH, Proof.START, Proof.RESOURCE):
        return None
    if one.proof is not Proof.BRANCH and (one.repository is None or one.branch is None):
        return None
    if one.repository is None:
        return Spot(one.at, one.turn, one.proof, None, None)
    return Spot(one.at, one.turn, one.proof, pulls.canonical(one.repository), pulls.thread(one.repository, one.branch))


def _last(spots: Sequence[Spot], moment: datetime) -> Spot | None:
    place = bisect_right(spots, moment, key=lambda spot: spot.at)
    return spots[place - 1] if place else None
