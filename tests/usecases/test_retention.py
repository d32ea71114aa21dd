"""What is past its lifetime is deleted; nothing that was recognised comes back."""

import pytest
from sqlalchemy import text

from bot.store.db import reading
from bot.usecases.consent import leave
from bot.usecases.retention import forget_old
from tests.company import DOLLAR, SmallCompany, instant

FIVE = "ann bo cy di ed"


@pytest.fixture
def company(engine) -> SmallCompany:
    """Four weeks of work, its first block published on Monday 18 May 2026."""
    company = SmallCompany(engine, FIVE)
    company.joins(FIVE, at="2026-05-13")
    company.quiet_days("2026-04-20", "2026-05-17", ann=2, bo=2, cy=2, di=2, ed=2)
    for number, name in enumerate(FIVE.split(), start=1):
        company.pull(number, name, commits={name: "2026-05-11"}, merged="2026-05-14", opened="2026-05-11")
    company.monday("2026-05-18")
    return company


def count(company: SmallCompany, table: str) -> int:
    with reading(company.engine) as session:
        return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def days_left(company: SmallCompany) -> list[str]:
    with reading(company.engine) as session:
        return [str(day) for (day,) in session.execute(text("SELECT DISTINCT day FROM person_days ORDER BY day")).all()]


def test_peoples_days_are_kept_for_thirty_five_days(company):
    forget_old(company.engine, instant("2026-05-31"))
    assert days_left(company)[0] == "2026-04-26"


def test_what_was_recognised_is_kept_for_thirteen_weeks(company):
    forget_old(company.engine, instant("2026-08-10"))
    assert count(company, "bookings") > 0
    forget_old(company.engine, instant("2026-08-18"))
    assert count(company, "bookings") == 0
    assert company.block("2026-W20") is not None


def test_a_day_that_was_deleted_is_not_recognised_again_when_it_is_fetched_again(company):
    before = company.block("2026-W20")
    forget_old(company.engine, instant("2026-06-20"))
    company.spends_at("2026-05-11", at="2026-06-20", ann=2, bo=2, cy=2, di=2, ed=2)
    assert "2026-05-11" not in days_left(company)
    assert company.block("2026-W20") == before


def test_a_day_that_is_old_but_still_there_is_left_as_it_is(company):
    company.spends_at("2026-05-11", at="2026-06-20", ann=900)
    with reading(company.engine) as session:
        kept = session.execute(text("SELECT sum(list_micro) FROM person_days WHERE day = '2026-05-11'")).scalar_one()
    assert int(kept) == 10 * DOLLAR


def test_open_work_and_its_split_are_kept_until_it_resolves_or_four_hundred_days(company):
    company.pull(9, "ann", commits={"ann": "2026-05-12"}, opened="2026-05-12")
    company.quiet_days("2026-05-18", "2026-05-24", ann=1, bo=1, cy=1, di=1, ed=1)
    company.monday("2026-05-25")
    open_before = count(company, "open_work")
    forget_old(company.engine, instant("2026-12-31"))
    assert count(company, "open_work") == open_before > 0
    forget_old(company.engine, instant("2027-07-31"))
    assert count(company, "open_work") == 0


def test_public_facts_are_kept_for_four_hundred_days_without_news(company):
    forget_old(company.engine, instant("2027-06-01"))
    assert count(company, "pulls") == count(company, "commit_days") == 5
    forget_old(company.engine, instant("2027-06-20"))
    assert count(company, "pulls") == count(company, "commit_days") == 0


def test_the_consent_log_of_who_left_is_kept_for_three_years(company):
    leave(company.engine, company.people["ann"], instant("2026-06-01"))
    forget_old(company.engine, instant("2029-05-01"))
    assert count(company, "consents") == 12
    forget_old(company.engine, instant("2029-06-02"))
    assert count(company, "consents") == 8
