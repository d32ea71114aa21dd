"""A team's own weeks, Monday to Monday, and the instants at which their digests are due.

Instants are aware; a local time that the clocks skip or repeat is read with fold=0: a skipped time is moved forward by
the gap, of a repeated one the first counts. Sources report UTC days; such a day belongs to the week that holds its noon
(docs/method.md, "Weeks").
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

EPOCH_ORIGIN = date(2026, 1, 5)
EPOCH_WEEKS = 4

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open stretch of time `[start, end)`, both ends in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if any(moment.utcoffset() != timedelta(0) for moment in (self.start, self.end)):
            raise ValueError("A window needs both of its ends in UTC.")
        if self.end < self.start:
            raise ValueError("A window cannot end before it starts.")

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= _aware(instant) < self.end


@dataclass(frozen=True, slots=True, order=True)
class Week:
    """An ISO week, named by its Monday; which instants it holds depends on the time zone."""

    monday: date

    def __post_init__(self) -> None:
        if self.monday.weekday() != 0:
            raise ValueError(f"A week starts on a Monday, and {self.monday} is none.")

    def __str__(self) -> str:
        year, number, _ = self.monday.isocalendar()
        return f"{year:04}-W{number:02}"

    @classmethod
    def parse(cls, text: str) -> "Week":
        """The week of a text such as "2026-W20", from the year 2000 on."""
        match = re.fullmatch(r"(2[0-9]{3})-W([0-9]{2})", text)
        try:
            year, number = map(int, match.groups()) if match else (0, 0)
            return cls(date.fromisocalendar(year, number, 1))
        except ValueError:
            raise ValueError(f"There is no week {text!r}; a week is written like 2026-W20.") from None

    @classmethod
    def of(cls, instant: datetime, zone: tzinfo) -> "Week":
        day = _aware(instant).astimezone(zone).date()
        return cls(day - timedelta(days=day.weekday()))

    @classmethod
    def of_day(cls, utc_day: date, zone: tzinfo) -> "Week":
        """The week that a source's UTC day belongs to."""
        return cls.of(_noon(utc_day), zone)

    def plus(self, weeks: int) -> "Week":
        return Week(self.monday + timedelta(weeks=weeks))

    def next(self) -> "Week":
        return self.plus(1)

    def window(self, zone: tzinfo) -> Window:
        """From this Monday's midnight to the next one's: 168 hours, an hour more or less when the clocks change."""
        return Window(_instant(self.monday, time(), zone), _instant(self.next().monday, time(), zone))

    def days(self, zone: tzinfo) -> tuple[date, ...]:
        """The UTC days of the week, oldest first; mostly 7, but 6 or 8 if a clock change moves an end over a noon."""
        window = self.window(zone)
        near = (self.monday + timedelta(days=offset) for offset in range(-1, 8))
        return tuple(day for day in near if _noon(day) in window)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When in the week a team wants its digest, by its own clock. Weekday 0 is Monday."""

    weekday: int
    hour: int
    minute: int

    def __post_init__(self) -> None:
        if not (0 <= self.weekday <= 6 and 0 <= self.hour <= 23 and 0 <= self.minute <= 59):
            raise ValueError(f"There is no weekday {self.weekday} with a time {self.hour:02}:{self.minute:02}.")

    @classmethod
    def parse(cls, text: str) -> "Schedule":
        """The schedule of a text such as "Mon 09:00"."""
        match = re.fullmatch(rf"({'|'.join(WEEKDAYS)}) ([01][0-9]|2[0-3]):([0-5][0-9])", text)
        if not match:
            raise ValueError(f"There is no weekly time {text!r}; it is written like Mon 09:00.")
        weekday, hour, minute = match.groups()
        return cls(WEEKDAYS.index(weekday), int(hour), int(minute))


def due_at(week: Week, schedule: Schedule, zone: tzinfo) -> datetime:
    """The UTC instant, in the week after `week`, at which the digest about `week` is due."""
    day = week.next().monday + timedelta(days=schedule.weekday)
    return _instant(day, time(schedule.hour, schedule.minute), zone)


def epoch_start(week: Week) -> Week:
    """The first week of the epoch that holds `week`; epochs are counted from `EPOCH_ORIGIN` in both directions."""
    weeks = (week.monday - EPOCH_ORIGIN).days // 7
    return week.plus(-(weeks % EPOCH_WEEKS))


def _instant(day: date, clock: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, clock, zone).astimezone(UTC)


def _noon(utc_day: date) -> datetime:
    return datetime.combine(utc_day, time(12), UTC)


def _aware(instant: datetime) -> datetime:
    if instant.utcoffset() is None:
        raise ValueError("A time without a time zone says no instant.")
    return instant
