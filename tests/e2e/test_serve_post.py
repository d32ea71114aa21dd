"""`leverage digest --post`, processes that are told to end, and several processes that tick: never a second digest."""

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from bot.domain.delivery import State, Timing, opaque
from bot.domain.weeks import Schedule, Week, due_at, epoch_start
from bot.store import cursors, outbox, units
from bot.store.cursors import SourceKind
from bot.store.db import reading, transaction
from tests.company import REPOSITORY, instant, user
from tests.e2e.serving import ENDING_S, Deployment, plain_url, ticks, until
from tests.fake_slack import FakeSlack, hanging
from tests.fake_slack import serve as serve_slack
from tests.teams import team

pytestmark = pytest.mark.e2e

MINUTE = timedelta(minutes=1)
ZONES = {"berlin": ZoneInfo("Europe/Berlin"), "la": ZoneInfo("America/Los_Angeles")}
NINE = Schedule.parse("Mon 09:00")
SET_UP = instant("2026-10-14 09:00")
FIRST = Week(date(2026, 10, 12))


@dataclass
class Town:
    """Teams in two zones that were set up on 14 October 2026; Europe's clocks change on the 25th, America's a week
    later. Nobody has joined, so their digests tell public facts."""

    deployment: Deployment
    engine: Engine
    slack: FakeSlack
    url: str
    teams: dict[str, ZoneInfo] = field(default_factory=lambda: ZONES)

    def moves_to(self, moment: datetime) -> None:
        """Everything was read just now; the rosters of new epochs are taken."""
        with transaction(self.engine) as session:
            cursors.succeeded(session, SourceKind.OUTCOME, REPOSITORY, date(2026, 1, 1), moment)
            for name, zone in self.teams.items():
                epoch = epoch_start(Week.of(moment, zone))
                if not units.has_roster(session, name, epoch):
                    units.take_roster(session, name, epoch, [user(f"p-{name}")])
        self.deployment.clock.set(moment)

    def due(self, name: str, week: Week) -> datetime:
        return due_at(week, NINE, self.teams[name])

    def is_due(self, name: str = "berlin", week: Week = FIRST) -> None:
        self.moves_to(self.due(name, week) + MINUTE)

    def posts(self, name: str) -> int:
        return len(self.slack.channel(f"C0TEAM{name.upper()}"))

    def copies(self, name: str, week: Week) -> int:
        key = opaque(f"digest/{name}/{week}")
        return sum(one.key == key for one in self.slack.channel(f"C0TEAM{name.upper()}"))

    def state(self, name: str, week: Week) -> State | None:
        with reading(self.engine) as session:
            found = outbox.record(session, f"digest/{name}/{week}")
        return found.state if found else None


@pytest.fixture
def town(tmp_path, database_url: str, engine: Engine) -> Iterator[Town]:
    toml = []
    for name, zone in ZONES.items():
        toml.append(lines(name, zone))
        with transaction(engine) as session:
            units.ensure(session, team(name, zone=zone), SET_UP)
    (tmp_path / "leverage.toml").write_text("".join(toml))
    with serve_slack() as slack:
        settings = {"DATABASE_URL": plain_url(database_url), "SLACK_API_URL": slack.url}
        made = Town(Deployment(tmp_path, settings), engine, slack, plain_url(database_url))
        made.moves_to(SET_UP)
        with transaction(engine) as session:
            for name in ZONES:
                units.take_roster(session, name, epoch_start(FIRST), [user(f"p-{name}")])
        yield made


def lines(name: str, zone: ZoneInfo) -> str:
    return f"""
[[team]]
name = "{name}"
slack_channel = "C0TEAM{name.upper()}"
members = {json.dumps([f"p-{name}"])}
repositories = ["{REPOSITORY}"]
timezone = "{zone.key}"
digest = "Mon 09:00"
owner = "U0123ABCD"
"""


# --- by hand


def test_a_digest_that_is_posted_by_hand_is_posted_once(town):
    town.is_due()
    first = town.deployment.run("digest", "berlin", "--post")
    assert first.returncode == 0, first.stderr
    assert "2026-W42" in first.stderr
    assert town.copies("berlin", FIRST) == 1
    again = town.deployment.run("digest", "berlin", "--post")
    assert again.returncode == 0, again.stderr
    assert again.stderr == first.stderr
    assert again.stdout == first.stdout
    assert (town.posts("berlin"), town.posts("la")) == (1, 0)


# --- two processes


def test_two_processes_post_one_digest_per_team_and_week_through_both_changes_of_the_clocks(town):
    """Five weeks, to 16 November. A minute before nine by the team's own clock there is none, a minute after there is
    one, and there stays one."""
    weeks = [FIRST.plus(number) for number in range(5)]
    with town.deployment.serving("--jobs"), town.deployment.serving("--jobs"):
        for name, week in sorted(((name, week) for week in weeks for name in ZONES), key=lambda pair: town.due(*pair)):
            before = town.posts(name)
            town.moves_to(town.due(name, week) - MINUTE)
            ticks(town.engine)
            assert town.posts(name) == before, f"{name} {week} came early"
            town.moves_to(town.due(name, week) + MINUTE)
            until(lambda: town.posts(name) > before, f"the digest of {name} for {week}")  # noqa: B023  # called here
        town.moves_to(town.due("la", weeks[-1]) + timedelta(days=1))
        ticks(town.engine)
    for name in ZONES:
        assert [town.copies(name, week) for week in weeks] == [1] * len(weeks)
        assert town.posts(name) == len(weeks)
    nine = {name: {town.due(name, week).hour for week in weeks} for name in ZONES}
    assert nine == {"berlin": {7, 8}, "la": {16, 17}}, "the clocks changed on the way"


# --- told to end


def test_web_and_jobs_as_two_processes_do_what_one_does_and_end_when_told(town):
    with town.deployment.serving("--web") as web, town.deployment.serving("--jobs") as jobs:
        assert "Leverage" in web.command("U1", "help").text
        assert web.get("/healthz").status_code == 200
        town.is_due()
        until(lambda: town.copies("berlin", FIRST) == 1, "the digest")
        assert (bool(web.lines("frozen")), bool(jobs.lines("frozen"))) == (False, True)
        for process in (web, jobs):
            code, seconds = process.told_to_end()
            assert (code, seconds < 5) == (0, True), process.said()
    assert town.posts("berlin") == 1


@pytest.mark.parametrize(
    ("database_url", "answered"),
    [("sqlite", True), ("sqlite", False), ("postgres", False)],
    ids=["sqlite, which then answers", "sqlite, for ever", "postgres, for ever"],
    indirect=["database_url"],
)
def test_a_process_ends_in_time_while_slack_hangs_and_the_digest_is_never_doubled(town, answered):
    town.slack.next(hanging(stored=True))
    with town.deployment.serving() as process:
        town.is_due()
        assert town.slack.holding.wait(20)
        if answered:
            town.slack.let_go.set()
        code, seconds = process.told_to_end()
        assert (code, seconds < ENDING_S) == (0, True), process.said()
        assert "Traceback" not in process.said()
    assert town.state("berlin", FIRST) is (State.SENT if answered else State.POSTING)
    town.slack.let_go.set()
    town.moves_to(town.deployment.clock.now() + Timing().lease + MINUTE)
    with town.deployment.serving("--jobs"):
        settled = State.SENT if answered else State.UNKNOWN
        until(lambda: town.state("berlin", FIRST) is settled, f"it is {settled}")
        ticks(town.engine)
    assert (town.copies("berlin", FIRST), len(town.slack.calls())) == (1, 1 if answered else 2), "one digest, one note"
    assert len(town.slack.channel("DU0123ABCD")) == (0 if answered else 1)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_port_that_is_taken_is_one_clear_line_and_a_client_that_goes_away_is_nobodys_error(town):
    with town.deployment.serving("--web") as process:
        host, _, port = process.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as line:
            line.sendall(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\ncanary")
        done = town.deployment.run("serve", "--web", "--port", port)
        assert process.get("/healthz").status_code == 200
        said = process.said()
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert "canary" not in said
    assert '"level": "error"' not in said
