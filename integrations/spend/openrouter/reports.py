"""Asking OpenRouter: the activity of a day, and the members of the organisation. Names of people are not read."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pydantic import BaseModel

from bot.domain.model import Actor, ActorKind
from bot.domain.ports import Http, NotFound, Refused, SourceError
from integrations import paging
from integrations.parse import Number, lower_email, parsed

NAME, TITLE = "openrouter", "OpenRouter"
ACTIVITY, MEMBERS = "/activity", "/organization/members"
LIMIT = 100  # members of a page
MAX_PAGES = 200


class Page(BaseModel):
    data: list[Any]
    total_count: Number | None = None


class Member(BaseModel):
    id: str
    email: str | None = None

    def actor(self) -> Actor:
        return Actor(ActorKind.USER, self.id, lower_email(self.email))


@dataclass(frozen=True, slots=True)
class Reports:
    """An organisation's reports behind one key."""

    http: Http
    base_url: str
    key: str = field(repr=False)

    def activity(self, day: date, **of: str) -> list[Any]:
        return self._get(ACTIVITY, {"date": day.isoformat(), **of}).data

    def members(self) -> list[Member] | None:
        """None for a key that may not list them, or an account that has none."""
        try:
            found = [parsed(Member, raw) for page in self._members() for raw in page.data]
        except (Refused, NotFound):
            return None
        return list({one.id: one for one in found if one}.values())

    def _members(self) -> Iterator[Page]:
        def ask(offset: int) -> tuple[int, Page]:
            return offset, self._get(MEMBERS, {"offset": offset, "limit": LIMIT})

        for _, page in paging.pages(f"{TITLE}: {MEMBERS}", MAX_PAGES, 0, ask, _following):
            yield page

    def _get(self, path: str, params: dict[str, Any]) -> Page:
        headers = {"authorization": f"Bearer {self.key}"}
        page = parsed(Page, self.http.get_json(self.base_url + path, params=params, headers=headers))
        if page is None:
            raise SourceError(f"{TITLE}: {path} answered with something that is no report")
        return page


def _following(asked: tuple[int, Page]) -> int | None:
    """Where the next page begins; where no total is told, the pages end with an empty one."""
    offset, page = asked
    reached = offset + len(page.data)
    return reached if page.data and (page.total_count is None or reached < page.total_count) else None
