"""Seat fees, spread over calendar days in UTC (docs/method.md, "Cost basis")."""

from calendar import monthrange
from datetime import date


def seat_cost(monthly_micro: int, day: date) -> int:
    """Micro-USD of one seat on one day. The days of any month add up to its fee exactly."""
    length = monthrange(day.year, day.month)[1]
    return monthly_micro * day.day // length - monthly_micro * (day.day - 1) // length
