"""The other two things people see: a person's own numbers, and the comment on a pull request."""

from datetime import datetime, timedelta

from sqlalchemy import Engine

from bot import render_me
from bot.app import METHOD_URL
from bot.domain.card_levels import Reference
from bot.domain.comment import MARKER
from bot.domain.model import PullRequest
from bot.domain.team import Team
from bot.domain.weeks import Week, epoch_start
from bot.render_comment import comment_body
from bot.store import pulls, units
from bot.store.db import reading
from bot.usecases.me import me
from bot.usecases.reference_card import reference

GITHUB = "https://github.com"
RECENT = timedelta(weeks=1)


def own_numbers(engine: Engine, secret: bytes, team: Team, login: str, now: datetime) -> str:
    """What `/leverage me` answers to this person."""
    return render_me.text(me(engine, secret, [team], f"S_{login}", now), GITHUB)


def comment(engine: Engine, team: Team, now: datetime) -> tuple[PullRequest, str] | None:
    """A pull request of the last week with the comment it gets; None while no reference card passes."""
    found = _commented(engine, team, now)
    if found is None:
        return None
    pull, card = found
    return pull, comment_body(card, METHOD_URL).removeprefix(MARKER).strip()


def _commented(engine: Engine, team: Team, now: datetime) -> tuple[PullRequest, Reference] | None:
    with reading(engine) as session:
        people = [user.id for user in units.roster(session, team.name, epoch_start(Week.of(now, team.zone)))]
        for pull in pulls.merged_by(session, people, now - RECENT, now):
            if card := reference(session, team, pull, now):
                return pull, card
    return None
