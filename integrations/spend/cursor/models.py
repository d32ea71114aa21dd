"""Cursor's JSON as pydantic models. Names of people, messages and file names are not read."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from bot.domain.model import Actor, ActorKind, Tokens
from integrations.parse import Cents, Count, Number, lower_email

ERRORED = re.compile("error", re.IGNORECASE)
OWN_KEY = re.compile(r"api[ _-]?key", re.IGNORECASE)


def _milliseconds(value: Any) -> Any:
    """A time is text of digits."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16 else value


def _told(value: Any) -> Any:
    """Text without a sign says nothing."""
    return None if isinstance(value, str) and not value.strip() else value


# Strict: turning the fraction 1e999999999 into an integer would take for ever.
Milliseconds = Annotated[int, Field(strict=True, ge=0, le=10**14), BeforeValidator(_milliseconds)]
Text = Annotated[str | None, BeforeValidator(_told)]


class Wire(BaseModel):
    """Cursor writes its keys in camel case."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Pagination(Wire):
    has_next_page: bool = False


class Page(Wire):
    usage_events: list[Any]
    pagination: Pagination = Pagination.model_construct()
    total_usage_events_count: Number | None = None


class Stamp(Wire):
    """When an event was, whatever else is wrong with it."""

    timestamp: Milliseconds

    def day(self) -> date:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=self.timestamp)).date()


class Usage(Wire):
    input_tokens: Count = 0
    output_tokens: Count = 0
    cache_write_tokens: Count = 0
    cache_read_tokens: Count = 0
    total_cents: Cents | None = None


class Charge(Wire):
    charged_cents: Cents


class Event(Charge):
    user_email: str | None = None
    conversation_id: Text = None
    model: Text = None
    kind: str | None = None
    token_usage: Usage | None = None

    def actor(self) -> Actor:
        email = lower_email(self.user_email)
        return Actor(ActorKind.USER, email=email) if email else Actor(ActorKind.UNKNOWN)

    def tokens(self) -> Tokens:
        used = self.token_usage or Usage.model_construct()
        return Tokens(used.input_tokens, used.cache_write_tokens, None, used.cache_read_tokens, used.output_tokens)

    def at_list(self) -> Decimal:
        """What it comes to at list price. An error that is not charged comes to nothing; where the team's own key paid
        the model, its provider bills it, and only what Cursor charges is left; a call without token usage has no other
        figure than its charge."""
        if not self.charged_cents and self._is(ERRORED):
            return Decimal(0)
        of_model = self.token_usage.total_cents if self.token_usage else None
        return self.charged_cents if of_model is None or self._is(OWN_KEY) else of_model

    def _is(self, kind: re.Pattern[str]) -> bool:
        return bool(kind.search(self.kind or ""))


class CommitPage(Wire):
    items: list[Any]
    total_count: Number | None = None
    page_size: Number | None = None


class Commit(Wire):
    commit_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{7,40}$")]
    user_email: Annotated[str, AfterValidator(str.strip), AfterValidator(str.lower), Field(min_length=1)]
    commit_ts: AwareDatetime

    def day(self) -> date:
        return self.commit_ts.astimezone(UTC).date()
