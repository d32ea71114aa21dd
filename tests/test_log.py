"""Logs are JSON lines without people, secrets or the words of exceptions: canaries go in and never come out."""

import io
import json
import logging
import time
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import stamina
import structlog

from bot import log

CANARY = "canary"


@dataclass
class Logged:
    """What came out since `setup`."""

    stream: io.StringIO

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def line(self) -> dict[str, Any]:
        (only,) = self.lines
        return only


@pytest.fixture
def logged():
    root, errors = logging.root, logging.raiseExceptions
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in log.PINNED}
    stream = io.StringIO()
    log.setup(stream)
    yield Logged(stream)
    root.handlers[:], logging.raiseExceptions = handlers, errors
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    structlog.reset_defaults()


def test_a_line_is_one_json_object_that_says_when_where_and_what(logged):
    structlog.get_logger("bot.usecases.digest").info("digest frozen", team="payments", week="2026-W20", seconds=0.25)
    line = logged.line
    assert datetime.fromisoformat(line.pop("time")).utcoffset() == timedelta(0)
    assert line == {
        "level": "info",
        "logger": "bot.usecases.digest",
        "event": "digest frozen",
        "team": "payments",
        "week": "2026-W20",
        "seconds": 0.25,
    }


def test_only_the_fields_of_the_list_come_out(logged):
    structlog.get_logger().info(
        "collected", days=3, login=CANARY, email=CANARY, cost=12.5, branch=CANARY, body={"a": CANARY}
    )
    assert logged.line.keys() == {"time", "level", "logger", "event", "days"}


def test_counts_by_reason_days_and_lists_are_kept(logged):
    structlog.get_logger().info(
        "collected", rejected=Counter({"no day": 2, "no amount": 1}), since=date(2026, 5, 4), waiting=("a", "b"), sent=0
    )
    line = logged.line
    assert line["rejected"] == {"no day": 2, "no amount": 1}
    assert (line["since"], line["waiting"], line["sent"]) == ("2026-05-04", ["a", "b"], 0)


def test_of_an_object_only_its_class_is_told(logged):
    structlog.get_logger().info("odd", team=SimpleNamespace(login=CANARY), count=float("nan"), rejected={"x": CANARY})
    line = logged.line
    assert (line["team"], line["count"], line["rejected"]) == ("SimpleNamespace", "float", {})


def test_whoever_logs_cannot_speak_for_somebody_else(logged):
    structlog.get_logger("bot.x").info("hello", level="critical", time="never", logger="root")
    line = logged.line
    assert (line["level"], line["logger"]) == ("info", "bot.x")
    assert line["time"] != "never"


def test_a_line_is_one_line_and_not_endless(logged):
    structlog.get_logger().info("one\ntwo\u2028three", team="x" * 10_000, waiting=["y"] * 1_000)
    assert len(logged.text.splitlines()) == 1
    assert len(logged.text) < 1_000


TOKENS = [
    "xoxb-123-canary",
    "xoxe.xoxp-1-canary",
    "xoxd-canary%2Fcanary",
    "xapp-1-A0-canary",
    "ghp_canary",
    "gho_canary",
    "ghs_123_eyJhbGciOiJIUzI1NiJ9.canary.canary",
    "github_pat_11_canary",
    "sk-ant-admin01-canary_canary",
    "sk-proj-canary",
    "sk-or-v1-canary",
    "%3Dsk-ant-canary",
    "lev_canary",
    "Bearer canary",
    "authorization: bearer  canary.canary",
    "'Authorization': 'Bearer canary'",
    "eyJhbGciOiJSUzI1NiJ9.eyJjYW5hcnkiOjF9.canary-canary",
    "-----BEGIN RSA PRIVATE KEY-----\ncanary\ncanary\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\ncanary",
    "https://hooks.slack.com/commands/T0/1/canary",
    "postgresql+psycopg://canary:canary@db/leverage",
    "postgres://ann:can@ry-canary@db/x",
    "canary@example.com",
    "canary.o'neil+canary@example.com",
    "canary%40example.com",
    "cänäry.canary@exämple.com",
]


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("around", ["{}", "got {} from there", "key={}&x=1", '{{"token": "{}"}}'])
def test_what_looks_like_a_secret_or_an_address_is_masked_everywhere(logged, token, around):
    text = around.format(token)
    structlog.get_logger().warning(text, source=text, waiting=[text], rejected={text: 1})
    logging.getLogger("bot.x").warning(text)
    assert len(logged.lines) == 2
    assert CANARY not in logged.text
    assert log.MASK in logged.text


@pytest.mark.parametrize(
    "text",
    [
        "the task-force met; risk-free, disk-full",
        "LEVERAGE_SECRET_KEY is not set",
        "2026-W20 of payments: 12 rows from anthropic",
        "leverage.toml:12: team payments",
        "https://api.github.com/graphql answered 502",
    ],
)
def test_ordinary_words_are_not_masked(text):
    assert log.mask(text) == text


@pytest.mark.parametrize(
    "text", ["a" * 200_000, "eyJ" * 70_000, "://" * 70_000, "-----BEGIN " * 20_000, "a.b-" * 50_000, "%40" * 70_000]
)
def test_masking_takes_no_longer_for_hostile_text(text):
    started = time.perf_counter()
    log.mask(text)
    assert time.perf_counter() - started < 2


def test_of_an_exception_come_out_class_causes_and_place_but_no_words(logged):
    try:
        fail(CANARY)
    except RuntimeError:
        structlog.get_logger().exception("collect failed", source="anthropic")
    line = logged.line
    assert (line["level"], line["error"], line["causes"]) == ("error", "RuntimeError", ["ValueError"])
    assert line["trace"][-1].startswith("tests.test_log:")
    assert line["trace"][-1].endswith(" fail")
    assert CANARY not in logged.text


@pytest.mark.parametrize("passed", ["exc_info", "error"])
def test_an_exception_that_is_passed_on_is_told_in_the_same_way(logged, passed):
    structlog.get_logger().warning("later", **{passed: KeyError(CANARY)})
    assert logged.line["error"] == "KeyError"
    assert CANARY not in logged.text


def test_an_error_is_a_class_and_never_a_sentence(logged):
    structlog.get_logger().warning("one", error="SourceError")
    structlog.get_logger().warning("two", error=f"no such person: {CANARY}")
    assert [line.get("error") for line in logged.lines] == ["SourceError", None]


def test_a_loop_of_causes_comes_to_an_end(logged):
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    structlog.get_logger().warning("odd", error=first)
    assert logged.line["causes"] == ["KeyError"]


def test_arguments_of_a_message_are_left_out(logged):
    logging.getLogger("bot.x").warning("%s was here", CANARY)
    structlog.get_logger("bot.x").warning("%s was here", CANARY)
    logging.getLogger("alembic.runtime.migration").info("Running %s", CANARY)
    assert [line["event"] for line in logged.lines] == ["%s was here", "%s was here", "Running %s"]


def test_a_message_that_cannot_be_formatted_is_not_printed_elsewhere(logged, capsys):
    logging.getLogger("bot.x").warning("%d %d", CANARY)
    assert CANARY not in capsys.readouterr().err
    assert CANARY not in logged.text


@pytest.mark.parametrize(
    "name", [*log.PINNED, "slack_sdk.web.base_client", "slack_bolt.App", "payments-bot:App", "asyncio"]
)
def test_a_library_cannot_be_made_to_talk(logged, name):
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.DEBUG)
    logging.root.setLevel(logging.DEBUG)
    logger.debug("token %s", CANARY)
    logger.info(f"body {CANARY}")
    assert logged.lines == []
    logger.warning(f"unhandled request {CANARY}", exc_info=ValueError(CANARY))
    logger.setLevel(before)
    assert logged.line["event"] == "a library's message, left out"
    assert (logged.line["logger"], logged.line["error"]) == (name, "ValueError")
    assert CANARY not in logged.text


@pytest.mark.parametrize("name", log.PINNED)
def test_pinned_loggers_do_not_even_prepare_what_they_would_say(logged, name):
    log.setup(logged.stream, "DEBUG")
    assert not logging.getLogger(f"{name}.child").isEnabledFor(logging.INFO)


def test_an_exception_in_place_of_a_message_is_not_quoted(logged):
    logging.getLogger("bot.x").error(ValueError(CANARY))
    structlog.get_logger("bot.x").error(ValueError(CANARY))
    assert len(logged.lines) == 2
    assert CANARY not in logged.text


def test_retries_are_counted_but_not_with_what_they_sent(logged):
    for attempt in stamina.retry_context(on=ValueError, attempts=2, wait_initial=0, wait_max=0, wait_jitter=0):
        with attempt:
            if attempt.num == 1:
                raise ValueError(CANARY)
    line = logged.line
    assert (line["event"], line["retry_num"]) == ("stamina.retry_scheduled", 1)
    assert CANARY not in logged.text


def test_debug_lines_come_out_when_asked_for(logged):
    structlog.get_logger().debug("before")
    log.setup(logged.stream, "DEBUG")
    structlog.get_logger().debug("after")
    assert [line["event"] for line in logged.lines] == ["after"]


def test_below_the_level_nothing_comes_out_however_a_library_sets_its_own(logged):
    log.setup(logged.stream, "ERROR")
    for name in ("urllib3", "stamina", "github.Requester", "dotenv.main"):
        logging.getLogger(name).warning("%s was here", CANARY)
    assert logged.lines == []
    logging.getLogger("bot.x").error("this is")
    assert logged.line["event"] == "this is"


def test_setting_up_twice_does_not_say_things_twice(logged):
    log.setup(logged.stream)
    structlog.get_logger().info("once")
    assert logged.line["event"] == "once"


def fail(secret: str) -> None:
    try:
        int(secret)
    except ValueError as error:
        raise RuntimeError(f"bad {secret}") from error
