"""A person's own numbers, from stored rows only: no provider and no GitHub is asked."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from sqlmodel import Session

from bot.domain.handles import HandleKind, keyed_hash
from bot.domain.me import Me, Own, Switches, view, weeks_shown
from bot.domain.team import Team
from bot.domain.weeks import EPOCH_WEEKS, Week, epoch_start
from bot.store import me as rows
from bot.store import people
from bot.store.db import reading
from bot.usecases import consent

UTC_ZONE = ZoneInfo("UTC")


def me(engine: Engine, secret: bytes, teams: Sequence[Team], slack: str, now: datetime) -> Me | None:
    """What the person behind this Slack account may see of themselves; None if they have not joined.

    `slack` must come from a request that Slack signed, and from nowhere else.
    """
    with reading(engine) as session:
        switches = consent.switches(session, secret, slack)
        if switches is None:
            return None
        account, zone = github_account(session, secret, teams, switches.person, now)
        return view(_own(session, switches, account, zone, now), now, zone)


def _own(session: Session, switches: Switches, account: str | None, zone: ZoneInfo, now: datetime) -> Own:
    weeks = weeks_shown(now, zone)
    first, last = weeks[0].days(zone)[0], weeks[-1].days(zone)[-1]
    measured = rows.measured(session, switches.person)
    return Own(
        switches=switches,
        linked=account is not None,
        days=rows.spend(session, switches.person, first, last),
        booked=rows.booked(session, switches.person, first, last),
        pulls=rows.pulls(session, account, weeks[0].window(zone).start, measured) if account else (),
        told=rows.told(session, switches.person, first, last),
    )


def github_account(
    session: Session, secret: bytes, teams: Sequence[Team], person: str, now: datetime
) -> tuple[str | None, ZoneInfo]:
    """The person's GitHub account, found again among those on a roster, and the zone of that team.

    Only the account's keyed hash is stored with the person.
    """
    zones = {team.name: team.zone for team in teams}
    since = epoch_start(Week.of(now, UTC_ZONE)).plus(-EPOCH_WEEKS).monday
    own = people.hashes(session, person)
    for unit, account in rows.accounts(session, zones.keys(), since):
        if keyed_hash(secret, HandleKind.GITHUB, account) in own:
            return account, zones[unit]
    return None, next(iter(zones.values()), UTC_ZONE)
