"""The work-in-progress ledger: nothing is lost, nothing is counted twice, nothing falls below zero."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.block import Part
from bot.domain.ledger import NO_PULL, Booking, Closing, Share, Slice, close, no_pull_landing

MONDAY = date(2026, 5, 11)
DOLLAR = 1_000_000


def slice_of(person: str = "ann", day: date = MONDAY) -> Slice:
    return Slice(person, day, "anthropic")


def closing(changes=(), open_work=(), settled=(), touched=(), fates=()) -> Closing:
    """Close with `fates` naming what became of each pull request; those not named are open."""
    known = dict(fates)
    return close(dict(changes), open_work, dict(settled), dict(touched), lambda _person, pull, _day: known.get(pull))


def booked(result: Closing) -> dict[tuple[str, Part], int]:
    sums: dict[tuple[str, Part], int] = defaultdict(int)
    for booking in result.bookings:
        sums[booking.share.pull, booking.part] += booking.share.micro
    return dict(sums)


def test_a_person_day_is_split_equally_and_each_share_waits_for_its_own_pull_request():
    result = closing(
        {slice_of(): 12 * DOLLAR}, touched={("ann", MONDAY): ("p1", "p2", "p3")}, fates={"p1": Part.DIRECT}
    )
    assert booked(result) == {("p1", Part.DIRECT): 4 * DOLLAR}
    assert {share.pull: share.micro for share in result.open} == {"p2": 4 * DOLLAR, "p3": 4 * DOLLAR}
    assert result.splits == {("ann", MONDAY): ("p1", "p2", "p3")}


def test_what_cannot_be_split_evenly_goes_to_the_lowest_number():
    result = closing({slice_of(): 11}, touched={("ann", MONDAY): ("p1", "p2", "p3")})
    assert [share.micro for share in result.open] == [5, 3, 3]


def test_a_day_takes_in_a_late_pull_request_until_its_first_share_is_recognised():
    first = closing({slice_of(): 10}, touched={("ann", MONDAY): ("p1",)})
    second = closing(open_work=first.open, touched={("ann", MONDAY): ("p1", "p2")})
    assert [(share.pull, share.micro) for share in second.open] == [("p1", 5), ("p2", 5)]


def test_a_settled_day_keeps_its_split_when_another_pull_request_turns_up():
    first = closing({slice_of(): 10}, touched={("ann", MONDAY): ("p1",)}, fates={"p1": Part.DIRECT})
    second = closing(
        {slice_of(): 4}, settled=first.splits, touched={("ann", MONDAY): ("p1", "p2")}, fates={"p1": Part.DIRECT}
    )
    assert booked(second) == {("p1", Part.DIRECT): 4}
    assert second.splits == {}


def test_a_lower_correction_is_held_against_the_persons_next_positive_amount():
    later = slice_of(day=MONDAY + timedelta(days=7))
    first = closing({slice_of(): 10}, touched={("ann", MONDAY): ("p1",)}, fates={"p1": Part.DIRECT})
    second = closing({slice_of(): -6}, settled=first.splits, fates={"p1": Part.DIRECT})
    assert second.bookings == ()
    assert second.open == (Share(slice_of(), "p1", -6),)
    third = closing(
        {later: 8},
        second.open,
        settled=first.splits,
        touched={("ann", later.day): ("p9",)},
        fates={"p1": Part.DIRECT, "p9": Part.ABANDONED},
    )
    assert sum(booking.share.micro for booking in third.bookings) == 2
    assert {booking.part for booking in third.bookings} == {Part.ABANDONED}
    assert third.open == ()


def test_a_lower_correction_takes_nothing_off_another_pull_requests_cost_below_zero():
    """It is booked with the pull request whose amount it is held against, so no cost of one falls below zero."""
    first = closing({slice_of(): 10}, touched={("ann", MONDAY): ("p1",)}, fates={"p1": Part.ABANDONED})
    later = slice_of(day=MONDAY + timedelta(days=7))
    second = closing(
        {slice_of(): -6, later: 8},
        settled=first.splits,
        touched={("ann", later.day): ("p9",)},
        fates={"p1": Part.DIRECT, "p9": Part.DIRECT},
    )
    assert booked(second) == {("p9", Part.DIRECT): 2}


def test_a_lower_correction_is_never_held_against_somebody_else():
    result = closing(
        {slice_of(): -6, slice_of("cy"): 8},
        settled={("ann", MONDAY): ("p1",)},
        touched={("cy", MONDAY): ("p2",)},
        fates={"p1": Part.DIRECT, "p2": Part.DIRECT},
    )
    assert result.bookings == (Booking(Share(slice_of("cy"), "p2", 8), Part.DIRECT),)


def test_a_day_without_a_pull_request_waits_exactly_two_weeks():
    certain = datetime(2026, 5, 26, tzinfo=UTC)
    assert no_pull_landing(MONDAY, certain - timedelta(microseconds=1)) is None
    assert no_pull_landing(MONDAY, certain) is Part.UNATTRIBUTED


PEOPLE = st.sampled_from(["ann", "cy", "di"])
PULLS = ["p1", "p2", "p3", "p4"]
WEEK_OF_CHANGES = st.dictionaries(
    st.tuples(PEOPLE, st.integers(0, 20)), st.integers(0, 50) | st.integers(10**6, 10**9), max_size=8
)
WEEK_OF_FATES = st.dictionaries(st.sampled_from(PULLS), st.sampled_from([Part.DIRECT, Part.ABANDONED]), max_size=3)
TOUCHES = st.dictionaries(
    st.tuples(PEOPLE, st.integers(0, 20)), st.lists(st.sampled_from(PULLS), unique=True, max_size=3), max_size=8
)


@given(st.lists(st.tuples(WEEK_OF_CHANGES, WEEK_OF_FATES, TOUCHES), min_size=1, max_size=6))
def test_over_any_history_spend_is_direct_plus_abandoned_plus_unattributed_plus_the_change_in_open_work(history):
    reported: dict[Slice, int] = {}
    touched: dict[tuple[str, date], tuple[str, ...]] = {}
    fates: dict[str, Part] = {}
    settled: dict[tuple[str, date], tuple[str, ...]] = {}
    open_work: tuple[Share, ...] = ()
    all_booked: list[Booking] = []
    for number, (reports, new_fates, touches) in enumerate(history):
        changes = {}
        for (person, offset), micro in reports.items():
            piece = slice_of(person, MONDAY + timedelta(days=offset))
            changes[piece] = micro - reported.get(piece, 0)
            reported[piece] = micro
        touched |= {
            (person, MONDAY + timedelta(days=offset)): tuple(sorted(pulls))
            for (person, offset), pulls in touches.items()
        }
        fates |= new_fates
        cutoff = datetime(2026, 5, 18, tzinfo=UTC) + timedelta(weeks=number)
        opening = sum(share.micro for share in open_work)
        result = close(changes, open_work, settled, touched, landing(fates, cutoff))
        open_work, settled = result.open, settled | dict(result.splits)
        recognised = sum(booking.share.micro for booking in result.bookings)
        assert opening + sum(changes.values()) == recognised + sum(share.micro for share in open_work)
        all_booked.extend(result.bookings)
        assert_nobody_is_below_zero(result.bookings)
    by_slice: dict[Slice, int] = defaultdict(int)
    for share in (*open_work, *(booking.share for booking in all_booked)):
        by_slice[share.slice] += share.micro
    assert {piece: micro for piece, micro in by_slice.items() if micro} == {
        piece: micro for piece, micro in reported.items() if micro
    }


def landing(fates: Mapping[str, Part], cutoff: datetime) -> Callable[[str, str, date], Part | None]:
    def land(_person: str, pull: str, day: date) -> Part | None:
        return no_pull_landing(day, cutoff) if pull == NO_PULL else fates.get(pull)

    return land


def assert_nobody_is_below_zero(bookings: Iterable[Booking]) -> None:
    sums: dict[tuple[str, Part], int] = defaultdict(int)
    for booking in bookings:
        sums[booking.share.slice.person, booking.part] += booking.share.micro
    assert all(micro >= 0 for micro in sums.values())
