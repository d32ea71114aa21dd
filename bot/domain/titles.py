"""What a unit and its weeks are called where people read of them."""

import unicodedata
from datetime import date, timedelta

from bot.domain.weeks import Week

NAME_LENGTH = 50
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def title(unit: str, first: Week, last: Week) -> str:
    weeks = "Week" if first == last else "Weeks"
    return f"{_name(unit)}: {weeks} {_week_numbers(first, last)} ({dates(first, last)})"


def _name(unit: str) -> str:
    """A unit's name on one line, without signs that cannot be seen, and short enough for a title."""
    seen = "".join(sign for sign in " ".join(unit.split()) if not unicodedata.category(sign).startswith("C"))
    return (seen if len(seen) <= NAME_LENGTH else seen[: NAME_LENGTH - 1] + "…") or "Team"


def label(first: Week, last: Week, now: Week) -> str:
    """Weeks in a chart, told apart from those of other years: "W20", "W17-20", "2025-W50"."""
    year = last.monday.isocalendar().year
    numbers = _week_numbers(first, last)
    return f"W{numbers}" if year == now.monday.isocalendar().year else f"{year}-W{numbers}"


def _week_numbers(first: Week, last: Week) -> str:
    numbers = [str(week.monday.isocalendar().week) for week in (first, last)]
    return numbers[0] if first == last else "-".join(numbers)


def dates(first: Week, last: Week) -> str:
    """From a Monday to a Sunday: "11-17 May 2026", "20 April-17 May 2026"."""
    start, end = first.monday, last.monday + timedelta(days=6)
    if start.year != end.year:
        return f"{_day(start)} {start.year}-{_day(end)} {end.year}"
    return f"{start.day if start.month == end.month else _day(start)}-{_day(end)} {end.year}"


def _day(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]}"
