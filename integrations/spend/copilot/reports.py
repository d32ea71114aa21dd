"""Asking GitHub for an organization's Copilot bills, seats and people's reports."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from bot.domain.ports import Access, NotFound, Refused, SourceError
from integrations import paging
from integrations.parse import parsed
from integrations.spend.copilot.seats import Seat, SeatPage, Seats

KEY_NAME, ORG_NAME, URL_NAME = "GITHUB_BILLING_TOKEN", "GITHUB_BILLING_ORG", "GITHUB_API_URL"
BASE_URL = "https://api.github.com"
REPORT_HOST = "copilot-reports.github.com"
PAGE = 100
MAX_PAGES = 500
ORG = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}")


class Wire(BaseModel):
    """Bills are written in camel case, all else is not."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Period(BaseModel):
    """The time that a bill sums up: a year, a month of it, or a day."""

    year: int
    month: int | None = None
    day: int | None = None


class Items(Wire):
    time_period: Period | None = None
    usage_items: list[Any]


class Links(BaseModel):
    download_links: list[str] = []


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
        if found.time_period not in (None, Period(year=day.year, month=day.month, day=day.day)):
            raise SourceError(f"{what}/usage was asked for {day} and answered for another time")
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
        return [row for link in links.download_links for row in self._lines(link)]

    def _lines(self, link: str) -> list[Any]:
        """A file's rows. The link is signed: it needs no token, and gets none. One that is refused says nothing of our
        token, so the day is read again another time."""
        if not self._is_githubs(link):
            raise SourceError(f"a report lies at an address that is not GitHub's; only {REPORT_HOST} is asked")
        try:
            return self.access.http.get_lines(link, headers={})
        except (Refused, NotFound):
            message = f"a link to a report was refused: it ran out, or a proxy does not let {REPORT_HOST} through"
            raise SourceError(message) from None

    def _is_githubs(self, link: str) -> bool:
        """Whether it leads where GitHub keeps reports, or to the API's own host. Scheme, host and port have to be the
        same to the letter. Azure's hosts of before May 2026 are not among them: anybody can have one of these."""
        own = _origin(self.base_url)
        known = {("https", REPORT_HOST), own}
        if own[1].endswith(".ghe.com"):  # GitHub Enterprise Cloud with data residency
            known.add(("https", own[1].replace("api.", "copilot-reports.", 1)))
        return link.isprintable() and _origin(link) in known

    def seats(self) -> Seats | None:
        """Every seat; None where the token may not see them."""
        path = f"/orgs/{self.access.settings[ORG_NAME]}/copilot/billing/seats"

        def ask(at: tuple[int, int]) -> tuple[int, int, SeatPage]:
            number, seen = at
            page = parsed(SeatPage, self._get(path, {"page": number, "per_page": PAGE}))
            if page is None:
                raise SourceError("the list of seats is none")
            return number, seen + len(page.seats), page

        try:
            found = [page for _, _, page in paging.pages("the list of seats", MAX_PAGES, (1, 0), ask, _following)]
        except (Refused, NotFound):
            return None
        seats = (parsed(Seat, raw) for page in found for raw in page.seats)
        return Seats(tuple(seat for seat in seats if seat), found[-1].total_seats)

    def _get(self, path: str, params: Mapping[str, Any]) -> Any:
        headers = {
            "authorization": f"Bearer {self.access.settings[KEY_NAME]}",
            "accept": "application/vnd.github+json",
            "x-github-api-version": "2022-11-28",
        }
        return self.access.http.get_json(self.base_url + path, params=params, headers=headers)


def _origin(address: str) -> tuple[str, str]:
    try:
        parts = urlsplit(address)
    except ValueError:
        return "", ""
    return parts.scheme, parts.netloc.lower()


def _following(at: tuple[int, int, SeatPage]) -> tuple[int, int] | None:
    """A page may be shorter than asked for and not be the last; somebody listed twice counts once in the total."""
    number, seen, page = at
    ended = len(page.seats) < PAGE and seen >= page.total_seats
    return None if ended or not page.seats else (number + 1, seen)
