"""What happens between blocks: corrections, people who come and go, teams that change. Nothing twice, nothing lost."""

from datetime import date

import pytest
from sqlalchemy import text

from bot.domain.block import Block, Held, Published
from bot.domain.weeks import Week, epoch_start
from bot.store import units
from bot.store.db import reading, transaction
from bot.usecases.consent import leave, switch_team
from bot.usecases.retention import forget_old
from tests.company import DOLLAR, SmallCompany, instant, user

FIVE = "ann bo cy di ed"
EACH = {"ann": 2.0, "bo": 2.0, "cy": 2.0, "di": 2.0, "ed": 2.0}


@pytest.fixture
def company(engine) -> SmallCompany:
    """Five people, two dollars a day each from 20 April; each merges one pull request in week 20 (11 to 17 May)."""
    company = SmallCompany(engine, f"{FIVE} fay")
    company.joins(FIVE, at="2026-05-13")
    company.quiet_days("2026-04-20", "2026-05-17", **EACH)
    merge_one_each(company, 1, "2026-05-11", "2026-05-14")
    return company


def merge_one_each(company: SmallCompany, first: int, day: str, merged: str, names: str = FIVE) -> None:
    for number, name in enumerate(names.split(), start=first):
        company.pull(number, name, commits={name: day}, opened=day, merged=merged)


def published(block: Block) -> Published:
    assert isinstance(block, Published)
    return block


def only(company: SmallCompany, monday: str) -> Published:
    (block,) = company.monday(monday).blocks
    return published(block)


def total(company: SmallCompany, query: str) -> int:
    with reading(company.engine) as session:
        return int(session.execute(text(query)).scalar_one() or 0)


def test_service_spend_that_is_corrected_after_its_week_is_in_the_next_digest(company):
    company.spends("2026-05-17", **EACH, ci=10)
    assert only(company, "2026-05-18").service_micro == 10 * DOLLAR
    company.quiet_days("2026-05-18", "2026-05-24", **EACH)
    company.spends_at("2026-05-17", at="2026-05-19", **EACH, ci=100)
    assert only(company, "2026-05-25").service_micro == 90 * DOLLAR


def test_service_spend_that_is_corrected_down_waits_for_more(company):
    company.spends("2026-05-17", **EACH, ci=100)
    only(company, "2026-05-18")
    company.quiet_days("2026-05-18", "2026-05-24", **EACH)
    company.spends_at("2026-05-17", at="2026-05-19", **EACH, ci=40)
    assert only(company, "2026-05-25").service_micro == 0
    company.quiet_days("2026-05-25", "2026-05-31", **EACH)
    company.spends("2026-05-26", **EACH, ci=70)
    assert only(company, "2026-06-01").service_micro == 10 * DOLLAR


def test_service_spend_is_recognised_once(company):
    company.spends("2026-05-16", **EACH, ci=10)
    only(company, "2026-05-18")
    company.quiet_days("2026-05-18", "2026-05-24", **EACH)
    assert only(company, "2026-05-25").service_micro == 0


def test_spend_of_the_week_that_has_begun_is_not_in_the_digest_of_the_one_that_ended(company):
    """By hand as in test_digest: 10 dollars direct (11 May), 140 unattributed (20 April to 3 May)."""
    company.spends("2026-05-18", ann=50, bo=50, cy=50, di=50, ed=50)
    assert only(company, "2026-05-18").spend_micro == 150 * DOLLAR


def test_a_team_that_was_renamed_counts_no_pull_request_again(company):
    """The same five as a new team: its first block begins after the last week they were counted in the old one."""
    assert only(company, "2026-05-18").merged == 5
    renamed = SmallCompany(company.engine, FIVE, name="billing")
    company.quiet_days("2026-05-18", "2026-05-24", **EACH)
    merge_one_each(company, 11, "2026-05-19", "2026-05-20")
    blocks = [block for block in renamed.monday("2026-05-25").blocks if isinstance(block, Published)]
    assert [(block.first, block.merged) for block in blocks] == [(Week(date(2026, 5, 18)), 5)]


def test_who_joined_after_the_last_collection_is_not_in_the_first_block_without_spend(company):
    """Fay joins on Monday at eight, the days were collected on Sunday: her pull request is not counted without them."""
    company.pull(9, "fay", commits={"fay": "2026-05-12"}, opened="2026-05-12", merged="2026-05-15")
    company.joins("fay", at="2026-05-18 08:00")
    assert only(company, "2026-05-18").merged == 5


def test_who_left_and_joined_again_waits_for_the_next_epoch_in_a_first_block_too(company):
    company.joins("fay", at="2026-05-05")
    leave(company.engine, company.people["fay"], instant("2026-05-06"))
    company.joins("fay", at="2026-05-07")
    company.pull(9, "fay", commits={"fay": "2026-05-12"}, opened="2026-05-12", merged="2026-05-15")
    company.quiet_days("2026-04-20", "2026-05-17", **EACH, fay=2)
    assert only(company, "2026-05-18").merged == 5
    assert total(company, "SELECT count(*) FROM people WHERE team_from = '2026-05-25'") == 1


def test_pull_requests_of_a_week_nobody_could_see_count_in_the_next_one(company):
    """Week 21 is frozen unseen; in week 22 both weeks' five pull requests are there, for both weeks' money."""
    only(company, "2026-05-18")
    company.quiet_days("2026-05-18", "2026-05-31", **EACH)
    merge_one_each(company, 11, "2026-05-19", "2026-05-20")
    merge_one_each(company, 21, "2026-05-26", "2026-05-27")
    (unseen,) = company.monday("2026-05-27", read_at="2026-05-24 20:00").blocks
    assert isinstance(unseen, Held)
    block = only(company, "2026-06-01")
    assert (block.merged, block.public.merged) == (10, 5)


def test_who_switches_off_and_on_brings_no_old_open_work_back(company):
    """Fay's days of May 11 to 20 were open when she switched off; the pull request they were for lands later."""
    company.joins("fay", at="2026-05-13")
    company.quiet_days("2026-04-20", "2026-05-17", **EACH, fay=3)
    company.pull(8, "fay", commits={"fay": "2026-05-04"}, opened="2026-05-04", merged="2026-05-15")
    company.pull(9, "fay", commits={"fay": "2026-05-12"}, opened="2026-05-12")
    only(company, "2026-05-18")
    fay = company.people["fay"]
    switch_team(company.engine, fay, company.team.zone, instant("2026-05-19"), on=False)
    switch_team(company.engine, fay, company.team.zone, instant("2026-05-20"), on=True)
    company.quiet_days("2026-05-18", "2026-05-31", **EACH)
    company.pull(9, "fay", commits={"fay": "2026-05-12"}, opened="2026-05-12", merged="2026-05-21")
    company.monday("2026-05-25")
    company.monday("2026-06-01")
    later = f"SELECT count(*) FROM bookings WHERE person_key = '{fay}' AND week > '2026-05-11'"
    assert total(company, later) == 0
    assert total(company, "SELECT sum(micro) FROM withdrawals") > 0


def test_a_correction_of_a_day_from_before_switching_on_again_is_not_stranded(company):
    """Ann's booked day is corrected from two dollars to five after she was off and on: three more are booked."""
    only(company, "2026-05-18")
    ann = company.people["ann"]
    switch_team(company.engine, ann, company.team.zone, instant("2026-05-19"), on=False)
    switch_team(company.engine, ann, company.team.zone, instant("2026-05-20"), on=True)
    company.spends_at("2026-05-11", at="2026-05-26", **{**EACH, "ann": 5})
    company.quiet_days("2026-05-18", "2026-05-31", **EACH)
    company.monday("2026-05-25")
    company.monday("2026-06-01")
    booked = f"SELECT sum(micro) FROM bookings WHERE person_key = '{ann}' AND day = '2026-05-11'"
    assert total(company, booked) == 5 * DOLLAR


def test_who_moved_to_another_team_is_not_in_the_old_one_by_a_roster_that_is_out_of_date(company):
    new = epoch_start(Week(date(2026, 5, 25)))
    with transaction(company.engine) as session:
        session.execute(text("DELETE FROM rosters WHERE unit = 'payments' AND epoch >= '2026-05-25'"))
        units.take_roster(session, "core", new, [user("ann"), user("bo")])
    with reading(company.engine) as session:
        left = [one.login for one in units.roster(session, "payments", new)]
        before = [one.login for one in units.roster(session, "payments", Week(date(2026, 4, 27)))]
    assert left == ["cy", "di", "ed", "fay"]
    assert before == ["ann", "bo", "cy", "di", "ed", "fay"]


def test_spend_of_somebody_not_yet_verified_outlives_raw_spend(company):
    company.joins("fay", at="2026-05-13")
    company.spends("2026-05-20", **EACH, fay=3)
    forget_old(company.engine, instant("2026-07-20"))
    left = f"SELECT count(*) FROM person_days WHERE person_key = '{company.people['fay']}'"
    assert total(company, left) == 1
    forget_old(company.engine, instant("2027-07-20"))
    assert total(company, left) == 0


def test_a_switch_in_mid_week_counts_from_the_next_monday(company):
    """Fay joins in week 21: her pull request and spend of that week are nobody's, those of week 22 are hers."""
    only(company, "2026-05-18")
    company.joins("fay", at="2026-05-20")
    merge_one_each(company, 11, "2026-05-19", "2026-05-22", f"{FIVE} fay")
    company.quiet_days("2026-05-18", "2026-05-24", **EACH, fay=2)
    assert only(company, "2026-05-25").merged == 5
    merge_one_each(company, 21, "2026-05-26", "2026-05-29", f"{FIVE} fay")
    company.quiet_days("2026-05-25", "2026-05-31", **EACH, fay=2)
    assert only(company, "2026-06-01").merged == 6
    fays = f"SELECT min(day) FROM bookings WHERE person_key = '{company.people['fay']}'"
    with reading(company.engine) as session:
        assert str(session.execute(text(fays)).scalar_one()) == "2026-05-26"


def test_a_merge_from_more_than_eight_weeks_ago_makes_nobody_a_contributor(company):
    company.joins("fay", at="2026-05-13")
    company.pull(9, "fay", commits={"fay": "2026-03-02"}, opened="2026-03-02", merged="2026-03-20")
    company.quiet_days("2026-04-20", "2026-05-17", **EACH, fay=2)
    only(company, "2026-05-18")
    assert total(company, f"SELECT count(*) FROM bookings WHERE person_key = '{company.people['fay']}'") == 0


@pytest.mark.parametrize(("missing", "shown"), [(5, True), (6, False)])
def test_a_block_with_up_to_a_fifth_of_its_days_missing_is_shown(engine, missing, shown):
    company = SmallCompany(engine, FIVE)
    company.joins(FIVE, at="2026-05-13")
    company.quiet_days(f"2026-04-{20 + missing}", "2026-05-17", **EACH)
    merge_one_each(company, 1, "2026-05-11", "2026-05-14")
    (block,) = company.monday("2026-05-18").blocks
    assert isinstance(block, Published) is shown


def test_the_share_of_the_bill_counts_people_and_services_and_is_silent_about_a_few_of_other_teams(company):
    """Bill of four weeks: five people 28 x 10 x 0.9 = 252, CI 36 (explained: 288), others 12 of 300: over 75 %. One
    joined stranger of another team is one to four people outside: nothing is said."""
    company.spends("2026-05-13", **EACH, ci=40, unnamed=12)
    assert only(company, "2026-05-18").explained_band == "over 75 %"
    other = SmallCompany(company.engine, "zoe", name="other")
    other.joins("zoe", at="2026-05-13")
    company.quiet_days("2026-05-18", "2026-05-24", **EACH, zoe=1)
    assert only(company, "2026-05-25").explained_band is None
