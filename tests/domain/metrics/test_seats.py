from calendar import monthrange
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.metrics.seats import seat_cost


@given(st.integers(0, 10**10), st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_the_days_of_a_month_add_up_to_its_fee(fee: int, day: date) -> None:
    days = [seat_cost(fee, day.replace(day=1 + n)) for n in range(monthrange(day.year, day.month)[1])]
    assert sum(days) == fee
    assert max(days) - min(days) <= 1


@pytest.mark.parametrize(("month", "days"), [(2, 28), (4, 30), (5, 31)])
def test_a_day_costs_by_the_length_of_its_own_month(month: int, days: int) -> None:
    assert seat_cost(days * 1000, date(2026, month, 9)) == 1000
