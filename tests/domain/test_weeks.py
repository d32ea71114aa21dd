from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.weeks import EPOCH_ORIGIN, Schedule, Week, Window, due_at, epoch_start

BERLIN = ZoneInfo("Europe/Berlin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
NORFOLK = ZoneInfo("Pacific/Norfolk")

# Half-hour clock changes, offsets of 12 hours and more, changes at a Monday's midnight, a skipped day, an odd offset.
HARD_ZONES = [
    *("Australia/Lord_Howe", "Pacific/Norfolk", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Apia"),
    *("Pacific/Kiritimati", "Etc/GMT+12", "Asia/Tehran", "America/Sao_Paulo", "Antarctica/Vostok"),
    *("Africa/Casablanca", "Europe/Dublin", "America/New_York", "America/St_Johns", "Asia/Kathmandu"),
]
zones = st.sampled_from(HARD_ZONES).map(ZoneInfo) | st.timezones()
mondays = st.integers(0, 52 * 60).map(lambda weeks: date(1980, 1, 7) + timedelta(weeks=weeks))
weeks = mondays.map(Week)
instants = st.integers(0, 60 * 365 * 24 * 3600).map(lambda s: datetime(1980, 1, 7, tzinfo=UTC) + timedelta(seconds=s))
schedules = st.builds(Schedule, st.integers(0, 6), st.integers(0, 23), st.integers(0, 59))


@pytest.mark.parametrize(
    ("text", "monday"),
    [
        ("2026-W20", date(2026, 5, 11)),
        ("2026-W01", date(2025, 12, 29)),
        ("2026-W53", date(2026, 12, 28)),
        ("2024-W09", date(2024, 2, 26)),
    ],
)
def test_a_week_is_read_and_written_by_its_iso_name(text: str, monday: date) -> None:
    assert Week.parse(text) == Week(monday)
    assert str(Week(monday)) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "2026", "2026-20", "2026W20", "2026-W2", "2026-W200", "2026-w20", "W20", "2026-W20-1"),
        *("2026-W00", "2027-W53", "2026-W54", "0000-W01", "1999-W01", " 2026-W20", "2026-W20\n", "２０２６-W20"),
    ],
)
def test_text_that_names_no_week_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"^There is no week '.*'; a week is written like 2026-W20\.$") as refusal:
        Week.parse(text)
    assert refusal.value.__cause__ is None


@given(weeks)
def test_every_week_is_read_back_from_its_name(week: Week) -> None:
    if week.monday.year >= 2000:
        assert Week.parse(str(week)) == week


def test_a_week_starts_on_a_monday_only() -> None:
    with pytest.raises(ValueError, match="2026-05-12"):
        Week(date(2026, 5, 12))


def test_weeks_are_in_order() -> None:
    week = Week.parse("2026-W53")
    assert week < week.next() == week.plus(1)
    assert str(week.next()) == "2027-W01"
    assert week.plus(-53) == Week.parse("2025-W52")


@given(instants, zones)
def test_every_instant_is_in_its_week(instant: datetime, zone: ZoneInfo) -> None:
    assert instant in Week.of(instant, zone).window(zone)


@given(weeks, zones)
def test_every_edge_of_a_week_belongs_to_exactly_one_week(week: Week, zone: ZoneInfo) -> None:
    window = week.window(zone)
    assert Week.of(window.start, zone) == week
    assert Week.of(window.end - timedelta.resolution, zone) == week
    assert Week.of(window.end, zone) == week.next()
    assert window.end == week.next().window(zone).start


@given(weeks, zones)
def test_days_fill_time_without_gaps_or_overlap(week: Week, zone: ZoneInfo) -> None:
    days = [*week.plus(-1).days(zone), *week.days(zone), *week.next().days(zone)]
    assert days == [days[0] + timedelta(offset) for offset in range(len(days))]
    assert {Week.of_day(day, zone) for day in week.days(zone)} == {week}


@pytest.mark.parametrize(
    ("zone", "name", "hours"),
    [
        (BERLIN, "2026-W13", 167),
        (BERLIN, "2026-W43", 169),
        (BERLIN, "2026-W20", 168),
        (LORD_HOWE, "2026-W14", 168.5),
        (LORD_HOWE, "2026-W40", 167.5),
    ],
)
def test_a_week_is_as_long_as_the_clocks_make_it(zone: ZoneInfo, name: str, hours: float) -> None:
    window = Week.parse(name).window(zone)
    assert (window.end - window.start) / timedelta(hours=1) == hours
    assert window.start.tzinfo is window.end.tzinfo is UTC


def test_a_week_may_have_six_or_eight_days_where_midnight_is_a_noon_elsewhere() -> None:
    assert [len(Week.parse(name).days(NORFOLK)) for name in ("2026-W39", "2026-W40", "2026-W41")] == [7, 6, 7]
    assert len(Week.parse("2026-W14").days(NORFOLK)) == 8


def test_a_week_that_starts_at_a_skipped_midnight_starts_when_the_clocks_jump() -> None:
    tehran = ZoneInfo("Asia/Tehran")  # 2021-03-22, a Monday: midnight became one o'clock
    start = Week(date(2021, 3, 22)).window(tehran).start
    assert start == datetime(2021, 3, 21, 20, 30, tzinfo=UTC)
    assert start.astimezone(tehran).time() == time(1)


def test_a_window_holds_its_start_but_not_its_end() -> None:
    window = Week.parse("2026-W20").window(BERLIN)
    assert window.start in window
    assert window.end not in window
    assert window.start - timedelta.resolution not in window


def test_a_window_is_in_utc_and_not_backwards() -> None:
    noon = datetime(2026, 5, 11, 12, tzinfo=UTC)
    with pytest.raises(ValueError, match="UTC"):
        Window(noon.replace(tzinfo=None), noon)
    with pytest.raises(ValueError, match="UTC"):
        Window(noon, noon.astimezone(BERLIN))
    with pytest.raises(ValueError, match="before"):
        Window(noon, noon - timedelta.resolution)


def test_a_time_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 5, 11, 12)  # noqa: DTZ001
    with pytest.raises(ValueError, match="time zone"):
        Week.of(naive, BERLIN)
    with pytest.raises(ValueError, match="time zone"):
        naive in Week.parse("2026-W20").window(BERLIN)  # noqa: B015


@pytest.mark.parametrize(
    ("text", "schedule"),
    [("Mon 09:00", Schedule(0, 9, 0)), ("Wed 00:05", Schedule(2, 0, 5)), ("Sun 23:59", Schedule(6, 23, 59))],
)
def test_a_schedule_is_read(text: str, schedule: Schedule) -> None:
    assert Schedule.parse(text) == schedule


@pytest.mark.parametrize(
    "text", ["", "Mon", "09:00", "Monday 09:00", "Mon 9:00", "Mon 24:00", "Mon 09:60", "Mon  09:00"]
)
def test_text_that_names_no_weekly_time_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"^There is no weekly time '.*'; it is written like Mon 09:00\.$"):
        Schedule.parse(text)


@pytest.mark.parametrize("numbers", [(7, 0, 0), (-1, 0, 0), (0, 24, 0), (0, 0, 60)])
def test_a_schedule_has_a_weekday_and_a_time_of_day(numbers: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="There is no weekday"):
        Schedule(*numbers)


def test_a_digest_is_due_in_the_week_after_the_one_it_tells_of() -> None:
    week = Week.parse("2026-W20")
    assert due_at(week, Schedule.parse("Mon 09:00"), BERLIN) == datetime(2026, 5, 18, 7, tzinfo=UTC)
    assert due_at(week, Schedule.parse("Sun 23:30"), BERLIN) == datetime(2026, 5, 24, 21, 30, tzinfo=UTC)


def test_a_digest_due_in_a_repeated_hour_is_due_the_first_time() -> None:
    due = due_at(Week.parse("2026-W42"), Schedule.parse("Sun 02:30"), BERLIN)
    assert due == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_digest_due_in_a_skipped_hour_is_due_later_by_the_gap() -> None:
    due = due_at(Week.parse("2026-W12"), Schedule.parse("Sun 02:30"), BERLIN)
    assert due == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert due.astimezone(BERLIN).time() == time(3, 30)
    half_hour_gap = due_at(Week.parse("2026-W39"), Schedule.parse("Sun 02:10"), LORD_HOWE)
    assert half_hour_gap.astimezone(LORD_HOWE).time() == time(2, 40)


@given(weeks, schedules, zones)
def test_digests_are_due_one_after_the_other_each_in_its_own_following_week(
    week: Week, schedule: Schedule, zone: ZoneInfo
) -> None:
    due = due_at(week, schedule, zone)
    assert due in week.next().window(zone) or due == week.next().window(zone).end  # a skipped last hour of a week
    assert due < due_at(week.next(), schedule, zone)


@given(weeks)
def test_epochs_are_four_weeks_long_in_both_directions(week: Week) -> None:
    start = epoch_start(week)
    assert start <= week < start.plus(4)
    assert (start.monday - EPOCH_ORIGIN).days % 28 == 0
    assert epoch_start(start) == start


def test_the_first_epoch_starts_at_the_origin() -> None:
    origin = Week(EPOCH_ORIGIN)
    assert epoch_start(origin) == epoch_start(origin.plus(3)) == origin
    assert epoch_start(origin.plus(4)) == origin.plus(4)
    assert epoch_start(origin.plus(-1)) == origin.plus(-4)
