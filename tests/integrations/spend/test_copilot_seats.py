"""Seats of Copilot: how many were paid for on a day, and whose account a number is."""

from dataclasses import replace

import httpx2
import pytest

from tests.integrations.spend.contract import given
from tests.integrations.spend.copilot_org import CASE, SEATS, body, recorded, seat, with_seats


def test_seats_are_counted_over_all_pages():
    assert [day.seats for day in given(CASE)] == [3, 3]  # Ana and Ben, and Fay on the second page


def test_a_full_page_of_seats_is_followed_by_another():
    monday, tuesday = given(CASE, with_seats([seat(number) for number in range(900, 1002)], 102))
    assert (monday.seats, tuesday.seats) == (102, 102)
    assert [row.actor.github for row in tuesday.rows] == ["U_1001", None]  # Ana's is the last


def test_a_seat_counts_from_the_day_it_was_given_to_the_day_before_it_ends():
    seats = [
        seat(1),
        seat(2, created_at="2026-11-02T23:30:00-02:00"),  # 01:30 on Tuesday in UTC
        seat(3, pending_cancellation_date="2026-11-03"),
        seat(4, created_at="2026-11-04T00:00:00Z"),
        seat(5, assignee=None),
    ]
    assert [day.seats for day in given(CASE, with_seats(seats, 5))] == [3, 3]  # 1, 3 and 5; 1, 2 and 5


def test_somebody_with_a_seat_by_two_teams_pays_for_one():
    assert [day.seats for day in given(CASE, with_seats([seat(1), seat(2), seat(1)], 2))] == [2, 2]
    many = [seat(1), *map(seat, range(1, 101))]  # 101 seats of 100 people: the last is on a page of its own
    assert [day.seats for day in given(CASE, with_seats(many, 100))] == [100, 100]


def test_an_organization_without_seats_has_none_and_not_an_unknown_number():
    assert [day.seats for day in given(CASE, with_seats([], 0))] == [0, 0]


@pytest.mark.parametrize("seats", [[seat(1), seat(2)], [seat(1), seat(2), seat(3, created_at=None)]])
def test_a_list_of_seats_that_is_not_whole_tells_no_number(seats):
    assert [day.seats for day in given(CASE, with_seats(seats, 3))] == [None, None]


def test_a_refusal_amid_the_seats_leaves_no_half_of_them():
    def answer(request: httpx2.Request) -> httpx2.Response:
        second = request.url.path == SEATS and request.url.params["page"] == "2"
        return httpx2.Response(403) if second else recorded(request)

    assert list(given(CASE, answer)) == [replace(day, seats=None) for day in given(CASE)]


def test_seats_tell_whose_account_a_number_is():
    _, tuesday = given(CASE, with_seats([seat(1001), seat(1002)], 2))
    assert [row.actor.github for row in tuesday.rows] == ["U_1001", None]  # Dee has no seat any more
    assert tuesday.activity[0].actor.github == "U_1001"


def test_an_id_that_several_people_have_is_nobodys():
    seats = [one for page in (1, 2) for one in body(f"billing_seats.page{page}.json")["seats"]]
    assert {one["assignee"]["node_id"] for one in seats} == {"MDQ6VXNlcjE="}
    _, tuesday = given(CASE)
    assert {row.actor.github for row in tuesday.rows} == {None}
