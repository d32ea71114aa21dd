"""Cursor's JSON as pydantic models. Names of people, messages and file names are not read."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from bot.domain.model import Actor, ActorKind, Tokens
from integrations.parse import Cents, Count, lower_email

ERRORED = re.compile("error", re.IGNORECASE)
OWN_KEY = re.compile(r"api[ _-]?key", re.IGNORECASE)


def _milliseconds(value: Any) -> Any:
    """A time is text of digits."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16 else value


Milliseconds = Annotated[int, Field(ge=0, le=10**14), BeforeValidator(_milliseconds)]


class Wire(BaseModel):
    """Cursor writes its keys in camel case."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Pagination(Wire):
    has_next_page: bool = False


class Page(Wire):
    usage_events: list[Any]
    pagination: Pagination = Pagination.model_construct()
    total_usage_events_count: int | None = None


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
    conversation_id: str | None = None
    model: str | None = None
    kind: str = ""
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
        if ERRORED.search(self.kind) and not self.charged_cents:
            return Decimal(0)
        own = OWN_KEY.search(self.kind) or self.token_usage is None or self.token_usage.total_cents is None
        return self.charged_cents if own or self.token_usage is None else self.token_usage.total_cents or Decimal(0)


class CommitPage(Wire):
    items: list[Any]
    total_count: int = 0


class Commit(Wire):
    commit_hash: str
    user_email: str | None = None
    commit_ts: AwareDatetime
