"""The company's own prices, discounts, plans, and the organisation's line."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest

from bot.domain.model import AccountDay, Actor, ActorKind, Request, SpendRow, Tokens
from bot.domain.prices import (
    AccountSums,
    Plan,
    Priced,
    Rate,
    Reconciliation,
    Terms,
    UnitPrices,
    on_terms,
    reconcile,
    seat_fee,
    unpriced,
)

DAY = date(2026, 11, 2)
DOLLAR = 1_000_000
ANN = Actor(ActorKind.USER, "ann")
FLAT = UnitPrices(
    fresh=2 * DOLLAR, output=10 * DOLLAR, cache_read=DOLLAR // 5, cache_write_5m=3 * DOLLAR, cache_write_1h=4 * DOLLAR
)
MILLION = Tokens(fresh=1_000_000)


def rate(model: str = "*", account: str | None = None, prices: UnitPrices | None = None, off: str = "0") -> Rate:
    return Rate(model, account, prices, Fraction(off))


def day(
    *rows: SpendRow, billed: int | None = None, listed: int | None = None, credits: int | None = None
) -> AccountDay:
    return AccountDay("acme", DAY, billed, listed, rows, credits_milli=credits)


def row(model: str, listed: int | None, billed: int | None, tokens: Tokens = MILLION) -> SpendRow:
    return SpendRow(ANN, model, tokens, 1, listed, billed)


def test_every_kind_of_token_has_its_own_price():
    # 1,000 each: fresh 0.002, write 5m 0.003, 1h 0.004, read 0.0002, output and reasoning 0.01 each = 0.0292 dollars
    assert FLAT.of(Tokens(1000, 1000, 1000, 1000, 1000, 1000)) == 29_200


def test_a_price_of_the_companys_own_beats_every_list_figure():
    terms = Terms((rate("acme-*", prices=FLAT),))
    (priced,) = on_terms(day(row("ACME-coder", 77, 5)), terms).rows
    assert (priced.list_micro, priced.billed_micro) == (2 * DOLLAR, 5)


def test_a_price_says_nothing_of_rows_without_tokens():
    """A source that tells money and no tokens would otherwise be free of charge."""
    (priced,) = on_terms(day(row("m", 77, 5, Tokens())), Terms((rate("*", prices=FLAT),))).rows
    assert priced.list_micro == 77


def test_a_price_is_of_one_source_where_it_says_so_and_of_its_gateways_accounts():
    terms = Terms((rate("m", "litellm", FLAT),))
    assert terms.prices("litellm:aws", "m") == FLAT
    assert terms.prices("cursor", "m") is None


def test_what_is_only_billed_has_its_list_amount_by_the_discount():
    # 85 cents billed at 15 % off are a dollar at list price
    terms = Terms((rate(account="acme", off="15/100"),))
    found = on_terms(day(row("m", None, 850_000), billed=1_700_000), terms)
    assert (found.rows[0].list_micro, found.list_micro) == (DOLLAR, 2 * DOLLAR)
    without = on_terms(day(row("m", None, 850_000), billed=1_700_000), Terms())
    assert (without.rows[0].list_micro, without.list_micro) == (850_000, 1_700_000)


def test_what_the_source_says_itself_stays():
    found = on_terms(day(row("m", 9, 8), billed=8, listed=9), Terms((rate(off="1/2"),)))
    assert (found.rows[0].list_micro, found.list_micro, found.billed_micro) == (9, 9, 8)


def test_credits_are_billed_at_what_a_credit_costs_and_otherwise_at_nothing_known():
    # 73.5 credits of 2.25 dollars = 165.375 dollars
    terms = Terms(plans=(Plan("acme", None, None, 2_250_000),))
    assert on_terms(day(credits=73_500), terms).billed_micro == 165_375_000
    assert on_terms(day(credits=73_500), Terms()).billed_micro is None


def test_a_model_without_any_amount_is_named_and_never_free():
    found = day(row("known", 5, 5), row("unheard-of", None, None), row("known", None, None), row("free", 0, 0))
    assert unpriced(found) == {"unheard-of"}
    assert [one.list_micro for one in on_terms(found, Terms()).rows] == [5, None, None, 0]
    assert unpriced(day(row("idle", None, None, Tokens()))) == frozenset()


class Book:
    def price(self, request: Request) -> int | None:
        return 7 if request.model == "known" else None


def test_a_request_is_priced_by_the_companys_own_price_first_and_then_by_the_book():
    priced = Priced(Terms((rate("own", prices=FLAT),)), Book())
    at = datetime(2026, 11, 2, tzinfo=UTC)
    found = [priced.price(Request(model, None, at, MILLION)) for model in ("own", "known", "other")]
    assert found == [2 * DOLLAR, 7, None]


@pytest.mark.parametrize("month", [date(2026, 2, 1), date(2026, 11, 1), date(2026, 12, 1), date(2028, 2, 1)])
def test_the_days_of_a_month_come_to_the_months_seats_exactly(month):
    days = [month + timedelta(days=number) for number in range(monthrange(month.year, month.month)[1])]
    fees = [seat_fee(7, 39_000_001, one) for one in days]
    assert sum(fees) == 7 * 39_000_001
    assert max(fees) - min(fees) <= 1


def test_the_organisations_line_keeps_usage_seats_and_refunds_apart():
    terms = Terms(plans=(Plan("copilot", 30 * DOLLAR, None, None), Plan("chat", 60 * DOLLAR, 2, None)))
    days = [
        AccountSums("copilot", DAY, 5 * DOLLAR, 20 * DOLLAR, 0, seats=10),
        AccountSums("cloud", DAY, 50 * DOLLAR, 60 * DOLLAR, -9 * DOLLAR, seats=None),
    ]
    line = reconcile(days, terms, DAY, DAY)
    # November has 30 days: 10 seats of 30 dollars are 10 dollars a day, 2 of 60 are 4
    assert line == Reconciliation(80 * DOLLAR, 55 * DOLLAR, 14 * DOLLAR, -9 * DOLLAR)
    assert line.billed_micro == 60 * DOLLAR
    assert line.plan_factor == Fraction(60, 80)


def test_without_a_list_price_there_is_no_plan_factor():
    assert reconcile([], Terms(), DAY, DAY).plan_factor is None


def test_what_nothing_was_billed_for_is_unpriced_and_not_free():
    """As a gateway tells of a model that it has no price for."""
    found = on_terms(day(row("unheard-of", None, 0), row("idle", None, 0, Tokens())), Terms())
    assert [one.list_micro for one in found.rows] == [None, 0]
    assert unpriced(found) == {"unheard-of"}


def test_a_price_of_one_source_is_not_of_others_requests():
    priced = Priced(Terms((rate("own", "cursor", FLAT),)), Book())
    assert priced.price(Request("own", None, datetime(2026, 11, 2, tzinfo=UTC), MILLION)) is None


def test_the_days_total_at_list_price_follows_its_rows():
    """A price of the company's own, 2 dollars instead of 9 micro-dollars; and half off one model of two."""
    own = on_terms(day(row("m", 9, 8), row("other", 5, 5), billed=13, listed=14), Terms((rate("m", prices=FLAT),)))
    assert own.list_micro == 2 * DOLLAR + 5
    half = on_terms(
        day(row("gpt-5", None, 100), row("other", None, 30), billed=140), Terms((rate("gpt-*", off="1/2"),))
    )
    assert (half.rows[0].list_micro, half.list_micro) == (200, 200 + 30 + 10)


def test_a_total_that_the_source_told_is_not_added_to_for_a_row_that_it_did_not_list():
    """14 are all of the day, the row that only was billed included: at no discount nothing changes, at half off that
    row's list amount is 10 and not 5, and at 2 dollars for its tokens that price is in the place of the 5."""
    told = day(row("m", None, 5), row("other", 9, 8), billed=13, listed=14)
    half, own = Terms((rate("m", off="1/2"),)), Terms((rate("m", prices=FLAT),))
    found = [on_terms(told, terms) for terms in (Terms(), half, own)]
    assert [(one.rows[0].list_micro, one.list_micro) for one in found] == [
        (5, 14),
        (10, 19),
        (2 * DOLLAR, 14 + 2 * DOLLAR - 5),
    ]


def test_a_price_of_the_companys_own_for_what_a_gateway_could_not_price_is_in_the_days_total():
    found = on_terms(day(row("m", None, 0), billed=0, listed=0), Terms((rate("m", prices=FLAT),)))
    assert (found.rows[0].list_micro, found.list_micro) == (2 * DOLLAR, 2 * DOLLAR)


def test_seats_are_paid_for_on_days_that_nobody_read():
    """10 seats of 30 dollars are told on two days of November: 30 days of 10 dollars."""
    plan = Plan("copilot", 30 * DOLLAR, None, None)
    told = [AccountSums("copilot", date(2026, 11, number), 0, 0, 0, 10) for number in (3, 20)]
    found = reconcile(told, Terms(plans=(plan,)), date(2026, 11, 1), date(2026, 11, 30))
    assert found.fees_micro == 300 * DOLLAR
