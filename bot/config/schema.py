"""What `leverage.toml` may say: its tables and keys, each with the check of its own value.

Checks only refuse, in words for the person who wrote the file; what the values mean is decided in `bot.config`.
"""

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from bot.config.amounts import Amount, CachePrice, Discount, shown
from bot.domain.privacy.gate import LEAST_K, LEAST_P
from bot.domain.weeks import Schedule

FULL_NAME = r"[\w-]{1,100}/(?!\.{1,2}$)[\w.-]{1,100}"


def _text(pattern: str, advice: str) -> AfterValidator:
    """Text of one form; the advice says what was expected."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value, re.ASCII):
            raise ValueError(f"{shown(value)} {advice}")
        return value

    return AfterValidator(check)


def _no_repeats(values: list[str]) -> list[str]:
    if not values:
        raise ValueError("the list is empty; name at least one")
    for index, value in enumerate(values):
        if value.casefold() in map(str.casefold, values[:index]):
            raise ValueError(f"{shown(value)} is listed twice; once is enough")
    return values


ABBREVIATIONS = {
    **dict.fromkeys(("CET", "CEST", "MEZ", "MESZ"), "Europe/Berlin"),
    **dict.fromkeys(("GMT", "BST", "WET", "WEST"), "Europe/London"),
    **dict.fromkeys(("EST", "EDT", "ET"), "America/New_York"),
    **dict.fromkeys(("CST", "CDT", "CT"), "America/Chicago"),
    **dict.fromkeys(("MST", "MDT", "MT"), "America/Denver"),
    **dict.fromkeys(("PST", "PDT", "PT"), "America/Los_Angeles"),
    **dict.fromkeys(("AEST", "AEDT"), "Australia/Sydney"),
    **{"EEST": "Europe/Helsinki", "MSK": "Europe/Moscow", "IST": "Asia/Kolkata", "SGT": "Asia/Singapore"},
    **{"JST": "Asia/Tokyo", "KST": "Asia/Seoul", "HKT": "Asia/Hong_Kong", "BRT": "America/Sao_Paulo"},
}
"""What people write for a zone, and a place that keeps such a time; several places do, so it is only an example."""


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f'{shown(value)} is no time zone; write its IANA name, like "{_likely(value)}"') from None
    return value


def _likely(zone: str) -> str:
    """A zone that may be meant: one named by a place, as the others do not change their clocks."""
    if zone.upper() in ABBREVIATIONS:
        return ABBREVIATIONS[zone.upper()]
    places = {
        name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/", "US/"))
    }
    cities = sorted(name for name in places if name.rpartition("/")[2].casefold() == zone.replace(" ", "_").casefold())
    return (cities or get_close_matches(zone, places, 1) or ["Europe/Berlin"])[0]


def _weekly(value: str) -> str:
    try:
        Schedule.parse(value)
    except ValueError:
        raise ValueError(
            f"{shown(value)} is no weekly time; write a day of three letters and a time of two and two digits, "
            'like "Mon 09:00"'
        ) from None
    return value


def _floor(least: int) -> Callable[[int], int]:
    def check(value: int) -> int:
        if value < least:
            raise ValueError(f"{shown(value)} is too low; it may only be raised, from {least} on")
        return value

    return check


def _one_or_more(value: int) -> int:
    if value < 1:
        raise ValueError(f"{shown(value)} is too low; write how many there are, or leave it out")
    return value


Slug = Annotated[
    str,
    _text(
        r"(?=.{1,40}$)[a-z0-9]+(-[a-z0-9]+)*", 'is no name; use lower-case letters, digits and dashes, like "payments"'
    ),
]
Channel = Annotated[
    str,
    _text(r"[CG][A-Z0-9]{6,30}", 'is no channel ID; copy it from the channel\'s details in Slack, like "C0123ABCD"'),
]
SlackUser = Annotated[
    str, _text(r"[UW][A-Z0-9]{6,30}", 'is no member ID; copy it from the person\'s profile in Slack, like "U0123ABCD"')
]
GitHubTeam = Annotated[str, _text(FULL_NAME, 'is no team; write organization and team, like "acme/payments"')]
Login = Annotated[str, _text(r"[A-Za-z0-9][\w-]{0,99}", 'is no GitHub login; write it without @, like "octocat"')]
Repository = Annotated[str, _text(FULL_NAME, 'is no repository; write owner and name, like "acme/api"')]
Account = Annotated[
    str,
    _text(r"\S(.*\S)?", 'is no account; write its ID as the provider reports it, like "svac_01AB"'),
    _text(
        r"(?!\S+@\S+\Z).*",
        "is an e-mail address, and nobody's spend is counted unless they join; write the ID of a service account, "
        'like "svac_01AB"',
    ),
]
Note = Annotated[str, _text(r"[^\W_][ -~]{0,39}", 'is no currency note; write a few plain letters, like "USD"')]
Zone = Annotated[str, AfterValidator(_zone)]
Weekly = Annotated[str, AfterValidator(_weekly)]
Pattern = Annotated[
    str,
    _text(
        r"[\w.:/@*?+-]{1,100}",
        'is no name of a model; write it as the source does, * stands for the rest, like "acme-coder-*"',
    ),
]


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class CompanyTable(Table):
    """What `[company]` may hold."""

    currency_note: Note = Field("USD", examples=["USD"])
    hourly_cost: Amount | None = Field(None, examples=[95])
    k: Annotated[int, AfterValidator(_floor(LEAST_K))] = Field(LEAST_K, examples=[LEAST_K])
    p: Annotated[int, AfterValidator(_floor(LEAST_P))] = Field(LEAST_P, examples=[LEAST_P])


class TeamTable(Table):
    """What each `[[team]]` may hold."""

    name: Slug = Field(examples=["payments"])
    slack_channel: Channel = Field(examples=["C0123ABCD"])
    github_team: GitHubTeam | None = Field(None, examples=["acme/payments"])
    members: Annotated[list[Login], AfterValidator(_no_repeats)] | None = Field(None, examples=[["octocat"]])
    repositories: Annotated[list[Repository], AfterValidator(_no_repeats)] = Field(examples=[["acme/api"]])
    timezone: Zone = Field(examples=["Europe/Berlin"])
    digest: Weekly = Field(examples=["Mon 09:00"])
    owner: SlackUser | None = Field(None, examples=["U0123ABCD"])
    service_accounts: list[Account] = Field([], examples=[["svac_01AB"]])
    credit: Amount | None = Field(None, examples=[4000])

    @model_validator(mode="after")
    def _people_are_named_once(self) -> "TeamTable":
        if self.github_team is None and self.members is None:
            raise ValueError('names no people; add github_team = "acme/payments" or members = ["octocat"]')
        if self.github_team is not None and self.members is not None:
            raise ValueError("names its people twice; keep github_team or members, not both")
        return self


class PriceTable(Table):
    """What each `[[price]]` may hold; amounts are US dollars for a million tokens."""

    model: Pattern = Field(examples=["acme-coder-*"])
    source: Slug | None = Field(None, examples=["litellm"])
    input: Amount | None = Field(None, examples=[1.25])
    output: Amount | None = Field(None, examples=[10])
    cache_read: CachePrice | None = Field(None, examples=[0.125])
    cache_write_5m: CachePrice | None = Field(None, examples=[1.5])
    cache_write_1h: CachePrice | None = Field(None, examples=[2.5])
    discount: Discount | None = Field(None, examples=[0.15])

    @model_validator(mode="after")
    def _says_something(self) -> "PriceTable":
        cached = {self.cache_read, self.cache_write_5m, self.cache_write_1h} != {None}
        if (self.input is None) != (self.output is None) or (cached and self.input is None):
            raise ValueError("has a price in part; give input and output, in US dollars for a million tokens")
        if self.input is None and self.discount is None:
            raise ValueError("says no price; give input and output, or a discount")
        return self


class PlanTable(Table):
    """What each `[[plan]]` may hold; amounts are US dollars."""

    source: Slug = Field(examples=["copilot"])
    seat: Amount | None = Field(None, examples=[39])
    seats: Annotated[int, AfterValidator(_one_or_more)] | None = Field(None, examples=[25])
    credit: Amount | None = Field(None, examples=[2.25])

    @model_validator(mode="after")
    def _says_something(self) -> "PlanTable":
        if self.seat is None and self.credit is None:
            raise ValueError("says no amount; give what a seat costs in a month, or what a credit costs")
        return self


class FileTable(Table):
    """What the file may hold."""

    company: CompanyTable = CompanyTable()
    team: list[TeamTable] = Field(min_length=1)
    price: list[PriceTable] = []
    plan: list[PlanTable] = []

    @field_validator("plan")
    @classmethod
    def _one_plan_a_source(cls, plans: list[PlanTable]) -> list[PlanTable]:
        names = [plan.source for plan in plans]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f"{shown(twice)} has two plans; write what a seat and a credit cost into one")
        return plans
