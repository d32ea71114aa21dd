"""A small company in a real database, told in few words: who is on the team, who spent what, what was merged.

company = SmallCompany(engine, "ann bo cy di ed")
company.joins("ann bo cy di ed", at="2026-05-06")
company.spends("2026-05-04", ann=10, bo=8)
company.pull(1, "ann", commits={"ann": "2026-05-04"}, merged="2026-05-06")
company.monday("2026-05-11")
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from bot.domain.block import Block
from bot.domain.model import (
    AccountDay,
    Actor,
    ActorKind,
    CommitDay,
    GitHubUser,
    PullRequest,
    PullState,
    Review,
    SpendRow,
    Tokens,
)
from bot.domain.privacy.gate import Rule
from bot.domain.team import Team
from bot.domain.weeks import Schedule, Week, epoch_start
from bot.store import cursors, pulls, units
from bot.store.cursors import SourceKind
from bot.store.db import transaction
from bot.store.tables import Unit
from bot.usecases.collect import Splitting, store_day
from bot.usecases.consent import Handles, join
from bot.usecases.digest import Frozen, Publishing, freeze_due, read

DOLLAR = 1_000_000
SECRET = b"a secret that only these tests have"
REPOSITORY = "acme/api"
ACCOUNT = "anthropic"


def instant(text: str) -> datetime:
    """A time such as "2026-05-06" (its noon) or "2026-05-06 09:00", UTC."""
    return datetime.fromisoformat(text if ":" in text else f"{text} 12:00").replace(tzinfo=UTC)


def user(name: str) -> GitHubUser:
    return GitHubUser(f"U_{name}", name, is_bot=name.endswith("[bot]"))


class SmallCompany:
    """One team and its books; its first digest is about week 20 of 2026. Its service account is called `ci`."""

    def __init__(self, engine: Engine, roster: str, *, name: str = "payments", zone: str = "UTC") -> None:
        self.engine = engine
        self.team = Team(
            name=name,
            slack_channel="C0123ABCD",
            github_team=None,
            members=tuple(roster.split()),
            repositories=(REPOSITORY,),
            zone=ZoneInfo(zone),
            schedule=Schedule.parse("Mon 09:00"),
            owner=None,
            service_accounts=frozenset({"ci"}),
            credit_micro=None,
        )
        self.publishing = Publishing(Rule(), SECRET, "https://example.com/method")
        self.people: dict[str, str] = {}
        with transaction(engine) as session:
            session.add(Unit(name=name, created_at=instant("2026-05-13"), first_week=date(2026, 5, 11)))
            for epoch in range(-3, 6):
                start = epoch_start(Week(date(2026, 5, 4))).plus(4 * epoch)
                units.take_roster(session, name, start, [user(member) for member in roster.split()])

    def joins(self, names: str, at: str, *, team: bool = True) -> None:
        for name in names.split():
            handles = Handles(github=f"U_{name}", slack=f"S_{name}", email=f"{name}@example.com")
            self.people[name] = join(self.engine, SECRET, handles, self.team.zone, instant(at), team=team, proved=True)

    def spends(self, day: str, *, unnamed: float = 0, **dollars: float) -> None:
        """One account-day: list price in dollars by name; the bill is nine tenths of it, and `unnamed` more."""
        self.spends_at(day, at=max(day, "2026-05-17"), unnamed=unnamed, **dollars)

    def spends_at(self, day: str, *, at: str, unnamed: float = 0, **dollars: float) -> None:
        """An account-day that is fetched on another day."""
        rows = tuple(_row(name, round(amount * DOLLAR)) for name, amount in dollars.items())
        billed = sum(row.billed_micro or 0 for row in rows) + round(unnamed * DOLLAR)
        account_day = AccountDay(ACCOUNT, date.fromisoformat(day), billed, None, rows)
        store_day(self.engine, account_day, Splitting(SECRET, self.team.service_accounts), instant(at))

    def quiet_days(self, first: str, last: str, **dollars: float) -> None:
        """Account-days that are all alike, from `first` to `last`."""
        day = date.fromisoformat(first)
        while day <= date.fromisoformat(last):
            self.spends(day.isoformat(), **dollars)
            day += timedelta(days=1)

    def pull(
        self,
        number: int,
        author: str,
        *,
        commits: dict[str, str] | None = None,
        opened: str = "2026-04-06",
        merged: str | None = None,
        closed: str | None = None,
        owner: str | None = None,
        reverts: int | None = None,
        reviews: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """A pull request; `commits` says on which days ("2026-05-04 2026-05-05") who committed."""
        days = [(name, day) for name, text in (commits or {}).items() for day in text.split()]
        ended = merged or closed
        state = PullState.MERGED if merged else PullState.CLOSED if closed else PullState.OPEN
        pull = PullRequest(
            id=f"PR_{number}",
            repository=REPOSITORY,
            repository_id="R_1",
            number=number,
            author=user(author),
            owner=user(owner) if owner else None,
            state=state,
            draft=False,
            created_at=instant(opened),
            ready_at=instant(opened),
            merged_at=instant(merged) if merged else None,
            closed_at=instant(ended) if ended else None,
            updated_at=instant(ended or opened),
            base_branch="main",
            head_branch=f"branch-{number}",
            lines=40,
            files=2,
            reverts=reverts,
            commits=tuple(CommitDay(f"U_{name}", date.fromisoformat(day)) for name, day in days),
            head_repository=REPOSITORY,
            default_branch="main",
            reviews=tuple(Review(user(name), "approved", instant(at)) for name, at in reviews),
        )
        with transaction(self.engine) as session:
            pulls.save(session, [pull])

    def monday(self, day: str, *, read_at: str | None = None) -> Frozen:
        """Freeze what is due at ten on this day, all sources having been read just before."""
        now = instant(f"{day} 10:00")
        with transaction(self.engine) as session:
            seen = instant(read_at) if read_at else now
            cursors.succeeded(session, SourceKind.SPEND, ACCOUNT, date(2026, 1, 1), seen, lag_days=1)
            cursors.succeeded(session, SourceKind.OUTCOME, REPOSITORY, date(2026, 1, 1), seen)
        return freeze_due(self.engine, self.team, self.publishing, now)

    def block(self, week: str) -> Block | None:
        found = read(self.engine, self.team, Week.parse(week), "https://example.com/method")
        return found.block if found else None


def _row(name: str, micro: int) -> SpendRow:
    machine = name == "ci"
    actor = Actor(ActorKind.SERVICE_ACCOUNT, "ci") if machine else Actor(ActorKind.USER, None, f"{name}@example.com")
    return SpendRow(actor, "claude-opus-5-5", Tokens(fresh=micro // 5), 1, micro, micro * 9 // 10)
