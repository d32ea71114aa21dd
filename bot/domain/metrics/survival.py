"""Survival: whether merged work stayed merged (docs/method.md, "Survival").

Only the complete cohort is rated, the pull requests merged at least a horizon ago. A young one is pending; an early
revert of a young one is told but not rated. Fixes that go forward are not noticed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.metrics.included import pull_key
from bot.domain.metrics.measure import Measure, Reason, ratio
from bot.domain.model import PullRequest

HORIZON = timedelta(days=14)


class Fate(StrEnum):
    SURVIVED = "survived"
    REVERTED = "reverted"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Merge:
    """When a pull request merged and, if that happened, when its first revert did."""

    merged_at: datetime
    reverted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Survival:
    """How many pull requests of the complete cohort survived, of how many."""

    survived: int
    judged: int

    @property
    def rate(self) -> Measure:
        return ratio(self.survived, self.judged, Reason.NO_MERGED_PRS)


def fate(merge: Merge, now: datetime, horizon: timedelta = HORIZON) -> Fate:
    """What became of it by `now`. A revert at the very end of the horizon still counts."""
    if merge.reverted_at is not None and merge.reverted_at - merge.merged_at <= horizon:
        return Fate.REVERTED
    return Fate.SURVIVED if _is_judged(merge, now, horizon) else Fate.PENDING


def survival(merges: Iterable[Merge], now: datetime, horizon: timedelta = HORIZON) -> Survival:
    cohort = [merge for merge in merges if _is_judged(merge, now, horizon)]
    return Survival(sum(fate(merge, now, horizon) is Fate.SURVIVED for merge in cohort), len(cohort))


def merges(cohort: Iterable[PullRequest], known: Iterable[PullRequest]) -> list[Merge]:
    """The merges of a cohort, each with its first merged revert among all known pull requests."""
    reverts: dict[tuple[str, int], datetime] = {}
    for pull in known:
        if pull.merged_at is not None and pull.reverts is not None:
            target = (pull.repository_id, pull.reverts)
            reverts[target] = min(reverts.get(target, pull.merged_at), pull.merged_at)
    return [Merge(pull.merged_at, reverts.get(pull_key(pull))) for pull in cohort if pull.merged_at is not None]


def _is_judged(merge: Merge, now: datetime, horizon: timedelta) -> bool:
    return now - merge.merged_at >= horizon
