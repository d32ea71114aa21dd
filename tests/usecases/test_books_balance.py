"""Over random histories, in a real database, the books balance to the micro-dollar after every step."""

from datetime import date, timedelta
from random import Random

import pytest
from sqlalchemy import text

from bot.store.db import reading
from bot.usecases.consent import leave
from tests.company import SmallCompany, instant

TEAM = "ann bo cy di ed fay"
MONDAY = date(2026, 5, 18)

BILLS = """
    SELECT account_days.day, account_days.billed_micro,
        (SELECT coalesce(sum(billed_micro), 0) FROM person_days WHERE person_days.day = account_days.day)
        + (SELECT coalesce(sum(billed_micro), 0) FROM service_spend WHERE service_spend.day = account_days.day)
        + (SELECT coalesce(sum(billed_micro), 0) FROM remainders WHERE remainders.day = account_days.day)
    FROM account_days
"""
SLICES = """
    SELECT person_days.person_key, person_days.day, person_days.entered_micro,
        (SELECT coalesce(sum(micro), 0) FROM bookings WHERE bookings.day = person_days.day
            AND bookings.person_key = person_days.person_key)
        + (SELECT coalesce(sum(micro), 0) FROM open_work WHERE open_work.day = person_days.day
            AND open_work.person_key = person_days.person_key)
    FROM person_days
"""


@pytest.mark.parametrize("seed", range(5))
def test_every_bill_is_people_service_and_remainder_and_every_slice_is_booked_or_open(engine, seed):
    chance = Random(seed)
    company = SmallCompany(engine, TEAM)
    company.joins(TEAM, at="2026-05-13")
    published = 0
    for week in range(6):
        monday = MONDAY + timedelta(weeks=week)
        report_random_days(company, chance, monday)
        change_random_pulls(company, chance, monday)
        published += len(company.monday(str(monday)).blocks)
        assert_balanced(engine)
        if week == 3:
            leave(engine, company.people["fay"], instant(str(monday)))
            assert_balanced(engine)
    assert published == 6
    assert rows(engine, "SELECT 1, 1, count(*), count(*) FROM bookings")[0][2] > 0


def report_random_days(company, chance, monday):
    """The last three weeks again, each day with a chance of a new or corrected amount for each person."""
    for back in range(28 if monday == MONDAY else 21, 0, -1):
        spent = {name: chance.randrange(0, 40_000_000) / 1_000_000 for name in [*TEAM.split(), "ci", "stranger"]}
        company.spends(str(monday - timedelta(days=back)), unnamed=chance.randrange(5), **spent)


def change_random_pulls(company, chance, monday):
    for number in range(1, 15):
        author = chance.choice(TEAM.split())
        days = " ".join(str(monday - timedelta(days=chance.randrange(1, 15))) for _ in range(3))
        ended = str(monday - timedelta(days=chance.randrange(1, 7)))
        fate = chance.choice([{"merged": ended}, {"closed": ended}, {}])
        company.pull(number + 100 * chance.randrange(3), author, commits={author: days, "ann": days}, **fate)


def assert_balanced(engine):
    for query in (BILLS, SLICES):
        for *key, left, right in rows(engine, query):
            assert left == right, key
    assert not [row for row in rows(engine, BELOW_ZERO) if row[3] < 0]


BELOW_ZERO = "SELECT week, person_key, part, sum(micro) FROM bookings GROUP BY week, person_key, part"


def rows(engine, query):
    with reading(engine) as session:
        return session.execute(text(query)).all()
