"""The generated company's shape: its size, its weeks and its teams.

DuckDB is not imported here, so that a process that only digests has the product's memory.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from bot.domain.team import Team
from bot.domain.weeks import Schedule, Week

SECRET = b"a secret that only the bench has"
ACCOUNT = "anthropic"
REPOSITORIES = 12
TEAM_OF = 12
QUARTER = 13
WORKDAYS = 5
LAST = Week(date(2026, 5, 18))
FIRST = LAST.plus(1 - QUARTER)
NOW = datetime.combine(LAST.next().monday, time(10), UTC)


@dataclass(frozen=True, slots=True)
class Size:
    """How many people a company has, and how many events they made in the quarter, at least."""

    people: int = 500
    events: int = 10_000_000

    @property
    def teams(self) -> int:
        return max(1, round(self.people / TEAM_OF))

    @property
    def events_a_day(self) -> int:
        return -(-self.events // (self.people * QUARTER * WORKDAYS))

    @property
    def all_events(self) -> int:
        return self.events_a_day * self.people * QUARTER * WORKDAYS


def teams(size: Size) -> list[Team]:
    return [_team(number) for number in range(size.teams)]


def _team(number: int) -> Team:
    return Team(
        name=f"team-{number:03}",
        slack_channel=f"C{number:08}",
        github_team=None,
        members=(),
        repositories=tuple(f"acme/repo-{repository}" for repository in range(REPOSITORIES)),
        zone=ZoneInfo("UTC"),
        schedule=Schedule.parse("Mon 09:00"),
        owner=None,
        service_accounts=frozenset({f"ci-{number:03}"}),
        credit_micro=None,
    )
