"""What the command line says to somebody who types something wrong, stops it, or gives it nowhere to write."""

import signal
import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot import progress
from bot.domain.ports import SourceError
from tests.commands import LEVERAGE, environment, one_line, run

TEAM = """
[[team]]
name = "payments"
slack_channel = "C0123ABCD"
members = ["ann"]
repositories = ["acme/api", "acme/web", "acme/app"]
timezone = "UTC"
digest = "Mon 09:00"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "leverage.toml").write_text(TEAM)
    return tmp_path


# Stopping, and nowhere to write


def demo_until(folder: Path, end: Callable[[subprocess.Popen[str]], object]) -> tuple[str, int]:
    """What the demo says on stderr, and its exit code, if this happens to it after its first line."""
    with subprocess.Popen(
        [*LEVERAGE, "demo"], cwd=folder, env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as demo:
        assert demo.stdout is not None
        assert demo.stderr is not None
        assert demo.stdout.readline()
        end(demo)
        said = demo.stderr.read()
    return said, demo.returncode


def test_ctrl_c_says_that_the_work_can_go_on(folder):
    said, code = demo_until(folder, lambda demo: demo.send_signal(signal.SIGINT))
    assert said == "leverage: stopped; nothing is half-written, the same command goes on from here\n"
    assert code == 130


def test_a_reader_who_has_seen_enough_is_no_error(folder):
    said, code = demo_until(folder, lambda demo: demo.stdout and demo.stdout.close())
    assert said == ""
    assert code == 128 + signal.SIGPIPE


@pytest.mark.parametrize("arguments", [["demo"], ["--help"], ["digest", "payments"]])
def test_output_that_has_no_room_is_one_line(folder, arguments):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*LEVERAGE, *arguments], cwd=folder, env=environment(), stdout=full, stderr=subprocess.PIPE, text=True
        )
    *waiting, said = done.stderr.splitlines()
    assert said == (
        "leverage: The output could not be written (No space left on device): make room, or write it elsewhere."
    )
    assert all(line.startswith("The week that is due waits for") for line in waiting)
    assert done.returncode == 1


def test_an_error_that_is_not_about_the_output_stays_what_it_is():
    about_a_file = OSError(28, "No space left on device", "leverage.db")
    with pytest.raises(OSError, match=r"leverage\.db"):
        progress.unwritten(about_a_file)


# Wrong usage


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("collect --since yesterday", "--since: write a day like 2026-05-01. See `leverage collect --help`."),
        ("collect --until 1.5.2026", "--until: write a day like 2026-05-01. See `leverage collect --help`."),
        ("collect --since", "--since: write a day like 2026-05-01. See `leverage collect --help`."),
        ("backfill --days many", "--days: write a whole number from 1 to 730. See `leverage backfill --help`."),
        ("backfill --days 731", "--days: write a whole number from 1 to 730. See `leverage backfill --help`."),
        ("digest payments --format xml", "--format: write one of text, json, blocks. See `leverage digest --help`."),
        ("digest", "TEAM is missing. See `leverage digest --help`."),
        ("digest pay ments", "There is a word too many: ments. See `leverage digest --help`."),
        ("digset", "No such command 'digset'. Did you mean 'digest'? See `leverage --help`."),
        ("--bogus", "No such option: --bogus. See `leverage --help`."),
    ],
)
def test_wrong_usage_is_told_in_plain_words(folder, typed, said):
    assert one_line(folder, *typed.split(), code=2) == said


def test_help_fits_a_terminal_and_cuts_no_sentence(folder):
    said = run(folder, "-h").stdout
    assert said == run(folder, "--help").stdout
    assert "..." not in said.replace("[ARGS]...", "")
    for command in ("collect", "backfill", "digest", "serve"):
        found = run(folder, command, "-h").stdout
        assert "%Y" not in found
        assert max(map(len, found.splitlines())) <= 80


# Sources, days and repositories


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("--since 2025-12-31", "--since 2025-12-31 is too long ago: anthropic tells of days from "),
        ("--until 2999-01-01", "--until 2999-01-01 is in the future: "),
        ("github", "GitHub is no source of spend: it is read by `leverage backfill`."),
        ("anthropc", "There is no source 'anthropc': Leverage knows anthropic, openai, "),
    ],
)
def test_what_no_source_can_tell_is_refused_before_it_is_asked(folder, typed, said):
    assert one_line(folder, "collect", *typed.split(), code=2, ANTHROPIC_ADMIN_KEY="sk-ant-admin01-x").startswith(said)
    assert not (folder / "leverage.db").exists()


def test_the_key_that_is_missing_is_named(folder):
    said = one_line(folder, "collect")
    assert said.startswith("No source of spend is set up: set the key of what you use (ANTHROPIC_ADMIN_KEY, OPENAI_")


# One clear line


def app_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    return key.private_bytes(*form).decode()


@pytest.mark.e2e
def test_a_github_that_cannot_be_reached_is_one_line_however_many_repositories(folder):
    nowhere = "http://127.0.0.1:1"
    said = one_line(folder, "backfill", GITHUB_APP_ID="1", GITHUB_APP_PRIVATE_KEY=app_key(), GITHUB_API_URL=nowhere)
    assert said.startswith("GitHub does not answer, or could not be reached (")
    assert said.endswith("): check the network or proxy, and GITHUB_API_URL")


def test_a_line_of_the_env_file_that_means_nothing_is_one_line(folder):
    (folder / ".env").write_text("# ours\nLEVERAGE_CONFIG=leverage.toml\n\nANTHROPIC_ADMIN_KEY canary\n")
    said = one_line(folder, "digest", "payments")
    assert said == ".env:4: this line is no setting: write NAME=value, and close every quote."


# Several steps


def does(said: list[str], *errors: SourceError | None) -> list[str]:
    """What is done of steps that end with these errors."""

    def step(number: int, error: SourceError | None) -> None:
        said.append(str(number))
        if error:
            raise error

    try:
        progress.all_of([partial(step, number, error) for number, error in enumerate(errors)])
    except SourceError as error:
        said.append(str(error))
    return said


@pytest.mark.parametrize(
    ("errors", "done", "before"),
    [
        ([None, SourceError("x"), None], ["0", "1", "2", "x"], ""),
        ([SourceError("x"), SourceError("y"), SourceError("x")], ["0", "1", "2", "x"], "leverage: y\n"),
        ([SourceError("x"), SourceError("y", whole=True), None], ["0", "1", "x"], "leverage: y\n"),
        ([None, None], ["0", "1"], ""),
    ],
)
def test_every_step_is_done_unless_the_rest_would_fail_too_and_each_sentence_is_said_once(
    capsys, errors: Sequence[SourceError | None], done, before
):
    assert does([], *errors) == done
    assert capsys.readouterr().err == before
