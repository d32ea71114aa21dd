"""The clouds' own reports, as they were captured, and what the FOCUS importer makes of the same bills.

Leverage has no client for them: a FOCUS export of each says the same. Its twin in samples/focus is the bill that the
captured report is of, with machines beside it, which are left out.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.domain.model import AccountDay, Request, Tokens
from bot.domain.money import from_dollars
from integrations.prices import ListPrices
from integrations.spend.focus import read
from tests.integrations.spend.focus_rows import MONDAY, NOW, SAMPLES, TUESDAY

PROVIDERS = Path(__file__).parents[2] / "samples" / "providers"


def captured(name):
    return json.loads((PROVIDERS / name).read_text(encoding="utf-8"), parse_float=Decimal)


def by_day(amounts: Iterable[tuple[date, Decimal]]) -> dict[date, int]:
    sums: dict[date, Decimal] = defaultdict(Decimal)
    for day, dollars in amounts:
        sums[day] += dollars
    return {day: from_dollars(total) for day, total in sums.items()}


def test_cost_explorer_comes_to_the_same_days_as_the_export():
    results = [
        result
        for page in ("page1", "page2")
        for result in captured(f"aws/ce_get_cost_and_usage.{page}.json")["ResultsByTime"]
    ]
    groups = [
        (date.fromisoformat(result["TimePeriod"]["Start"]), group["Metrics"]["UnblendedCost"])
        for result in results
        # grouped results have an empty total; a day without a group has a total of its own
        for group in result["Groups"] or [{"Metrics": result["Total"]}]
    ]
    assert {cost["Unit"] for _, cost in groups} == {"USD"}
    api = by_day((day, Decimal(cost["Amount"])) for day, cost in groups)
    # Monday 4.213, Tuesday nothing
    assert api == {MONDAY: 4_213_000, TUESDAY: 0}
    bill = read(SAMPLES / "twin_aws_cost_explorer.csv", NOW)
    # Monday in two hours: 1.213 + 3.000
    assert bill.days == (
        AccountDay("aws", MONDAY, 4_213_000, 4_213_000, ()),
        AccountDay("aws", TUESDAY, 0, 0, ()),
    )
    assert {day.day: day.billed_micro for day in bill} == api
    assert bill.left_out == 1  # EC2


def test_days_of_cost_explorer_are_estimates_until_the_bill_closes():
    # An export of the same days is one as well; a later export of the month replaces them.
    for page in ("page1", "page2"):
        assert all(r["Estimated"] for r in captured(f"aws/ce_get_cost_and_usage.{page}.json")["ResultsByTime"])


def test_the_cost_query_of_azure_comes_to_the_same_days_as_the_export():
    answer = captured("azure/cost_query.json")["properties"]
    names = [column["name"] for column in answer["columns"]]
    rows = [dict(zip(names, row, strict=True)) for row in answer["rows"]]
    assert answer["nextLink"] is None
    assert {row["Currency"] for row in rows} == {"USD"}
    # 20261102 is a number; PreTaxCost leaves out tax, which an export has as rows of its own
    api = by_day((date.fromisoformat(str(row["UsageDate"])), row["PreTaxCost"]) for row in rows)
    assert api == {MONDAY: 4_213_000}
    bill = read(SAMPLES / "twin_azure_cost_query.csv", NOW)
    assert bill.days == (AccountDay("azure", MONDAY, 4_213_000, 4_213_000, ()),)
    assert {day.day: day.billed_micro for day in bill} == api
    assert bill.left_out == 1  # a virtual machine


def test_the_billing_rows_of_google_come_to_the_same_days_as_the_export():
    rows = captured("google/bigquery_billing_rows.json")
    assert {row["currency"] for row in rows} == {"USD"}

    def day(row):
        return datetime.fromisoformat(row["usage_start_time"]).astimezone(UTC).date()

    cost = by_day((day(row), row["cost"]) for row in rows)
    credits = by_day((day(row), credit["amount"]) for row in rows for credit in row["credits"])
    # cost 1.25, a credit of -0.10; together 1.15, which is what is paid
    assert (cost, credits) == ({TUESDAY: 1_250_000}, {TUESDAY: -100_000})
    [given] = bill = read(SAMPLES / "twin_google_bigquery.csv", NOW)
    assert given == AccountDay("gcp", TUESDAY, 1_250_000, 1_250_000, (), adjustment_micro=-100_000)
    assert (given.billed_micro or 0) + given.adjustment_micro == 1_150_000
    assert bill.left_out == 1  # Compute Engine


BODIES = {"inputBodyJson", "outputBodyJson", "inputBodyS3Path", "outputBodyS3Path"}


def bedrock_request(log: dict[str, Any]) -> Request:
    """What is needed of a Bedrock invocation log to price it: no body, no identity."""
    return Request(
        log["modelId"],
        "bedrock",
        datetime.fromisoformat(log["timestamp"]),
        Tokens(
            fresh=log["input"]["inputTokenCount"],
            cache_write_5m=log["input"]["cacheWriteInputTokenCount"],
            cache_read=log["input"]["cacheReadInputTokenCount"],
            output=log["output"]["outputTokenCount"],
        ),
    )


def test_a_request_in_the_log_of_bedrock_has_a_list_price():
    request = bedrock_request(captured("aws/bedrock_invocation_log.json"))
    # The kinds are disjoint: 12,400 of cache are far more than the 35 of input.
    assert request.tokens == Tokens(fresh=35, cache_write_5m=400, cache_read=12_000, output=446)
    # us.anthropic.claude-sonnet-4-5 has regional prices, 10% above the model's own 3 / 3.75 / 0.30 / 15 a million:
    # 35 * 3.30 + 400 * 4.125 + 12,000 * 0.33 + 446 * 16.50 = 115.5 + 1,650 + 3,960 + 7,359 = 13,084.5 micro-dollars
    assert ListPrices().price(request) == 13_085


def test_what_was_said_is_not_needed_of_the_log_of_bedrock():
    log = captured("aws/bedrock_invocation_log.json")
    assert not BODIES & (log["input"].keys() | log["output"].keys())
    with_text = json.loads(json.dumps(log))
    with_text["input"]["inputBodyJson"] = {"messages": [{"role": "user", "content": "my secret"}]}
    with_text["output"]["outputBodyJson"] = {"content": "your secret"}
    assert bedrock_request(with_text) == bedrock_request(log)
    told = repr(bedrock_request(with_text))
    assert "secret" not in told
    assert "ana@example.com" not in told


def test_the_monitoring_of_gemini_code_assist_counts_people_of_a_project_and_no_money():
    [series] = captured("google/monitoring_gemini_code_assist.json")["timeSeries"]
    counts = [int(point["value"]["int64Value"]) for point in series["points"]]
    assert sum(counts) == 14  # people who were active on one day
    assert series["metric"]["type"].endswith("/daily_active_users")
    # It is not read: of a project as a whole, without a person, a token or a dollar, it explains nothing of a bill. Its
    # counts of two days do not even add up, since somebody who was active on both is in both.
    labels = series["metric"]["labels"].keys() | series["resource"]["labels"].keys()
    assert labels == {"product", "resource_container"}


LITELLM = captured("prices/litellm_model_prices.excerpt.json")
KINDS = {
    "input_cost_per_token": "fresh",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write_5m",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "output_cost_per_token": "output",
}
TIERS = {"": None, "_batches": "batch", "_flex": "flex", "_priority": "priority"}
LONG = "_above_272k_tokens"
CASES = [
    (model, kind + long + tier)
    for model in LITELLM
    for kind in KINDS
    for long in ("", LONG)
    for tier in TIERS
    if model != "sample_spec" and kind + long + tier in LITELLM[model]
]


def unit(model: str, provider: str, key: str) -> Decimal:
    """What a token costs by the price book, in dollars: from a request with 1,000 tokens more of one kind."""
    tier = next(tier for tier in sorted(TIERS, key=len, reverse=True) if key.endswith(tier))
    kind = KINDS[key.removesuffix(tier).removesuffix(LONG)]
    base = {"fresh": 300_000 if LONG in key else 0}

    def price(tokens: dict[str, int]) -> int:
        micro = ListPrices().price(Request(model, provider, NOW, Tokens(**tokens), TIERS[tier]))
        assert micro is not None
        return micro

    more = base | {kind: base.get(kind, 0) + 1000}
    return Decimal(price(more) - price(base)) / 1_000_000 / 1000


def test_the_prices_of_litellm_are_there_to_be_compared():
    # The first entry describes the format. Opus and Sonnet have 9 prices each (5 kinds, 4 of them in batches as well),
    # gpt-5.4 has 21 (3 kinds in 4 tiers, long context in all but priority), and terra 32 (4 kinds in 4 tiers, long or
    # not): 9 + 9 + 21 + 32
    assert "sample_spec" in LITELLM
    assert {model for model, _ in CASES} == {"claude-opus-5-5", "claude-sonnet-4-5", "gpt-5.4", "gpt-6.1-terra"}
    assert len(CASES) == 71


@pytest.mark.parametrize(("model", "key"), CASES)
def test_two_price_books_agree_on_what_a_token_costs(model, key):
    assert unit(model, LITELLM[model]["litellm_provider"], key) == LITELLM[model][key]


def test_where_the_two_price_books_differ():
    opus, sonnet, terra = (LITELLM[name] for name in ("claude-opus-5-5", "claude-sonnet-4-5", "gpt-6.1-terra"))

    def price(model: str, provider: str, tier: str | None = None, **tokens: int) -> int | None:
        return ListPrices().price(Request(model, provider, NOW, Tokens(**tokens), tier))

    # Fast mode: LiteLLM has a factor of 2, the price book has prices. 1,000 * $8 a million = 8,000 micro-dollars
    assert opus["provider_specific_entry"]["fast"] == 2
    assert price("claude-opus-5-5", "anthropic", "fast", fresh=1000) == 2 * 4_000
    # In one region of the United States: a factor of 1.1 there, a model of its own here, and only on Bedrock
    assert opus["provider_specific_entry"]["us"] == Decimal("1.1")
    assert price("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock", fresh=1000) == 3_300
    # Sonnet 4.5 takes no more than 200,000 tokens now; the price book still has the tier above that
    assert sonnet["max_input_tokens"] == 200_000
    assert not any("above_200k" in key for key in sonnet)
    assert price("claude-sonnet-4-5", "anthropic", fresh=201_000) == 201_000 * 6
    # OpenAI keeps what is written for 12 hours at twice the price: 2.5 a million, not told apart in the price book
    assert terra["cache_creation_input_token_cost_above_12hr"] == Decimal("2.5e-06")
    assert price("gpt-6.1-terra", "openai", cache_write_5m=1000) == 1_250
