"""List prices from `genai-prices`, a request at a time, as they were on its day. Nothing is downloaded.

Docs: github.com/pydantic/genai-prices (0.2). Its `input_tokens` are all input, cached or not, and reasoning is a part
of `output_tokens`. Tiers of long context are decided by the request, so sums of requests must never be priced here.

The package is generous where it does not know: a tier that a model has no price for gets the standard price, and tokens
of a kind without a price cost nothing. Here both are requests without a price.
"""

from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

from bot.domain.model import Request, Tokens
from bot.domain.money import from_dollars

if TYPE_CHECKING:
    from genai_prices import Usage
    from genai_prices.types import PriceCalculation

PROVIDERS = MappingProxyType(
    {
        "amazon_bedrock": "aws",
        "bedrock": "aws",
        "bedrock_converse": "aws",
        "azure.ai.inference": "azure",
        "azure_ai": "azure",
        "fireworks_ai": "fireworks",
        "gcp": "google",
        "gcp.gen_ai": "google",
        "gemini": "google",
        "github": "github-copilot",
        "vertex_ai": "google",
        "x_ai": "x-ai",
    }
)
"""Who serves a model, as gateways, agents and OpenTelemetry spell it, in the package's words. It knows more by itself.
"""

STANDARD = frozenset({None, "", "default", "standard"})
TIERS = MappingProxyType(
    {
        "batch": {"processing": "batch"},
        "flex": {"service_tier": "flex"},
        "priority": {"service_tier": "priority"},
        "fast": {"speed": "fast", "service_tier": "fast"},  # Anthropic's word for it, and OpenAI's
    }
)


@dataclass(frozen=True, slots=True)
class ListPrices:
    """`bot.domain.ports.Prices` over the price book that the package carries."""

    def price(self, request: Request) -> int | None:
        from genai_prices import calc_price  # it loads the whole price book: only who prices needs it

        tier = None if request.tier in STANDARD else TIERS.get(request.tier or "", {})
        provider = (request.provider or "").lower()
        try:
            found = calc_price(
                _usage(request.tokens),
                request.model,
                provider_id=PROVIDERS.get(provider, provider) or None,
                genai_request_timestamp=request.at,
                price_context=tier,
            )
        except LookupError:
            return None
        known = _has_prices(found, request.tokens) and (tier is None or _has_tier(found, tier, request))
        return from_dollars(Decimal(found.total_price)) if known else None


def _usage(tokens: Tokens) -> "Usage":
    """The package's words: its totals include their parts."""
    from genai_prices import Usage

    written = tokens.cache_write_5m + (tokens.cache_write_1h or 0)
    return Usage(
        input_tokens=_input(tokens),
        cache_read_tokens=tokens.cache_read,
        cache_write_tokens=written,
        cache_write_5m_tokens=tokens.cache_write_5m,
        cache_write_1h_tokens=tokens.cache_write_1h or 0,
        output_tokens=_output(tokens),
    )


def _input(tokens: Tokens) -> int:
    return tokens.fresh + tokens.cache_write_5m + (tokens.cache_write_1h or 0) + tokens.cache_read


def _output(tokens: Tokens) -> int:
    return tokens.output + (tokens.reasoning or 0)


def _has_prices(found: "PriceCalculation", tokens: Tokens) -> bool:
    """Whether the model has a price for what was used. One that is given away has none, and says so in its name."""
    prices = found.model_price
    told = (prices.input_mtok is not None or not _input(tokens)) and (
        prices.output_mtok is not None or not _output(tokens)
    )
    return told or found.model.id.endswith(":free")


def _has_tier(found: "PriceCalculation", tier: dict[str, str], request: Request) -> bool:
    """Whether the provider has prices of its own for this tier on this day; the package never says which it took."""
    own = any(model is found.model for model in found.provider.models)
    return own and any(
        variant.when.items() <= tier.items()
        and (variant.constraint is None or variant.constraint.active(request.at))
        and variant.prices.input_mtok is not None
        for variant in found.model.price_variants or ()
    )
