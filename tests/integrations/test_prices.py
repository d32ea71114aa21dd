"""List prices of single requests, by hand: dollars a million tokens are micro-dollars a token."""

from datetime import UTC, datetime

import pytest

from bot.domain.model import Request, Tokens
from integrations.prices import PROVIDERS, ListPrices

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
OPUS, HAIKU, SONNET = "claude-opus-5-5", "claude-haiku-5-5", "claude-sonnet-4-5"


def price(model, provider=None, *, tier=None, at=NOW, **tokens):
    return ListPrices().price(Request(model, provider, at, Tokens(**tokens), tier))


def test_each_kind_of_token_has_its_own_price():
    # Opus 5.5: input 4, read 0.20 (a twentieth, not a tenth), written for 5 minutes 5, for an hour 8, output 20
    assert price(OPUS, "anthropic", fresh=1000) == 4_000
    assert price(OPUS, "anthropic", cache_read=1000) == 200
    assert price(OPUS, "anthropic", cache_write_5m=1000) == 5_000
    assert price(OPUS, "anthropic", cache_write_1h=1000) == 8_000
    assert price(OPUS, "anthropic", output=1000) == 20_000
    # 100 * 4 + 2,000 * 0.2 + 300 * 5 + 40 * 8 + 50 * 20 = 400 + 400 + 1,500 + 320 + 1,000
    assert price(OPUS, fresh=100, cache_read=2000, cache_write_5m=300, cache_write_1h=40, output=50) == 3_620


def test_kinds_that_a_source_does_not_tell_apart_are_none_and_not_zero_dollars():
    assert price(OPUS, cache_write_5m=1000, cache_write_1h=None, output=10, reasoning=None) == 5_200


def test_a_cache_larger_than_the_fresh_input_is_priced():
    # The package wants totals that include their parts; ours are disjoint, so this is no contradiction.
    assert price(OPUS, fresh=0, cache_read=90_000, cache_write_5m=5_000) == 18_000 + 25_000


def test_reasoning_costs_what_output_does():
    # o3: 8 a million
    assert price("o3", "openai", output=300, reasoning=700) == price("o3", "openai", output=1000) == 8_000


def test_written_tokens_without_a_price_of_their_own_cost_what_input_does():
    # gpt-5.4 has no price for writing: 1,000 * 2.50
    assert price("gpt-5.4", "openai", cache_write_5m=1000) == 2_500


@pytest.mark.parametrize(
    ("model", "provider", "threshold", "below", "above"),
    [
        # a million tokens of input at the base tier, and of a request above the threshold
        ("gpt-5.4", "openai", 272_000, 2.5, 5),
        (SONNET, "anthropic", 200_000, 3, 6),
        ("gemini-2.5-pro", "google", 200_000, 1.25, 2.5),
        (HAIKU, "anthropic", 100_000, 0.1, 0.5),
    ],
)
def test_a_long_request_costs_more_for_all_of_its_tokens(model, provider, threshold, below, above):
    assert price(model, provider, fresh=threshold) == threshold * below
    assert price(model, provider, fresh=threshold + 1000) == (threshold + 1000) * above


def test_cached_tokens_make_a_request_long_as_well():
    # 100,000 fresh and 200,000 read are 300,000 of input: 100,000 * 5 + 200,000 * 0.5
    assert price("gpt-5.4", "openai", fresh=100_000, cache_read=200_000) == 500_000 + 100_000
    # and its output costs 22.50 a million instead of 15
    assert price("gpt-5.4", "openai", fresh=300_000, output=1000) == 300_000 * 5 + 22_500


@pytest.mark.parametrize(
    ("model", "provider", "one", "sum_of_1000"),
    [
        # 50,000 * 2.5 = 125,000; the sum of 1,000 such requests would be priced at the tier above
        ("gpt-5.4", "openai", 125_000, 250_000_000),
        (HAIKU, "anthropic", 5_000, 25_000_000),
    ],
)
def test_a_sum_of_requests_must_not_be_priced_as_one(model, provider, one, sum_of_1000):
    requests = 1000
    assert price(model, provider, fresh=50_000) == one
    assert price(model, provider, fresh=50_000 * requests) == sum_of_1000
    assert sum_of_1000 > 1.9 * one * requests  # 2 times and 5 times too much


@pytest.mark.parametrize(
    ("model", "provider", "tier", "micro"),
    [
        # 1,000 of input and 100 of output
        (OPUS, "anthropic", None, 4_000 + 2_000),
        (OPUS, "anthropic", "", 4_000 + 2_000),
        (OPUS, "anthropic", "standard", 4_000 + 2_000),
        (OPUS, "anthropic", "batch", 2_000 + 1_000),
        (OPUS, "anthropic", "fast", 8_000 + 4_000),
        ("gpt-5.4", "openai", "default", 2_500 + 1_500),
        ("gpt-5.4", "openai", "batch", 1_250 + 750),
        ("gpt-5.4", "openai", "flex", 1_250 + 750),
        ("gpt-5.4", "openai", "priority", 5_000 + 3_000),
        ("gpt-5.4", "openai", "fast", 5_000 + 3_000),
        ("gemini-2.5-pro", "google", "batch", 625 + 500),
    ],
)
def test_each_tier_has_its_price(model, provider, tier, micro):
    assert price(model, provider, tier=tier, fresh=1000, output=100) == micro


def test_a_tier_and_a_long_context_go_together():
    # gpt-5.4 in a batch: 2.50 a million above 272,000, half of 5
    assert price("gpt-5.4", "openai", tier="batch", fresh=300_000) == 750_000


@pytest.mark.parametrize(
    ("model", "provider", "tier"),
    [
        (OPUS, "anthropic", "flex"),
        (OPUS, "anthropic", "priority"),
        ("gemini-2.5-pro", "google", "flex"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock", "batch"),
        ("gpt-5.4", "azure", "batch"),  # a price of OpenAI's, and OpenAI's tiers are not Azure's
        ("gpt-5.4", "openai", "scale"),  # a word that nobody knows
    ],
)
def test_a_tier_without_a_price_is_no_price_and_not_the_standard_one(model, provider, tier):
    assert price(model, provider, fresh=1000) is not None
    assert price(model, provider, tier=tier, fresh=1000) is None


def test_a_tier_before_the_day_that_its_price_is_known_from_has_no_price():
    # The price of batches of Opus 5.5 is known from 2026-10-14 on.
    assert price(OPUS, "anthropic", tier="batch", at=datetime(2026, 10, 14, tzinfo=UTC), fresh=1000) == 2_000
    assert price(OPUS, "anthropic", tier="batch", at=datetime(2026, 10, 13, 23, tzinfo=UTC), fresh=1000) is None


def test_a_price_is_that_of_its_day():
    # o3 cost $10 a million until 2025-06-09, and $2 from the day after
    assert price("o3", "openai", at=datetime(2025, 5, 1, tzinfo=UTC), fresh=1000) == 10_000
    assert price("o3", "openai", at=datetime(2025, 6, 9, 23, 59, tzinfo=UTC), fresh=1000) == 10_000
    assert price("o3", "openai", at=datetime(2025, 6, 10, tzinfo=UTC), fresh=1000) == 2_000
    assert price("o3", "openai", at=datetime(2025, 8, 1, tzinfo=UTC), fresh=1000) == 2_000


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("claude-opus-99", "anthropic"),
        ("", "anthropic"),
        ("", None),
        ("auto", "cursor"),
        ("our-own-llama", None),
        (OPUS, "nobody-we-know"),
        ("gpt-5.4", "ollama"),
    ],
)
def test_a_model_or_a_provider_that_nobody_knows_has_no_price(model, provider):
    assert price(model, provider, fresh=1000, output=1000) is None


def test_a_model_in_the_book_without_a_price_is_not_free():
    # Included in a Copilot plan: the book has the model and no price.
    assert price("gpt-4.1", "github-copilot", fresh=1000, output=10) is None
    # An embedding has a price for input only: 20 a billion
    assert price("text-embedding-3-small", "openai", fresh=1000) == 20
    assert price("text-embedding-3-small", "openai", fresh=1000, output=1) is None
    # Sold by the hour of audio
    assert price("gpt-realtime-whisper", "openai", fresh=1000) is None


def test_a_model_that_is_called_free_costs_nothing():
    assert price("deepseek/deepseek-r1:free", "openrouter", fresh=1000, output=10) == 0


def test_a_request_without_tokens_costs_nothing():
    assert price(OPUS, "anthropic") == 0


@pytest.mark.parametrize(
    ("model", "provider", "micro"),
    [
        (OPUS, None, 4_000),  # by the model's name alone
        (OPUS, "Anthropic", 4_000),
        ("claude-opus-5-5-20261015", "anthropic", 4_000),
        (SONNET, "vertex_ai", 3_000),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock", 3_300),  # in one region: 10% more
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock_converse", 3_000),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws.bedrock", 3_300),
        ("gpt-5.4", "azure", 2_500),
        ("gpt-5.4", "azure.ai.openai", 2_500),
        ("gpt-5.4", "azure.ai.inference", 2_500),
        ("gemini-2.5-pro", "gcp.gen_ai", 1_250),
        ("gemini-2.5-pro", "gcp.gemini", 1_250),
        ("gpt-5.4", "github", 2_500),
        ("grok-4", "x_ai", 3_000),
    ],
)
def test_providers_as_gateways_agents_and_opentelemetry_spell_them(model, provider, micro):
    assert price(model, provider, fresh=1000) == micro


def test_every_spelling_leads_to_a_provider_of_the_price_book():
    from genai_prices.data_snapshot import get_snapshot

    assert set(PROVIDERS.values()) <= {provider.id for provider in get_snapshot().providers}


def test_part_of_a_micro_dollar_is_rounded_once():
    # 1 token of cache at 0.20 a million is 0.2, 3 are 0.6, and half is rounded up: 5 at 0.10 are 0.5
    assert price(OPUS, cache_read=1) == 0
    assert price(OPUS, cache_read=3) == 1
    assert price(OPUS, "anthropic", tier="batch", cache_read=5) == 1


@pytest.mark.parametrize("tokens", [{"fresh": -1}, {"output": -1}, {"fresh": 5, "cache_read": -10}, {"fresh": -5}])
def test_counters_below_zero_are_an_error_of_the_caller(tokens):
    with pytest.raises(ValueError, match="Invalid usage"):
        price(OPUS, "anthropic", **tokens)


def test_the_largest_request_that_a_source_may_tell_of_is_priced():
    # a million million tokens of input and of output: 4 and 20 million dollars
    assert price(OPUS, fresh=10**12, output=10**12) == 24 * 10**12


def test_every_model_of_the_price_book_is_priced_or_not_without_a_warning():
    from genai_prices.data_snapshot import get_snapshot

    every = {"fresh": 100, "cache_read": 10, "cache_write_5m": 20, "cache_write_1h": 5, "output": 7, "reasoning": 3}
    priced = 0
    for provider in get_snapshot().providers:
        for model in provider.models:
            for tier in (None, "batch"):
                micro = price(model.id, provider.id, tier=tier, **every)
                assert micro is None or micro >= 0
                priced += micro is not None
    assert priced > 2000  # of 2,330, and batches of some
