"""Observing outcomes: pull requests of the repositories, and who is on which team's roster."""

from collections.abc import Callable, Collection, Sequence
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


def take_rosters(engine: Engine, outcomes: OutcomeSource, teams: Sequence[Team], now: datetime) -> list[str]:
    """Write down who is on these teams in this epoch; returns the teams whose roster was taken.

    A team's roster holds for the epoch once its first block is published; before that it may still be put right. Every
    team that can be is done before the first error is raised: SourceError; RosterConflict for a person on two teams.
    """
    taken: list[str] = []
    failures: list[SourceError] = []
    waiting = list(teams)
    for last_try in (False, True):  # a team may have lost the person whom another one has now
        tried, waiting = waiting, []
        for team in tried:
            try:
                if _take_roster(engine, outcomes, team, {one.name for one in teams}, now):
                    taken.append(team.name)
            except SourceError as error:
                if isinstance(error, RosterConflict) and not last_try:
                    waiting.append(team)
                else:
                    failures.append(error)
                if error.whole:
                    raise
    if failures:
        raise failures[0]
    return taken


def _take_roster(engine: Engine, outcomes: OutcomeSource, team: Team, among: Collection[str], now: datetime) -> bool:
    epoch = epoch_start(Week.of(now, team.zone))
    with reading(engine) as session:
        if units.is_roster_settled(session, team.name, epoch):
            return False
    members = _members(outcomes, team)
    with transaction(engine) as session:
        for login, other in units.on_other_rosters(session, team.name, epoch, members, among):
            raise RosterConflict(
                f"{login} is in team {team.name} and in team {other}: "
                "a person counts in one team only, so take them out of one in leverage.toml or on GitHub."
            )
        units.ensure(session, team, now)
        return units.take_roster(session, team.name, epoch, members)


def _members(outcomes: OutcomeSource, team: Team) -> list[GitHubUser]:
    members = outcomes.team_members(team.github_team) if team.github_team else outcomes.users(list(team.members))
    return list({member.id: member for member in members if not member.is_bot}.values())
