"""What must not suffer while compute is watched, from public GitHub facts (docs/method.md, "Guardrails").

A median is over the pull requests that have the fact; None where none has it. Hours are exact, of any fraction.
"""

from collections.abc import Collection, Iterable
from datetime import timedelta
from fractions import Fraction

from bot.domain.metrics.included import pull_key, responsible, reverting
from bot.domain.metrics.median import median
from bot.domain.model import PullRequest, Review

HOUR = timedelta(hours=1)


def review_hours(pulls: Iterable[PullRequest]) -> Fraction | None:
    """Median hours from ready-for-review to the first review by another human; time as a draft does not count."""
    return median([hours for pull in pulls if (hours := _hours_to_review(pull)) is not None])


def reverted(pulls: Collection[PullRequest], earlier: Iterable[PullRequest] = ()) -> int:
    """How many of these take back other work. `earlier` ones are not counted but tell reverts of reverts apart."""
    reverts = reverting([*earlier, *pulls])
    return sum(pull_key(pull) in reverts for pull in pulls)


def _hours_to_review(pull: PullRequest) -> Fraction | None:
    if pull.ready_at is None:
        return None
    ready_at = pull.ready_at
    times = [review.at for review in pull.reviews if review.at >= ready_at and _is_by_another(review, pull)]
    return _hours(min(times) - ready_at) if times else None


def _is_by_another(review: Review, pull: PullRequest) -> bool:
    """Whether a human reviewed it who did not make it: people also comment on their own pull requests."""
    maker = responsible(pull)
    return not review.author.is_bot and (maker is None or review.author.id != maker.id)


def _hours(span: timedelta) -> Fraction:
    return Fraction(span // timedelta.resolution, HOUR // timedelta.resolution)
