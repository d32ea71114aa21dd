"""When a source is read again, and from which day on: often enough for the digest, seldom enough for its limits.

Providers revise what they reported for up to a month, mostly within three days, so each run reads the last few days and
the first run of a UTC day reads them all (docs/operating.md, "Reading the sources"). The first run ever reaches back as
far as a first digest, and whoever joins, counts.
"""

import zlib
from datetime import UTC, date, datetime, time, timedelta

OUTCOMES_EVERY = timedelta(hours=1)
FAILED_WAIT = timedelta(minutes=30)
LONGEST_WAIT = timedelta(hours=6)
JITTER = 10  # percent
RECENT_DAYS = 3
FIRST_DAYS = 36  # today, up to a week that has begun in some time zone, and four complete weeks before it
OVERLAP = timedelta(days=1)
FIRST_LOOK = timedelta(days=90)


def is_due(fetched_at: datetime | None, every: timedelta, weeks_end: datetime, now: datetime) -> bool:
    """Whether to read now: never read, read too long ago, or not since some team's week ended."""
    return fetched_at is None or now - fetched_at >= every or fetched_at < weeks_end <= now


def with_jitter(every: timedelta, source: str, fetched_at: datetime | None) -> timedelta:
    """The pause until a source is read again, up to a tenth shorter, so that many deployments and many sources do not
    ask at the same minute. The same for the same reading, whoever works it out."""
    drawn = zlib.crc32(f"{source}/{fetched_at}".encode()) % 1000
    return every - every * JITTER * drawn / 100_000


def rest_after(failures: int) -> timedelta:
    """How long a source is left alone after so many failures in a row: twice as long each time."""
    return min(LONGEST_WAIT, FAILED_WAIT * (1 << min(max(failures, 1) - 1, 10)))


def spend_days(fetched_at: datetime | None, refetch_days: int, now: datetime) -> tuple[date, date]:
    """The UTC days `[first, until)` to read: today, and back as far as may have been revised."""
    today = now.astimezone(UTC).date()
    is_later = fetched_at is not None and fetched_at.astimezone(UTC).date() >= today
    first = today - timedelta(days=RECENT_DAYS - 1) if is_later else whole_from(fetched_at, refetch_days, now)
    return first, today + timedelta(days=1)


def whole_from(fetched_at: datetime | None, refetch_days: int, now: datetime) -> date:
    """The first UTC day of all that may have been revised, or was missed since the last time."""
    today = now.astimezone(UTC).date()
    if fetched_at is None:
        return today - timedelta(days=max(refetch_days, FIRST_DAYS) - 1)
    return min(today - timedelta(days=refetch_days - 1), fetched_at.astimezone(UTC).date())


def outcomes_since(fetched_at: datetime | None, now: datetime) -> datetime:
    """From when on changed pull requests are read: the last time and a day more, at first the last 90 days."""
    return (fetched_at - OVERLAP) if fetched_at else datetime.combine(now.date(), time(), UTC) - FIRST_LOOK
