"""Anthropic's JSON as pydantic models: unknown keys are ignored, names of people are not read, absurd numbers refused.

Field names: platform.claude.com/docs `api/admin` and the official `anthropic` package 2.12, `types/beta/organization`.
"""

from collections.abc import Mapping
from datetime import UTC, date, time, timedelta
from decimal import Decimal
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel, model_validator

from bot.domain.model import Tokens
from bot.domain.ports import SourceError
from integrations.parse import Cents, Count, Number

MICRO = Decimal("0.0001")  # a millionth of a dollar, in cents
Requests = Number | None


class Page(BaseModel):
    """The envelope of every list: reports go on with `next_page`, directories after `last_id`."""

    data: list[Any]
    has_more: bool | None = None
    next_page: str | None = None
    last_id: str | None = None
    data_refreshed_at: AwareDatetime | None = None

    def is_last(self) -> bool:
        return self.has_more is False or (self.has_more is None and not self.next_page)

    def cursor(self) -> Mapping[str, str]:
        """The query of the next page; empty if the answer does not say."""
        if self.next_page:
            return {"page": self.next_page}
        return {"after_id": self.last_id} if self.last_id else {}


class Bucket(BaseModel):
    """The time that a row or a list of rows is about."""

    starting_at: AwareDatetime
    ending_at: AwareDatetime

    def day(self) -> date | None:
        """The UTC day, if it is one (the running day may end early)."""
        start = self.starting_at.astimezone(UTC)
        whole = start.time() == time() and timedelta(0) < self.ending_at - start <= timedelta(days=1)
        return start.date() if whole else None


class Who(BaseModel):
    """`group.actor` of a report, or a key's principal or creator: a union told apart by `type`."""

    type: str
    user_id: str | None = None
    email_address: str | None = None
    service_account_id: str | None = None
    api_key_id: str | None = None
    api_key_name: str | None = None
    subject: str | None = None


class Group(BaseModel):
    actor: Who | None = None
    model: str | None = None


class Row(Bucket):
    """A row of `analytics/usage` (has `usage`) or `analytics/cost` (has `cost`), numbers not yet looked at."""

    group: Group
    usage: Any = None
    cost: Any = None


class CacheCreation(BaseModel):
    ephemeral_5m_input_tokens: Count = 0
    ephemeral_1h_input_tokens: Count = 0


class Usage(BaseModel):
    """`usage` of a row. Its token kinds are disjoint; reasoning is inside output."""

    uncached_input_tokens: Count = 0
    cache_creation: CacheCreation | None = None
    cache_read_input_tokens: Count = 0
    output_tokens: Count = 0
    requests: Requests = None

    def tokens(self) -> Tokens:
        written = self.cache_creation or CacheCreation()
        return Tokens(
            fresh=self.uncached_input_tokens,
            cache_write_5m=written.ephemeral_5m_input_tokens,
            cache_write_1h=written.ephemeral_1h_input_tokens,
            cache_read=self.cache_read_input_tokens,
            output=self.output_tokens,
        )


class Money(BaseModel):
    """An amount in cents. Raises SourceError for a currency that is not the US dollar."""

    currency: str
    amount: Cents

    @model_validator(mode="after")
    def _in_dollars(self) -> Self:
        if self.currency != "USD":
            raise SourceError(f"Anthropic reports in {self.currency[:3]}, but only USD is understood", permanent=True)
        return self


class Cost(Money):
    """`cost` of a row: `amount` after the discount (billed), `list_amount` before it."""

    list_amount: Cents | None = None
    requests: Requests = None


class CostBucket(Bucket):
    results: list[Any]


class CodeTokens(BaseModel):
    """Tokens of the Claude Code report, which does not split cache writes."""

    input: Count = 0
    output: Count = 0
    cache_read: Count = 0
    cache_creation: Count = 0

    def tokens(self) -> Tokens:
        return Tokens(
            fresh=self.input, cache_write_5m=self.cache_creation, cache_read=self.cache_read, output=self.output
        )


class CodeModel(BaseModel):
    """One entry of `model_breakdown`: `CodeTokens`, and `Money` as an estimate at list price; not yet looked at."""

    model: str
    tokens: Any
    estimated_cost: Any = None


class CodeRecord(BaseModel):
    """One record of `usage_report/claude_code`: a person or key, on a day, in one terminal."""

    date: str
    actor: Who
    model_breakdown: list[Any] | None = None


class ApiKey(BaseModel):
    id: str
    name: str | None = None
    principal: Who | None = None
    created_by: Who | None = None
