"""When a source is read again, and from which day on: often enough for the digest, seldom enough for its limits.

Providers revise what they reported for up to a month, mostly within three days, so each run reads the last few days and
the first run of a UTC day reads them all (docs/operating.md, "Reading the sources").
"""

from datetime import UTC, date, datetime, time, timedelta

SPEND_EVERY = timedelta(hours=6)
OUTCOMES_EVERY = timedelta(hours=1)
FAILED_WAIT = timedelta(minutes=30)
RECENT_DAYS = 3
OVERLAP = timedelta(days=1)
FIRST_LOOK = timedelta(days=90)


def is_due(fetched_at: datetime | None, every: timedelta, weeks_end: datetime, now: datetime) -> bool:
    """Whether to read now: never read, read too long ago, or not since some team's week ended."""
    return fetched_at is None or now - fetched_at >= every or fetched_at < weeks_end <= now


def spend_days(fetched_at: datetime | None, refetch_days: int, now: datetime) -> tuple[date, date]:
    """The UTC days `[first, until)` to read: today, and back as far as may have been revised."""
    today = now.astimezone(UTC).date()
    first_of_day = fetched_at is None or fetched_at.astimezone(UTC).date() < today
    back = refetch_days if first_of_day else RECENT_DAYS
    missed = min(today, fetched_at.date()) if fetched_at else today
    return min(today - timedelta(days=back - 1), missed), today + timedelta(days=1)


def outcomes_since(fetched_at: datetime | None, now: datetime) -> datetime:
    """From when on changed pull requests are read: the last time and a day more, at first the last 90 days."""
    return (fetched_at - OVERLAP) if fetched_at else datetime.combine(now.date(), time(), UTC) - FIRST_LOOK
