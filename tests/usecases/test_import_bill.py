"""A bill from a file is stored like any source's, and never beside the same account's own reports."""

from dataclasses import replace
from datetime import date

import pytest

from bot.domain.model import AccountDay
from bot.domain.ports import SourceError
from bot.store import cursors
from bot.store.cursors import SourceKind
from bot.store.db import reading
from bot.usecases.collect import Splitting
from bot.usecases.import_bill import import_bill
from tests.company import DOLLAR, SECRET, instant
from tests.people import dump

NOW = instant("2026-11-04 09:00")
SPLITTING = Splitting(SECRET, frozenset())
MON, TUE = date(2026, 11, 2), date(2026, 11, 3)


def day(account: str, of: date, dollars: int, adjustment: int = 0) -> AccountDay:
    return AccountDay(account, of, dollars * DOLLAR, dollars * DOLLAR, (), adjustment_micro=adjustment * DOLLAR)


def taken_in(engine, *days: AccountDay, read: tuple[str, ...] = ()) -> list[str]:
    return list(import_bill(engine, "march.csv", days, read, SPLITTING, NOW))


def bills(engine) -> dict[str, int]:
    return {
        f"{row['account']} {str(row['day'])[8:10]}": row["billed_micro"] // DOLLAR
        for row in dump(engine, "account_days")
    }


def test_each_account_is_told_with_its_days_and_what_was_billed(engine):
    said = taken_in(engine, day("aws", MON, 3), day("aws", TUE, 4, adjustment=-2), day("gcp", MON, 5))
    assert said == ["aws: 2 days, $7.00 billed", "gcp: 1 day, $5.00 billed"]
    assert bills(engine) == {"aws 02": 3, "aws 03": 4, "gcp 02": 5}


def test_the_same_bill_again_or_a_later_export_of_it_replaces_its_days(engine):
    taken_in(engine, day("aws", MON, 3), day("aws", TUE, 4))
    taken_in(engine, day("aws", TUE, 6))
    assert bills(engine) == {"aws 02": 3, "aws 03": 6}


def test_an_account_that_is_read_from_its_api_is_left_out_and_named(engine):
    said = taken_in(engine, day("anthropic", MON, 3), day("aws", MON, 4), read=("anthropic",))
    assert said[0] == "anthropic: 1 day left out, as `leverage collect anthropic` reads them from its API"
    assert bills(engine) == {"aws 02": 4}


def test_a_bill_without_ai_is_one_clear_line(engine):
    with pytest.raises(SourceError, match=r"^march\.csv: it holds no charge for AI"):
        taken_in(engine)
    assert bills(engine) == {}


def test_rows_that_were_refused_are_told_in_words(engine):
    refused = {"bad_cost": 2, "outside_window": 1, "unreadable": 1}
    assert taken_in(engine, replace(day("aws", MON, 3), rejected=refused)) == [
        "aws: 1 day, $3.00 billed, 2 rows refused (an amount that cannot be true), 1 row refused (of a day to come), "
        "1 row refused (a category of charge that FOCUS does not have)"
    ]


def test_no_digest_waits_for_an_import(engine):
    taken_in(engine, day("aws", MON, 3))
    with reading(engine) as session:
        assert cursors.every(session, SourceKind.SPEND) == []
        assert [one.source for one in cursors.every(session, SourceKind.IMPORT)] == ["aws"]
