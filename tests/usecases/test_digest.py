"""Freezing and reading digests, from books in a real database to the block, against numbers made by hand."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from sqlalchemy import text

from bot.domain.block import Held, HeldReason, Part, PartSum, Published
from bot.domain.weeks import Week
from bot.store import cursors
from bot.store.cursors import SourceKind
from bot.store.db import reading, transaction
from bot.usecases.digest import freeze_due, next_week
from tests.company import DOLLAR, SmallCompany, instant

FIVE = "ann bo cy di ed"


@pytest.fixture
def company(engine) -> SmallCompany:
    """Five people, all joined; each spends 2 dollars a day for four weeks and merges one pull request in the last.

    Weeks 17 to 20 are 20 April to 17 May 2026; the first digest is due on Monday 18 May.
    """
    company = SmallCompany(engine, FIVE)
    company.joins(FIVE, at="2026-05-13")
    company.quiet_days("2026-04-20", "2026-05-17", ann=2, bo=2, cy=2, di=2, ed=2)
    for number, name in enumerate(FIVE.split(), start=1):
        company.pull(number, name, commits={name: "2026-05-11 2026-05-12"}, merged="2026-05-14")
    return company


def test_the_first_block_is_the_four_weeks_before_its_monday(company):
    frozen = company.monday("2026-05-18")
    (block,) = frozen.blocks
    assert isinstance(block, Published)
    assert (block.first, block.last) == (Week(date(2026, 4, 20)), Week(date(2026, 5, 11)))


def test_the_first_block_is_right_to_the_micro_dollar(company):
    """By hand: two commit days a person land in merged pull requests: 5 x 2 x 2 = 20 dollars direct. Days without one
    wait two weeks: by Monday 18 May, 20 April to 3 May are certain: 14 days x 5 people x 2 = 140 dollars unattributed.
    The other 12 days (4 to 10 and 13 to 17 May) stay open. All in: 160 dollars for 5 pull requests. Nothing was
    abandoned, and a part without contributors is never shown: it joins the smallest that may be."""
    (block,) = company.monday("2026-05-18").blocks
    assert isinstance(block, Published)
    assert block.parts == (
        PartSum((Part.DIRECT, Part.ABANDONED), 20 * DOLLAR),
        PartSum((Part.UNATTRIBUTED,), 140 * DOLLAR),
    )
    assert block.spend_micro == 160 * DOLLAR
    assert (block.merged, block.touched, block.service_micro) == (5, 5, 0)
    assert Fraction(block.spend_micro, block.merged) == 32 * DOLLAR


def test_the_next_block_takes_in_one_week_and_what_became_certain(company):
    """By hand, week 21: nothing merged. Certain by Monday 25 May are the days up to 10 May: 4 to 10 May, 7 days x 5 x 2
    = 70 dollars unattributed. The spend of week 21 itself (1 dollar a day each) stays open."""
    company.monday("2026-05-18")
    company.quiet_days("2026-05-18", "2026-05-24", ann=1, bo=1, cy=1, di=1, ed=1)
    (block,) = company.monday("2026-05-25").blocks
    assert isinstance(block, Published)
    assert (block.first, block.last) == (Week(date(2026, 5, 18)), Week(date(2026, 5, 18)))
    assert block.spend_micro == 70 * DOLLAR
    assert block.merged == 0


def test_a_correction_is_booked_as_a_difference_in_the_next_block(company):
    """By hand: 11 May goes from 2 to 3 dollars for each, its pull requests are merged: 5 dollars more direct, beside
    the 70 dollars of the test above."""
    company.monday("2026-05-18")
    company.quiet_days("2026-05-18", "2026-05-24", ann=1, bo=1, cy=1, di=1, ed=1)
    company.spends("2026-05-11", ann=3, bo=3, cy=3, di=3, ed=3)
    (block,) = company.monday("2026-05-25").blocks
    assert isinstance(block, Published)
    assert block.parts[0] == PartSum((Part.DIRECT, Part.ABANDONED), 5 * DOLLAR)
    assert block.spend_micro == 75 * DOLLAR


def test_a_week_is_never_frozen_before_its_time(company):
    early = company.monday("2026-05-17")
    assert all(block.last < Week(date(2026, 5, 11)) for block in early.blocks)
    assert company.block("2026-W20") is None


def test_freezing_again_changes_nothing(company):
    company.monday("2026-05-18")
    before = company.block("2026-W20")
    company.spends("2026-05-11", ann=900, bo=2, cy=2, di=2, ed=2)
    assert company.monday("2026-05-18").blocks == ()
    assert company.block("2026-W20") == before


def test_a_team_of_four_waits_and_books_nothing(engine):
    company = SmallCompany(engine, "ann bo cy di")
    company.joins("ann bo cy di", at="2026-05-13")
    company.quiet_days("2026-04-20", "2026-05-17", ann=2, bo=2, cy=2, di=2)
    for number, name in enumerate(["ann", "bo", "cy", "di"], start=1):
        company.pull(number, name, commits={name: "2026-05-11"}, merged="2026-05-14")
    (block,) = company.monday("2026-05-18").blocks
    assert isinstance(block, Held)
    assert block.reason is HeldReason.WAITING
    assert block.public is not None
    assert block.public.merged == 4
    assert count(engine, "bookings") == count(engine, "open_work") == 0


def test_a_week_that_one_person_dominates_is_booked_and_held(company):
    """Ann's work of 300 dollars lands in week 21, beside 4 dollars of each of the others: held, but recognised."""
    company.monday("2026-05-18")
    company.quiet_days("2026-05-18", "2026-05-24", bo=1, cy=1, di=1, ed=1)
    company.spends("2026-05-19", ann=300, bo=1, cy=1, di=1, ed=1)
    company.pull(9, "ann", commits={"ann": "2026-05-19"}, merged="2026-05-20")
    (block,) = company.monday("2026-05-25").blocks
    assert isinstance(block, Held)
    assert block.reason is HeldReason.HELD
    assert total(company.engine, "SELECT sum(micro) FROM bookings WHERE week = '2026-05-18'") == 370 * DOLLAR


def test_who_has_not_reviewed_or_merged_lately_is_not_counted_and_the_spend_waits(engine):
    company = SmallCompany(engine, "ann bo cy di ed fay")
    company.joins("ann bo cy di ed fay", at="2026-05-13")
    company.quiet_days("2026-04-20", "2026-05-17", ann=2, bo=2, cy=2, di=2, ed=2, fay=2)
    for number, name in enumerate(FIVE.split(), start=1):
        company.pull(number, name, commits={name: "2026-05-11"}, merged="2026-05-14")
    (block,) = company.monday("2026-05-18").blocks
    assert isinstance(block, Published)
    fay = company.people["fay"]
    assert total(engine, f"SELECT count(*) FROM person_days WHERE pending AND person_key = '{fay}'") == 28
    assert total(engine, f"SELECT count(*) FROM bookings WHERE person_key = '{fay}'") == 0


def test_a_coding_agents_pull_request_counts_for_its_owner(company):
    company.pull(20, "copilot-swe-agent[bot]", owner="ann", commits={"ann": "2026-05-13"}, merged="2026-05-15")
    (block,) = company.monday("2026-05-18").blocks
    assert isinstance(block, Published)
    assert block.merged == 6
    assert block.parts[0] == PartSum((Part.DIRECT, Part.ABANDONED), 22 * DOLLAR)


def test_spend_on_a_revert_is_not_tied_to_a_pull_request(company):
    company.pull(21, "ann", commits={"ann": "2026-05-13"}, merged="2026-05-15", reverts=1)
    (block,) = company.monday("2026-05-18").blocks
    assert isinstance(block, Published)
    assert block.merged == 5
    assert block.spend_micro == 162 * DOLLAR
    assert block.public.reverted == 1


def test_service_spend_is_a_line_of_its_own(company):
    company.spends("2026-05-13", ann=2, bo=2, cy=2, di=2, ed=2, ci=40)
    (block,) = company.monday("2026-05-18").blocks
    assert isinstance(block, Published)
    assert block.service_micro == 40 * DOLLAR
    assert block.spend_micro == 160 * DOLLAR


def test_a_week_waits_for_sources_that_were_not_read_since_it_ended(company):
    frozen = company.monday("2026-05-18", read_at="2026-05-17 20:00")
    assert frozen.blocks == ()
    assert frozen.waits_for == ("acme/api", "anthropic")


def test_after_two_days_a_week_waits_no_longer(company):
    company.monday("2026-05-18", read_at="2026-05-17 20:00")
    assert len(company.monday("2026-05-20", read_at="2026-05-17 20:00").blocks) == 1


def test_a_week_waits_for_ever_for_a_repository_that_was_never_read(engine):
    """Nothing is told of what merged before anybody has looked: not even that it was nothing."""
    company = SmallCompany(engine, FIVE)
    late = instant("2026-06-30 12:00")
    frozen = freeze_due(engine, company.team, company.publishing, late)
    assert frozen.blocks == ()
    assert frozen.waits_for == ("acme/api",)


def test_a_week_waits_for_an_account_that_is_set_up_and_was_never_read(company):
    publishing = replace(company.publishing, accounts=frozenset({"anthropic", "another"}))
    company.monday("2026-05-17")
    with transaction(company.engine) as session:
        now = instant("2026-05-18 10:00")
        cursors.succeeded(session, SourceKind.SPEND, "anthropic", date(2026, 1, 1), now, lag_days=1)
        cursors.succeeded(session, SourceKind.OUTCOME, "acme/api", date(2026, 1, 1), now)
    frozen = freeze_due(company.engine, company.team, publishing, now)
    assert (frozen.blocks, frozen.waits_for) == ((), ("another",))


def test_the_next_week_to_be_frozen_is_the_one_after_the_last(company):
    assert next_week(company.engine, company.team, instant("2026-05-14")) == Week(date(2026, 5, 11))
    company.monday("2026-05-18")
    assert next_week(company.engine, company.team, instant("2026-05-19")) == Week(date(2026, 5, 18))


def test_a_week_whose_merges_nobody_has_seen_shows_nothing_of_them(company):
    """The repository was read last on Sunday: after two days the week is frozen, without facts that may be wrong."""
    company.monday("2026-05-18", read_at="2026-05-17 20:00")
    (block,) = company.monday("2026-05-20", read_at="2026-05-17 20:00").blocks
    assert isinstance(block, Held)
    assert block.public is None
    assert total(company.engine, "SELECT count(*) FROM outbox") == 0


def test_a_source_that_missed_more_than_a_fifth_of_the_days_holds_the_block(engine):
    company = SmallCompany(engine, FIVE)
    company.joins(FIVE, at="2026-05-13")
    company.quiet_days("2026-04-27", "2026-05-17", ann=2, bo=2, cy=2, di=2, ed=2)
    for number, name in enumerate(FIVE.split(), start=1):
        company.pull(number, name, commits={name: "2026-05-11"}, merged="2026-05-14")
    (block,) = company.monday("2026-05-18").blocks
    assert isinstance(block, Held)


def stopped(company: SmallCompany, source: str, *, refused: bool) -> None:
    """A second source that was read up to March; then its key was refused, or taken out of the settings."""
    with transaction(company.engine) as session:
        cursors.succeeded(session, SourceKind.SPEND, source, date(2026, 1, 1), instant("2026-03-01"))
        if refused:
            cursors.failed(session, SourceKind.SPEND, source, date(2026, 3, 1), "the key is refused", permanent=True)


def test_a_source_that_is_switched_off_holds_no_block(company):
    """All 28 days lack it; but it will not answer for any, and the other source has answered for all."""
    stopped(company, "cursor", refused=True)
    company.publishing = replace(company.publishing, accounts=frozenset({"anthropic", "cursor"}))
    (block,) = company.monday("2026-05-18").blocks
    assert isinstance(block, Published)
    assert (block.spend_micro, block.missing_days) == (160 * DOLLAR, 0)


def test_a_source_that_is_not_set_up_any_more_holds_no_block(company):
    stopped(company, "cursor", refused=False)
    company.publishing = replace(company.publishing, accounts=frozenset({"anthropic"}))
    company.monday("2026-05-18")
    (block,) = company.monday("2026-05-20").blocks  # two days on, no week waits for it
    assert isinstance(block, Published)
    assert (block.spend_micro, block.missing_days) == (160 * DOLLAR, 0)


def test_a_source_that_is_only_down_still_holds_the_block(company):
    stopped(company, "cursor", refused=False)
    company.publishing = replace(company.publishing, accounts=frozenset({"anthropic", "cursor"}))
    company.monday("2026-05-18")
    (block,) = company.monday("2026-05-20").blocks
    assert isinstance(block, Held)


def test_a_company_whose_only_source_is_switched_off_gets_no_number_of_nothing(engine):
    company = SmallCompany(engine, FIVE)
    company.joins(FIVE, at="2026-05-13")
    for number, name in enumerate(FIVE.split(), start=1):
        company.pull(number, name, commits={name: "2026-05-11"}, merged="2026-05-14")
    stopped(company, "anthropic", refused=True)
    company.publishing = replace(company.publishing, accounts=frozenset({"anthropic"}))
    with transaction(engine) as session:
        cursors.succeeded(session, SourceKind.OUTCOME, "acme/api", date(2026, 1, 1), instant("2026-05-18"))
    (block,) = freeze_due(engine, company.team, company.publishing, instant("2026-05-18")).blocks
    assert isinstance(block, Held)


def test_after_eight_weeks_a_week_without_a_block_says_nothing(engine):
    company = SmallCompany(engine, "ann bo cy di")
    for week in range(9):
        company.monday(str(date(2026, 5, 18).fromordinal(date(2026, 5, 18).toordinal() + 7 * week)))
    last = company.block("2026-W28")
    assert isinstance(last, Held)
    assert last.public is None
    assert total(engine, "SELECT count(*) FROM outbox") == 8


def test_the_message_is_queued_once_with_its_block(company):
    company.monday("2026-05-18")
    company.monday("2026-05-18")
    with reading(company.engine) as session:
        rows = session.execute(text("SELECT key, target, state FROM outbox")).all()
    assert rows == [("digest/payments/2026-W20", "C0123ABCD", "due")]


def test_a_team_switched_on_in_mid_week_counts_from_the_next_monday(company):
    """Fay joins in week 21; her spend of week 21 is nobody's, that of week 22 is hers."""
    late = SmallCompany(company.engine, f"{FIVE} fay", name="late")
    company.monday("2026-05-18")
    late.team = company.team
    late.joins("fay", at="2026-05-20")
    with reading(company.engine) as session:
        row = session.execute(
            text("SELECT team_from FROM people WHERE person_key = :key"), {"key": late.people["fay"]}
        ).scalar_one()
    assert str(row) == "2026-05-25"


def count(engine, table: str) -> int:
    return total(engine, f"SELECT count(*) FROM {table}")


def total(engine, query: str) -> int:
    with reading(engine) as session:
        return int(session.execute(text(query)).scalar_one() or 0)
