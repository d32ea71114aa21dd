"""The manifest asks for what the code uses, and for nothing else."""

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from slack_sdk import WebClient

from bot.slack import commands, events

ROOT = Path(__file__).parents[1]
ADDRESS = "https://example.com/slack/events"

NEEDS: dict[str, set[str]] = {
    "auth_test": set(),
    "bots_info": {"users:read"},
    "chat_delete": {"chat:write"},
    "chat_postMessage": {"chat:write"},
    "conversations_info": {"channels:read", "groups:read"},
    "conversations_members": {"channels:read", "groups:read"},
    "conversations_open": {"im:write"},
    "users_info": {"users:read", "users:read.email"},
    "views_open": set(),
    "views_update": set(),
}
"""The scopes of each method as https://docs.slack.dev/reference/methods names them. A new call has to be added here."""


@pytest.fixture(scope="module")
def manifest() -> Any:
    return yaml.safe_load((ROOT / "docs" / "slack-manifest.yaml").read_text("utf-8"))


def called() -> set[str]:
    """The Web API methods that the Slack face names."""
    trees = [ast.parse(path.read_text("utf-8")) for path in (ROOT / "bot" / "slack").glob("*.py")]
    names = {node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    methods = {name for name, value in vars(WebClient).items() if callable(value) and "_" in name.strip("_")}
    return names & methods


def test_every_call_is_known_and_every_scope_is_needed_by_one(manifest):
    assert called() >= {"chat_postMessage", "users_info", "views_open"}
    needed = set().union(*(NEEDS[name] for name in called()))
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == needed | {"commands"}


def test_no_scope_reads_messages_and_none_is_a_users(manifest):
    scopes = manifest["oauth_config"]["scopes"]
    assert scopes.keys() == {"bot"}
    assert not any("history" in scope or "files" in scope for scope in scopes["bot"])


def test_the_command_is_the_one_that_is_answered(manifest):
    (command,) = manifest["features"]["slash_commands"]
    assert command["command"] == commands.COMMAND
    for word in ("me", "join", "leave", "help"):
        assert word in command["usage_hint"]


def test_only_the_events_that_are_handled_are_asked_for(manifest):
    assert manifest["settings"]["event_subscriptions"]["bot_events"] == list(events.CUT_OFF)


def test_everything_goes_to_the_one_address(manifest):
    settings = manifest["settings"]
    asked = [settings["event_subscriptions"]["request_url"], settings["interactivity"]["request_url"]]
    assert [*asked, manifest["features"]["slash_commands"][0]["url"]] == [ADDRESS] * 3
    assert settings["interactivity"]["is_enabled"]
    assert not settings["socket_mode_enabled"]


def test_names_are_as_short_as_slack_takes_them(manifest):
    shown = manifest["display_information"]
    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
