"""Sending to Slack: every way a request can end, over a real connection to a fake."""

import socket
from datetime import timedelta

import pytest

from bot.domain.delivery import BadMessage, NotSent, Refused, Revoked, Sent, Uncertain
from bot.slack.messenger import SlackMessenger
from tests.fake_slack import FakeSlack, Fault, busy, dropped, failing, hanging, lost, refusing, saying, serve

pytestmark = pytest.mark.e2e

CHANNEL, OWNER, KEY = "C1", "U1", "0f0f"
BLOCKS = [{"type": "section", "text": {"type": "plain_text", "text": "hello"}}]


@pytest.fixture
def slack():
    with serve() as fake:
        yield fake


@pytest.fixture
def messenger(slack) -> SlackMessenger:
    return SlackMessenger("xoxb-test", slack.url, timeout=1)


def post(messenger: SlackMessenger):
    return messenger.post(CHANNEL, "hello", BLOCKS, KEY)


def test_a_post_is_in_the_channel_and_its_ts_is_the_remote_id(slack, messenger):
    answer = post(messenger)
    (posted,) = slack.channel(CHANNEL)
    assert answer == Sent(posted.ts)
    assert (posted.text, posted.blocks) == ("hello", BLOCKS)


def test_a_post_carries_its_opaque_key_and_nothing_is_unfurled_linked_or_parsed(slack, messenger):
    post(messenger)
    (posted,) = slack.channel(CHANNEL)
    assert posted.values["metadata"] == {"event_type": "leverage_digest", "event_payload": {"key": KEY}}
    switches = {name: posted.values[name] for name in ("unfurl_links", "unfurl_media", "link_names", "parse")}
    assert switches == {"unfurl_links": False, "unfurl_media": False, "link_names": False, "parse": "none"}


def test_the_token_travels_in_the_header(slack, messenger):
    post(messenger)
    assert {one.token for one in slack.requests} == {"Bearer xoxb-test"}


def test_the_address_may_end_with_a_slash(slack):
    assert isinstance(post(SlackMessenger("xoxb-test", f"{slack.url}/", timeout=1)), Sent)


def test_a_text_without_blocks_is_posted_as_it_is(slack, messenger):
    assert isinstance(messenger.post(CHANNEL, "hello", None, KEY), Sent)
    (posted,) = slack.channel(CHANNEL)
    assert posted.blocks is None


@pytest.mark.parametrize(
    ("fault", "stored", "expected"),
    [
        (lost(), 1, Uncertain("RemoteDisconnected")),
        (dropped(), 0, Uncertain("RemoteDisconnected")),
        (hanging(stored=True), 1, Uncertain("TimeoutError")),
        (hanging(stored=False), 0, Uncertain("TimeoutError")),
        (failing(500, stored=True), 1, Uncertain("http_500")),
        (failing(502, stored=False), 0, Uncertain("http_502")),
        (failing(503, stored=True), 1, Uncertain("http_503")),
        (Fault(stored=True, status=503, code="not_in_channel"), 1, Uncertain("http_503")),
        (saying(b"<html>who are you</html>"), 0, Uncertain("http_200")),
        (saying(b"[]"), 0, Uncertain("http_200")),
        (saying(b'["ok"]'), 0, Uncertain("AttributeError")),
        (saying(b"\xff\xfe"), 0, Uncertain("UnicodeDecodeError")),
        (saying(b'{"ok": true}'), 0, Uncertain("no_ts_in_answer")),
        (saying(b"", status=302), 0, Uncertain("http_302")),
        (saying(b"", status=408), 0, Uncertain("http_408")),
        (Fault(stored=True, headers={"Content-Length": "999"}), 1, Uncertain("IncompleteRead")),
        *((refusing(code), 0, Uncertain(code)) for code in ("fatal_error", "internal_error", "request_timeout")),
        *((refusing(code), 0, Uncertain(code)) for code in ("service_unavailable", "duplicate_message_not_found")),
        (saying(b"<html>not here</html>", status=404), 0, NotSent("http_404")),
        (refusing("too_many_attachments"), 0, NotSent("too_many_attachments")),
        (busy(), 0, NotSent("rate_limited", None, outage=True)),
        (busy("30"), 0, NotSent("rate_limited", timedelta(seconds=30), outage=True)),
        (busy("7200"), 0, NotSent("rate_limited", timedelta(hours=2), outage=True)),
        (busy("Mon, 18 May 2026 09:00:00 GMT"), 0, NotSent("rate_limited", None, outage=True)),
        (refusing("ratelimited"), 0, NotSent("rate_limited", None, outage=True)),
        *((refusing(code), 0, BadMessage(code)) for code in ("invalid_blocks", "msg_too_long")),
        *((refusing(code), 0, Revoked(code)) for code in ("token_revoked", "account_inactive", "invalid_auth")),
        (Fault(status=401, code="invalid_auth"), 0, Revoked("invalid_auth")),
        *((refusing(code), 0, Refused(code)) for code in ("is_archived", "channel_not_found", "not_in_channel")),
        (refusing("restricted_action_read_only_channel"), 0, Refused("restricted_action_read_only_channel")),
        (refusing("missing_scope", needed="chat:write"), 0, Refused("missing_scope chat:write")),
        (refusing("missing_scope", needed="<b>Ann</b>"), 0, Refused("missing_scope")),
    ],
    ids=str,
)
def test_each_way_a_post_can_end_is_an_answer_after_one_request(slack, messenger, fault, stored, expected):
    slack.next(fault)
    assert post(messenger) == expected
    assert slack.struck == [fault]
    assert (len(slack.calls()), len(slack.channel(CHANNEL))) == (1, stored)


def test_words_of_a_foreign_server_are_never_quoted(slack, messenger):
    slack.next(refusing("Ann said: no"))
    assert post(messenger) == Uncertain("http_200")


def test_a_port_where_nobody_listens_means_not_sent(slack):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/api"
        assert post(SlackMessenger("xoxb-test", nobody, timeout=1)) == NotSent("no_connection", outage=True)


def test_a_connection_that_is_never_made_means_not_sent():
    """The listener's queue is full: packets go nowhere, as behind a firewall that is silent."""
    with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(deaf.getsockname())
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}/api"
        assert post(SlackMessenger("xoxb-test", address, timeout=1)) == NotSent("no_connection", outage=True)


def test_a_name_that_nobody_has_means_not_sent():
    unknown = SlackMessenger("xoxb-test", "http://nobody.invalid/api", timeout=1)
    assert post(unknown) == NotSent("no_connection", outage=True)


@pytest.mark.parametrize("sign", ["is_ext_shared", "is_pending_ext_shared"])
def test_a_channel_that_another_company_reads_gets_nothing(slack, messenger, sign):
    slack.shared[CHANNEL] = {sign: True}
    assert post(messenger) == Refused("shared_with_another_company")
    assert slack.calls() == []


@pytest.mark.parametrize("fault", [lost(), failing(503, stored=False), refusing("fatal_error")], ids=str)
def test_a_look_that_fails_is_certain_that_nothing_was_posted(slack, messenger, fault):
    slack.next(fault, method="conversations.info")
    answer = post(messenger)
    assert isinstance(answer, NotSent)
    assert answer.outage
    assert slack.calls() == []


def test_a_channel_the_app_cannot_see_is_refused_before_posting(slack, messenger):
    slack.next(refusing("channel_not_found"), method="conversations.info")
    assert post(messenger) == Refused("channel_not_found")
    assert slack.calls() == []


def test_a_whisper_goes_to_the_private_channel_with_one_person(slack, messenger):
    answer = messenger.whisper(OWNER, "look, please")
    (note,) = slack.channel(f"D{OWNER}")
    assert (answer, note.text) == (Sent(note.ts), "look, please")


def test_a_whisper_to_nobody_is_refused(slack, messenger):
    slack.next(refusing("user_not_found"), method="conversations.open")
    assert messenger.whisper(OWNER, "look, please") == Refused("user_not_found")


def test_a_deleted_message_is_gone(slack, messenger):
    answer = post(messenger)
    assert isinstance(messenger.delete(CHANNEL, answer.remote_id), Sent)
    assert slack.channel(CHANNEL) == []


def test_what_is_gone_already_counts_as_deleted(messenger):
    assert messenger.delete(CHANNEL, "1.2") == Sent("1.2")


def test_a_delete_that_nobody_answers_is_uncertain(slack, messenger):
    slack.next(lost(), method="chat.delete")
    assert isinstance(messenger.delete(CHANNEL, "1.2"), Uncertain)


def test_a_token_that_works_says_who_we_are(messenger):
    assert messenger.check() == Sent("UBOT")


def test_a_token_that_was_revoked_says_so(slack, messenger):
    slack.next(refusing("token_revoked"), method="auth.test")
    assert messenger.check() == Revoked("token_revoked")


def test_the_fake_refuses_blocks_when_told_to(messenger, slack: FakeSlack):
    slack.takes_blocks = False
    assert post(messenger) == BadMessage("invalid_blocks")
    assert isinstance(messenger.post(CHANNEL, "hello", None, KEY), Sent)
