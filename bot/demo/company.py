"""An invented company: its teams, and who of them joined Leverage and when.

Nothing here asks a clock, and every draw has its own seed: it is the same company each time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
ORGANISATION = "fernwick"
MONDAYS = tuple(date(2026, 9, 21) + timedelta(weeks=number) for number in range(8))
FIRST_DAY = MONDAYS[0] - timedelta(weeks=6)
LAST_DAY = MONDAYS[-1]
DIGEST_AT = time(9)

CI = "svac_checkout_ci"
NIGHTLY = "svac_search_nightly"

HEAVY, HEAVY_WEEK, HEAVY_DAYS = "rui", date(2026, 10, 12), 4
"""Whose work outweighs that of all colleagues, in which week, and on how many days of it."""


@dataclass(frozen=True, slots=True)
class Person:
    """An engineer. `joined_at` is when they let Leverage see their numbers, None if they never do."""

    login: str
    team: str
    joined_at: datetime | None

    @property
    def email(self) -> str:
        return f"{self.login}@{ORGANISATION}.example"

    def draws(self, what: str) -> Random:
        """Chance of this person's own, so that another colleague changes nothing about them."""
        return Random(f"{self.login}/{what}")


@dataclass(frozen=True, slots=True)
class Group:
    """A team as the company knows it. `people` are its engineers; `services` its machines that use AI too."""

    name: str
    zone: ZoneInfo
    repositories: tuple[str, ...]
    people: tuple[Person, ...]
    services: tuple[str, ...] = ()

    def at(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self.zone).astimezone(UTC)


def groups() -> tuple[Group, ...]:
    """Twelve people of whom seven join, eight of whom two join later, and four, who are too few whoever joins."""
    return (
        _group(
            "payments", "Europe/Berlin", "checkout ledger", _crew("ada ben chi dev eli fay gus", "hal ida jon kim lea")
        ),
        _group(
            "search", "America/New_York", "search", _crew("mia nik ola pia quy rui", "", sam=(10, 1), tess=(10, 21))
        ),
        _group("tools", "Europe/London", "tools", _crew("una vik wes xia", "")),
    )


def _crew(early: str, never: str, **later: tuple[int, int]) -> Iterator[tuple[str, datetime | None]]:
    """Logins, and when they join: in the week before the first Monday, on a day of autumn, or not at all."""
    start = datetime(2026, 9, 16, 8, 10, tzinfo=UTC)
    yield from ((login, start + timedelta(hours=5 * number)) for number, login in enumerate(early.split()))
    yield from ((login, datetime(2026, *day, 13, 30, tzinfo=UTC)) for login, day in later.items())
    yield from ((login, None) for login in never.split())


def _group(name: str, zone: str, repositories: str, crew: Iterator[tuple[str, datetime | None]]) -> Group:
    return Group(
        name,
        ZoneInfo(zone),
        tuple(f"{ORGANISATION}/{repository}" for repository in repositories.split()),
        tuple(Person(login, name, joined_at) for login, joined_at in crew),
        (CI,) if name == "payments" else (),
    )


def is_heavy(person: Person, day: date) -> bool:
    return person.login == HEAVY and HEAVY_WEEK <= day < HEAVY_WEEK + HEAVY_DAYS * DAY
