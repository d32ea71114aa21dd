"""Asking a LiteLLM proxy, and which upstream provider bills what went through it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel

from bot.domain.ports import Http, SourceError
from integrations.parse import parsed

NAME, TITLE = "litellm", "LiteLLM"
Model = TypeVar("Model", bound=BaseModel)

UPSTREAMS = MappingProxyType(
    {
        "anthropic": "anthropic",
        "openai": "openai",
        "azure": "azure",
        "azure_ai": "azure",
        "bedrock": "aws",
        "sagemaker": "aws",
        "vertex_ai": "gcp",
        "gemini": "gcp",
        "openrouter": "openrouter",
        "github_copilot": "copilot",
    }
)
"""The account whose provider bills the traffic, by LiteLLM's word for the provider."""
FAMILIES = ("bedrock", "sagemaker", "vertex_ai")
"""Words that LiteLLM lengthens for other routes to the same provider, such as `bedrock_converse`."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """The proxy behind one key."""

    http: Http
    base_url: str
    key: str = field(repr=False)

    def get(self, path: str, params: Mapping[str, Any], model: type[Model]) -> Model:
        headers = {"authorization": f"Bearer {self.key}"}
        page = parsed(model, self.http.get_json(self.base_url + path, params=params, headers=headers))
        if page is None:
            raise SourceError(f"{TITLE}: {path} answered with something that is no report")
        return page


def upstream_of(provider: str | None) -> str | None:
    """None for self-hosted models and for providers that Leverage knows no bill of."""
    word = (provider or "").lower()
    family = next((family for family in FAMILIES if word.startswith(family)), word)
    return UPSTREAMS.get(family)


def account_of(upstream: str | None) -> str:
    return f"{NAME}:{upstream}" if upstream else NAME


def exceeds(parts: Decimal, whole: Decimal, count: int) -> bool:
    """Whether parts come to more than their whole, by more than binary fractions can be off."""
    return parts - whole > Decimal("0.000001") * count + whole * Decimal("1e-9")
