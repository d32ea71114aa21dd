"""The commands for machines that agents run on: the hook on one's own, and the tokens of a fleet's."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.domain.tokens import Token
from bot.store import ingest_tokens, people
from bot.store.db import connect, transaction
from bot.store.people import Joined
from tests.commands import ROOT, one_line, run

TOKEN = "lev_" + 64 * "a"
BASE_URL = {"LEVERAGE_BASE_URL": "https://leverage.example.com/"}


# The hook, as its own file has it


def test_the_hook_that_is_installed_is_the_packages_and_goes_without_a_trace(tmp_path):
    home = {"HOME": str(tmp_path)}
    before = sorted(tmp_path.rglob("*"))
    done = run(tmp_path, "hook", "install", "--url", "https://leverage.example.com", "--token", TOKEN, "--yes", **home)
    assert (done.returncode, done.stderr) == (0, "")
    installed = tmp_path / ".config" / "leverage"
    assert (installed / "hook.py").read_bytes() == (ROOT / "integrations" / "hook.py").read_bytes()
    assert str(installed / "hook_start.py") in (tmp_path / ".claude" / "settings.json").read_text()
    assert run(tmp_path, "hook", "status", **home).stdout.startswith(
        "server    https://leverage.example.com (token in "
    )
    assert run(tmp_path, "hook", "send", "--dry-run", **home).returncode == 0
    assert run(tmp_path, "hook", "uninstall", **home).returncode == 0
    assert sorted({*tmp_path.rglob("*")} - {tmp_path / ".config"}) == before


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        ("hook", 2, "The following arguments are required: install|status|send|uninstall. See `leverage hook --help`."),
        ("hook install", 2, "The following arguments are required: --url. See `leverage hook install --help`."),
        ("hook status", 1, "The hook is not set up: run `leverage hook install --url URL --token TOKEN`."),
        (
            "hook install --url http://leverage.example.com --token long-enough",
            1,
            "The address has to be https:// and a host (http:// only for this machine itself).",
        ),
    ],
)
def test_what_is_wrong_with_the_hook_is_one_line(tmp_path, typed, code, said):
    assert one_line(tmp_path, *typed.split(), code=code, HOME=str(tmp_path)) == said


def test_the_help_of_the_hook_is_its_own(tmp_path):
    said = run(tmp_path, "hook", "--help").stdout
    assert said.startswith("usage: leverage hook [-h] install|status|send|uninstall")
    assert "--managed" in run(tmp_path, "hook", "install", "--help").stdout


# Tokens of a fleet


def test_a_token_is_printed_alone_and_once(tmp_path):
    made = run(tmp_path, "tokens", "new", "laptops", "--days", "90")
    token = made.stdout.removesuffix("\n")
    assert re.fullmatch("lev_[0-9a-f]{64}", token)
    assert f"`leverage tokens revoke {token[4:12]}`" in made.stderr
    assert token not in made.stderr
    assert token.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    listed = run(tmp_path, "tokens", "list").stdout
    assert token not in listed
    head, row = listed.splitlines()
    assert head.split() == ["id", "name", "made", "ends", "last", "used", "state"]
    id_, name, made_on, ends, used, state = row.split()
    assert (id_, name, used, state) == (token[4:12], "laptops", "never", "valid")
    assert date.fromisoformat(ends) - date.fromisoformat(made_on) == timedelta(days=90)


def test_a_token_that_is_revoked_stays_listed_as_ended(tmp_path):
    id_ = run(tmp_path, "tokens", "new", "laptops").stdout[4:12]
    assert run(tmp_path, "tokens", "revoke", id_).returncode == 0
    assert run(tmp_path, "tokens", "list").stdout.split()[-1] == "ended"


def test_peoples_tokens_are_neither_listed_nor_revoked(tmp_path):
    assert run(tmp_path, "tokens", "list").stdout == ""
    own = Token("0123abcd", 64 * "0", "k1", None, datetime(2026, 11, 1, tzinfo=UTC))
    with transaction(connect(f"sqlite:///{tmp_path / 'leverage.db'}")) as session:
        joined = Joined("k1", own.created_at.date(), None, returned=False, joined_at=own.created_at)
        people.add(session, joined, {}, proved=False)
        ingest_tokens.add(session, own)
    assert run(tmp_path, "tokens", "list").stdout == ""
    assert one_line(tmp_path, "tokens", "revoke", own.id).startswith("There is no fleet token '0123abcd'")


def test_a_snippet_holds_the_token_and_needs_an_address(tmp_path):
    said = one_line(tmp_path, "tokens", "new", "laptops", "--snippet")
    assert said.startswith("LEVERAGE_BASE_URL is not set (the address under which people's machines reach Leverage")
    assert run(tmp_path, "tokens", "list").stdout == "", "and no token was made"
    printed = run(tmp_path, "tokens", "new", "laptops", "--snippet", **BASE_URL).stdout
    (id_,) = {token[4:12] for token in re.findall("lev_[0-9a-f]{64}", printed)}
    assert id_ in run(tmp_path, "tokens", "list").stdout
    assert '"OTEL_EXPORTER_OTLP_ENDPOINT": "https://leverage.example.com",' in printed


def test_a_name_that_cannot_be_listed_is_refused(tmp_path):
    assert one_line(tmp_path, "tokens", "new", "two\nlines").startswith(
        "A fleet token needs a name of 1 to 60 printable"
    )
