"""Reference cards from books in a real database, against numbers made by hand."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy import text

from bot.domain.card_levels import Level, Reference
from bot.domain.metrics.size import SizeClass
from bot.domain.privacy.gate import Rule
from bot.domain.weeks import Week, epoch_start
from bot.store import pulls
from bot.store.db import reading
from bot.usecases.consent import leave
from bot.usecases.reference_card import ensure_cards, reference
from tests.company import DOLLAR, SmallCompany, instant

FIVE = "ann bo cy di ed"
OTHERS = "fay gil hal ida jon"
POSTED = "2026-05-18"
NEXT_EPOCH = "2026-05-25"


def test_the_days_of_these_tests_are_where_they_are_meant_to_be():
    assert epoch_start(Week(date(2026, 5, 18))) == Week(date(2026, 4, 27))
    assert epoch_start(Week(date(2026, 5, 25))) == Week(date(2026, 5, 25))


@pytest.fixture
def company(engine) -> SmallCompany:
    """Ten pull requests of 40 lines by five people, two each, merged in the first block; each has one commit day of its
    own, on which its author spent 1 to 10 dollars."""
    company = SmallCompany(engine, FIVE)
    company.joins(FIVE, at="2026-05-13")
    company.quiet_days("2026-04-20", "2026-05-17")
    for number in range(1, 11):
        name = FIVE.split()[number % 5]
        day = "2026-05-04" if number <= 5 else "2026-05-05"
        company.pull(number, name, commits={name: day}, merged="2026-05-12")
    company.spends("2026-05-04", **{FIVE.split()[number % 5]: number for number in range(1, 6)})
    company.spends("2026-05-05", **{FIVE.split()[number % 5]: number for number in range(6, 11)})
    return company


def made(company: SmallCompany, day: str) -> bool:
    return ensure_cards(company.engine, company.team, Rule(), instant(f"{day} 10:30"))


def said(company: SmallCompany, day: str, number: int = 1) -> Reference | None:
    with reading(company.engine) as session:
        pull = pulls.by_id(session, [f"PR_{number}"])[f"PR_{number}"]
        return reference(session, company.team, pull, instant(f"{day} 10:30"))


def rows(company: SmallCompany) -> list[tuple[Any, ...]]:
    with reading(company.engine) as session:
        return [tuple(row) for row in session.execute(text("SELECT * FROM cards ORDER BY epoch, repository, size"))]


def test_the_first_card_is_made_of_the_first_block(company):
    """By hand: 1 to 10 dollars, median 5.5, quartiles 3.25 and 7.75: on the grid 3 and 8."""
    company.monday(POSTED)
    assert made(company, POSTED)
    found = said(company, POSTED)
    assert found
    assert (found.level, found.size) == (Level.REPOSITORY, SizeClass.M)
    assert found.card.lower_quartile == Fraction(3 * DOLLAR)
    assert found.card.upper_quartile == Fraction(8 * DOLLAR)


def test_before_the_first_block_there_is_no_card(company):
    assert not made(company, POSTED)
    assert said(company, POSTED) is None
    assert rows(company) == []


def test_a_card_is_made_once_and_never_changed(company):
    company.monday(POSTED)
    assert made(company, POSTED)
    before = rows(company)
    company.pull(30, "ann", commits={"ann": "2026-05-04"}, merged="2026-05-12")
    leave(company.engine, company.people["ann"], instant(f"{POSTED} 11:00"))
    assert not made(company, POSTED)
    assert rows(company) == before


def test_seven_pull_requests_are_silent_and_stay_so_all_epoch(engine):
    company = SmallCompany(engine, FIVE)
    company.joins(FIVE, at="2026-05-13")
    company.quiet_days("2026-04-20", "2026-05-17", ann=2, bo=2, cy=2, di=2, ed=2)
    for number in range(1, 8):
        name = FIVE.split()[number % 5]
        company.pull(number, name, commits={name: "2026-05-04"}, merged="2026-05-12")
    company.monday(POSTED)
    assert made(company, POSTED)
    assert said(company, POSTED) is None
    [row] = rows(company)
    assert row[-2:] == (None, None)
    assert not made(company, POSTED)


def test_another_size_is_silent_while_a_finer_level_speaks(company):
    company.monday(POSTED)
    made(company, POSTED)
    with reading(company.engine) as session:
        pull = pulls.by_id(session, ["PR_1"])["PR_1"]
        for other in (replace(pull, lines=400), replace(pull, repository_id="R_2")):
            assert reference(session, company.team, other, instant(f"{POSTED} 10:30")) is None


def test_a_new_epoch_waits_for_its_last_block_and_says_what_the_last_one_said_until_then(company):
    company.monday(POSTED)
    made(company, POSTED)
    assert not made(company, NEXT_EPOCH)
    assert said(company, NEXT_EPOCH) == said(company, POSTED)


def test_two_epochs_share_no_pull_request(company):
    """In the new epoch nothing new was merged: although corrections of all ten are in its books, there is no card."""
    company.monday(POSTED)
    made(company, POSTED)
    company.quiet_days("2026-05-18", "2026-05-24", ann=1, bo=1, cy=1, di=1, ed=1)
    for day in ("2026-05-04", "2026-05-05"):
        company.spends(day, ann=50, bo=50, cy=50, di=50, ed=50)
    company.monday(NEXT_EPOCH)
    assert made(company, NEXT_EPOCH)
    with reading(company.engine) as session:
        corrected = session.execute(text("SELECT count(*) FROM bookings WHERE week = '2026-05-18' AND part = 'direct'"))
        assert corrected.scalar_one() > 0
    assert said(company, NEXT_EPOCH) is None
    assert len(rows(company)) == 2


def test_an_old_card_does_not_outlive_the_next_epoch(company):
    company.monday(POSTED)
    made(company, POSTED)
    assert said(company, "2026-06-21") is not None
    assert said(company, "2026-06-22") is None


def test_who_left_before_a_card_is_made_is_not_in_it(company):
    company.monday(POSTED)
    leave(company.engine, company.people["ann"], instant(f"{POSTED} 10:10"))
    assert made(company, POSTED)
    assert said(company, POSTED) is None


def at_work(company: SmallCompany, names: str, numbers: range) -> None:
    """Everybody of the team merges in turn; each pull request has a commit on 4 May."""
    people = names.split()
    for number in numbers:
        name = people[number % len(people)]
        company.pull(number, name, commits={name: "2026-05-04"}, merged="2026-05-12")


def test_another_teams_books_are_not_in_it(engine):
    """Seven of ours and eight of theirs: ours are silent, theirs are not."""
    ours, theirs = SmallCompany(engine, FIVE), SmallCompany(engine, OTHERS, name="other")
    ours.joins(FIVE, at="2026-05-13")
    theirs.joins(OTHERS, at="2026-05-13")
    ours.quiet_days("2026-04-20", "2026-05-17", **dict.fromkeys(f"{FIVE} {OTHERS}".split(), 2))
    at_work(ours, FIVE, range(1, 8))
    at_work(theirs, OTHERS, range(11, 19))
    for company in (ours, theirs):
        company.monday(POSTED)
    assert made(ours, POSTED)
    assert made(theirs, POSTED)
    assert said(ours, POSTED) is None
    assert said(theirs, POSTED, 11) is not None


def test_work_that_was_not_recognised_as_direct_is_not_in_it(engine):
    """Seven pull requests and one that takes another back: eight would pass."""
    company = SmallCompany(engine, FIVE)
    company.joins(FIVE, at="2026-05-13")
    company.quiet_days("2026-04-20", "2026-05-17", **dict.fromkeys(FIVE.split(), 2))
    at_work(company, FIVE, range(1, 8))
    company.pull(8, "ed", commits={"ed": "2026-05-04"}, merged="2026-05-12", reverts=1)
    company.monday(POSTED)
    assert made(company, POSTED)
    assert said(company, POSTED) is None


def test_a_stricter_rule_is_kept(company):
    company.monday(POSTED)
    assert ensure_cards(company.engine, company.team, Rule(k=6), instant(f"{POSTED} 10:30"))
    assert said(company, POSTED) is None


def test_cards_are_made_once_when_several_want_to(company):
    company.monday(POSTED)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: made(company, POSTED), range(4)))
    assert results.count(True) == 1
    assert len(rows(company)) == 1
