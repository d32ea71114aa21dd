"""From the README to the first Monday: teams of six and of four join in Slack, `leverage serve` does the rest.

Set up on Wednesday 13 May 2026 (week 20); the first digests are due on Monday 18 May at nine.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from bot.domain.block import Held, Part, PartSum, Published
from bot.domain.delivery import opaque
from bot.domain.weeks import Week
from bot.store import blocks
from bot.store.db import connect, reading
from tests.e2e.conftest import GitHubServer
from tests.e2e.emulate import PEOPLE
from tests.e2e.serving import Deployment, plain_url, submission_body, ticks, until
from tests.e2e.slack_front import SlackFront
from tests.e2e.slack_front import serve as serve_slack
from tests.fake_anthropic import ADMIN_KEY, FakeAnthropic, service_account, user
from tests.fake_github import commit
from tests.fake_http import serve as serve_anthropic

pytestmark = pytest.mark.e2e

FOUR = ("gus", "hal", "ivy", "jo")
WEDNESDAY = datetime(2026, 5, 13, 15, tzinfo=UTC)
MONDAY = datetime(2026, 5, 18, 9, 1, tzinfo=UTC)
WEEK = Week(date(2026, 5, 11))
DOLLAR = 1_000_000
TOML = """
[[team]]
name = "{name}"
slack_channel = "{channel}"
members = {members}
repositories = ["{repository}"]
timezone = "UTC"
digest = "Mon 09:00"
service_accounts = ["{service}"]
"""


@dataclass
class House:
    """A company that has just set Leverage up, with both apps installed."""

    deployment: Deployment
    engine: Engine
    github: GitHubServer
    slack: SlackFront
    anthropic: FakeAnthropic
    channels: dict[str, str]

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with reading(self.engine) as session:
            return [tuple(row) for row in session.execute(text(query)).all()]

    def posted(self, team: str) -> list[str]:
        """Everything that each message in a team's channel says."""
        return [json.dumps(one) for one in self.slack.messages(self.channels[team])]


@pytest.fixture
def house(tmp_path, empty_database_url: str, github_server: GitHubServer) -> Iterator[House]:
    anthropic = FakeAnthropic(now=WEDNESDAY)
    with serve_anthropic(anthropic) as anthropic_url, serve_slack(github_server.emulator.slack) as slack:
        unique = tmp_path.name.replace("_", "-")[-30:]
        channels = {team: slack.channel(f"{team}-{unique}".lower()) for team in ("payments", "small")}
        settings = {
            "DATABASE_URL": plain_url(empty_database_url),
            "SLACK_API_URL": slack.url,
            "GITHUB_APP_ID": github_server.emulator.app_id,
            "GITHUB_APP_PRIVATE_KEY": github_server.emulator.private_key,
            "GITHUB_API_URL": github_server.url,
            "ANTHROPIC_ADMIN_KEY": ADMIN_KEY,
            "ANTHROPIC_API_URL": anthropic_url,
        }
        six = TOML.format(
            name="payments",
            channel=channels["payments"],
            members=json.dumps(PEOPLE),
            repository="acme/api",
            service="svac_ci",
        )
        four = TOML.format(
            name="small",
            channel=channels["small"],
            members=json.dumps(FOUR),
            repository="acme/web",
            service="svac_web",
        )
        (tmp_path / "leverage.toml").write_text(six + four)
        for login in FOUR:
            github_server.fake.user(login)
        deployment, engine = Deployment(tmp_path, settings), connect(empty_database_url)
        deployment.clock.set(WEDNESDAY)
        yield House(deployment, engine, github_server, slack, anthropic, channels)
        engine.dispose()


def day(offset: int) -> date:
    return WEEK.monday + timedelta(days=offset)


def everybody_works(house: House) -> None:
    """Each of the ten, in list dollars (billed at nine tenths): 30 on Monday, when they commit to a pull request that
    merges on Wednesday; 12.34 on Tuesday, which in the team of six goes to a pull request that is closed; 7 two weeks
    earlier and 5.000001 on Thursday without one. The six's CI spends 40, a stranger 100."""
    for repository, people in (("acme/api", PEOPLE), ("acme/web", FOUR)):
        made = house.github.fake.repository(repository)
        for login in people:
            for offset, dollars in ((0, 30.0), (1, 12.34), (-14, 7.0), (3, 5.000001)):
                cents = f"{dollars * 100:.4f}", f"{dollars * 90:.5f}"
                house.anthropic.add(
                    day(offset), user(f"{login}@example.com"), "claude-opus-5-5", cents[1], cents[0], fresh=1000
                )
            made.pull(login, str(day(-1)), merged=str(day(2)), commits=[commit(str(day(0)), login)])
        made.pull(people[0], str(day(0)), closed=str(day(4)), commits=[commit(str(day(1)), login) for login in people])
    house.anthropic.add(day(2), service_account("svac_ci"), "claude-haiku-4-5", "3600", "4000", fresh=10)
    house.anthropic.add(day(2), user("stranger@elsewhere.example"), "claude-opus-5-5", "9000", "10000", fresh=10)


def test_six_join_and_on_monday_there_is_one_digest_right_to_the_micro_dollar(house):
    """By hand, list dollars, six people: direct 6 x 30 = 180; abandoned 6 x 12.34 = 74.04; unattributed 6 x 7 = 42,
    being more than two weeks old when the week ends; the Thursdays are open. All in 296.04 for 6 pull requests: 49.34
    each, told as $49; direct is 61 %, abandoned 25 %, unattributed 14 %. Four of the four-person team have joined, one
    too few."""
    everybody_works(house)
    people = house.slack.people() | {name: house.slack.adds(name) for name in FOUR}
    with house.deployment.serving() as process:
        until(lambda: len(house.rows("SELECT 1 FROM rosters")) == len(people), "the rosters are taken")
        for name, slack_user in people.items():
            process.joins(slack_user, name, house.slack.trigger(slack_user))
        thief = process.slack(submission_body(house.slack.adds("thief"), "ann", ("collect", "team")))
        assert thief.json()["response_action"] == "errors", "ann's login is taken"
        until(lambda: len(house.rows("SELECT 1 FROM source_cursors WHERE fetched_at IS NOT NULL")) == 3, "all is read")
        assert house.posted("payments") == house.posted("small") == []
        house.anthropic.now = MONDAY
        house.deployment.clock.set(MONDAY)
        until(lambda: house.posted("payments") and house.posted("small"), "both digests")
        house.deployment.clock.set(MONDAY + timedelta(days=1))
        ticks(house.engine)
        code, _ = process.told_to_end()
        assert code == 0
        said = process.said()
    the_block_is_right(house)
    the_message_is_right(house)
    the_small_team_waits(house)
    for word in ("@example.com", "stranger", "canary", "Traceback", '"level": "error"', *people.values(), *PEOPLE):
        assert f'"{word}"' not in said


def the_block_is_right(house: House) -> None:
    with reading(house.engine) as session:
        block, small = (blocks.of_week(session, team, WEEK) for team in ("payments", "small"))
    assert isinstance(block, Published)
    assert block.spend_micro == 296_040_000
    assert block.parts == (
        PartSum((Part.DIRECT,), 180 * DOLLAR),
        PartSum((Part.ABANDONED,), 74_040_000),
        PartSum((Part.UNATTRIBUTED,), 42 * DOLLAR),
    )
    assert (block.merged, block.service_micro) == (6, 40 * DOLLAR)
    assert isinstance(small, Held)


def the_message_is_right(house: House) -> None:
    [message] = house.slack.messages(house.channels["payments"])
    assert message["metadata"]["event_payload"] == {"key": opaque(f"digest/payments/{WEEK}")}
    said = json.dumps(message)
    for words in ("$49", "$180 (61%)", "$74 (25%)", "$42 (14%)", "$40"):
        assert words in said, words
    for words in ("296.04", "49.34", "74.04"):
        assert words not in said, words


def the_small_team_waits(house: House) -> None:
    [message] = house.slack.messages(house.channels["small"])
    said = json.dumps(message)
    assert "Compute numbers start when five have joined; for most weeks it takes eight." in said
    assert "merged 4 pull requests" in said
    assert "$" not in said
