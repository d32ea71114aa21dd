"""The registry of sources of spend: one module of this folder a line."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import cast

from bot.domain.ports import SpendSource

NAMES = (
    "anthropic",
    "openai",
    "codex",
    "cursor",
    "copilot",
    "litellm",
    "openrouter",
    "devin",
)


@cache
def sources() -> Mapping[str, SpendSource]:
    """Every source by its name."""
    return MappingProxyType({name: cast(SpendSource, import_module(f"{__name__}.{name}")) for name in NAMES})
