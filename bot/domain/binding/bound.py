"""What is bound to what, and how surely (docs/method.md, "Binding")."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.agents import Proof

GRACE = timedelta(hours=24)
"""How long after a pull request is closed work on its branch still belongs to it; and how soon after work without a
branch a branch has to follow."""


class Grade(StrEnum):
    """How surely spend belongs to a pull request, best first. Daily totals are allocated, single requests never."""

    MEASURED = "measured"
    INFERRED = "inferred"
    ALLOCATED = "allocated"
    UNATTRIBUTED = "unattributed"


@dataclass(frozen=True, slots=True, order=True)
class Thread:
    """All sessions on one branch of one repository. `repository` is its present name in lower case."""

    repository: str
    branch: str


@dataclass(frozen=True, slots=True)
class Period:
    """A time in which a pull request was open, up to its close or merge; None while it still is."""

    opened: datetime
    closed: datetime | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """What binding knows of a pull request. `id` is the node id.

    `head_repository` is where its branch lives, None where a fork is gone. `periods` are one, and one more for each
    time it was opened again. `commits` are in its list today, `replaced` were before a force-push; full SHAs. The
    commit that it was merged as is not among them: everybody who pulls has that one, too.
    `default_branch` is the repository's, None where unknown; `former` are earlier names of the repository.
    """

    id: str
    repository: str
    number: int
    head_repository: str | None
    head_branch: str
    periods: tuple[Period, ...]
    commits: frozenset[str] = frozenset()
    replaced: frozenset[str] = frozenset()
    default_branch: str | None = None
    former: frozenset[str] = frozenset()

    @property
    def rank(self) -> tuple[datetime, int, str]:
        """Of pull requests that could all have a request, the one created last has it, then the higher number."""
        return min(period.opened for period in self.periods), self.number, self.id

    def had_ended(self, at: datetime) -> bool:
        """Whether it had been closed for good, and the grace was over."""
        ends = [period.closed for period in self.periods]
        return None not in ends and at >= max(end for end in ends if end is not None) + GRACE


@dataclass(frozen=True, slots=True)
class Bound:
    """Where a request belongs. `pull` is a candidate's id. A thread without a pull request is work in progress and not
    linked yet; without either, it had no branch. `proof` is the evidence that decided."""

    pull: str | None
    thread: Thread | None
    grade: Grade
    proof: Proof | None


NOWHERE = Bound(None, None, Grade.UNATTRIBUTED, None)
