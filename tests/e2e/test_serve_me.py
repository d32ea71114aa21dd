"""`/leverage me` over HTTP: signed by Slack, each person's own rows only, and in time whatever else goes on."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta

import httpx2
import pytest
from sqlalchemy import Engine

from bot.domain.weeks import Week, epoch_start
from bot.store import cursors, units
from bot.store.cursors import SourceKind
from bot.store.db import transaction
from tests.company import REPOSITORY, SECRET, SmallCompany, instant, user
from tests.e2e.serving import FORM, Deployment, Serving, command_body, plain_url, submission_body, until
from tests.fake_slack import FakeSlack
from tests.fake_slack import serve as serve_slack
from tests.teams import team

pytestmark = pytest.mark.e2e

TEAMS = 30
START = instant("2026-05-20 10:00")
DUE = instant("2026-05-25 09:00")
SLACK_WAITS_S = 2.5
LONG = 30.0


@dataclass
class Town:
    """Ann spent 11 dollars a day and Bo 7; and there are thirty teams whose digests are due next Monday."""

    deployment: Deployment
    company: SmallCompany
    slack: FakeSlack

    def monday(self) -> None:
        """It is Monday, and the repository was read: every team's digest is due."""
        now = DUE + timedelta(minutes=1)
        with transaction(self.company.engine) as session:
            cursors.succeeded(session, SourceKind.OUTCOME, REPOSITORY, date(2026, 1, 1), now)
            cursors.succeeded(session, SourceKind.SPEND, "anthropic", date(2026, 1, 1), now, lag_days=1)
        self.deployment.clock.set(now)


@pytest.fixture
def town(tmp_path, database_url: str, engine: Engine) -> Iterator[Town]:
    company = SmallCompany(engine, "ann bo cy di ed")
    company.joins("ann bo", at="2026-05-13")
    company.quiet_days("2026-05-11", "2026-05-19", ann=11, bo=7)
    company.monday("2026-05-18")
    toml = [lines("payments", "ann bo cy di ed")]
    for number in range(TEAMS):
        name = f"team{number}"
        toml.append(lines(name, f"p{number}"))
        with transaction(engine) as session:
            units.ensure(session, team(name), instant("2026-05-20 09:00"))
            units.take_roster(session, name, epoch_start(Week.of(START, company.team.zone)), [user(f"p{number}")])
    (tmp_path / "leverage.toml").write_text("".join(toml))
    with serve_slack() as slack:
        settings = {
            "DATABASE_URL": plain_url(database_url),
            "LEVERAGE_SECRET_KEY": SECRET.decode(),
            "SLACK_API_URL": slack.url,
        }
        deployment = Deployment(tmp_path, settings)
        deployment.clock.set(START)
        yield Town(deployment, company, slack)


def lines(name: str, members: str) -> str:
    listed = json.dumps(members.split())
    return f"""
[[team]]
name = "{name}"
slack_channel = "C0{name.upper()}"
members = {listed}
repositories = ["{REPOSITORY}"]
timezone = "UTC"
digest = "Mon 09:00"
"""


def whispered(answer: httpx2.Response) -> str:
    """All that the person reads."""
    assert answer.status_code == 200
    said = answer.json()
    assert said["response_type"] == "ephemeral"
    return json.dumps(said)


def test_each_sees_only_the_own_rows_and_nobody_gets_in_unsigned(town):
    with town.deployment.serving("--web") as process:
        only_own_rows(process)
        refused(process)
        stopped_at_the_door(process)
        said = process.said()
        assert process.told_to_end()[0] == 0
    for word in ("canary", "S_ann", "S_bo", "Traceback", "example.com", '"level": "error"'):
        assert word not in said, word


def only_own_rows(process: Serving) -> None:
    """Ann's four weeks are nine days of 11 dollars, 99; Bo's are 63."""
    ann, bo = (whispered(process.command(who, "me")) for who in ("S_ann", "S_bo"))
    assert "$99" in ann
    assert "$63" not in ann
    assert "$63" in bo
    assert "$99" not in bo
    tampered = [
        process.command("S_bo", "me ann"),
        process.command("S_bo", "me <@S_ann|ann>"),
        process.command("S_bo", "me", user_name="ann", user="S_ann", enterprise_user_id="S_ann", api_app_id="S_ann"),
        process.command("S_bo", "me", team_id="T_OTHER", channel_id="S_ann", response_url="https://evil.example"),
        process.slack(command_body("S_bo", "me") + b"&user_id=S_bo"),
    ]
    for answer in tampered:
        assert "$99" not in whispered(answer)
        assert "$63" in whispered(answer)
    twice = process.slack(command_body("S_bo", "me") + b"&user_id=S_ann")
    assert ("$99" in twice.text) != ("$63" in twice.text) or twice.status_code == 400
    stranger = whispered(process.command("S_stranger", "me"))
    assert "$" not in stranger
    assert "/leverage join" in stranger


def refused(process: Serving) -> None:
    """What Slack did not sign, or signed for others or long ago, is 401; what makes no sense is 400; never 500."""
    body = command_body("S_ann", "me canary")
    good = process.signed(body)
    stale = process.signed(body, process.clock.now() - timedelta(minutes=6))
    early = process.signed(body, process.clock.now() + timedelta(minutes=6))
    forged = [
        {"content-type": FORM},
        {**good, "x-slack-signature": "v0=" + "0" * 64},
        {**good, "x-slack-request-timestamp": "canary"},
        {**good, "x-slack-request-timestamp": "9" * 400},
        {**good, "x-slack-request-timestamp": str(int(good["x-slack-request-timestamp"]) - 1)},
        process.signed(body, secret="of-somebody-else"),
        stale,
        early,
    ]
    assert [process.slack(body, headers).status_code for headers in forged] == [401] * len(forged)
    foreign = [(name.encode(), value.encode()) for name, value in good.items() if "signature" not in name]
    foreign.append((b"x-slack-signature", "v0=éß".encode()))
    assert process.client.post(f"{process.url}/slack/events", content=body, headers=foreign).status_code == 401
    assert process.slack(body, good).status_code == 200
    assert process.slack(body, good).status_code == 401, "the same request again is a replay"
    senseless = [
        b"",
        b"\xff\xfe canary",
        b"payload=canary",
        b"payload=[]",
        b"payload=" + b"[" * 5000,
        b"command=/leverage",
    ]
    statuses = [process.slack(one).status_code for one in senseless]
    assert all(400 <= status < 500 for status in statuses), statuses
    nobody = process.slack(submission_body("S_ann", "canary", (), user={"name": "canary"}))
    assert 400 <= nobody.status_code < 500


def stopped_at_the_door(process: Serving) -> None:
    large = b"text=" + b"canary" * 200_000
    assert process.slack(large).status_code == 413
    assert process.slack(b"", {"transfer-encoding": "chunked"}).status_code in (400, 401)
    assert process.get("/slack/events").status_code == 405
    assert process.get("/github/webhooks").status_code == 404, "it is not set up here"
    assert process.get("/canary").status_code == 404


def test_forty_commands_while_thirty_digests_render_are_answered_in_time(town):
    with town.deployment.serving() as process, ThreadPoolExecutor(40) as pool:
        until(lambda: len(process.lines("frozen")) == TEAMS, "the week before is frozen")
        whispered(process.command("S_ann", "me"))
        town.monday()
        while len(process.lines("frozen")) == TEAMS:  # the last forty came while the first digests were rendered
            seconds = list(pool.map(lambda number: asks(process, ("S_ann", "S_bo")[number % 2]), range(40)))
            assert max(seconds) < SLACK_WAITS_S
        until(lambda: len(town.slack.calls()) > 1, "digests are posted")


def asks(process: Serving, who: str) -> float:
    with httpx2.Client(timeout=LONG) as client:
        body = command_body(who, "me")
        headers = process.signed(body)
        began = time.perf_counter()
        answer = client.post(f"{process.url}/slack/events", content=body, headers=headers)
        took = time.perf_counter() - began
    assert ("$99" if who == "S_ann" else "$63") in whispered(answer)
    return took
