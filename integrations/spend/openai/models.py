"""OpenAI's JSON as pydantic models: unknown keys are ignored, names are not read, absurd numbers refused.

Field names: the official `openai` package 3.54, `types/admin/organization`.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, model_validator

from bot.domain.model import Tokens
from bot.domain.ports import SourceError
from integrations.days import DAY, unix_day
from integrations.parse import Count, Dollars, Number

MICRO = Decimal("0.000001")  # a millionth of a dollar
Id = Annotated[str, Field(pattern=r"^[\w-]+$")]
"""An id that becomes a part of a path."""


class Page(BaseModel):
    """The envelope of every list: reports go on with `next_page`, directories after `last_id`."""

    data: list[Any]
    has_more: bool | None = None
    next_page: str | None = None
    last_id: str | None = None

    def is_last(self) -> bool:
        return self.has_more is False or (self.has_more is None and not self.next_page)

    def cursor(self) -> dict[str, str]:
        """The query of the next page; empty if the answer does not say."""
        if self.next_page:
            return {"page": self.next_page}
        return {"after": self.last_id} if self.last_id else {}


class Bucket(BaseModel):
    """The rows of one day, not yet looked at."""

    start_time: Number
    end_time: Number
    results: list[Any]

    def day(self) -> date | None:
        """The UTC day, if it is one (the running day may end early)."""
        whole = 0 < self.end_time - self.start_time <= DAY.total_seconds()
        return unix_day(self.start_time) if whole else None


class CostRow(BaseModel):
    """A row of `costs`: an `Amount`, not yet looked at, and whose it is."""

    user_id: str | None = None
    api_key_id: str | None = None
    line_item: str | None = None
    amount: Any = None

    @property
    def model(self) -> str | None:
        """A line item is written "model, what of it"; one without a comma (a tool, storage) is of no model."""
        name, comma, _ = (self.line_item or "").partition(", ")
        return name if comma else None


class Amount(BaseModel):
    """An amount in dollars, as a number or as text. Raises SourceError for another currency."""

    currency: str
    value: Dollars

    @model_validator(mode="after")
    def _in_dollars(self) -> Self:
        if self.currency.upper() != "USD":
            raise SourceError(f"OpenAI reports in {self.currency[:3]}, but only USD is understood", permanent=True)
        return self


class UsageRow(BaseModel):
    """A row of `usage/completions` as to whose it is; its numbers are `Usage`."""

    user_id: str | None = None
    api_key_id: str | None = None
    model: str | None = None


class Usage(BaseModel):
    """The numbers of a row of `usage/completions`. `input_tokens` holds every other kind of input; output holds
    reasoning. Text, audio and image tokens are other cuts of the same and are not read.

    Kinds that do not come to `input_tokens` refuse the row; where the uncached are not told, they are the difference.
    """

    input_tokens: Number
    output_tokens: Number
    num_model_requests: Number | None = None
    input_uncached_tokens: Number | None = None
    input_cached_tokens: Count = 0
    input_cache_write_tokens: Number | None = None
    input_cache_write_30m_tokens: Number | None = None
    input_cache_write_12h_tokens: Number | None = None

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        short, long = self.written()
        uncached = self.input_tokens - self.input_cached_tokens - short - (long or 0)
        if uncached < 0 or self.input_uncached_tokens not in (None, uncached):
            raise ValueError("The kinds of input tokens do not come to the input tokens.")
        if min(short, long or 0) < 0 or self.input_cache_write_30m_tokens not in (None, short):
            raise ValueError("The kinds of cache writes do not come to the cache writes.")
        return self

    def written(self) -> tuple[int, int | None]:
        """Cache writes kept for half an hour, and for half a day; None where the two are not told apart."""
        short, long = self.input_cache_write_30m_tokens, self.input_cache_write_12h_tokens
        whole = (short or 0) + (long or 0) if self.input_cache_write_tokens is None else self.input_cache_write_tokens
        if short is None and long is None:
            return whole, None
        long = whole - (short or 0) if long is None else long
        return whole - long, long

    def tokens(self) -> Tokens:
        short, long = self.written()
        return Tokens(
            fresh=self.input_tokens - self.input_cached_tokens - short - (long or 0),
            cache_write_5m=short,
            cache_write_1h=long,
            cache_read=self.input_cached_tokens,
            output=self.output_tokens,
        )


class Person(BaseModel):
    """A user, or the user inside of a user or of a key's owner."""

    id: str
    email: str | None = None


class User(Person):
    """A row of `/organization/users`; newer ones have the address inside of `user` too."""

    is_service_account: bool | None = None
    user: Any = None


class Project(BaseModel):
    id: Id


class ServiceAccount(BaseModel):
    id: str


class Owner(BaseModel):
    user: Person | None = None
    service_account: ServiceAccount | None = None


class ApiKey(BaseModel):
    """A row of `/organization/projects/{id}/api_keys`."""

    id: str
    owner: Owner | None = None
