"""Reading what is due: each source for itself, failed ones rest, a week's end reads everything again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from bot.domain.model import AccountDay, GitHubUser, PullRequest
from bot.domain.ports import Access, Refused, SourceError
from bot.domain.privacy.gate import Rule
from bot.domain.reading import FAILED_WAIT, FIRST_DAYS, OUTCOMES_EVERY
from bot.domain.team import Company
from bot.store import cursors
from bot.store.cursors import Cursor, SourceKind
from bot.store.db import reading
from bot.usecases.collect import Splitting
from bot.usecases.refresh import Failures, refresh_outcomes, refresh_spend
from tests.company import SECRET, instant, user
from tests.fake_source import FakeSource, access
from tests.people import dump, joined
from tests.teams import team

NOW = instant("2026-05-13 15:00")
MINUTE = timedelta(minutes=1)
REFETCH = 30


SPEND_EVERY = timedelta(hours=6)


@dataclass
class Account(FakeSource):
    """A source of spend; while `down` it fails so."""

    down: SourceError | None = None
    LAG_DAYS: int = 1
    REFETCH_DAYS: int = REFETCH

    def fetch(self, access: Access, since: date, until: date, now: datetime) -> Iterator[AccountDay]:
        self.script = [self.down or AccountDay(self.NAME, since, 0, None, ())]
        return super().fetch(access, since, until, now)


@dataclass
class GitHub:
    """Every team has one member of its name; what is in `down` fails."""

    down: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def pull_requests(
        self, repository: str, since: datetime, progress: Callable[[int, int], None]
    ) -> Iterator[list[PullRequest]]:
        self._ask(f"{repository} since {since:%m-%d}", repository)
        yield []

    def pull_request(self, repository: str, number: int) -> None:
        raise AssertionError("nobody asks for one pull request here")

    def team_members(self, team: str) -> list[GitHubUser]:
        self._ask(team, team)
        return [user(team.partition("/")[2])]

    def users(self, logins: list[str]) -> list[GitHubUser]:
        raise AssertionError("these teams are GitHub's")

    def _ask(self, what: str, name: str) -> None:
        self.asked.append(what)
        if name in self.down:
            raise SourceError(f"{name} is down")

    def read(self) -> list[str]:
        """The repositories that were asked for since the last time."""
        found = [what.partition(" ")[0] for what in self.asked if " since " in what]
        self.asked.clear()
        return found


@dataclass
class Deployment:
    engine: Engine
    accounts: tuple[Account, ...]
    github: GitHub = field(default_factory=GitHub)
    failures: Failures = field(default_factory=lambda: Failures({}))
    company: Company = field(default_factory=lambda: company("UTC"))

    def spend(self, now: datetime = NOW) -> list[str]:
        """Refresh; the names of the accounts that were asked."""
        before = {one.NAME: len(one.asked) for one in self.accounts}
        sources = [(one, access()) for one in self.accounts]
        refresh_spend(self.engine, sources, Splitting(SECRET, frozenset()), self.company, self.failures, now)
        return [one.NAME for one in self.accounts if len(one.asked) > before[one.NAME]]

    def outcomes(self, now: datetime = NOW) -> list[str]:
        """Refresh; the repositories that were read."""
        refresh_outcomes(self.engine, self.github, self.company, self.failures, now)
        return self.github.read()

    def cursor(self, kind: SourceKind, name: str) -> Cursor:
        with reading(self.engine) as session:
            return next(one for one in cursors.every(session, kind) if one.source == name)


def company(*zones: str) -> Company:
    names = ("ann", "bo")[: len(zones)]
    teams = (
        team(name, zone=ZoneInfo(zone), github_team=f"acme/{name}", repositories=("acme/api", "acme/web"))
        for name, zone in zip(names, zones, strict=True)
    )
    return Company(teams=tuple(teams), rule=Rule(), hourly_cost_micro=None, currency_note="USD")


@pytest.fixture
def deployment(engine: Engine) -> Deployment:
    return Deployment(engine, (Account("one"), Account("two")))


def test_what_was_never_read_is_read_and_then_left_alone_for_its_time(deployment):
    assert deployment.spend() == ["one", "two"]
    assert deployment.spend(NOW + SPEND_EVERY * 0.9 - MINUTE) == []
    assert deployment.spend(NOW + SPEND_EVERY) == ["one", "two"]
    assert deployment.outcomes() == ["acme/api", "acme/web"]
    assert deployment.outcomes(NOW + OUTCOMES_EVERY - MINUTE) == []
    assert deployment.outcomes(NOW + OUTCOMES_EVERY) == ["acme/api", "acme/web"]


def test_an_account_that_is_down_stops_no_other_and_says_why(deployment):
    deployment.accounts[0].down = SourceError("one is down")
    assert deployment.spend() == ["one", "two"]
    assert deployment.cursor(SourceKind.SPEND, "one").error == "one is down"
    assert deployment.cursor(SourceKind.SPEND, "one").fetched_at is None
    assert deployment.cursor(SourceKind.SPEND, "two").fetched_at == NOW


@pytest.mark.parametrize("down", ["acme/api", "acme/ann"])
def test_a_repository_or_a_roster_that_is_down_stops_no_repository(deployment, down):
    deployment.github.down = {down}
    assert deployment.outcomes() == ["acme/api", "acme/web"]
    assert deployment.cursor(SourceKind.OUTCOME, "acme/web").fetched_at == NOW


def test_a_source_that_failed_rests_for_half_an_hour_and_then_counts_again(deployment):
    deployment.accounts[0].down = SourceError("one is down")
    deployment.github.down = {"acme/api"}
    deployment.spend()
    deployment.outcomes()
    early, later = NOW + FAILED_WAIT - MINUTE, NOW + FAILED_WAIT
    assert (deployment.spend(early), deployment.outcomes(early)) == ([], [])
    deployment.accounts[0].down = None
    deployment.github.down = set()
    assert (deployment.spend(later), deployment.outcomes(later)) == (["one"], ["acme/api"])
    assert FAILED_WAIT.total_seconds() == 30 * 60


def test_a_source_that_came_back_is_not_rested_for_its_old_failure(deployment):
    deployment.accounts[0].down = SourceError("one is down")
    deployment.spend()
    deployment.accounts[0].down = None
    deployment.spend(NOW + FAILED_WAIT)
    assert deployment.failures.at == {}


def test_an_account_whose_key_was_refused_is_not_asked_again(deployment):
    deployment.accounts[0].down = Refused("the key is not taken")
    deployment.spend()
    assert deployment.spend(NOW + timedelta(days=2)) == ["two"]


def test_the_first_run_of_a_utc_day_reads_all_days_and_the_others_the_last_few(deployment):
    one = deployment.accounts[0]
    for now in (NOW, NOW + SPEND_EVERY, instant("2026-05-14 04:00")):
        deployment.spend(now)
    assert [(until - since).days for since, until in one.asked] == [FIRST_DAYS, 3, REFETCH]


def read_from(deployment: Deployment, at: str) -> str:
    """From which day on the first account is read at this moment."""
    deployment.spend(instant(at))
    return str(deployment.accounts[0].asked[-1][0])


def test_the_first_run_goes_no_further_back_than_the_source_can_tell(deployment):
    """Its days begin on 2026-01-01; 35 days before 20 January is 16 December."""
    assert read_from(deployment, "2026-01-20 15:00") == "2026-01-01"


def test_after_somebody_joined_the_next_run_reads_their_days_once(engine):
    """Ann joins on Wednesday 13 May: her days begin four complete weeks before that week, on 13 April. The source is
    otherwise read three days back: later runs of a day from the 11th, the first of the 14th from the 12th."""
    deployment = Deployment(engine, (Account("one", REFETCH_DAYS=3),))
    assert read_from(deployment, "2026-05-13 01:00") == "2026-04-08"
    joined(engine, "ann", "2026-05-13 06:30")
    assert read_from(deployment, "2026-05-13 08:00") == "2026-04-13"
    assert read_from(deployment, "2026-05-13 15:00") == "2026-05-11"
    assert read_from(deployment, "2026-05-14 01:00") == "2026-05-12"


def test_a_run_that_failed_leaves_the_days_of_who_joined_to_the_next(engine):
    deployment = Deployment(engine, (Account("one", REFETCH_DAYS=3),))
    read_from(deployment, "2026-05-13 01:00")
    joined(engine, "ann", "2026-05-13 06:30")
    deployment.accounts[0].down = SourceError("one is down")
    assert read_from(deployment, "2026-05-13 08:00") == "2026-04-13"
    deployment.accounts[0].down = None
    assert read_from(deployment, "2026-05-13 15:00") == "2026-04-13"


def test_somebody_who_joins_in_the_middle_of_a_run_is_read_by_the_next(engine):
    deployment = Deployment(engine, (Account("one", REFETCH_DAYS=3),))
    read_from(deployment, "2026-05-13 01:00")
    joined(engine, "ann", "2026-05-13 01:00")
    assert read_from(deployment, "2026-05-13 08:00") == "2026-04-13"


def test_the_end_of_a_week_reads_everything_however_lately_it_was_read(deployment):
    sunday, monday = instant("2026-05-17 23:55"), instant("2026-05-18 00:00")
    deployment.spend(sunday)
    deployment.outcomes(sunday)
    assert (deployment.spend(monday), deployment.outcomes(monday)) == (["one", "two"], ["acme/api", "acme/web"])
    assert (deployment.spend(monday + MINUTE), deployment.outcomes(monday + MINUTE)) == ([], [])


def test_each_teams_own_week_counts(engine):
    """Auckland's week ends on Sunday noon UTC, Los Angeles' on Monday at seven."""
    deployment = Deployment(engine, (Account("one"),), company=company("Pacific/Auckland", "America/Los_Angeles"))
    read = [deployment.spend(instant(at)) for at in ("2026-05-17 11:59", "2026-05-17 12:00", "2026-05-17 12:01")]
    assert read == [["one"], ["one"], []]
    read = [deployment.spend(instant(at)) for at in ("2026-05-18 06:59", "2026-05-18 07:00", "2026-05-18 07:01")]
    assert read == [["one"], ["one"], []]


def test_the_rosters_of_a_new_epoch_are_taken(deployment):
    deployment.outcomes()
    assert [row["unit"] for row in dump(deployment.engine, "rosters")] == ["ann"]
    deployment.outcomes(instant("2026-05-25 00:00"))
    assert len(dump(deployment.engine, "rosters")) == 2


def test_the_owners_are_told_once_of_a_source_that_refused_its_key(engine):
    told = Deployment(engine, (Account("one", TITLE="One"),))
    first, second = (replace(one, owner=owner) for one, owner in zip(company("UTC", "UTC").teams, "AB", strict=True))
    told.company = replace(told.company, teams=(first, second))
    told.accounts[0].down = Refused("One: the key is not taken. Check ONE_KEY")
    told.spend()
    told.failures.at.clear()
    told.spend(NOW + timedelta(hours=1))
    notes = dump(engine, "outbox")
    assert sorted((row["key"], row["target"]) for row in notes) == [
        ("note/source/one/A/2026-05-13", "A"),
        ("note/source/one/B/2026-05-13", "B"),
    ]
    assert "Leverage cannot read what was spent with One, and has stopped trying" in notes[0]["payload"]
    assert "leverage collect one" in notes[0]["payload"]


def test_nobody_is_told_of_a_source_that_is_only_down(engine):
    told = Deployment(engine, (Account("one"),))
    told.company = replace(told.company, teams=tuple(replace(one, owner="A") for one in told.company.teams))
    told.accounts[0].down = SourceError("one is down")
    told.spend()
    assert dump(engine, "outbox") == []
