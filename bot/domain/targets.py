"""Where a share of spend belongs: the node id of a pull request, or one of the names below that stand for one."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.binding.bound import Grade, Thread
from bot.domain.money import split_by_weight, split_equally

NO_PULL = ""
"""No pull request so far: a day's spend of which nobody knows more."""
NOWHERE = "nowhere"
"""Measured, and in no branch: certain at once."""
EXPLORATION = "exploration"
"""Measured, and no file was changed, or its branch says so: certain at once."""
BRANCH = "branch:"
"""A branch without a pull request so far, by a fingerprint: its name is not kept."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a part of a slice belongs and how surely. `weight` is its proportion; micro-USD where it was measured."""

    pull: str
    grade: Grade = Grade.ALLOCATED
    weight: int = 1


def of_branch(thread: Thread) -> str:
    told = f"{thread.repository}\0{thread.branch}"
    return BRANCH + hashlib.sha256(told.encode()).hexdigest()[:16]


def is_branch(pull: str) -> bool:
    return pull.startswith(BRANCH)


def is_pull(pull: str) -> bool:
    """Whether it is a pull request's node id."""
    return pull not in (NO_PULL, NOWHERE, EXPLORATION) and not is_branch(pull)


def equally(pulls: Iterable[str]) -> tuple[Target, ...]:
    """An even split, or that there is no pull request so far."""
    return tuple(Target(pull) for pull in pulls) or (Target(NO_PULL),)


def shares(micro: int, targets: tuple[Target, ...]) -> list[int]:
    """The amount in proportion; nothing is lost. Even proportions are split evenly, and so is what has none."""
    weights = [target.weight for target in targets]
    even = len(set(weights)) == 1
    return split_equally(micro, len(targets)) if even else split_by_weight(micro, weights)
