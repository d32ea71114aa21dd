"""Collecting keeps what it got, says what went wrong, and stores people by the consent of the moment."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from bot.domain.model import AccountDay, Actor, ActorKind
from bot.domain.ports import Refused, SourceError
from bot.store import cursors
from bot.store.cursors import Cursor, SourceKind
from bot.store.db import reading
from bot.usecases.collect import Collected, Splitting, collect
from bot.usecases.consent import leave
from tests.company import DOLLAR, SECRET, instant
from tests.fake_source import FakeSource, access
from tests.people import dump, joined, report

NOW = instant("2026-05-18 09:00")
MON, TUE, WED, THU = (date(2026, 5, day) for day in (11, 12, 13, 14))


def run(
    engine: Engine, *script: Any, since: date = MON, until: date = THU, listed: str = "svac_ci", now: datetime = NOW
) -> Collected:
    source, accounts = FakeSource(script=list(script)), frozenset(listed.split())
    return collect(engine, source, access(), Splitting(SECRET, accounts), since, until, now, lambda _: None)


def cursor(engine: Engine) -> Cursor:
    with reading(engine) as session:
        (found,) = cursors.every(session, SourceKind.SPEND)
        return found


def days(engine: Engine) -> list[int]:
    return sorted(date.fromisoformat(str(row["day"])).day for row in dump(engine, "account_days"))


# What a run brings in


def test_a_run_counts_days_rows_and_what_was_refused(engine):
    seen: list[date] = []
    first = report("ann opus 1, bo opus 2, svac_ci opus 1")
    second = AccountDay("anthropic", TUE, 0, None, (), None, {"bad_usage": 2})
    source = FakeSource(script=[first, second])
    found = collect(engine, source, access(), Splitting(SECRET, frozenset()), MON, WED, NOW, seen.append)
    assert found == Collected(2, 3, {"bad_usage": 2}, (), first.billed_micro)
    assert seen == [MON, TUE]
    assert source.asked == [(MON, WED)]
    assert days(engine) == [11, 12]


def test_the_same_run_again_counts_nothing_twice(engine):
    joined(engine, "ann")
    script = (report("ann opus 1, bo opus 2, svac_ci opus 1"), report("ann opus 4", "2026-05-12"))
    run(engine, *script)
    before = {table: dump(engine, table) for table in ("spend", "person_days", "service_spend", "remainders")}
    run(engine, *script)
    assert {table: dump(engine, table) for table in before} == before


# When a source fails


def test_days_before_an_error_stay_and_the_error_is_noted(engine):
    with pytest.raises(SourceError, match="out to lunch"):
        run(engine, report("bo opus 2"), SourceError("anthropic is out to lunch"), report("bo opus 2", "2026-05-13"))
    assert days(engine) == [11]
    failed = cursor(engine)
    assert (failed.error, failed.disabled, failed.fetched_at) == ("anthropic is out to lunch", False, None)


def test_a_rejected_key_switches_the_source_off_until_it_succeeds(engine):
    with pytest.raises(Refused):
        run(engine, Refused("the key is unknown"))
    assert cursor(engine).disabled
    run(engine, report("bo opus 2"))
    again = cursor(engine)
    assert (again.error, again.disabled, again.fetched_at) == (None, False, datetime(2026, 5, 14, tzinfo=UTC))


def test_an_error_does_not_unread_what_was_read(engine):
    run(engine, report("bo opus 2"))
    with pytest.raises(SourceError):
        run(engine, SourceError("no"), since=date(2026, 5, 1))
    failed = cursor(engine)
    assert (failed.fetched_at, failed.first_day, failed.error) == (datetime(2026, 5, 14, tzinfo=UTC), MON, "no")


def test_a_defect_of_a_source_is_nobodys_note(engine):
    with pytest.raises(ZeroDivisionError):
        run(engine, report("bo opus 2"), ZeroDivisionError())
    assert days(engine) == [11]
    assert dump(engine, "source_cursors") == []


@pytest.mark.parametrize(
    ("until", "read_to"),
    [
        (date(2026, 5, 19), NOW),
        (date(2026, 5, 18), datetime(2026, 5, 18, tzinfo=UTC)),
        (THU, datetime(2026, 5, 14, tzinfo=UTC)),
    ],
)
def test_a_source_was_read_up_to_the_end_of_what_was_asked_for_but_not_beyond_now(engine, until, read_to):
    """Otherwise reading an old week again would make a digest believe that the last week has been read."""
    run(engine, report("bo opus 2"), until=until)
    assert cursor(engine).fetched_at == read_to


def test_reading_old_days_again_takes_nothing_back(engine):
    run(engine, report("bo opus 2"), until=date(2026, 5, 19))
    run(engine, report("bo opus 2", "2026-03-02"), since=date(2026, 3, 2), until=date(2026, 3, 9))
    found = cursor(engine)
    assert (found.fetched_at, found.first_day, found.lag_days) == (NOW, date(2026, 3, 2), 2)


# By the consent of the moment


def people(engine: Engine) -> dict[tuple[str, int], float]:
    """Dollars by person key and day of the month."""
    rows = dump(engine, "person_days")
    return {(row["person_key"], _day(row)): row["list_micro"] / DOLLAR for row in rows}


def remainders(engine: Engine) -> dict[int, float]:
    return {_day(row): row["billed_micro"] / DOLLAR for row in dump(engine, "remainders")}


def _day(row: Mapping[str, Any]) -> int:
    return date.fromisoformat(str(row["day"])).day


def test_whoever_joins_or_leaves_during_a_run_is_stored_by_the_consent_of_that_moment(engine):
    ann = joined(engine, "ann")
    cy: list[str] = []
    run(
        engine,
        report("ann opus 1, cy opus 2"),
        lambda: leave(engine, ann, NOW),
        lambda: cy.append(joined(engine, "cy")),
        report("ann opus 1, cy opus 2", "2026-05-12"),
    )
    assert people(engine) == {(cy[0], 12): 2}
    assert remainders(engine) == {11: 3, 12: 1}


def test_days_before_a_person_counts_stay_in_the_remainder(engine):
    """By hand: who joins on Wednesday 13 May counts from Monday 13 April, four complete weeks before that week."""
    ann = joined(engine, "ann", "2026-05-13")
    before, first = date(2026, 4, 12), date(2026, 4, 13)
    run(engine, report("ann opus 1", str(before)), report("ann opus 1", str(first)), since=before)
    assert people(engine) == {(ann, 13): 1}
    assert remainders(engine) == {12: 1, 13: 0}


def test_a_person_is_found_by_address_whatever_its_spelling_and_a_key_of_theirs_is_not(engine):
    ann = joined(engine, "ann")
    by_key, by_name = report("key_a@ann opus 5, ann opus 1").rows
    by_key = replace(by_key, actor=replace(by_key.actor, email="ann@example.com"))
    by_name = replace(by_name, actor=Actor(ActorKind.USER, None, "ANN@example.com"))
    run(engine, replace(report("", bill="6"), rows=(by_key, by_name)))
    assert people(engine) == {(ann, 11): 1}
    assert remainders(engine) == {11: 5}


def test_a_report_under_another_secret_recognises_nobody(engine):
    joined(engine, "ann")
    source = FakeSource(script=[report("ann opus 1")])
    other = Splitting(b"another", frozenset())
    collect(engine, source, access(), other, MON, TUE, NOW, lambda _: None)
    assert people(engine) == {}


# Service accounts and outsiders


def test_a_listed_service_account_is_kept_and_a_listed_persons_key_is_named_and_refused(engine):
    found = run(
        engine,
        report("svac_ci opus 2, key_build opus 3, key_b@bo opus 4, bo opus 1"),
        report("key_b@bo opus 4", "2026-05-12"),
        listed="svac_ci key_build key_b user_bo",
    )
    assert found.refused == ("key_b", "user_bo")
    served = {row["service_account"]: row["list_micro"] // DOLLAR for row in dump(engine, "service_spend")}
    assert served == {"svac_ci": 2, "key_build": 3}
    assert remainders(engine) == {11: 5, 12: 4}


def test_an_unlisted_service_account_is_part_of_the_remainder_without_its_name(engine):
    run(engine, report("svac_secret opus 2"))
    assert dump(engine, "service_spend") == []
    assert remainders(engine) == {11: 2}


@pytest.mark.parametrize(
    ("entries", "band"),
    [
        ("ann opus 1, svac_x opus 1", "none"),
        ("ann opus 1, bo opus 1", "few"),
        ("p1 opus 1, p2 opus 1, p3 opus 1, p4 opus 1, p5 opus 1", "many"),
    ],
)
def test_how_many_are_outside_is_stored_as_a_band(engine, entries, band):
    joined(engine, "ann")
    run(engine, report(entries))
    assert [row["outside"] for row in dump(engine, "account_days")] == [band]


def test_the_days_somebody_counts_for_are_asked_again_when_they_join(engine):
    """What was in the remainder becomes theirs at the next run, and nothing is left of it there."""
    run(engine, report("ann opus 1, bo opus 2"), now=NOW - timedelta(days=1))
    assert remainders(engine) == {11: 3}
    ann = joined(engine, "ann", "2026-05-17")
    run(engine, report("ann opus 1, bo opus 2"))
    assert people(engine) == {(ann, 11): 1}
    assert remainders(engine) == {11: 2}


# How far it is read


@pytest.mark.parametrize(("since", "mark"), [("2026-05-14", "2026-05-18 09:00"), ("2026-05-15", "2026-05-14 09:00")])
def test_a_run_that_leaves_days_out_does_not_pass_them(engine, since, mark):
    """Read up to the 14th at nine: a run from the 15th on would leave the rest of the 14th unread for ever."""
    run(engine, now=instant("2026-05-14 09:00"), until=date(2026, 5, 15))
    run(engine, since=date.fromisoformat(since), until=date(2026, 5, 19))
    assert cursor(engine).fetched_at == instant(mark)


def test_an_account_behind_a_gateway_that_is_not_told_of_any_more_is_empty(engine):
    """A proxy took a day's traffic for one provider's, and says now that it was another's."""

    def told(upstream: str | None, dollars: int) -> AccountDay:
        name = f"anthropic:{upstream}" if upstream else "anthropic"
        return AccountDay(name, MON, dollars * DOLLAR, dollars * DOLLAR, (), NOW, upstream=upstream)

    run(engine, told(None, 0), told("openai", 10))
    run(engine, told(None, 0), told("bedrock", 10))
    billed = {row["account"]: row["billed_micro"] for row in dump(engine, "account_days")}
    assert billed == {"anthropic": 0, "anthropic:openai": 0, "anthropic:bedrock": 10 * DOLLAR}
    run(engine, replace(told(None, 0), day=TUE))
    billed = {
        row["account"]: row["billed_micro"] for row in dump(engine, "account_days") if str(row["day"]) == str(MON)
    }
    assert billed["anthropic:bedrock"] == 10 * DOLLAR  # a day that was not read stays
