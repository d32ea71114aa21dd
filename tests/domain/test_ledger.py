"""The work-in-progress ledger: nothing is lost, nothing is counted twice, nothing falls below zero."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.binding.bound import Grade
from bot.domain.block import Part
from bot.domain.ledger import Booking, Closing, Known, Share, Slice, branch_landing, close, no_pull_landing
from bot.domain.targets import NO_PULL, Target, equally

MONDAY = date(2026, 5, 11)
DOLLAR = 1_000_000


def slice_of(person: str = "ann", day: date = MONDAY) -> Slice:
    return Slice(person, day, "anthropic")


def closing(changes=(), open_work=(), settled=(), touched=(), fates=(), measured=()) -> Closing:
    """Close with `fates` naming what became of each pull request; those not named are open."""
    became = dict(fates)
    known = Known(dict(settled), dict(touched), dict(measured))
    return close(dict(changes), open_work, known, lambda _person, pull, _day: became.get(pull))


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
    assert result.splits == {("ann", MONDAY): equally(["p1", "p2", "p3"])}


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
        settled={("ann", MONDAY): equally(["p1"])},
        touched={("cy", MONDAY): ("p2",)},
        fates={"p1": Part.DIRECT, "p2": Part.DIRECT},
    )
    assert result.bookings == (Booking(Share(slice_of("cy"), "p2", 8), Part.DIRECT),)


def test_a_day_without_a_pull_request_waits_exactly_two_weeks():
    certain = datetime(2026, 5, 26, tzinfo=UTC)
    assert no_pull_landing(MONDAY, certain - timedelta(microseconds=1)) is None
    assert no_pull_landing(MONDAY, certain) is Part.UNATTRIBUTED


# What telemetry measured


def target(pull: str, micro: int, grade: Grade = Grade.MEASURED) -> Target:
    return Target(pull, grade, micro)


def graded(result: Closing) -> dict[tuple[str, Grade], int]:
    return {(share.pull, share.grade): share.micro for share in result.open}


def test_what_was_measured_goes_there_and_the_rest_is_split_equally():
    """100: 60 and 10 were measured, the other 30 are split over the two pull requests with commits of that day."""
    result = closing(
        {slice_of(): 100},
        touched={("ann", MONDAY): ("p1", "p2")},
        measured={slice_of(): (target("p1", 60), target("p9", 10))},
    )
    assert graded(result) == {
        ("p1", Grade.MEASURED): 60,
        ("p9", Grade.MEASURED): 10,
        ("p1", Grade.ALLOCATED): 15,
        ("p2", Grade.ALLOCATED): 15,
    }


def test_more_was_measured_than_the_provider_says_and_nothing_is_added():
    """10 of a bill, 20 and 20 measured and 1 elsewhere: in proportion, 200/41 = 4.9 each and 10/41 = 0.2."""
    found = (target("p1", 20), target("p2", 20), target("p3", 1))
    result = closing({slice_of(): 10}, touched={("ann", MONDAY): ("p7",)}, measured={slice_of(): found})
    assert graded(result) == {("p1", Grade.MEASURED): 5, ("p2", Grade.MEASURED): 5}


def test_a_late_pull_request_changes_what_is_open_and_a_settled_day_keeps_its_proportions():
    branch, pull = {slice_of(): (target("branch:1", 30), target("p2", 10))}, {slice_of(): (target("p1", 30),)}
    first = closing({slice_of(): 40}, measured=branch)
    again = closing(open_work=first.open, measured=pull)
    assert graded(again) == {("p1", Grade.MEASURED): 30, ("", Grade.ALLOCATED): 10}
    done = closing(open_work=first.open, measured=branch, fates={"p2": Part.DIRECT})
    later = closing({slice_of(): 8}, done.open, settled=done.splits, measured=pull, fates={"p2": Part.DIRECT})
    assert booked(later) == {("p2", Part.DIRECT): 2}  # a quarter of what came later, as before
    assert graded(later) == {("branch:1", Grade.MEASURED): 36}


def test_a_correction_that_takes_all_back_takes_it_from_where_it_went():
    """A provider tells of a day of which only telemetry had told: the one goes as the other comes."""
    only, bill = Slice("ann", MONDAY, "agent:codex"), Slice("ann", MONDAY, "openai")
    found = {only: (target("p1", 7), target("p2", 4))}
    first = closing({only: 11}, measured=found, fates={"p1": Part.DIRECT})
    assert booked(first) == {("p1", Part.DIRECT): 7}
    second = closing({only: -11, bill: 22}, first.open, settled=first.splits, fates={"p1": Part.DIRECT})
    assert booked(second) == {("p1", Part.DIRECT): 7}  # 14 of the bill, and 7 taken back
    assert sum(share.micro for share in second.open) == 8


def test_what_was_measured_outlives_the_telemetry_that_measured_it():
    first = closing({slice_of(): 40}, measured={slice_of(): (target("p1", 30),)})
    second = closing(open_work=first.open, touched={("ann", MONDAY): ("p5",)})
    assert graded(second) == {("p1", Grade.MEASURED): 30, ("p5", Grade.ALLOCATED): 10}


def test_the_rest_of_a_settled_day_still_takes_in_a_late_pull_request():
    nowhere = (target("nowhere", 30, Grade.UNATTRIBUTED),)
    first = closing({slice_of(): 40}, measured={slice_of(): nowhere}, fates={"nowhere": Part.UNATTRIBUTED})
    assert booked(first) == {("nowhere", Part.UNATTRIBUTED): 30}
    second = closing(open_work=first.open, settled=first.splits, touched={("ann", MONDAY): ("p5",)})
    assert graded(second) == {("p5", Grade.ALLOCATED): 10}


def test_a_branch_without_a_pull_request_is_abandoned_two_weeks_after_the_last_work_on_it():
    certain = datetime(2026, 5, 26, tzinfo=UTC)
    assert branch_landing(MONDAY, certain - timedelta(microseconds=1)) is None
    assert branch_landing(MONDAY, certain) is Part.ABANDONED


PEOPLE = st.sampled_from(["ann", "cy", "di"])
PULLS = ["p1", "p2", "p3", "p4"]
WEEK_OF_CHANGES = st.dictionaries(
    st.tuples(PEOPLE, st.integers(0, 20)), st.integers(0, 50) | st.integers(10**6, 10**9), max_size=8
)
WEEK_OF_FATES = st.dictionaries(st.sampled_from(PULLS), st.sampled_from([Part.DIRECT, Part.ABANDONED]), max_size=3)
MEASURED = st.dictionaries(
    st.tuples(PEOPLE, st.integers(0, 20)),
    st.lists(
        st.builds(Target, st.sampled_from([*PULLS, "branch:1"]), st.just(Grade.MEASURED), st.integers(0, 10**9)),
        max_size=3,
        unique_by=lambda one: one.pull,
    ),
    max_size=8,
)
TOUCHES = st.dictionaries(
    st.tuples(PEOPLE, st.integers(0, 20)), st.lists(st.sampled_from(PULLS), unique=True, max_size=3), max_size=8
)


@given(st.lists(st.tuples(WEEK_OF_CHANGES, WEEK_OF_FATES, TOUCHES, MEASURED), min_size=1, max_size=6))
def test_over_any_history_spend_is_direct_plus_abandoned_plus_unattributed_plus_the_change_in_open_work(history):
    reported: dict[Slice, int] = {}
    touched: dict[tuple[str, date], tuple[str, ...]] = {}
    fates: dict[str, Part] = {}
    settled: dict[tuple[str, date], tuple[Target, ...]] = {}
    open_work: tuple[Share, ...] = ()
    all_booked: list[Booking] = []
    for number, (reports, new_fates, touches, found) in enumerate(history):
        changes = {}
        for (person, offset), micro in reports.items():
            piece = slice_of(person, MONDAY + timedelta(days=offset))
            changes[piece] = micro - reported.get(piece, 0)
            reported[piece] = micro
        touched |= {
            (person, MONDAY + timedelta(days=offset)): tuple(sorted(pulls))
            for (person, offset), pulls in touches.items()
        }
        measured = {slice_of(who, MONDAY + timedelta(days=offset)): tuple(one) for (who, offset), one in found.items()}
        fates |= new_fates
        cutoff = datetime(2026, 5, 18, tzinfo=UTC) + timedelta(weeks=number)
        opening = sum(share.micro for share in open_work)
        result = close(changes, open_work, Known(settled, touched, measured), landing(fates, cutoff))
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
