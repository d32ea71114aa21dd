"""Codex's JSON as pydantic models: unknown keys are ignored, absurd numbers refused; null is "not told", never 0."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, Field

from bot.domain.model import Actor, ActorKind, Tokens
from integrations.days import DAY, unix_day
from integrations.parse import Dollars, Number, lower_email

Credits = Annotated[Decimal, Field(ge=0, le=10**9, allow_inf_nan=False)]


NOBODY = Actor(ActorKind.UNKNOWN)


class Page(BaseModel):
    data: list[Any]
    has_more: bool | None = None
    next_page: str | None = None


class Who(BaseModel):
    type: str | None = None
    user_id: str | None = None
    email: str | None = None


class Entry(BaseModel):
    """One person's day, or with `group=workspace` everybody's; numbers not yet looked at."""

    start_time: Annotated[int, Field(strict=True)]
    end_time: Annotated[int, Field(strict=True)]
    user_id: str | None = None
    actor: Who | None = None
    totals: Any

    def day(self) -> date | None:
        whole = self.end_time - self.start_time == DAY.total_seconds()
        return unix_day(self.start_time) if whole else None

    def who(self) -> Actor:
        """A kind of actor that nobody has heard of is taken for a person."""
        who = self.actor or Who()
        name, email = self.user_id or who.user_id, lower_email(who.email)
        if not name and not email:
            return NOBODY
        if "service" in (who.type or ""):
            return Actor(ActorKind.SERVICE_ACCOUNT, name)
        return Actor(ActorKind.USER, name, email)


class Counts(BaseModel):
    """Counters; those of tokens are of text, disjoint, and reasoning is inside output."""

    threads: Number | None = None
    turns: Number | None = None
    uncached_text_input_tokens: Number | None = None
    cached_text_input_tokens: Number | None = None
    text_output_tokens: Number | None = None

    def tokens(self) -> Tokens:
        return Tokens(
            fresh=self.uncached_text_input_tokens or 0,
            cache_read=self.cached_text_input_tokens or 0,
            output=self.text_output_tokens or 0,
        )


class Totals(Counts):
    """The counters and the three figures of money."""

    credits: Credits | None = None
    cost_usd: Dollars | None = None
    estimated_cost_usd: Dollars | None = None

    @property
    def at_list(self) -> Decimal | None:
        return self.estimated_cost_usd if self.cost_usd is None else self.cost_usd
