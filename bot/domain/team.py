"""A company and its teams, as its `leverage.toml` names them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bot.domain.prices import NO_TERMS, Terms
from bot.domain.privacy.gate import Rule
from bot.domain.weeks import Schedule


@dataclass(frozen=True, slots=True)
class Team:
    """The smallest group that is ever shown. Its people are either a GitHub team's or listed by login.

    `repositories` is what is observed; a pull request counts in its author's team, whatever its repository.
    `credit_micro` is the compute budget of a month.
    """

    name: str
    slack_channel: str
    github_team: str | None
    members: tuple[str, ...]
    repositories: tuple[str, ...]
    zone: ZoneInfo
    schedule: Schedule
    owner: str | None
    service_accounts: frozenset[str]
    credit_micro: int | None


@dataclass(frozen=True, slots=True)
class Company:
    """Everything a deployment is about. `hourly_cost_micro` is what an hour of a person's time costs, `terms` are the
    company's own prices and plans."""

    teams: tuple[Team, ...]
    rule: Rule
    hourly_cost_micro: int | None
    currency_note: str
    terms: Terms = NO_TERMS

    @property
    def repositories(self) -> tuple[str, ...]:
        """What is observed for any team, each repository once."""
        return tuple(dict.fromkeys(name for team in self.teams for name in team.repositories))

    @property
    def service_accounts(self) -> frozenset[str]:
        """The accounts that some team lists."""
        return frozenset().union(*(team.service_accounts for team in self.teams))


@dataclass(frozen=True, slots=True)
class Overlap:
    """Something that two teams claim, though it can belong to one only: `key` says what, `index` which team."""

    key: str
    value: str
    index: int
    earlier: int


def overlaps(teams: Sequence[Team]) -> Iterator[Overlap]:
    """What keeps the teams from being disjoint, in the order of the teams."""
    claims: dict[tuple[str, str], int] = {}
    for index, team in enumerate(teams):
        for key, value in _claims(team):
            earlier = claims.setdefault((key, value.casefold()), index)
            if earlier != index:
                yield Overlap(key, value, index, earlier)


def _claims(team: Team) -> Iterator[tuple[str, str]]:
    yield "name", team.name
    if team.github_team:
        yield "github_team", team.github_team
    yield from (("members", login) for login in team.members)
    yield from (("service_accounts", account) for account in sorted(team.service_accounts))
