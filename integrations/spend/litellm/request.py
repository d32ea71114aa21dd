"""A row of the request log: who asked, in which session and for which pull request, what it took, and what it cost.

Prompts, end users, addresses and names of people are not read.
"""

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator

from bot.domain.model import Actor, ActorKind, Request, Tokens
from bot.domain.ports import Prices
from integrations.parse import Count, Dollars, Number, lower_email

LONGEST_SESSION = 200  # characters; a client may send anything
SHARED_ADMIN = "default_user_id"  # whom LiteLLM names where nobody is: keys made before there were users
SERVED_BY = {"chatgpt": "openai"}  # a subscription to a provider, in the price book's words

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
PULL = re.compile(r"pr:((?:[A-Za-z0-9][A-Za-z0-9_-]{0,38})/(?!\.{1,2}#)[A-Za-z0-9._-]{1,100}#[1-9][0-9]{0,8})")


def _json(value: Any) -> Any:
    """Some versions send a column of JSON as text. Text that is no JSON tells nothing."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _utc(moment: datetime) -> datetime:
    """The proxy's database keeps UTC, and some versions do not say so."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


class Details(BaseModel):
    cached_tokens: Number | None = None


class Additional(BaseModel):
    """Kinds of tokens that are parts of `prompt_tokens`. Providers that call them otherwise have `cached_tokens`."""

    cache_read_input_tokens: Number | None = None
    cache_creation_input_tokens: Count = 0
    prompt_tokens_details: Details | None = None

    def cache_read(self) -> int:
        if self.cache_read_input_tokens is not None:
            return self.cache_read_input_tokens
        return (self.prompt_tokens_details and self.prompt_tokens_details.cached_tokens) or 0


class Metadata(BaseModel):
    user_api_key_alias: str | None = None
    user_api_key_user_id: str | None = None
    user_api_key_user_email: str | None = None
    additional_usage_values: Any = None


class Cost(BaseModel):
    spend: Dollars


class Usage(BaseModel):
    """Tokens of a request: `prompt_tokens` are all input, cached or written to a cache or neither."""

    prompt_tokens: Count = 0
    completion_tokens: Count = 0
    additional: Additional = Additional()

    @model_validator(mode="after")
    def _parts_of_a_whole(self) -> Self:
        if self._fresh() < 0:
            raise ValueError("parts are more than their whole")
        return self

    def _fresh(self) -> int:
        return self.prompt_tokens - self.additional.cache_read() - self.additional.cache_creation_input_tokens

    def tokens(self) -> Tokens:
        return Tokens(
            fresh=self._fresh(),
            cache_write_5m=self.additional.cache_creation_input_tokens,
            cache_read=self.additional.cache_read(),
            output=self.completion_tokens,
        )


class Log(BaseModel):
    """What a row says apart from its numbers, which are looked at one kind after another."""

    request_id: Annotated[str, Field(min_length=1)]
    at: Annotated[datetime, AfterValidator(_utc), Field(alias="startTime")]
    model: str | None = None
    custom_llm_provider: str | None = None
    user: str | None = None
    api_key: str | None = None
    session_id: str | None = None
    status: str | None = None
    cache_hit: str | bool | None = None
    request_tags: Annotated[Any, BeforeValidator(_json)] = None
    metadata: Annotated[Metadata | None, BeforeValidator(_json)] = None

    def actor(self) -> Actor:
        """The person whose key it is; or the key, where the proxy knows of nobody."""
        said = self.metadata or Metadata()
        owner = self.user or said.user_api_key_user_id
        user = None if owner == SHARED_ADMIN else owner or None
        named = user if user and EMAIL.fullmatch(user) else None
        email = lower_email(said.user_api_key_user_email or named)
        if user or email:
            return Actor(ActorKind.USER, None if lower_email(user) == email else user, email)
        key = said.user_api_key_alias or self.api_key
        return Actor(ActorKind.KEY, key, owned_by_user=bool(owner)) if key else Actor(ActorKind.UNKNOWN)

    def additional(self) -> Any:
        return (self.metadata and self.metadata.additional_usage_values) or {}

    def session(self) -> str | None:
        known = self.session_id and len(self.session_id) <= LONGEST_SESSION
        return self.session_id if known else None

    def pull(self) -> str | None:
        """The pull request of a tag `pr:owner/repository#number`. Tags that name several name none."""
        tags = self.request_tags if isinstance(self.request_tags, list) else []
        pulls = {found[1] for tag in tags if isinstance(tag, str) and (found := PULL.fullmatch(tag))}
        return pulls.pop() if len(pulls) == 1 else None

    def is_replayed(self) -> bool:
        """Whether the proxy answered from its own cache: no model was asked, and the tokens are another request's."""
        return str(self.cache_hit).lower() == "true"

    def is_failed(self) -> bool:
        return self.status == "failure"

    def value(self, tokens: Tokens, prices: Prices) -> int | None:
        """Micro-USD at list price of a request that the proxy put no cost on; None without a price.

        The proxy knows no price of the model, or a subscription covers it.
        """
        if not tokens.total or self.is_failed():
            return 0
        provider = self.custom_llm_provider or None
        model = (self.model or "").removeprefix(f"{provider}/")
        return prices.price(Request(model, SERVED_BY.get(provider or "", provider), self.at, tokens)) if model else None
