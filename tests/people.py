"""Ann opted in, Bo did not, Cy is on another team: who they are, and in few words what they and machines spent.

report("ann opus 12/10, bo haiku 3, svac_ci opus 1", "2026-05-11", bill="20")

is one account-day. Each entry names who spent, on which model, and dollars at list price, then what was billed if that
is another amount; `-` is an unknown amount. `svac_...` is a service account, `key_...` a shared key, `key_x@bo` a key
of Bo's, `?` nobody the provider can name, everybody else a person.
"""

from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, text

from bot.domain.model import AccountDay, Actor, ActorKind, SpendRow, Tokens
from bot.domain.money import from_dollars
from bot.domain.split import Split, split
from bot.domain.team import Team
from bot.domain.weeks import Schedule
from bot.store.db import reading
from bot.usecases.consent import Handles, join
from tests.company import ACCOUNT, REPOSITORY, SECRET, instant

MONDAY = "2026-05-11"
UTC_ZONE = ZoneInfo("UTC")


def handles(name: str) -> Handles:
    return Handles(github=f"U_{name}", slack=f"S_{name}", email=f"{name}@example.com")


def joined(engine: Engine, name: str, at: str = MONDAY, *, team: bool = True, zone: str = "UTC") -> str:
    """Let somebody in; the person key."""
    return join(engine, SECRET, handles(name), ZoneInfo(zone), instant(at), team=team, proved=True)


def actor(name: str) -> Actor:
    if name == "?":
        return Actor(ActorKind.UNKNOWN)
    if name.startswith("svac_"):
        return Actor(ActorKind.SERVICE_ACCOUNT, name)
    if name.startswith("key_"):
        key, _, owner = name.partition("@")
        return Actor(ActorKind.KEY, key, owned_by_user=bool(owner))
    return Actor(ActorKind.USER, f"user_{name}", f"{name}@example.com")


def row(entry: str) -> SpendRow:
    who, model, dollars = entry.split()
    listed, _, billed = dollars.partition("/")
    list_micro, billed_micro = micro(listed), micro(billed or listed)
    tokens = Tokens(fresh=(list_micro or 0) // 5, output=(list_micro or 0) // 50)
    return SpendRow(actor(who), None if model == "-" else model, tokens, 1, list_micro, billed_micro)


def micro(dollars: str) -> int | None:
    return None if dollars == "-" else from_dollars(Decimal(dollars))


def report(entries: str, day: str = MONDAY, *, bill: str | None = None, account: str = ACCOUNT) -> AccountDay:
    """An account-day; without a bill of its own it is billed what its rows say."""
    rows = tuple(row(entry) for entry in entries.split(",") if entry.strip())
    billed = micro(bill) if bill else sum(one.billed_micro or 0 for one in rows)
    return AccountDay(account, date.fromisoformat(day), billed or 0, None, rows, instant(day))


def parted(day: AccountDay, people: str = "ann", listed: str = "") -> Split:
    """The day split with these people's names as person keys."""
    known = {f"{name}@example.com": name for name in people.split()}
    return split(day, lambda who, _day: known.get(who.email or ""), frozenset(listed.split()))


def team_of(members: str, name: str = "payments", *, github_team: str | None = None, zone: str = "UTC") -> Team:
    """A team of these logins, which posts on Mondays at nine."""
    return Team(
        name=name,
        slack_channel=f"C_{name}",
        github_team=github_team,
        members=tuple(members.split()),
        repositories=(REPOSITORY,),
        zone=ZoneInfo(zone),
        schedule=Schedule.parse("Mon 09:00"),
        owner=None,
        service_accounts=frozenset(),
        credit_micro=None,
    )


def dump(engine: Engine, table: str) -> list[dict[str, Any]]:
    """Every row of a table."""
    with reading(engine) as session:
        return sorted(map(dict, session.execute(text(f"SELECT * FROM {table}")).mappings()), key=str)
