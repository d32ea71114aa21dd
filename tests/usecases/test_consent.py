"""Joining, switching and leaving follow the consent text to the day, and leaving leaves nothing.

Wednesday 13 May 2026 is in week 20, which starts on Monday 11 May, in the epoch that starts on 27 April; the next epoch
starts on 25 May.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlmodel import col, select

from bot.domain.block import Part
from bot.domain.ledger import Booking, Closing, Share, Slice
from bot.domain.targets import equally
from bot.store import books, people, spend
from bot.store.db import connect, reading, transaction
from bot.store.people import Joined
from bot.store.tables import METADATA, Consent
from bot.usecases.collect import Splitting, store_day
from bot.usecases.consent import AlreadyTaken, Handles, NotJoined, Scope, join, leave, switch_team
from tests.company import ACCOUNT, DOLLAR, SECRET, instant
from tests.people import UTC_ZONE, dump, handles, joined, parted, report

WEDNESDAY = "2026-05-13"
TOMORROW = date(2026, 5, 14)
NEXT_MONDAY, NEXT_EPOCH, EPOCH_AFTER = date(2026, 5, 18), date(2026, 5, 25), date(2026, 6, 22)


def person(engine: Engine, key: str) -> Joined:
    with reading(engine) as session:
        return people.joined(session, [key])[key]


def terms(engine: Engine, key: str) -> tuple[date, date | None, bool]:
    """From when a person's spend is kept, from when they count in their team, and whether they have left before."""
    found = person(engine, key)
    return found.collect_from, found.team_from, found.returned


def switch(engine: Engine, key: str, *, on: bool, at: str = WEDNESDAY) -> None:
    switch_team(engine, key, UTC_ZONE, instant(at), on=on)


def log(engine: Engine) -> list[tuple[str, bool, datetime]]:
    with reading(engine) as session:
        rows = session.exec(select(Consent).order_by(col(Consent.id))).all()
        return [(row.scope, row.granted, row.at) for row in rows]


def store(engine: Engine, entries: str, day: str, bill: str | None = None) -> None:
    store_day(engine, report(entries, day, bill=bill), Splitting(SECRET, frozenset({"svac_ci"})), instant(day))


def remainder(engine: Engine) -> dict[str, float]:
    return {str(row["day"]): row["billed_micro"] / DOLLAR for row in dump(engine, "remainders")}


# Joining


def test_whoever_joins_counts_in_the_team_from_next_monday_and_keeps_four_complete_weeks(engine):
    ann = joined(engine, "ann", WEDNESDAY)
    assert terms(engine, ann) == (date(2026, 4, 13), NEXT_MONDAY, False)


def test_without_team_a_person_sees_their_own_numbers_only(engine):
    ann = joined(engine, "ann", WEDNESDAY, team=False)
    assert terms(engine, ann) == (date(2026, 4, 13), None, False)
    assert [scope for scope, _, _ in log(engine)] == ["collect"]


@pytest.mark.parametrize(
    ("at", "zone", "collect_from", "monday"),
    [
        ("2026-05-18 00:00", "UTC", date(2026, 4, 20), date(2026, 5, 25)),
        ("2026-05-17 23:59", "UTC", date(2026, 4, 13), date(2026, 5, 18)),
        ("2026-05-17 13:00", "Pacific/Auckland", date(2026, 4, 19), date(2026, 5, 25)),
        ("2026-05-18 03:00", "America/New_York", date(2026, 4, 13), date(2026, 5, 18)),
    ],
)
def test_weeks_are_the_teams_own(engine, at, zone, collect_from, monday):
    """In Auckland it is Monday already; its week begins at Sunday noon UTC, so that Sunday belongs to it."""
    ann = joined(engine, "ann", at, zone=zone)
    assert terms(engine, ann) == (collect_from, monday, False)


def test_keys_of_people_are_random(engine):
    keys = {joined(engine, name) for name in ("ann", "bo", "cy")}
    assert len(keys) == 3
    assert all(len(key) >= 22 for key in keys)


@pytest.mark.parametrize(
    "theirs",
    [
        Handles("U_ann", "S_else", "else@example.com"),
        Handles("U_else", "S_ann", "else@example.com"),
        Handles("U_else", "S_else", " ANN@example.com"),
    ],
)
def test_an_account_that_has_joined_cannot_be_taken_by_another(engine, theirs):
    joined(engine, "ann")
    before = {table: dump(engine, table) for table in METADATA.tables}
    with pytest.raises(AlreadyTaken):
        join(engine, SECRET, theirs, UTC_ZONE, instant(WEDNESDAY), team=True, proved=True)
    assert {table: dump(engine, table) for table in METADATA.tables} == before


def test_handles_are_kept_as_keyed_hashes_with_their_kind_and_proof(engine):
    ann = join(engine, SECRET, handles("ann"), UTC_ZONE, instant(WEDNESDAY), team=True, proved=False)
    rows = dump(engine, "handles")
    assert sorted(row["kind"] for row in rows) == ["email", "github", "slack"]
    assert {row["person_key"] for row in rows} == {ann}
    assert not any(row["proved"] for row in rows)
    assert "ann" not in str([row["hash"] for row in rows])


# Switching


def test_who_switches_team_on_for_the_first_time_counts_from_next_monday(engine):
    ann = joined(engine, "ann", "2026-05-04", team=False)
    switch(engine, ann, on=True)
    assert person(engine, ann).team_from == NEXT_MONDAY


def test_who_switches_team_off_stops_counting_at_once_and_keeps_their_own_numbers(engine):
    ann = joined(engine, "ann", "2026-05-04")
    store(engine, "ann opus 1", "2026-05-12")
    switch(engine, ann, on=False)
    assert person(engine, ann).team_from is None
    assert len(dump(engine, "spend")) == 1


def test_who_switches_team_on_again_waits_for_the_next_epoch(engine):
    ann = joined(engine, "ann", "2026-05-04")
    switch(engine, ann, on=False)
    switch(engine, ann, on=True)
    assert person(engine, ann).team_from == NEXT_EPOCH


def test_switching_to_what_is_already_so_changes_and_logs_nothing(engine):
    ann = joined(engine, "ann", "2026-05-04")
    before = dump(engine, "consents"), dump(engine, "people")
    switch(engine, ann, on=True)
    assert (dump(engine, "consents"), dump(engine, "people")) == before


@pytest.mark.parametrize("on", [True, False])
def test_who_has_not_joined_or_has_left_cannot_switch(engine, on):
    ann = joined(engine, "ann", "2026-05-04")
    leave(engine, ann, instant(WEDNESDAY))
    before = dump(engine, "consents")
    for key in (ann, "nobody"):
        with pytest.raises(NotJoined):
            switch(engine, key, on=on)
    assert dump(engine, "consents") == before


# Leaving


@pytest.fixture
def books_of_two(engine: Engine) -> tuple[str, str]:
    """Ann and Cy have joined and spent on two days. A closing took in the first day: half of it is booked, half is
    still open work. Bo, who has not joined, spent as well."""
    ann, cy = joined(engine, "ann", "2026-05-04"), joined(engine, "cy", "2026-05-04")
    for day in ("2026-05-11", "2026-05-12"):
        store(engine, "ann opus 12/10, ann haiku 1, bo opus 7, cy opus 3, svac_ci opus 2", day, bill="30")
    slices = [Slice(key, date(2026, 5, 11), ACCOUNT) for key in (ann, cy)]
    booked = tuple(Booking(Share(one, "PR_1", 5), Part.DIRECT) for one in slices)
    waiting = tuple(Share(one, "PR_2", 8 * DOLLAR) for one in slices)
    splits = {(one.person, one.day): equally(["PR_1", "PR_2"]) for one in slices}
    with transaction(engine) as session:
        books.write(session, "payments", date(2026, 5, 11), [ann, cy], slices, Closing(booked, waiting, splits))
    return ann, cy


def rows_of(engine: Engine, key: str) -> dict[str, int]:
    """How many rows of each table name a person."""
    found = {table: sum(key in row.values() for row in dump(engine, table)) for table in METADATA.tables}
    return {table: count for table, count in found.items() if count}


EVERYTHING = {
    "attributions": 2,
    "bookings": 1,
    "consents": 2,
    "handles": 3,
    "open_work": 1,
    "people": 1,
    "person_days": 2,
    "spend": 4,
}


def test_leaving_deletes_all_that_names_the_person_but_the_log_of_consent(engine, books_of_two):
    ann, cy = books_of_two
    assert rows_of(engine, ann) == EVERYTHING
    others_before = rows_of(engine, cy)
    leave(engine, ann, instant(WEDNESDAY))
    assert rows_of(engine, ann) == {"consents": 4}
    assert rows_of(engine, cy) == others_before == {**EVERYTHING, "spend": 2}


def test_switching_team_off_withdraws_open_work_so_that_it_never_lands_in_a_later_number(engine, books_of_two):
    ann, cy = books_of_two
    switch(engine, ann, on=False)
    assert rows_of(engine, ann) == {name: count for name, count in EVERYTHING.items() if name != "open_work"} | {
        "consents": 3
    }
    assert rows_of(engine, cy)["open_work"] == 1
    (lost,) = dump(engine, "withdrawals")
    assert (str(lost["day"]), lost["micro"]) == ("2026-05-11", 8 * DOLLAR)


def test_the_log_keeps_what_was_granted_and_withdrawn_when_and_under_which_text(engine):
    ann = joined(engine, "ann", "2026-05-04")
    switch(engine, ann, on=False, at="2026-05-06")
    leave(engine, ann, instant(WEDNESDAY))
    joining, switching, leaving = instant("2026-05-04"), instant("2026-05-06"), instant(WEDNESDAY)
    assert log(engine) == [
        ("collect", True, joining),
        ("team", True, joining),
        ("team", False, switching),
        ("collect", False, leaving),
    ]
    assert {(row["person_key"], row["text_version"]) for row in dump(engine, "consents")} == {(ann, 2)}


def test_the_bill_of_whoever_leaves_joins_the_remainder(engine, books_of_two):
    """By hand: of a bill of 30, Ann has 10 + 1, Cy 3 and the service 2; the remainder was 14 and becomes 25."""
    assert remainder(engine) == {"2026-05-11": 14, "2026-05-12": 14}
    leave(engine, books_of_two[0], instant(WEDNESDAY))
    assert remainder(engine) == {"2026-05-11": 25, "2026-05-12": 25}
    assert sum(row["billed_micro"] for row in dump(engine, "account_days")) == 60 * DOLLAR


def test_a_part_of_the_bill_that_was_never_known_does_not_join_it_twice(engine):
    ann = joined(engine, "ann", "2026-05-04")
    store(engine, "ann opus 12/-, ann haiku 2", "2026-05-11", bill="30")
    leave(engine, ann, instant(WEDNESDAY))
    assert remainder(engine) == {"2026-05-11": 30}


def test_open_work_of_whoever_leaves_is_booked_as_withdrawn_by_account_day(engine, books_of_two):
    for key in books_of_two:
        leave(engine, key, instant(WEDNESDAY))
    (lost,) = dump(engine, "withdrawals")
    assert (lost["account"], str(lost["day"]), lost["micro"]) == (ACCOUNT, "2026-05-11", 16 * DOLLAR)


def test_where_everybody_had_joined_a_leaver_makes_a_few_outside(engine):
    ann = joined(engine, "ann", "2026-05-04")
    store(engine, "ann opus 1", "2026-05-11")
    store(engine, ", ".join(f"p{number} opus 1" for number in range(6)) + ", ann opus 1", "2026-05-12")
    store(engine, "svac_ci opus 1", "2026-05-13")
    leave(engine, ann, instant("2026-05-14"))
    assert [row["outside"] for row in sorted(dump(engine, "account_days"), key=lambda row: str(row["day"]))] == [
        "few",
        "many",
        "none",
    ]


def test_leaving_twice_or_as_a_stranger_changes_nothing(engine, books_of_two):
    ann, _ = books_of_two
    leave(engine, ann, instant(WEDNESDAY))
    before = {table: dump(engine, table) for table in METADATA.tables}
    leave(engine, ann, instant("2026-05-20"))
    leave(engine, "nobody", instant("2026-05-20"))
    assert {table: dump(engine, table) for table in METADATA.tables} == before


def test_a_withdrawal_that_fails_half_way_has_not_happened(engine, books_of_two):
    ann, _ = books_of_two
    before = {table: dump(engine, table) for table in METADATA.tables}
    with power_cut_at(engine, "UPDATE handles"), pytest.raises(ConnectionResetError):
        leave(engine, ann, instant(WEDNESDAY))
    assert {table: dump(engine, table) for table in METADATA.tables} == before


@contextmanager
def power_cut_at(engine: Engine, sign: str) -> Iterator[None]:
    def cut(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(sign):
            raise ConnectionResetError

    event.listen(engine, "before_cursor_execute", cut)
    yield
    event.remove(engine, "before_cursor_execute", cut)


def test_who_leaves_while_a_report_is_being_stored_is_gone_when_both_are_done(engine, database_url):
    """The report's transaction has recognised Ann already: her leaving waits for it, and then erases what it wrote."""
    ann = joined(engine, "ann", "2026-05-04")
    other = connect(database_url)
    leaving = threading.Thread(target=leave, args=[other, ann, instant(WEDNESDAY)])
    with transaction(engine) as session:
        assert ann in {known.person for known in people.handles(session).values()}
        leaving.start()
        leaving.join(timeout=0.2)
        told = report("ann opus 12", "2026-05-11")
        of_ann = parted(told)
        by_key = tuple(replace(one, person=ann) for one in of_ann.people)
        spend.replace(session, replace(of_ann, people=by_key), told, instant(WEDNESDAY))
    leaving.join()
    other.dispose()
    assert rows_of(engine, ann) == {"consents": 4}
    assert remainder(engine) == {"2026-05-11": 12}


# After leaving


def test_a_report_that_is_pulled_again_cannot_bring_a_leaver_back(engine):
    ann = joined(engine, "ann", "2026-05-04")
    store(engine, "ann opus 12", "2026-05-11", bill="30")
    leave(engine, ann, instant(WEDNESDAY))
    for day in ("2026-05-11", "2026-05-13", "2026-05-14"):
        store(engine, "ann opus 12", day, bill="30")
    assert dump(engine, "spend") == dump(engine, "person_days") == []
    assert set(remainder(engine).values()) == {30}


def test_joining_again_counts_only_days_after_the_withdrawal(engine):
    leave(engine, joined(engine, "ann", "2026-05-04"), instant(WEDNESDAY))
    again = joined(engine, "ann", "2026-05-20")
    for day in ("2026-05-12", WEDNESDAY, str(TOMORROW)):
        store(engine, "ann opus 1", day)
    assert person(engine, again).collect_from == TOMORROW
    assert [str(row["day"]) for row in dump(engine, "person_days")] == [str(TOMORROW)]
    assert remainder(engine) == {"2026-05-12": 1, WEDNESDAY: 1, str(TOMORROW): 0}


def test_who_joins_again_is_a_new_person_whose_old_numbers_stay_gone(engine):
    first = joined(engine, "ann", "2026-05-04")
    leave(engine, first, instant(WEDNESDAY))
    again = joined(engine, "ann", WEDNESDAY)
    assert again != first
    assert rows_of(engine, first) == {"consents": 4}
    assert rows_of(engine, again) == {"consents": 2, "handles": 3, "people": 1}


def test_who_joins_again_with_one_old_account_of_three_is_still_who_left(engine):
    leave(engine, joined(engine, "ann", "2026-05-04"), instant(WEDNESDAY))
    moved = Handles("U_ann", "S_new", "new@example.com")
    again = join(engine, SECRET, moved, UTC_ZONE, instant("2026-05-20"), team=True, proved=True)
    assert terms(engine, again) == (TOMORROW, NEXT_EPOCH, True)
    assert {str(row["since"]) for row in dump(engine, "handles") if row["person_key"] == again} == {str(TOMORROW)}


def test_long_after_a_withdrawal_four_weeks_count_again_but_the_team_waits_for_an_epoch(engine):
    leave(engine, joined(engine, "ann", "2026-01-07"), instant("2026-01-14"))
    again = joined(engine, "ann", "2026-05-27")
    assert terms(engine, again) == (date(2026, 4, 27), EPOCH_AFTER, True)


def test_leaving_and_joining_again_without_team_is_no_shorter_way_back_into_it(engine):
    leave(engine, joined(engine, "ann", "2026-05-04"), instant(WEDNESDAY))
    again = joined(engine, "ann", WEDNESDAY, team=False)
    switch(engine, again, on=True)
    assert person(engine, again).team_from == NEXT_EPOCH


def test_what_is_withdrawn_stays_withdrawn_until_the_last_day_of_a_second_time(engine):
    leave(engine, joined(engine, "ann", "2026-05-04"), instant(WEDNESDAY))
    leave(engine, joined(engine, "ann", "2026-05-15"), instant("2026-05-20"))
    third = joined(engine, "ann", "2026-05-20")
    assert person(engine, third).collect_from == date(2026, 5, 21)


def test_the_switches_are_those_of_the_consent_text():
    assert list(Scope) == ["collect", "team", "pr_band", "pr_exact"]
