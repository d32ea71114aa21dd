"""What must not suffer while compute is watched, from public GitHub facts (docs/method.md, "Guardrails").

Medians over pull requests that have the fact; None where none has it. Hours and days are exact, of any fraction.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, time, timedelta
from fractions import Fraction

from bot.domain.metrics.included import pull_key, responsible, reverting
from bot.domain.metrics.median import median
from bot.domain.model import PullRequest, PullState, Review

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def review_hours(pulls: Iterable[PullRequest]) -> Fraction | None:
    """Median hours from ready-for-review to the first review by another human; time as a draft does not count."""
    return median([hours for pull in pulls if (hours := _hours_to_review(pull)) is not None])


def merge_lead_days(pulls: Iterable[PullRequest]) -> Fraction | None:
    """Median days from the start of the UTC day of the first commit to the merge. Days are all we keep of commits."""
    return median([days for pull in pulls if (days := _lead_days(pull)) is not None])


def open_age_days(pulls: Iterable[PullRequest], now: datetime) -> Fraction | None:
    """Median days since the open ones among these were opened, drafts too."""
    return median([_units(now - pull.created_at, DAY) for pull in pulls if pull.state is PullState.OPEN])


def reverted(pulls: Collection[PullRequest], earlier: Iterable[PullRequest] = ()) -> int:
    """How many of these take back other work. `earlier` ones are not counted but tell reverts of reverts apart."""
    reverts = reverting([*earlier, *pulls])
    return sum(pull_key(pull) in reverts for pull in pulls)


def _hours_to_review(pull: PullRequest) -> Fraction | None:
    if pull.ready_at is None:
        return None
    ready_at = pull.ready_at
    times = [review.at for review in pull.reviews if review.at >= ready_at and _is_by_another(review, pull)]
    return _units(min(times) - ready_at, HOUR) if times else None


def _is_by_another(review: Review, pull: PullRequest) -> bool:
    """Whether a human reviewed it who did not make it: people also comment on their own pull requests."""
    maker = responsible(pull)
    return not review.author.is_bot and (maker is None or review.author.id != maker.id)


def _lead_days(pull: PullRequest) -> Fraction | None:
    if pull.merged_at is None or not pull.commits:
        return None
    first = datetime.combine(min(commit.day for commit in pull.commits), time(), UTC)
    return _units(max(pull.merged_at - first, timedelta(0)), DAY)


def _units(span: timedelta, unit: timedelta) -> Fraction:
    return Fraction(span // timedelta.resolution, unit // timedelta.resolution)
