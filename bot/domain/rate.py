"""How fast somebody may ask: a bucket of tries that fills up again (a token bucket)."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Rate:
    """Tries a second in the long run, and how many at once."""

    per_s: float
    burst: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many tries are left, as of a moment."""

    left: float
    at: datetime


def take(bucket: Bucket | None, rate: Rate, now: datetime) -> tuple[Bucket, float]:
    """Take a try: the bucket after it, and 0, or, where there was none, the seconds until there is one."""
    grown = (now - bucket.at).total_seconds() * rate.per_s if bucket else 0.0
    left = min(float(rate.burst), bucket.left + max(0.0, grown)) if bucket else float(rate.burst)
    if left < 1:
        return Bucket(left, now), (1 - left) / rate.per_s
    return Bucket(left - 1, now), 0.0
