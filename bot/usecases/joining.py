"""What the window behind `/leverage join` does: join with a typed GitHub login, or change what is switched on.

The login is typed, not proved: it only has to be on a team's roster and free. Nobody else's rows hang on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from bot.domain.me import Comments, Switches
from bot.domain.model import GitHubUser
from bot.domain.team import Team
from bot.domain.weeks import Week, epoch_start
from bot.store import units
from bot.store.db import reading
from bot.usecases import consent
from bot.usecases.consent import AlreadyTaken, Handles
from bot.usecases.me import github_account


class NotFree(Exception):
    """The typed login is on no team's roster, or one of these accounts has joined already. Which of the two is told
    to nobody: the answer must not say who has joined."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody chose in the window, besides `collect`."""

    team: bool
    comments: Comments


def current(engine: Engine, secret: bytes, slack: str) -> Switches | None:
    """What the person behind this Slack account has switched on; None if they have not joined."""
    with reading(engine) as session:
        return consent.switches(session, secret, slack)


def join(
    engine: Engine, secret: bytes, teams: Sequence[Team], slack: str, email: str, login: str, wish: Wish, now: datetime
) -> None:
    """Let the person behind this Slack account in. Raises NotFree."""
    found = _on_a_roster(engine, teams, login, now)
    if found is None:
        raise NotFree
    team, account = found
    handles = Handles(github=account.id, slack=slack, email=email)
    try:
        consent.join(engine, secret, handles, team.zone, now, team=wish.team, proved=False, comments=wish.comments)
    except AlreadyTaken:
        raise NotFree from None


def change(engine: Engine, secret: bytes, teams: Sequence[Team], person: str, wish: Wish, now: datetime) -> None:
    """Switch `team` and the comments as wished; what is so already stays as it is. Raises NotJoined."""
    with reading(engine) as session:
        _, zone = github_account(session, secret, teams, person, now)
    consent.switch_team(engine, person, zone, now, on=wish.team)
    consent.switch_comments(engine, person, wish.comments, now)


def leave(engine: Engine, secret: bytes, slack: str, now: datetime) -> bool:
    """Withdraw every switch at once. Returns False if there was nothing to withdraw."""
    switches = current(engine, secret, slack)
    if switches:
        consent.leave(engine, switches.person, now)
    return switches is not None


def _on_a_roster(engine: Engine, teams: Sequence[Team], login: str, now: datetime) -> tuple[Team, GitHubUser] | None:
    with reading(engine) as session:
        for team in teams:
            for user in units.roster(session, team.name, epoch_start(Week.of(now, team.zone))):
                if user.login.casefold() == login.casefold():
                    return team, user
    return None
