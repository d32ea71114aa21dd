"""Copilot's bills become account-days: what was billed, what the plan covered, and what nobody can tell."""

from dataclasses import replace
from typing import Any

import pytest

from tests.integrations.spend.contract import billed, given, outcome
from tests.integrations.spend.copilot_org import CASE, CREDITS, PEOPLE, PREMIUM, SEATS, TUESDAY, body, changed, refusing


def test_the_bill_what_the_plan_covers_and_credits_are_kept_apart():
    monday, tuesday = given(CASE)
    assert (monday.list_micro, monday.covered_micro, monday.billed_micro) == (1_000_000, 0, 1_000_000)
    assert (tuesday.list_micro, tuesday.covered_micro, tuesday.billed_micro) == (5_025_000, 4_525_000, 500_000)
    assert (monday.credits_milli, tuesday.credits_milli) == (100_000, 502_500)
    assert {row.billed_micro for row in tuesday.rows} == {None}


def test_a_day_without_a_bill_is_a_day_of_nothing():
    days, error = outcome(CASE, changed(CREDITS, lambda told: told | {"usageItems": []}))
    assert error is None
    assert [(day.billed_micro, day.list_micro, day.credits_milli, day.rows) for day in days] == [(0, 0, 0, ())] * 2
    assert days[1].rejected == {"above_the_bill": 2}


def test_premium_requests_are_billed_beside_credits_and_are_no_credits():
    # the documented 100 requests at 0.04 are 4 dollars
    items = body("premium_request_usage.json")["usageItems"]
    monday, tuesday = given(CASE, changed(PREMIUM, lambda told: told | {"usageItems": items}))
    assert (monday.billed_micro, tuesday.billed_micro) == (5_000_000, 4_500_000)
    assert (monday.credits_milli, tuesday.credits_milli) == (100_000, 502_500)


def test_a_sum_of_a_whole_year_is_not_taken_for_a_day():
    days, error = outcome(CASE, changed(CREDITS, lambda _told: body("ai_credit_usage.json")))  # of 2025
    assert days == []
    assert str(error) == "GitHub Copilot: ai_credit/usage was asked for 2026-11-02 and answered for another time"


def test_a_day_with_an_amount_that_cannot_be_true_is_left_out_and_named():
    def spoiled(told: Any) -> Any:
        first = told["usageItems"][0] | {"netAmount": -1 if told["timePeriod"]["day"] == 2 else 0}
        return told | {"usageItems": [first, *told["usageItems"][1:]]}

    days, error = outcome(CASE, changed(CREDITS, spoiled))
    assert billed(days) == {TUESDAY: 500_000}
    assert str(error) == "GitHub Copilot: amounts of 2026-11-02 cannot be true, so these days were left out"


@pytest.mark.parametrize("status", [403, 404])
def test_without_peoples_reports_and_seats_the_bill_is_still_told(status):
    days, error = outcome(CASE, refusing(status, PREMIUM, PEOPLE, SEATS))
    assert error is None
    assert [(day.billed_micro, day.rows, day.seats) for day in days] == [(1_000_000, (), None), (500_000, (), None)]


def test_a_refused_token_is_told_what_it_lacks():
    days, error = outcome(CASE, refusing(403, CREDITS))
    assert (days, error and error.permanent) == ([], True)
    for needed in ("GITHUB_BILLING_TOKEN", "billing manager", "Administration: read", "manage_billing:copilot"):
        assert needed in str(error)


def test_an_organization_without_enhanced_billing_is_told_so():
    days, error = outcome(CASE, refusing(404, CREDITS))
    assert (days, error and error.permanent) == ([], True)
    assert "GITHUB_BILLING_ORG" in str(error)
    assert "enhanced billing" in str(error)


def test_an_organization_that_is_no_name_is_not_asked_for():
    _, error = outcome(replace(CASE, settings={**CASE.settings, "GITHUB_BILLING_ORG": "acme/../x"}))
    assert "GITHUB_BILLING_ORG is no name" in str(error)
