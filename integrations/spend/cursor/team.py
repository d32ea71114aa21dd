"""Asking Cursor for a team's events and commits, page by page."""

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from bot.domain.model import Actor, ActorKind, SessionCommit
from bot.domain.ports import Access, NotFound, Refused, SourceError
from integrations import paging
from integrations.days import Window, midnight, today
from integrations.parse import lower_email, parsed
from integrations.spend.cursor.models import Commit, CommitPage, Page

KEY_NAME, URL_NAME = "CURSOR_ADMIN_KEY", "CURSOR_API_URL"
BASE_URL = "https://api.cursor.com"
EVENTS = "/teams/filtered-usage-events"
COMMITS = "/analytics/ai-code/commits"
PAGE = 1000
MAX_PAGES = 300
MOST_COMMITS = 15  # whose conversations are asked for in one run: Cursor allows 20 such questions a minute
SHA = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True, slots=True)
class Team:
    """The team behind one key, which is a user name without a password."""

    access: Access
    url: str = field(init=False)
    headers: dict[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        key = self.access.settings.get(KEY_NAME, "").strip()
        if not key:
            raise SourceError(f"{KEY_NAME} is not set", permanent=True)
        basic = b64encode(f"{key}:".encode()).decode()
        object.__setattr__(self, "headers", {"authorization": f"Basic {basic}"})
        object.__setattr__(self, "url", self.access.settings.get(URL_NAME, BASE_URL).rstrip("/"))

    def events(self, window: Window) -> Iterator[Any]:
        """Every event of a window, newest first. Its end is fixed, so that what happens meanwhile shifts no page; a
        count that is another all the same means that one was missed or read twice."""
        read, told = 0, None
        for page in paging.pages(
            "the usage events",
            MAX_PAGES,
            1,
            lambda number: (number, self.page(window, number, PAGE)),
            lambda at: at[0] + 1 if at[1].pagination.has_next_page else None,
        ):
            read, told = read + len(page[1].usage_events), page[1].total_usage_events_count
            yield from page[1].usage_events
        if told is not None and told != read:
            raise SourceError(
                f"the usage events changed while they were read: {read} of {told}, the next run tries again"
            )

    def page(self, window: Window, number: int, size: int) -> Page:
        end = min(midnight(window.end), window.now)
        body = {"startDate": _ms(midnight(window.first)), "endDate": _ms(end) - 1, "page": number, "pageSize": size}
        page = parsed(Page, self.access.http.post_json(self.url + EVENTS, body=body, headers=self.headers))
        if page is None:
            raise SourceError("the usage events are no report")
        return page

    def commits(self, window: Window) -> list[tuple[date, SessionCommit]]:
        """The newest commits of a window with their conversations; none where the plan has no AI code tracking."""
        try:
            found = [commit for raw in self._commits(window) if (commit := parsed(Commit, raw))]
            newest = sorted(found, key=lambda commit: commit.commit_ts, reverse=True)[:MOST_COMMITS]
            return [one for commit in newest if (one := self._with_sessions(commit))]
        except (Refused, NotFound):
            return []

    def _commits(self, window: Window) -> Iterator[Any]:
        dates = {"startDate": window.first.isoformat(), "endDate": window.end.isoformat(), "pageSize": PAGE}

        def ask(number: int) -> tuple[int, CommitPage]:
            answer = self.access.http.get_json(
                self.url + COMMITS, params={**dates, "page": number}, headers=self.headers
            )
            page = parsed(CommitPage, answer)
            if page is None:
                raise SourceError("the AI code commits are no report")
            return number, page

        def following(at: tuple[int, CommitPage]) -> int | None:
            return at[0] + 1 if at[1].items and at[0] * PAGE < at[1].total_count else None

        for _, page in paging.pages("the AI code commits", MAX_PAGES, 1, ask, following):
            yield from page.items

    def _with_sessions(self, commit: Commit) -> tuple[date, SessionCommit] | None:
        """What is nested how in a commit's detail is not documented, so conversations are looked for everywhere."""
        email = lower_email(commit.user_email)
        if email is None or not SHA.fullmatch(commit.commit_hash):
            return None
        detail = self.access.http.get_json(f"{self.url}{COMMITS}/{commit.commit_hash}", params={}, headers=self.headers)
        sessions = tuple(sorted(set(_conversations(detail))))
        made = SessionCommit(Actor(ActorKind.USER, email=email), commit.commit_hash, sessions)
        return (today(commit.commit_ts), made) if sessions else None


def _conversations(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        found = value.get("conversationId")
        if isinstance(found, str) and 0 < len(found) <= 100:
            yield found
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from _conversations(one)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
