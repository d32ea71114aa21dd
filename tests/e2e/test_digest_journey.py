"""From an empty folder to a digest, as a newcomer goes: the real command in its own process, a GitHub App on the
emulator, an Anthropic whose answers the official SDK accepts, on both databases.

The team is set up and joins in week 20 of 2026 (Wednesday 13 May); its first digest is due on Monday 18 May.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, text

from bot.domain.block import Part, PartSum, Published
from bot.domain.weeks import Week
from bot.store import blocks
from bot.store.db import connect, reading
from bot.store.tables import METADATA
from bot.usecases.consent import Handles, join
from tests.e2e.conftest import GitHubServer
from tests.e2e.emulate import MEMBERS
from tests.fake_anthropic import ADMIN_KEY, FakeAnthropic, service_account, user
from tests.fake_github import commit
from tests.fake_http import serve

pytestmark = pytest.mark.e2e

SECRET = "a secret of at least thirty-two characters"
STRANGER = "canary.finn@elsewhere.example"
ZONE = ZoneInfo("UTC")
DOLLAR = 1_000_000

TOML = """
[[team]]
name = "payments"
slack_channel = "C0123ABCD"
github_team = "acme/payments"
repositories = ["acme/api"]
timezone = "UTC"
digest = "Mon 09:00"
service_accounts = ["svac_ci"]
"""


WEDNESDAY = datetime(2026, 5, 13, 15, tzinfo=UTC)
MONDAY = datetime(2026, 5, 18, 10, tzinfo=UTC)


def day(offset: int) -> date:
    """Days after Monday 11 May, when the week of the digest begins."""
    return date(2026, 5, 11) + timedelta(days=offset)


@dataclass
class Newcomer:
    """Somebody in an empty folder with the settings of the README."""

    folder: Path
    environment: dict[str, str]
    server: GitHubServer
    anthropic: FakeAnthropic
    engine: Engine
    now: datetime = WEDNESDAY

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tests.e2e.clocked", f"{self.now:%Y-%m-%dT%H:%M}", *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )

    def does(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def everybody_joins(self) -> None:
        for login in MEMBERS:
            handles = Handles(self.server.emulator.ids[login], f"S_{login}", f"{login}@acme.example")
            join(self.engine, SECRET.encode(), handles, ZONE, self.now, team=True, proved=True)

    def sees_monday(self) -> None:
        """The Monday comes, and everything is read once more."""
        self.now = self.anthropic.now = MONDAY
        self.does("backfill")
        self.does("collect")

    def frozen(self) -> Published:
        with reading(self.engine) as session:
            block = blocks.of_week(session, "payments", Week(day(0)))
        assert isinstance(block, Published)
        return block

    def rows(self, query: str) -> list[Any]:
        with reading(self.engine) as session:
            return list(session.execute(text(query)).all())


@pytest.fixture
def newcomer(tmp_path: Path, empty_database_url: str, github_server: GitHubServer) -> Iterator[Newcomer]:
    (tmp_path / "leverage.toml").write_text(TOML)
    fake = FakeAnthropic(now=WEDNESDAY)
    with serve(fake) as url:
        settings = {
            "DATABASE_URL": empty_database_url.replace("postgresql+psycopg", "postgresql"),
            "LEVERAGE_SECRET_KEY": SECRET,
            "GITHUB_APP_ID": github_server.emulator.app_id,
            "GITHUB_APP_PRIVATE_KEY": github_server.emulator.private_key,
            "GITHUB_API_URL": github_server.url,
            "ANTHROPIC_ADMIN_KEY": ADMIN_KEY,
            "ANTHROPIC_API_URL": url,
        }
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2]), **settings}
        engine = connect(empty_database_url)
        yield Newcomer(tmp_path, environment, github_server, fake, engine)
        engine.dispose()


def five_people_at_work(newcomer: Newcomer) -> None:
    """Each of the five, in list dollars (billed at nine tenths): 30 on Monday, when they commit to a pull request that
    merges on Wednesday; 12 on Tuesday, when eli's and dana's commits go to one that is closed; 7 three weeks earlier,
    without a pull request; 5 on Thursday, without one so far. CI spends 40, a stranger 100."""
    repository = newcomer.server.fake.repository("acme/api")
    for login in MEMBERS:
        for offset, dollars in ((0, 30), (1, 12), (-14, 7), (3, 5)):
            newcomer.anthropic.add(
                day(offset),
                user(f"{login}@acme.example"),
                "claude-opus-5-5",
                str(dollars * 90),
                str(dollars * 100),
                fresh=1000,
            )
        repository.pull(
            login,
            str(day(-1)),
            merged=str(day(2)),
            commits=[commit(str(day(0)), login)],
            reviews=[("finn", "APPROVED", f"{day(1)}T12:00:00Z")],
            files={"src/app.py": (40, 2), "package-lock.json": (9000, 1)},
        )
    repository.pull(
        "dana", str(day(0)), closed=str(day(4)), commits=[commit(str(day(1)), "dana"), commit(str(day(1)), "eli")]
    )
    newcomer.anthropic.add(day(2), service_account("svac_ci"), "claude-haiku-4-5", "3600", "4000", fresh=10)
    newcomer.anthropic.add(day(2), user(STRANGER, "user_canary"), "canary-model", "9000", "10000", fresh=10)


def test_before_anyone_has_joined_there_are_public_facts_and_the_waiting_sentence(newcomer):
    five_people_at_work(newcomer)
    newcomer.does("backfill")
    newcomer.does("collect")
    said = newcomer.does("digest", "payments")
    assert "Compute numbers start when five have joined; for most weeks it takes eight." in said
    assert "Week 19" in said
    assert "$" not in said
    newcomer.sees_monday()
    said = newcomer.does("digest", "payments")
    assert "Week 20" in said
    assert "merged 5 pull requests" in said
    assert "$" not in said


def test_a_digest_is_right_to_the_rounding_and_its_block_to_the_micro_dollar(newcomer):
    """By hand, list dollars, five people: direct 5 x 30 = 150; abandoned 2 x 12 = 24 (dana, eli); unattributed 5 x 7
    = 35, being more than two weeks old when the week ends; the Tuesdays of ann, bo and cy (36) and all Thursdays (25)
    are open. All in 209 for 5 pull requests: 41.8 each. Abandoned has two people only, so it joins the smallest part
    that may be shown, unattributed: 59, which is 28 %; direct is 72 %, 30 each. Bill of the four weeks: people
    5 x 54 x 0.9 = 243, CI 36, stranger 90; people and CI are 279 of 369, over 75 %, and the stranger is one to four
    people outside, so it is not said. Linked: 5 x 30 + 2 x 12 = 174 of 270 dollars, 64 %."""
    five_people_at_work(newcomer)
    newcomer.does("backfill")
    newcomer.everybody_joins()
    newcomer.sees_monday()
    document = json.loads(newcomer.does("digest", "payments", "--week", str(Week(day(0))), "--format", "json"))
    block = newcomer.frozen()
    assert block.spend_micro == 209 * DOLLAR
    assert block.parts == (
        PartSum((Part.DIRECT,), 150 * DOLLAR),
        PartSum((Part.ABANDONED, Part.UNATTRIBUTED), 59 * DOLLAR),
    )
    assert (block.merged, block.touched, block.service_micro) == (5, 5, 40 * DOLLAR)
    assert document["state"] == "published"
    assert document["loaded_cost_per_merged_pr_usd"] == 42
    assert document["direct_cost_per_merged_pr_usd"] == 30
    assert document["spend_usd"] == 210
    assert document["parts"] == [
        {"parts": ["direct"], "usd": 150, "share_percent": 72},
        {"parts": ["abandoned", "unattributed"], "usd": 59, "share_percent": 28},
    ]
    assert document["service_spend_usd"] == 40
    assert document["linked_share_band"] == "50 to 75%"
    assert document["explained_bill_band"] is None
    assert document["public"]["merged_prs"] == 5
    balanced(newcomer)


def test_the_same_commands_again_change_nothing(newcomer):
    five_people_at_work(newcomer)
    newcomer.does("backfill")
    newcomer.everybody_joins()
    newcomer.sees_monday()
    first = newcomer.does("digest", "payments", "--format", "json")
    newcomer.does("collect")
    assert "0 new or changed" in newcomer.does("backfill")
    assert newcomer.does("digest", "payments", "--format", "json") == first
    balanced(newcomer)


def test_who_has_not_joined_is_nowhere_but_in_a_remainder(newcomer):
    five_people_at_work(newcomer)
    newcomer.does("backfill")
    newcomer.everybody_joins()
    newcomer.sees_monday()
    printed = [newcomer.run(*command) for command in (["collect"], ["digest", "payments", "--format", "json"])]
    seen = "".join(done.stdout + done.stderr for done in printed) + everything_stored(newcomer)
    for canary in (STRANGER, "user_canary", "canary-model", "canary"):
        assert canary not in seen
    assert "@acme.example" not in seen
    assert newcomer.rows("SELECT sum(billed_micro) FROM remainders") == [(90 * DOLLAR,)]


def test_a_refused_key_is_one_line_that_names_it(newcomer):
    newcomer.anthropic.fail(401, times=9, message="invalid x-api-key")
    done = newcomer.run("collect")
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("leverage: Anthropic: ")
    assert "ANTHROPIC_ADMIN_KEY" in done.stderr
    assert "Traceback" not in done.stderr
    assert ADMIN_KEY not in done.stderr


def test_what_is_wrong_with_a_database_is_one_line(newcomer):
    newcomer.run("digest", "payments")
    (newcomer.folder / "notes.txt").write_text("this is no database, but long enough to be looked at" * 40)
    one_line(newcomer, "LEVERAGE_SECRET_KEY", LEVERAGE_SECRET_KEY=SECRET[::-1])
    one_line(newcomer, "not a SQLite database", DATABASE_URL="sqlite:///notes.txt")
    one_line(newcomer, "does not answer", DATABASE_URL="postgresql://me:hush@127.0.0.1:1/leverage")
    with newcomer.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    one_line(newcomer, "newer version")


def one_line(newcomer: Newcomer, words: str, **settings: str) -> None:
    done = replace(newcomer, environment=newcomer.environment | settings).run("digest", "payments")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert words in done.stderr
    assert "hush" not in done.stderr


def balanced(newcomer: Newcomer) -> None:
    """Per account-day billed = people + service + remainder."""
    uneven = newcomer.rows(
        "SELECT a.day FROM account_days a WHERE a.billed_micro <>"
        " (SELECT coalesce(sum(billed_micro), 0) FROM person_days p WHERE p.day = a.day)"
        " + (SELECT coalesce(sum(billed_micro), 0) FROM service_spend s WHERE s.day = a.day)"
        " + (SELECT coalesce(sum(billed_micro), 0) FROM remainders r WHERE r.day = a.day)"
    )
    assert uneven == []
    for table in ("person_days", "service_spend", "account_days"):
        assert newcomer.rows(f"SELECT count(*) FROM {table}") != [(0,)]


def everything_stored(newcomer: Newcomer) -> str:
    return "".join(f"{name}: {row}\n" for name in METADATA.tables for row in newcomer.rows(f"SELECT * FROM {name}"))


def test_days_of_the_future_are_not_asked_for(newcomer):
    newcomer.does("collect")
    asked = [request.url.params.get("ending_at") for request in newcomer.anthropic.requests]
    latest = max(datetime.fromisoformat(end) for end in asked if end)
    assert latest <= WEDNESDAY + timedelta(days=1)
