"""What a command is asked to read, and what it reads then."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import Engine

from bot import config
from bot.app import App, DeploymentSettings, choose_sources, window
from bot.domain.ports import SpendSource
from bot.errors import UsageError, UserError
from integrations.spend import anthropic

NOW = datetime(2026, 5, 13, 15, tzinfo=UTC)
LATER = datetime(2027, 5, 13, 15, tzinfo=UTC)
SOURCE = cast(SpendSource, anthropic)
TEAM = """
[[team]]
name = "payments"
slack_channel = "C0123ABCD"
members = ["ann"]
repositories = ["Acme/API", "acme/web"]
timezone = "UTC"
digest = "Mon 09:00"
"""


def day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


@pytest.mark.parametrize(
    ("since", "until", "now", "first", "last"),
    [
        (None, None, NOW, "2026-04-13", "2026-05-14"),
        (None, None, datetime(2026, 1, 10, tzinfo=UTC), "2026-01-01", "2026-01-11"),
        ("2026-01-01", "2026-02-01", NOW, "2026-01-01", "2026-02-01"),
        ("2026-05-13", "2026-05-14", NOW, "2026-05-13", "2026-05-14"),
        ("2026-05-14", None, LATER, "2026-05-14", "2027-05-14"),
    ],
)
def test_the_days_that_are_asked_for_end_with_the_running_one(since, until, now, first, last):
    assert tuple(map(str, window(SOURCE, day(since), day(until), now))) == (first, last)


@pytest.mark.parametrize(
    ("since", "until", "now", "said"),
    [
        ("2025-12-31", None, NOW, "--since 2025-12-31 is too long ago: anthropic tells of days from 2026-01-01 on."),
        ("2026-05-13", None, LATER, "--since 2026-05-13 is too long ago: anthropic tells of days from 2026-05-14 on."),
        (None, "2026-05-15", NOW, "--until 2026-05-15 is in the future: 2026-05-14 is the latest, "),
        ("2026-05-14", None, NOW, "There is no day from 2026-05-14 up to 2026-05-14: "),
    ],
)
def test_days_that_nobody_can_tell_of_are_refused(since, until, now, said):
    with pytest.raises(UsageError) as caught:
        window(SOURCE, day(since), day(until), now)
    assert str(caught.value).startswith(said)


def test_a_source_is_found_however_it_is_written_and_read_once():
    assert [one.NAME for one in choose_sources(DeploymentSettings(_env_file=None), ["Anthropic", "anthropic"])] == [
        "anthropic"
    ]
    with pytest.raises(UsageError, match="`leverage backfill`"):
        choose_sources(DeploymentSettings(_env_file=None), ["GitHub"])


def test_the_one_key_that_is_missing_is_named(monkeypatch):
    monkeypatch.delenv("ANTHROPIC_ADMIN_KEY", raising=False)
    with pytest.raises(UserError, match=r"set the key of what you use \(ANTHROPIC_ADMIN_KEY, OPENAI_ADMIN_KEY, "):
        choose_sources(DeploymentSettings(_env_file=None), [])


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ("LITELLM_MASTER_KEY", "LITELLM_API_URL"),
        ("GITHUB_BILLING_TOKEN", "GITHUB_BILLING_ORG"),
        ("CODEX_ANALYTICS_KEY", "CODEX_WORKSPACE_ID"),
    ],
)
def test_of_a_source_that_is_set_up_by_half_the_other_half_is_named(monkeypatch, given, missing):
    monkeypatch.delenv("ANTHROPIC_ADMIN_KEY", raising=False)
    monkeypatch.setenv(given, "x")
    with pytest.raises(UserError, match=f"^{missing} is not set ") as caught:
        choose_sources(DeploymentSettings(_env_file=None), [])
    assert given not in str(caught.value)


def test_a_repository_is_found_however_it_is_written_and_read_once(tmp_path: Path):
    file = tmp_path / "leverage.toml"
    file.write_text(TEAM)
    app = App(DeploymentSettings(_env_file=None, leverage_config=file), config.load(file), cast(Engine, None), b"")
    assert app.repositories([]) == ["Acme/API", "acme/web"]
    assert app.repositories(["acme/api", "ACME/web", "Acme/API"]) == ["Acme/API", "acme/web"]
    with pytest.raises(UsageError, match=r"observes 'acme/ap': Acme/API, acme/web\.$"):
        app.repositories(["acme/api", "acme/ap"])
