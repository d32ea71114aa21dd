"""FOCUS exports become account-days. Sums are made by hand: a dollar is 1,000,000 micro-dollars."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from bot.domain.model import AccountDay
from integrations.spend.focus import ACCOUNTS, read
from integrations.spend.focus.charges import account_of
from tests.integrations.spend.focus_rows import (
    MONDAY,
    NOW,
    SAMPLES,
    SUNDAY,
    TUESDAY,
    WEDNESDAY,
    billed,
    days,
    export,
    only,
)

MONTH = {"ChargePeriodStart": "2026-11-01T00:00:00Z", "ChargePeriodEnd": "2026-12-01T00:00:00Z"}
LATER = datetime(2026, 12, 5, tzinfo=UTC)


def test_a_bill_of_aws_in_version_1_0():
    bill = read(SAMPLES / "focus_1.0_aws.csv", NOW)
    # The tax of the month is $3.00: 3,000,000 / 30 = 100,000 a day. EC2 and S3 are left out.
    assert (bill.rows, bill.left_out) == (12, 2)
    assert bill.days == (
        # October's correction of -$2.00 is on November's bill, so it counts on its first day
        AccountDay("aws", SUNDAY, 100_000, 100_000, (), adjustment_micro=-2_000_000),
        # 1.2345678901 + 2.9784321099 = 4.213, list 1.5 + 3.0 = 4.5; the second is a Bedrock model that AWS files under
        # its marketplace, category Other; a credit of -$1.50
        AccountDay("aws", MONDAY, 4_313_000, 4_600_000, (), adjustment_micro=-1_500_000),
        # three hours of $0.0000004 are $0.0000012, which is 1; provisioned throughput for $60.00, which covered usage
        # of $2.50 at list price
        AccountDay("aws", TUESDAY, 60_100_001, 60_100_001, (), covered_micro=2_500_000),
        AccountDay("aws", WEDNESDAY, 100_000, 100_000, ()),
    )


def test_a_bill_of_azure_in_version_1_1():
    bill = read(SAMPLES / "focus_1.1_azure.csv", NOW)
    # Provisioned throughput for the month, $100.00: 100,000,000 / 30 = 3,333,333, and the first day has the 10 that are
    # left over; list $110.00: 3,666,666 and 20
    assert (bill.rows, bill.left_out) == (6, 1)
    assert bill.days == (
        AccountDay("azure", SUNDAY, 3_333_343, 3_666_686, ()),
        AccountDay("azure", MONDAY, 4_213_000 + 3_333_333, 4_500_000 + 3_666_666, ()),
        # 1.10 + 0.40; no list price of the first, so none of the day; the rounding of an invoice is an adjustment
        AccountDay("azure", TUESDAY, 1_500_000 + 3_333_333, None, (), adjustment_micro=10_000),
        AccountDay("azure", WEDNESDAY, 3_333_333, 3_666_666, ()),
    )


def test_a_bill_of_several_providers_in_version_1_2():
    bill = read(SAMPLES / "focus_1.2_saas.csv", NOW)
    assert (bill.rows, bill.left_out) == (6, 1)
    assert bill.days == (
        AccountDay("anthropic", MONDAY, 12_391_380, 13_768_200, ()),
        AccountDay("openai", MONDAY, 7_500_000, 7_500_000, (), adjustment_micro=-2_500_000),
        # priced in 2,000 credits, billed as $20.00
        AccountDay("focus:acme-coder-inc", TUESDAY, 20_000_000, 25_000_000, ()),
        AccountDay("gcp", TUESDAY, 1_250_000, 1_250_000, ()),
    )


def test_nobody_and_no_tag_is_read():
    told = repr(read(SAMPLES / "focus_1.0_aws.csv", NOW))
    assert "ana" in (SAMPLES / "focus_1.0_aws.csv").read_text(encoding="utf-8")
    assert "ana" not in told
    assert "checkout" not in told


@pytest.mark.parametrize(
    ("provider", "account"),
    [
        ("AWS", "aws"),
        ("Amazon Web Services", "aws"),
        ("Microsoft", "azure"),
        ("Azure", "azure"),
        ("Google Cloud", "gcp"),
        ("GCP", "gcp"),
        ("Google", "gcp"),
        ("ANTHROPIC", "anthropic"),
        (" OpenAI ", "openai"),
        ("Nebius B.V.", "focus:nebius-b-v"),
        ("深度求索", "focus:other"),
    ],
)
def test_each_provider_has_its_account(tmp_path, provider, account):
    assert only(export(tmp_path, {"ProviderName": provider})).account == account


def test_accounts_are_found_in_lower_case():
    assert all(name == name.casefold() for name in ACCOUNTS)


@pytest.mark.parametrize(
    ("category", "service", "is_ai"),
    [
        ("AI and Machine Learning", "Amazon Rekognition", True),
        ("ai and machine learning", "Anything", True),
        ("Other", "Claude Opus 5 (Amazon Bedrock Edition)", True),
        ("Developer Tools", "Amazon Q Developer", True),
        ("Analytics", "Amazon QuickSight", False),
        ("Databases", "Amazon Quantum Ledger Database", False),
        ("Web", "Vertex AI", True),
        ("Other", "Gemini API", True),
        ("Other", "Azure OpenAI", True),
        ("Compute", "Amazon Elastic Compute Cloud", False),
        ("", "", False),
    ],
)
def test_only_ai_is_kept_and_the_rest_is_counted(tmp_path, category, service, is_ai):
    bill = read(export(tmp_path, {"ServiceCategory": category, "ServiceName": service}), NOW)
    assert (bill.rows, bill.left_out, len(bill.days)) == ((1, 0, 1) if is_ai else (1, 1, 0))


def test_rows_that_are_not_about_ai_are_not_looked_at(tmp_path):
    machine = {"ServiceCategory": "Compute", "ServiceName": "VM", "BilledCost": "?", "BillingCurrency": "EUR"}
    assert billed(read(export(tmp_path, machine, {}), NOW)) == {MONDAY: 1_000_000}


def test_what_sells_only_ai_is_ai_whatever_it_is_filed_under(tmp_path):
    tax = {"ProviderName": "Anthropic", "ServiceCategory": "Other", "ServiceName": "Sales tax", "ChargeCategory": "Tax"}
    assert only(export(tmp_path, tax)).billed_micro == 1_000_000


@pytest.mark.parametrize("category", ["Usage", "Purchase", "Tax"])
def test_usage_purchases_and_tax_are_the_bill(tmp_path, category):
    day = only(export(tmp_path, {"ChargeCategory": category}))
    assert (day.billed_micro, day.list_micro, day.adjustment_micro) == (1_000_000, 2_000_000, 0)


@pytest.mark.parametrize(
    "refund",
    [
        {"ChargeCategory": "Credit"},
        {"ChargeCategory": "Adjustment"},
        {"ChargeCategory": "Usage", "ChargeClass": "Correction"},
        {"ChargeCategory": "Purchase", "ChargeClass": "Correction"},
        {"ChargeCategory": "Purchase"},  # taken back in the same billing period
        {"ChargeCategory": "Tax"},
    ],
)
def test_what_is_given_back_is_an_adjustment_and_never_the_bill(tmp_path, refund):
    day = only(export(tmp_path, {}, refund | {"BilledCost": "-0.25", "ListCost": "-0.25"}))
    assert (day.billed_micro, day.list_micro, day.adjustment_micro) == (1_000_000, 2_000_000, -250_000)


def test_a_correction_upwards_is_billed(tmp_path):
    assert only(export(tmp_path, {"ChargeClass": "Correction"})).billed_micro == 1_000_000


def test_a_day_of_credits_only_billed_nothing(tmp_path):
    day = only(export(tmp_path, {"ChargeCategory": "Credit", "BilledCost": "-5", "ListCost": "-5"}))
    assert (day.billed_micro, day.list_micro, day.adjustment_micro) == (0, 0, -5_000_000)


def test_what_a_commitment_covers_is_not_on_the_list_twice(tmp_path):
    bought = {"ChargeCategory": "Purchase", "BilledCost": "60", "ListCost": "60"}
    used = {"BilledCost": "0", "ListCost": "70", "CommitmentDiscountStatus": "Used"}
    unused = {"BilledCost": "0", "ListCost": "9", "CommitmentDiscountStatus": "Unused"}
    day = only(export(tmp_path, bought, used, unused))
    assert (day.billed_micro, day.list_micro, day.covered_micro) == (60_000_000, 60_000_000, 70_000_000)


def test_a_sum_is_unknown_if_a_part_is(tmp_path):
    unknown = {"ListCost": "NULL"}
    covered = {"BilledCost": "0", "ListCost": "", "CommitmentDiscountStatus": "Used"}
    day = only(export(tmp_path, {}, unknown, {}, covered))
    assert (day.billed_micro, day.list_micro, day.covered_micro) == (3_000_000, None, None)


def test_sums_are_exact_before_they_are_rounded(tmp_path):
    # 10,000 hours of $0.00000049 are $0.0049; each alone would be rounded to 0. And $0.1 + $0.2 is $0.3.
    tiny = [{"BilledCost": "0.00000049", "ListCost": "4.9E-7"}] * 10_000
    day = only(export(tmp_path, *tiny, {"BilledCost": "0.1"}, {"BilledCost": "0.2"}))
    assert (day.billed_micro, day.list_micro) == (4_900 + 300_000, 4_900 + 4_000_000)


@pytest.mark.parametrize("cost", ["100.00", "0.000001", "0.00003", "-7.777777", "123456.789012"])
@pytest.mark.parametrize(("month", "length"), [(11, 30), (10, 31), (2, 28)])
def test_a_charge_of_a_month_is_spread_over_its_days_to_the_micro_dollar(tmp_path, cost, month, length):
    first, end = date(2026, month, 1), date(2026, month, 1) + timedelta(days=length)
    time = {"Start": f"{first}T00:00:00Z", "End": f"{end}T00:00:00Z"}
    row = {f"{period}Period{edge}": at for period in ("Billing", "Charge") for edge, at in time.items()}
    bill = read(export(tmp_path, row | {"ChargeCategory": "Credit", "BilledCost": cost}), LATER)
    shares = [day.adjustment_micro for day in bill]
    assert [day.day for day in bill] == [first + timedelta(days=number) for number in range(length)]
    assert sum(shares) == int(Decimal(cost) * 1_000_000)
    assert len(set(shares[1:])) == 1


def test_a_monthly_fee_counts_up_to_today(tmp_path):
    # 30,000,000 / 30 = 1,000,000 a day; Wednesday is running
    fee = MONTH | {"ChargeCategory": "Purchase", "BilledCost": "30", "ListCost": "30"}
    bill = read(export(tmp_path, fee), NOW)
    assert billed(bill) == dict.fromkeys((SUNDAY, MONDAY, TUESDAY, WEDNESDAY), 1_000_000)
    assert not any(day.rejected for day in bill)
    assert sum(day.billed_micro or 0 for day in read(export(tmp_path, fee), LATER)) == 30_000_000


def test_a_year_in_advance_is_spread_over_the_month_that_it_is_billed_in(tmp_path):
    year = {"ChargePeriodStart": "2026-11-01T00:00:00Z", "ChargePeriodEnd": "2027-11-01T00:00:00Z"}
    bill = read(export(tmp_path, year | {"ChargeCategory": "Purchase", "BilledCost": "300"}), LATER)
    # 300,000,000 / 30 = 10,000,000 a day, and nothing of it in December, which another file replaces
    assert billed(bill) == {date(2026, 11, day): 10_000_000 for day in range(1, 31)}


def test_a_file_never_gives_a_day_of_another_billing_period(tmp_path):
    late = {"ChargePeriodStart": "2026-10-20T00:00:00Z", "ChargePeriodEnd": "2026-10-21T00:00:00Z"}
    early = {"ChargePeriodStart": "2026-12-01T00:00:00Z", "ChargePeriodEnd": "2026-12-02T00:00:00Z"}
    across = {"ChargePeriodStart": "2026-10-30T00:00:00Z", "ChargePeriodEnd": "2026-11-03T00:00:00Z", "BilledCost": "4"}
    given = billed(read(export(tmp_path, late, early, across), LATER))
    assert (min(given), max(given)) == (date(2026, 11, 1), date(2026, 11, 30))
    # late 1 and half of the four dollars; the other half; nothing between; early 1
    assert {day: micro for day, micro in given.items() if micro} == {
        SUNDAY: 3_000_000,
        MONDAY: 2_000_000,
        date(2026, 11, 30): 1_000_000,
    }


@pytest.mark.parametrize(
    ("october", "november"),
    [
        # a billing month of the Pacific, and the usage of an hour on each side of its end
        (("2026-10-01T07:00:00Z", "2026-11-01T07:00:00Z"), ("2026-11-01T07:00:00Z", "2026-12-01T08:00:00Z")),
        # of Tokyo
        (("2026-09-30T15:00:00Z", "2026-10-31T15:00:00Z"), ("2026-10-31T15:00:00Z", "2026-11-30T15:00:00Z")),
        # an end that is the last second
        (("2026-10-01T00:00:00Z", "2026-10-31T23:59:59Z"), ("2026-11-01T00:00:00Z", "2026-11-30T23:59:59Z")),
    ],
)
def test_two_billing_periods_share_no_day(tmp_path, october, november):
    def month(period: tuple[str, str], start: str) -> set[date]:
        rows = {"BillingPeriodStart": period[0], "BillingPeriodEnd": period[1]}
        last = {"ChargePeriodStart": start, "ChargePeriodEnd": start}
        return set(billed(read(export(tmp_path, rows | last), LATER)))

    # The last hour of one and the first hour of the other may be hours of one UTC day.
    assert month(october, "2026-11-01T06:00:00Z") == {date(2026, 10, 31)}
    assert month(november, "2026-11-01T07:00:00Z") == {SUNDAY}


def test_days_between_two_charges_cost_nothing(tmp_path):
    later = {"ChargePeriodStart": "2026-11-04T00:00:00Z", "ChargePeriodEnd": "2026-11-04T01:00:00Z"}
    bill = read(export(tmp_path, later, {}), NOW)
    assert billed(bill) == {MONDAY: 1_000_000, TUESDAY: 0, WEDNESDAY: 1_000_000}
    assert bill.days[1] == AccountDay("aws", TUESDAY, 0, 0, ())


def test_days_between_two_billing_periods_are_not_given(tmp_path):
    september = {
        "BillingPeriodStart": "2026-09-01T00:00:00Z",
        "BillingPeriodEnd": "2026-10-01T00:00:00Z",
        "ChargePeriodStart": "2026-09-29T00:00:00Z",
        "ChargePeriodEnd": "2026-09-30T00:00:00Z",
    }
    assert billed(read(export(tmp_path, {}, september), NOW)) == {date(2026, 9, 29): 1_000_000, MONDAY: 1_000_000}


def test_rows_come_in_any_order_and_days_oldest_first(tmp_path):
    sunday = {"ChargePeriodStart": "2026-11-01T00:00:00Z", "ChargePeriodEnd": "2026-11-01T01:00:00Z"}
    other = sunday | {"ProviderName": "Microsoft"}
    bill = read(export(tmp_path, {}, other, {"ProviderName": "GCP"}, {}), NOW)
    assert [(day.day, day.account) for day in bill] == [
        (SUNDAY, "azure"),
        (MONDAY, "aws"),
        (MONDAY, "gcp"),
    ]
    assert days(tmp_path / "bill.csv")["aws", MONDAY].billed_micro == 2_000_000


@pytest.mark.parametrize(
    ("start", "day"),
    [
        ("2026-11-02T00:00:00Z", MONDAY),
        ("2026-11-02T23:59:59.999Z", MONDAY),
        ("2026-11-02T00:00Z", MONDAY),
        ("2026-11-02", MONDAY),
        ("2026-11-02 00:00:00", MONDAY),
        ("2026-11-02 00:00:00 UTC", MONDAY),
        ("2026-11-02 10:00:00+00:00", MONDAY),
        ("2026-11-01T23:00:00-05:00", MONDAY),
        ("2026-11-03T01:00:00+09:00", MONDAY),
    ],
)
def test_a_time_is_read_as_exports_write_it_and_counts_on_its_utc_day(tmp_path, start, day):
    assert only(export(tmp_path, {"ChargePeriodStart": start, "ChargePeriodEnd": start})).day == day


def test_an_hour_over_midnight_counts_on_the_day_that_it_began(tmp_path):
    over = {"ChargePeriodStart": "2026-11-02T23:30:00Z", "ChargePeriodEnd": "2026-11-03T00:30:00Z"}
    assert billed(read(export(tmp_path, over), NOW)) == {MONDAY: 1_000_000}


def test_a_whole_day_that_does_not_begin_at_midnight_counts_on_the_day_that_it_began(tmp_path):
    shifted = {"ChargePeriodStart": "2026-11-02T08:00:00Z", "ChargePeriodEnd": "2026-11-03T08:00:00Z"}
    assert billed(read(export(tmp_path, shifted), NOW)) == {MONDAY: 1_000_000}


def test_the_same_file_gives_the_same_days(tmp_path):
    path = export(tmp_path, {}, MONTH)
    assert read(path, NOW) == read(path, NOW)


@pytest.mark.parametrize(
    ("provider", "account"),
    [
        ("Anthropic Ireland, Limited", "anthropic"),
        ("anthropic, PBC", "anthropic"),
        ("OpenAI Ireland Ltd", "openai"),
        ("OpenAI OpCo, LLC", "openai"),
        ("Anysphere, Inc.", "cursor"),
        ("GitHub", "copilot"),
        ("OpenRouter", "openrouter"),
        ("Cognition AI", "devin"),
        ("Cursory Analytics", "focus:cursory-analytics"),
        ("Amazon Web Services, Inc.", "aws"),
    ],
)
def test_who_is_read_by_their_api_as_well_is_known_by_any_of_their_companies_names(provider, account):
    """So that a bill from a file never stands beside what the API told."""
    assert account_of(provider) == account
