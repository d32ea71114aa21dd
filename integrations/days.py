"""Whole UTC days, as reports of spend are asked for and answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

DAY = timedelta(days=1)
MOMENT = timedelta(seconds=1)  # the shortest range that can be written


@dataclass(frozen=True, slots=True)
class Window:
    """Whole UTC days `[first, end)`, none of them in the future."""

    first: date
    end: date
    now: datetime

    def __contains__(self, day: date) -> bool:
        return self.first <= day < self.end

    def days(self) -> Iterator[date]:
        return (self.first + DAY * number for number in range((self.end - self.first).days))


def windows(since: date, until: date, now: datetime, longest: timedelta) -> list[Window]:
    """`[since, until)` in pieces that one request may ask for; it ends with the day that is running."""
    end = min(until, today(now - MOMENT) + DAY)
    starts = [since + longest * number for number in range(-((since - end) // longest))]
    return [Window(start, min(start + longest, end), now) for start in starts]


def today(now: datetime) -> date:
    """The UTC day of a moment."""
    return now.astimezone(UTC).date()


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def rfc3339(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def unix(day: date) -> int:
    """Seconds from 1970 to the day's midnight in UTC."""
    return int(midnight(day).timestamp())


def unix_day(seconds: int) -> date | None:
    """The UTC day that begins at this second; None where none does."""
    days, rest = divmod(seconds, 86_400)
    return date(1970, 1, 1) + DAY * days if rest == 0 and 0 <= days < 100_000 else None
