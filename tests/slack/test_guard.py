"""Only what Slack signed just now gets in, once; everything else is refused without a stumble and without a trace."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote, urlencode

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from bot import log
from bot.slack import guard
from tests.company import SmallCompany, instant
from tests.fake_slack.people import People
from tests.people import dump
from tests.slack.desk import JSON, SIGNING_SECRET, Desk, signed

NOW = instant("2026-05-20 10:00")
BODY = b"command=%2Fleverage&text=me&user_id=S_ann"
CANARY = "canary-7f3a"


def low(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def test_a_signed_request_passes_once():
    may_pass = guard.make(SIGNING_SECRET)
    headers = low(signed(BODY, NOW))
    assert may_pass(headers, BODY, NOW)
    assert not may_pass(headers, BODY, NOW)
    assert not may_pass(headers, BODY, NOW + timedelta(minutes=4))


def test_slacks_own_repeat_is_signed_anew_and_passes():
    may_pass = guard.make(SIGNING_SECRET)
    assert may_pass(low(signed(BODY, NOW)), BODY, NOW)
    assert may_pass(low(signed(BODY, NOW + timedelta(seconds=1))), BODY, NOW)


def test_a_repeat_is_refused_as_long_as_its_signature_is_good():
    """A time stamp may be five minutes ahead: its signature is good for ten."""
    may_pass = guard.make(SIGNING_SECRET)
    ahead = low(signed(BODY, NOW + timedelta(minutes=5)))
    assert may_pass(ahead, BODY, NOW)
    assert not any(may_pass(ahead, BODY, NOW + timedelta(seconds=second)) for second in range(0, 700, 20))


@pytest.mark.parametrize(("seconds", "passes"), [(-301, False), (-300, True), (0, True), (300, True), (301, False)])
def test_a_request_is_good_for_five_minutes(seconds, passes):
    at = NOW + timedelta(seconds=seconds)
    assert guard.make(SIGNING_SECRET)(low(signed(BODY, at)), BODY, NOW) is passes


def changed(**headers: str) -> dict[str, str]:
    given = {"x-slack-request-timestamp": headers.get("timestamp"), "x-slack-signature": headers.get("signature")}
    return {**low(signed(BODY, NOW)), **{name: value for name, value in given.items() if value is not None}}


FORGED = {
    "no headers": {},
    "no signature": {"x-slack-request-timestamp": str(int(NOW.timestamp()))},
    "no timestamp": {"x-slack-signature": low(signed(BODY, NOW))["x-slack-signature"]},
    "another secret": low(signed(BODY, NOW, secret="another")),
    "another body": low(signed(b"something else", NOW)),
    "empty signature": changed(signature=""),
    "signature without version": changed(signature=low(signed(BODY, NOW))["x-slack-signature"][3:]),
    "signature not ascii": changed(signature="v0=ü\udcff\u2603"),
    "timestamp not a number": changed(timestamp="yesterday"),
    "timestamp not whole": changed(timestamp="1e9"),
    "timestamp of other digits": changed(timestamp="١٧٤٧٧٣٥٢٠٠"),
    "timestamp empty": changed(timestamp=""),
    "timestamp negative": changed(timestamp="-1"),
    "timestamp huge": changed(timestamp="9" * 500),
    "timestamp with space": changed(timestamp=f" {int(NOW.timestamp())}"),
    "timestamp of another minute": changed(timestamp=str(int(NOW.timestamp()) + 60)),
}


@pytest.mark.parametrize("case", FORGED)
def test_what_slack_did_not_sign_is_refused(case):
    assert not guard.make(SIGNING_SECRET)(FORGED[case], BODY, NOW)


@given(st.text(), st.text(), st.binary())
def test_nothing_anybody_can_send_makes_the_guard_stumble(timestamp, signature, body):
    headers = {"x-slack-request-timestamp": timestamp, "x-slack-signature": signature}
    assert not guard.make(SIGNING_SECRET)(headers, body, NOW)


@pytest.mark.parametrize("secret", ["", "  "])
def test_an_empty_secret_guards_nothing_and_is_refused(secret):
    with pytest.raises(ValueError, match="signing secret"):
        guard.make(secret)


# The same through the whole handler


@pytest.fixture
def desk() -> Desk:
    """A handler whose database has no tables: whatever touches it is seen."""
    company = SmallCompany.__new__(SmallCompany)
    company.engine = create_engine("sqlite://")
    company.team = None  # type: ignore[assignment]
    return Desk(company, People("ann"))


@pytest.mark.parametrize("case", FORGED)
def test_the_handler_refuses_what_slack_did_not_sign(desk, case):
    assert desk.send(BODY, FORGED[case]).status == 401


BROKEN = {
    "empty": (b"", None),
    "not utf-8": (b"command=%2Fleverage&text=\xff\xfe", None),
    "payload not json": (b"payload=%7Bnot", None),
    "payload empty": (b"payload=", None),
    "payload a list": (b"payload=[]", None),
    "payload a number": (b"payload=7", None),
    "payload null": (b"payload=null", None),
    "payload deep": (b"payload=" + b"[" * 100_000, None),
    "json broken": (b'{"type": ', JSON),
    "json a list": (b"[1, 2]", JSON),
    "json a text": (b'"text"', JSON),
    "json deep": (b'{"a":' * 100_000, JSON),
    "json not a number": (b'{"type": "event_callback", "event": NaN}', JSON),
    "too large": (b"text=" + b"x" * (1 << 20), None),
    "team a number": (b"payload=" + quote('{"type":"view_submission","team":5,"user":7,"view":9}').encode(), None),
    "user a list": (b"payload=" + quote('{"type":"block_actions","user":["U"],"actions":3}').encode(), None),
    "command without a user": (b"command=%2Fleverage&text=me", None),
    "command of nobody": (b"command=%2Fleverage&text=me&user_id=", None),
    "window without state": (
        urlencode({"payload": json.dumps({"type": "view_submission", "user": {"id": "S_ann"}, "view": {}})}).encode(),
        None,
    ),
    "window of no user": (
        urlencode(
            {"payload": json.dumps({"type": "view_submission", "view": {"callback_id": "leverage_join_1"}})}
        ).encode(),
        None,
    ),
    "event without id": (b'{"type":"event_callback","event":{"type":"app_uninstalled"}}', JSON),
    "event id a number": (b'{"type":"event_callback","event_id":7,"event":{"type":"tokens_revoked"}}', JSON),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_slack_would_never_send_is_a_bad_request_even_if_signed(desk, case):
    body, kind = BROKEN[case]
    heard = desk.send(body, signed(body, desk.at, kind) if kind else None)
    assert heard.status in (400, 401, 404)
    assert desk.people.calls == []


def test_an_unsigned_request_is_not_even_parsed(desk):
    assert desk.send(BROKEN["payload deep"][0], {}).status == 401


def test_slacks_question_whether_the_address_is_ours_is_answered(desk):
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1aB"}).encode()
    heard = desk.send(body, signed(body, desk.at, JSON))
    assert (heard.status, heard.json) == (200, {"challenge": "3eZbrw1aB"})


def test_a_defect_is_told_kindly_and_never_as_a_server_error(desk):
    heard = desk.command("ann", "me")
    assert heard.status == 200
    assert "went wrong" in heard.text
    window = desk.join("ann", login="ann", switches="collect")
    assert window.status == 200
    assert window.json["response_action"] == "update"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What the log says, at its most talkative; logging is put back afterwards."""
    root, errors = logging.root, logging.raiseExceptions
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in log.PINNED}
    stream = io.StringIO()
    log.setup(stream, "DEBUG")
    yield stream
    root.handlers[:], logging.raiseExceptions = handlers, errors
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    structlog.reset_defaults()


def test_the_log_holds_nothing_of_what_was_sent(stream, desk):
    desk.command(CANARY, f"me {CANARY}", user_name=CANARY, channel_name=CANARY, response_url=f"https://x/{CANARY}")
    desk.join(CANARY, login=CANARY, switches="collect", private=CANARY)
    desk.interaction({"type": "shortcut", "callback_id": CANARY, "user": {"id": CANARY}})
    desk.event(CANARY, CANARY)
    for body, kind in [*BROKEN.values(), (f"payload={CANARY}".encode(), None), (CANARY.encode(), JSON)]:
        desk.send(body + CANARY.encode(), signed(body + CANARY.encode(), desk.at, kind or JSON))
        desk.send(body + CANARY.encode(), {"X-Slack-Signature": CANARY, "X-Slack-Request-Timestamp": CANARY})
    assert "a slack request failed" in stream.getvalue()
    assert CANARY not in stream.getvalue()


# Events


def test_an_event_that_slack_repeats_is_noted_once(engine):
    desk = Desk(SmallCompany(engine, "ann"))
    heard = [
        desk.event("tokens_revoked", "Ev1"),
        desk.event("tokens_revoked", "Ev1"),
        desk.event("app_uninstalled", "Ev2"),
    ]
    assert [one.status for one in heard] == [200, 200, 200]
    noted = {(row["id"], row["kind"], row["body"], row["state"]) for row in dump(engine, "inbox")}
    assert noted == {("Ev1", "slack.tokens_revoked", None, "done"), ("Ev2", "slack.app_uninstalled", None, "done")}


@pytest.mark.parametrize("kind", ["message", "app_mention", "team_join"])
def test_an_event_we_did_not_ask_for_is_acknowledged_and_forgotten(engine, kind):
    desk = Desk(SmallCompany(engine, "ann"))
    assert desk.event(kind, text=CANARY, user="S_ann").status == 200
    assert dump(engine, "inbox") == []
