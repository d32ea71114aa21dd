"""Asking GitHub for an organization's Copilot bills, seats and people's reports."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from pydantic import AwareDatetime, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from bot.domain.ports import Access, NotFound, Refused, SourceError
from integrations import paging
from integrations.days import today
from integrations.parse import parsed

KEY_NAME, ORG_NAME, URL_NAME = "GITHUB_BILLING_TOKEN", "GITHUB_BILLING_ORG", "GITHUB_API_URL"
BASE_URL = "https://api.github.com"
REPORT_HOST = "copilot-reports.github.com"
PAGE = 100
MAX_PAGES = 200
ORG = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}")


class Wire(BaseModel):
    """Bills are written in camel case, all else is not."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Items(Wire):
    usage_items: list[Any]


class Links(BaseModel):
    download_links: list[str] = []


class Assignee(BaseModel):
    id: int
    login: str = ""
    node_id: str | None = None


class Seat(BaseModel):
    """`created_at` to `pending_cancellation_date`, which is the first day without it."""

    assignee: Assignee | None = None
    created_at: AwareDatetime
    pending_cancellation_date: date | None = None

    def is_paid(self, day: date) -> bool:
        ends = self.pending_cancellation_date
        return today(self.created_at) <= day and (ends is None or day < ends)


class SeatPage(BaseModel):
    total_seats: int
    seats: list[Any]


@dataclass(frozen=True, slots=True)
class Reports:
    """The organization behind one token. Raises SourceError for settings that cannot be used."""

    access: Access

    def __post_init__(self) -> None:
        settings = self.access.settings
        if not settings.get(KEY_NAME) or not settings.get(ORG_NAME):
            raise SourceError(f"{ORG_NAME if settings.get(KEY_NAME) else KEY_NAME} is not set", permanent=True)
        if not ORG.fullmatch(settings[ORG_NAME]):
            raise SourceError(f"{ORG_NAME} is no name of an organization: write it as in its address", permanent=True)

    @property
    def base_url(self) -> str:
        return self.access.settings.get(URL_NAME, BASE_URL).rstrip("/")

    def items(self, day: date) -> list[Any]:
        """What was billed of a day: AI credits, and premium requests where an organization still has them."""
        credits = self.credits(day)
        try:
            return [*credits, *self._billed("premium_request", day)]
        except (Refused, NotFound):
            return credits

    def credits(self, day: date) -> list[Any]:
        return self._billed("ai_credit", day)

    def _billed(self, what: str, day: date) -> list[Any]:
        path = f"/organizations/{self.access.settings[ORG_NAME]}/settings/billing/{what}/usage"
        found = parsed(Items, self._get(path, {"year": day.year, "month": day.month, "day": day.day}))
        if found is None:
            raise SourceError(f"{what}/usage answered with something that is no report")
        return found.usage_items

    def people(self, day: date) -> list[Any]:
        """People's rows of a day; none where there is no report, or the organization does not let anybody see one."""
        path = f"/orgs/{self.access.settings[ORG_NAME]}/copilot/metrics/reports/users-1-day"
        try:
            answer = self._get(path, {"day": day.isoformat()})
        except (Refused, NotFound):
            return []
        links = Links() if answer is None else parsed(Links, answer)
        if links is None:
            raise SourceError("users-1-day answered with something that is no report")
        return [
            row for link in links.download_links for row in self.access.http.get_lines(self._safe(link), headers={})
        ]

    def _safe(self, link: str) -> str:
        """The link, if it leads to GitHub: it is signed, so it needs no token, and gets none."""
        host, own = urlsplit(link).hostname, urlsplit(self.base_url).hostname
        if host not in (REPORT_HOST, own) or (host == REPORT_HOST and not link.startswith("https://")):
            raise SourceError(f"a report lies at an address that is not GitHub's; only {REPORT_HOST} is asked")
        return link

    def seats(self) -> list[Seat]:
        """Every seat; none where the token may not see them."""
        path = f"/orgs/{self.access.settings[ORG_NAME]}/copilot/billing/seats"

        def ask(number: int) -> tuple[int, SeatPage]:
            page = parsed(SeatPage, self._get(path, {"page": number, "per_page": PAGE}))
            if page is None:
                raise SourceError("the list of seats is none")
            return number, page

        return list(self._read(paging.pages("the list of seats", MAX_PAGES, 1, ask, _following)))

    def _read(self, pages: Iterator[tuple[int, SeatPage]]) -> Iterator[Seat]:
        try:
            for _, page in pages:
                yield from (seat for raw in page.seats if (seat := parsed(Seat, raw)))
        except (Refused, NotFound):
            return

    def _get(self, path: str, params: Mapping[str, Any]) -> Any:
        headers = {
            "authorization": f"Bearer {self.access.settings[KEY_NAME]}",
            "accept": "application/vnd.github+json",
            "x-github-api-version": "2022-11-28",
        }
        return self.access.http.get_json(self.base_url + path, params=params, headers=headers)


def _following(at: tuple[int, SeatPage]) -> int | None:
    """GitHub says how many seats there are, and gives an empty page after the last one."""
    number, page = at
    return number + 1 if page.seats and number * PAGE < page.total_seats else None
