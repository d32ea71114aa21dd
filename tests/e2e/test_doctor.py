"""`leverage doctor` as a process, against a GitHub, an Anthropic and a Slack on this machine."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.slack.check import SCOPES
from tests.e2e.conftest import GitHubServer
from tests.fake_anthropic import ADMIN_KEY, FakeAnthropic
from tests.fake_http import serve as serve_anthropic
from tests.fake_slack import FakeSlack, Fault
from tests.fake_slack import serve as serve_slack

pytestmark = pytest.mark.e2e

NOW = datetime(2026, 5, 13, 15, tzinfo=UTC)
TOML = """
[[team]]
name = "payments"
slack_channel = "C0123ABCD"
github_team = "acme/payments"
repositories = ["acme/api"]
timezone = "UTC"
digest = "Mon 09:00"
owner = "U0123ABCD"
"""
SECRETS = {
    "LEVERAGE_SECRET_KEY": "a secret of at least thirty-two characters",
    "ANTHROPIC_ADMIN_KEY": ADMIN_KEY,
    "GITHUB_WEBHOOK_SECRET": "canary-of-the-webhooks",
    "SLACK_BOT_TOKEN": "xoxb-canary",
    "SLACK_SIGNING_SECRET": "canary-of-the-signatures",
}


@dataclass
class Machine:
    folder: Path
    environment: dict[str, str]
    slack: FakeSlack
    github: GitHubServer

    def runs(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        if arguments == ("doctor",):
            scopes = {"X-OAuth-Scopes": ",".join(SCOPES)}
            self.slack.next(Fault(stored=True, headers=scopes), method="auth.test")
        return subprocess.run(
            [sys.executable, "-m", "tests.e2e.clocked", f"{NOW:%Y-%m-%dT%H:%M}", *arguments],
            cwd=self.folder,
            env=self.environment | settings,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path, empty_database_url: str, github_server: GitHubServer) -> Iterator[Machine]:
    (tmp_path / "leverage.toml").write_text(TOML)
    github_server.fake.repository("acme/api")
    with serve_anthropic(FakeAnthropic(NOW)) as anthropic, serve_slack() as slack:
        slack.shared["C0123ABCD"] = {"is_member": True}
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "DATABASE_URL": empty_database_url.replace("postgresql+psycopg", "postgresql"),
            "GITHUB_APP_ID": github_server.emulator.app_id,
            "GITHUB_APP_PRIVATE_KEY": github_server.emulator.private_key,
            "GITHUB_API_URL": github_server.url,
            "ANTHROPIC_API_URL": anthropic,
            "SLACK_API_URL": slack.url,
        }
        yield Machine(tmp_path, environment | SECRETS, slack, github_server)


def lines(done: subprocess.CompletedProcess[str]) -> dict[str, list[str]]:
    """What was said, by its first word."""
    said: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        level, _, words = line.partition(" ")
        said.setdefault(level, []).append(words.strip())
    return said


def test_a_machine_that_is_all_set_up_is_fine_once_the_sources_were_read(machine):
    for command in ("backfill", "collect"):
        assert machine.runs(command).returncode == 0
    done = machine.runs("doctor")
    said = lines(done)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert said["warning"] == [
        "Service: `leverage serve` has not run here yet, so nothing is read or posted by itself: start it"
    ]
    assert said.keys() == {"ok", "warning"}
    for name in ("GitHub App on acme", "GitHub team acme/payments", "Slack channel of payments", "Anthropic", "Roster"):
        assert any(line.startswith(name) for line in said["ok"])


def test_each_thing_that_is_wrong_is_a_line_and_the_end_is_one(machine):
    assert machine.runs("migrate").returncode == 0
    machine.slack.shared["C0123ABCD"] = {"is_member": False}
    (machine.folder / "leverage.toml").write_text(TOML.replace('["acme/api"]', '["acme/api", "acme/other"]'))
    done = machine.runs("doctor", ANTHROPIC_ADMIN_KEY="sk-ant-admin01-canary")
    said = lines(done)
    assert done.returncode == 1
    assert len(said["problem"]) == 4, done.stdout
    for words in ("acme/other: the App is not installed there", "refused the key", "not a member", "never taken"):
        assert any(words in line for line in said["problem"]), words
    assert done.stderr == "leverage: 4 lines need a person: see those that begin with problem.\n"
    assert "canary" not in done.stdout + done.stderr


def test_the_first_command_of_a_newcomer_leaves_nothing_behind(machine, tmp_path_factory):
    folder = tmp_path_factory.mktemp("newcomer")
    bare = {name: machine.environment[name] for name in ("PATH", "PYTHONPATH")}
    done = Machine(folder, bare, machine.slack, machine.github).runs("doctor")
    assert done.returncode == 1
    assert lines(done)["problem"][0].startswith("Settings: LEVERAGE_SECRET_KEY is not set")
    assert "Traceback" not in done.stderr
    assert list(folder.iterdir()) == []


def test_a_setting_that_is_wrong_does_not_keep_the_rest_from_being_checked(machine):
    done = machine.runs("doctor", LEVERAGE_SECRET_KEY="canary", GITHUB_APP_PRIVATE_KEY="canary.pem")
    said = lines(done)
    assert sum("GITHUB_APP_PRIVATE_KEY" in line for line in said["problem"]) == 1
    assert sum("LEVERAGE_SECRET_KEY" in line for line in said["problem"]) == 1
    assert "Slack: the bot token is accepted" in said["ok"]
    assert "canary" not in done.stdout + done.stderr
