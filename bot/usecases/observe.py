"""Observing outcomes: pull requests of the repositories, and who is on which team's roster."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from bot.domain.model import GitHubUser
from bot.domain.ports import OutcomeSource, SourceError
from bot.domain.team import Team
from bot.domain.weeks import Week, epoch_start
from bot.store import cursors, pulls, units
from bot.store.cursors import SourceKind
from bot.store.db import reading, transaction


@dataclass(frozen=True, slots=True)
class Observed:
    """What a back-fill saw of one repository: pull requests, and how many of them were new or newer."""

    seen: int
    changed: int


def backfill(
    engine: Engine,
    outcomes: OutcomeSource,
    repository: str,
    since: datetime,
    now: datetime,
    progress: Callable[[int, int], None],
) -> Observed:
    """Read the pull requests that changed since then, page by page. Safe to run again. Raises SourceError."""
    seen = changed = 0
    try:
        for page in outcomes.pull_requests(repository, since, progress):
            with transaction(engine) as session:
                changed += pulls.save(session, page)
            seen += len(page)
    except SourceError as error:
        with transaction(engine) as session:
            cursors.failed(session, SourceKind.OUTCOME, repository, since.date(), str(error), permanent=error.permanent)
        raise
    with transaction(engine) as session:
        cursors.succeeded(session, SourceKind.OUTCOME, repository, since.date(), now)
    return Observed(seen, changed)


class RosterConflict(SourceError):
    """A login is on the rosters of two teams; the message names it and both."""


def take_roster(engine: Engine, outcomes: OutcomeSource, team: Team, now: datetime) -> bool:
    """Write down who is on the team in this epoch, unless that is done. Raises SourceError, RosterConflict."""
    epoch = epoch_start(Week.of(now, team.zone))
    with reading(engine) as session:
        if units.has_roster(session, team.name, epoch):
            return False
    members = _members(outcomes, team)
    with transaction(engine) as session:
        for login, other in units.on_other_rosters(session, team.name, epoch, members):
            raise RosterConflict(
                f"{login} is in team {team.name} and in team {other}: "
                "a person counts in one team only, so take them out of one in leverage.toml or on GitHub."
            )
        units.ensure(session, team, now)
        return units.take_roster(session, team.name, epoch, members)


def _members(outcomes: OutcomeSource, team: Team) -> list[GitHubUser]:
    members = outcomes.team_members(team.github_team) if team.github_team else outcomes.users(list(team.members))
    return list({member.id: member for member in members if not member.is_bot}.values())
