"""An account-day is stored whole: nothing of it is lost, counted twice, or left over from an earlier report."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from bot.domain.ledger import Closing, Slice
from bot.domain.model import AccountDay
from bot.domain.split import Outside
from bot.store import books, spend
from bot.store.db import reading, transaction
from tests.company import ACCOUNT, DOLLAR, instant
from tests.people import MONDAY, dump, parted, report

TUESDAY = "2026-05-12"
PAGES = ("spend", "person_days", "service_spend", "remainders", "account_days")
NOW = instant("2026-05-18")


def store(engine: Engine, day: AccountDay, people: str = "ann cy", listed: str = "svac_ci", at: Any = NOW) -> None:
    with transaction(engine) as session:
        spend.replace(session, parted(day, people, listed), day, at)


def enter(engine: Engine, *people: str, day: str = MONDAY) -> None:
    """Let a closing take in what is pending of these people on a day."""
    slices = [Slice(person, date.fromisoformat(day), ACCOUNT) for person in people]
    with transaction(engine) as session:
        books.write(session, "payments", date.fromisoformat(MONDAY), list(people), slices, Closing((), (), {}))


def pending(engine: Engine) -> dict[str, int]:
    """New or corrected dollars by person."""
    everybody = dict.fromkeys(["ann", "bo", "cy"], date.min)
    with reading(engine) as session:
        found = books.pending(session, everybody, date.max)
    return {piece.person: change // DOLLAR for piece, change in found.items()}


def dollars(engine: Engine, table: str, who: str, amount: str = "list_micro") -> dict[str, Any]:
    return {row[who]: row[amount] and row[amount] / DOLLAR for row in dump(engine, table)}


def pages(engine: Engine) -> dict[str, Any]:
    return {table: dump(engine, table) for table in PAGES}


def versions(engine: Engine) -> Any:
    """What changes when a row is written, even if with equal values: on SQLite a count, as long as nobody else has
    taken the pool's only connection, on PostgreSQL the writing transaction and place of each row."""
    with reading(engine) as session:
        if engine.dialect.name == "sqlite":
            driver: Any = session.connection().connection.driver_connection
            return driver.total_changes
        return [
            tuple(row)
            for table in PAGES
            for row in session.execute(text(f"SELECT '{table}', xmin::text, ctid::text FROM {table}"))
        ]


# One report


def test_a_report_becomes_people_service_and_one_remainder(engine):
    store(engine, report("ann opus 12/10, ann haiku 1, bo opus 7, cy opus 3, svac_ci opus 2, svac_x opus 4", bill="30"))
    assert dollars(engine, "person_days", "person_key") == {"ann": 13, "cy": 3}
    assert dollars(engine, "person_days", "person_key", "billed_micro") == {"ann": 11, "cy": 3}
    assert dollars(engine, "service_spend", "service_account") == {"svac_ci": 2}
    assert dollars(engine, "remainders", "account", "billed_micro") == {ACCOUNT: 30 - 11 - 3 - 2}
    assert [(row["person_key"], row["model"], row["list_micro"]) for row in dump(engine, "spend")] == [
        ("ann", "haiku", 1 * DOLLAR),
        ("ann", "opus", 12 * DOLLAR),
        ("cy", "opus", 3 * DOLLAR),
    ]
    assert pending(engine) == {"ann": 13, "cy": 3}


def test_tokens_of_every_kind_are_kept_and_summed_over_models(engine):
    day = report("ann opus 10, ann haiku 5")
    store(engine, day)
    reported = sum(row.tokens.total for row in day.rows)
    assert sum(row["fresh"] + row["output"] for row in dump(engine, "spend")) == reported
    (sums,) = dump(engine, "person_days")
    assert (sums["tokens"], sums["requests"]) == (reported, 2)


@pytest.mark.parametrize(
    ("entries", "billed", "remainder"),
    [
        ("ann opus 4/3", 3, 17),
        ("ann opus 4/-", None, 20),
        ("ann opus 4/3, ann haiku 1/-", 3, 17),
        ("ann opus 4/3, ann opus 1/-", None, 20),
        ("ann opus 0/3", 3, 17),
    ],
)
def test_a_bill_that_does_not_name_somebodys_part_leaves_it_in_the_remainder(engine, entries, billed, remainder):
    """Whatever is known of a person and whatever remains add up to the bill; spend without a list price counts, too."""
    store(engine, report(entries, bill="20"))
    assert dollars(engine, "person_days", "person_key", "billed_micro") == {"ann": billed}
    assert dollars(engine, "remainders", "account", "billed_micro") == {ACCOUNT: remainder}


def test_a_cost_without_tokens_or_list_price_is_still_somebodys(engine):
    store(engine, report("ann - -/3, svac_ci - -/2", bill="20"))
    store(engine, report("ann - -/3, svac_ci - -/2", bill="20"))
    assert dollars(engine, "person_days", "person_key", "billed_micro") == {"ann": 3}
    assert dollars(engine, "service_spend", "service_account", "billed_micro") == {"svac_ci": 2}
    assert dollars(engine, "remainders", "account", "billed_micro") == {ACCOUNT: 15}


def test_whoever_is_no_longer_named_and_was_never_entered_is_gone(engine):
    store(engine, report("ann opus 12, svac_ci opus 2"))
    store(engine, report(""))
    assert dump(engine, "spend") == dump(engine, "person_days") == dump(engine, "service_spend") == []


# Again, and corrected


def test_the_same_report_again_changes_nothing(engine):
    day = report("ann opus 12/10, ann haiku 1, bo opus 7, cy opus 3, svac_ci opus 2", bill="30")
    store(engine, day)
    enter(engine, "ann")
    books_before, rows_before = pages(engine), versions(engine)
    store(engine, day)
    assert pages(engine) == books_before
    assert versions(engine) == rows_before
    assert pending(engine) == {"cy": 3}


def test_reading_it_later_only_notes_when_it_was_read(engine):
    day = report("ann opus 12, bo opus 7, svac_ci opus 2")
    store(engine, day)
    before = pages(engine)
    store(engine, day, at=NOW + timedelta(hours=1))
    after = pages(engine)
    (seen,) = after.pop("account_days")
    (saw,) = before.pop("account_days")
    assert after == before
    assert {name for name in seen if seen[name] != saw[name]} == {"collected_at"}


@pytest.mark.parametrize(
    ("corrected", "change"), [("ann opus 15", 3), ("ann opus 9", -3), ("ann opus 9, ann haiku 4", 1)]
)
def test_a_correction_waits_for_the_next_closing_as_a_difference(engine, corrected, change):
    store(engine, report("ann opus 12, cy opus 3"))
    enter(engine, "ann", "cy")
    assert pending(engine) == {}
    store(engine, report(f"{corrected}, cy opus 3"))
    assert pending(engine) == {"ann": change}
    store(engine, report("ann opus 12, cy opus 3"))
    assert pending(engine) == {}


def test_whoever_a_correction_no_longer_names_is_emptied_and_owed(engine):
    store(engine, report("ann opus 12, cy opus 3, svac_ci opus 2", bill="20"))
    enter(engine, "ann")
    store(engine, report("", bill="20"))
    assert dump(engine, "spend") == dump(engine, "service_spend") == []
    (ann,) = dump(engine, "person_days")
    assert (ann["person_key"], ann["list_micro"], ann["billed_micro"], ann["tokens"]) == ("ann", 0, 0, 0)
    assert pending(engine) == {"ann": -12}
    assert dollars(engine, "remainders", "account", "billed_micro") == {ACCOUNT: 20}


def test_service_spend_that_was_entered_is_emptied_not_forgotten(engine):
    store(engine, report("svac_ci opus 2"))
    with transaction(engine) as session:
        books.enter_services(session, ["svac_ci"], date.min, date.max)
    store(engine, report(""))
    with reading(engine) as session:
        assert books.service_changes(session, ["svac_ci"], date.min, date.max) == -2 * DOLLAR


def test_a_model_that_was_renamed_is_not_counted_beside_its_old_name(engine):
    store(engine, report("ann opus-preview 12"))
    store(engine, report("ann opus 12"))
    assert [row["model"] for row in dump(engine, "spend")] == ["opus"]


def test_a_correction_of_one_day_or_account_touches_no_other(engine):
    store(engine, report("ann opus 12, svac_ci opus 1"))
    store(engine, report("ann opus 5, svac_ci opus 1", TUESDAY))
    store(engine, report("ann opus 7, svac_ci opus 1", account="openai"))
    store(engine, report("", TUESDAY))
    assert sorted(row["list_micro"] // DOLLAR for row in dump(engine, "person_days")) == [7, 12]
    assert sorted(row["list_micro"] // DOLLAR for row in dump(engine, "spend")) == [7, 12]
    assert len(dump(engine, "service_spend")) == 2


def test_what_a_closing_did_not_take_in_is_not_marked_as_if_it_had(engine):
    """A correction that arrives while a closing runs waits for it, and then is still pending."""
    store(engine, report("ann opus 12"))
    enter(engine, "ann")
    store(engine, report("ann opus 14"))
    assert pending(engine) == {"ann": 2}
    (row,) = dump(engine, "person_days")
    assert (row["entered_micro"], row["pending"]) == (12 * DOLLAR, True)


# Over any reports

PEOPLE = ["ann", "bo", "cy", "svac_ci", "svac_x", "key_a", "key_b@bo", "?"]
AMOUNTS = st.integers(0, 10**9).map(lambda micro: f"{micro / DOLLAR:.6f}") | st.just("-")
ENTRIES = st.builds(
    "{} {} {}/{}".format, st.sampled_from(PEOPLE), st.sampled_from(["opus", "haiku", "-"]), AMOUNTS, AMOUNTS
)
REPORTS = st.lists(ENTRIES, max_size=10).map(", ".join)
WITH_DATABASE = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
UNBALANCED = """
    SELECT * FROM (
        SELECT account_days.account, account_days.day, billed_micro,
            (SELECT coalesce(sum(billed_micro), 0) FROM person_days
                WHERE person_days.account = account_days.account AND person_days.day = account_days.day)
            + (SELECT coalesce(sum(billed_micro), 0) FROM service_spend
                WHERE service_spend.account = account_days.account AND service_spend.day = account_days.day)
            + (SELECT coalesce(sum(billed_micro), 0) FROM remainders
                WHERE remainders.account = account_days.account AND remainders.day = account_days.day) AS parts
        FROM account_days) AS sums
    WHERE billed_micro <> parts
"""
ROLLED_UP_WRONGLY = """
    SELECT * FROM (
        SELECT person_key, account, day, list_micro, requests,
            (SELECT coalesce(sum(list_micro), 0) FROM spend WHERE spend.person_key = person_days.person_key
                AND spend.account = person_days.account AND spend.day = person_days.day) AS listed,
            (SELECT coalesce(sum(requests), 0) FROM spend WHERE spend.person_key = person_days.person_key
                AND spend.account = person_days.account AND spend.day = person_days.day) AS asked
        FROM person_days) AS sums
    WHERE list_micro <> listed OR requests <> asked
"""


def wrong(engine: Engine) -> list[Any]:
    with reading(engine) as session:
        return [row for query in (UNBALANCED, ROLLED_UP_WRONGLY) for row in session.execute(text(query)).all()]


@WITH_DATABASE
@given(st.lists(REPORTS, min_size=1, max_size=3))
def test_after_any_reports_bills_are_people_service_and_remainder_to_the_micro_dollar(engine, history):
    for entries in history:
        store(engine, report(entries, bill="90000"), listed="svac_ci key_a")
        assert wrong(engine) == []


@WITH_DATABASE
@given(st.permutations([(day, version) for day in (MONDAY, TUESDAY) for version in (1, 2)]), REPORTS, REPORTS)
def test_in_which_order_days_arrive_does_not_matter(engine, order, first, second):
    """The last report of each day counts, whatever came between."""
    final: dict[str, str] = {}
    for day, version in order:
        final[day] = first if version == 1 else second
        store(engine, report(final[day], day, bill="90000"))
    mixed = pages(engine)
    for day in (MONDAY, TUESDAY):
        store(engine, report("", day, bill="1"))
    for day in (MONDAY, TUESDAY):
        store(engine, report(final[day], day, bill="90000"))
    assert pages(engine) == mixed


def test_the_balance_above_is_a_real_one(engine):
    store(engine, report("ann opus 12, bo opus 7", bill="20"))
    assert wrong(engine) == []
    with transaction(engine) as session:
        session.execute(text("UPDATE remainders SET billed_micro = billed_micro + 1"))
    assert len(wrong(engine)) == 1
    with transaction(engine) as session:
        session.execute(text("UPDATE spend SET list_micro = list_micro + 1"))
    assert len(wrong(engine)) == 2


# Reading


def test_the_bill_of_some_days_is_all_accounts_and_how_many_were_outside(engine):
    store(engine, report("ann opus 12, bo opus 7", bill="20"))
    store(engine, report("ann opus 1", TUESDAY, bill="1"))
    store(engine, report("ann opus 1", TUESDAY, bill="4", account="openai"))
    with reading(engine) as session:
        assert spend.bill(session, instant(MONDAY).date(), instant(TUESDAY).date()) == spend.Bill(
            25 * DOLLAR, frozenset({Outside.FEW, Outside.NONE})
        )
        assert spend.bill(session, instant(TUESDAY).date(), instant(TUESDAY).date()).billed_micro == 5 * DOLLAR
        assert spend.bill(session, date(2026, 1, 1), date(2026, 1, 2)) == spend.Bill(0, frozenset())


def test_others_are_counted_up_to_enough(engine):
    store(engine, report("ann opus 1, bo opus 1, cy opus 1, di opus 1"), people="ann bo cy di")
    day = instant(MONDAY).date()
    with reading(engine) as session:
        assert spend.others(session, ["ann"], day, day, 5) == 3
        assert spend.others(session, ["ann"], day, day, 2) == 2
        assert spend.others(session, ["ann", "bo", "cy", "di"], day, day, 5) == 0


def test_collected_days_are_those_an_account_answered_for(engine):
    store(engine, report("", bill="1"))
    store(engine, report("", TUESDAY, account="openai", bill="1"))
    with reading(engine) as session:
        assert spend.collected_days(session, ACCOUNT, date(2026, 5, 1), date(2026, 5, 31)) == {date(2026, 5, 11)}
        assert spend.collected_days(session, ACCOUNT, date(2026, 5, 12), date(2026, 5, 31)) == set()
