"""Webhooks: only who knows the secret is heard, and nothing that arrives can break the reader."""

import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.comment import PullEvent
from bot.github import webhooks
from bot.github.webhooks import Forged, TooLarge, accept, parse
from bot.usecases.intake import PULL_REQUEST, Delivery, Unreadable

SECRET, OTHER = b"webhook secret", b"the next secret"
BODY = b'{"action": "opened"}'


def signature(body: bytes, secret: bytes = SECRET) -> str:
    return "sha256=" + hmac.new(secret, body, "sha256").hexdigest()


def headers(sign: str, **changes: str) -> dict[str, str]:
    named = {"X-Hub-Signature-256": sign, "X-GitHub-Delivery": "d-1", "X-GitHub-Event": "pull_request"}
    return named | {name.replace("_", "-"): value for name, value in changes.items()}


def test_a_signed_delivery_is_accepted():
    found = accept([SECRET], headers(signature(BODY)), BODY)
    assert found == Delivery("d-1", "pull_request", BODY.decode())


def test_names_of_headers_may_be_in_any_case():
    lower = {name.lower(): value for name, value in headers(signature(BODY)).items()}
    assert accept([SECRET], lower, BODY).id == "d-1"


@pytest.mark.parametrize("secret", [SECRET, OTHER])
def test_two_secrets_are_valid_while_one_is_changed(secret):
    assert accept([SECRET, OTHER], headers(signature(BODY, secret)), BODY).id == "d-1"


@pytest.mark.parametrize(
    "sign",
    [
        signature(BODY, OTHER),
        signature(BODY + b" "),
        signature(BODY).replace("sha256=", "sha1="),
        signature(BODY).removeprefix("sha256="),
        signature(BODY)[:-1],
        "",
        "sha256=",
        "sha256=ä",
        "sha256=\udcff",
        "\0",
    ],
)
def test_a_wrong_signature_is_forged(sign):
    with pytest.raises(Forged):
        accept([SECRET], headers(sign), BODY)


def test_without_a_signature_it_is_forged():
    named = headers(signature(BODY))
    del named["X-Hub-Signature-256"]
    with pytest.raises(Forged):
        accept([SECRET], named, BODY)


@pytest.mark.parametrize("name", ["", "x" * 101, "a b", "ä", "a\nb"])
@pytest.mark.parametrize("header", ["X_GitHub_Delivery", "X_GitHub_Event"])
def test_a_delivery_has_a_plain_id_and_a_plain_event(header, name):
    with pytest.raises(Forged):
        accept([SECRET], headers(signature(BODY), **{header: name}), BODY)


def test_too_large_a_body_is_not_even_hashed():
    body = b"x" * (webhooks.LIMIT + 1)
    with pytest.raises(TooLarge):
        accept([SECRET], headers("wrong"), body)


@pytest.mark.parametrize("empty", [(), ("",), (None,), ("a", "")])
def test_an_empty_secret_is_refused_at_the_start(empty):
    with pytest.raises(ValueError, match="GITHUB_WEBHOOK_SECRET"):
        webhooks.secrets(*empty)


def test_an_empty_secret_never_lets_anybody_in():
    with pytest.raises(ValueError, match="GITHUB_WEBHOOK_SECRET"):
        accept([b""], headers(signature(BODY, b"")), BODY)


def test_one_secret_is_enough():
    assert webhooks.secrets("a", None) == (b"a",)


@given(st.binary(max_size=200), st.text(max_size=80))
def test_no_signature_that_is_not_ours_is_accepted_or_breaks_anything(body, sign):
    with pytest.raises(Forged):
        accept([SECRET], headers(sign), body)


def test_bytes_that_are_no_text_are_kept_as_text_a_database_takes():
    body = b'\xff\0{"a": 1}'
    assert accept([SECRET], headers(signature(body)), body).body == '\ufffd{"a": 1}'


def payload(**changes: object) -> dict[str, object]:
    return {
        "action": "opened",
        "number": 7,
        "pull_request": {"node_id": "PR_7", "title": "<script>", "draft": True},
        "repository": {"full_name": "acme/api", "private": True},
    } | changes


def test_a_pull_request_event_is_read():
    assert parse(PULL_REQUEST, json.dumps(payload())) == PullEvent("opened", "PR_7", "acme/api", 7, private=True)


@pytest.mark.parametrize("event", ["installation", "installation_repositories", "repository", "push", "ping"])
def test_other_events_are_nothing_for_the_comments(event):
    assert parse(f"github/{event}", "whatever") is None


HOSTILE = {
    "nothing": "",
    "no JSON": "payload=%7B%7D",
    "a list": "[]",
    "a number": "1e999",
    "deep": "[" * 100_000,
    "deep objects": '{"pull_request":' * 50_000,
    "cut off": json.dumps(payload())[:-5],
    "text for a number": json.dumps(payload(number="7")),
    "a fraction": json.dumps(payload(number=7.5)),
    "true for a number": json.dumps(payload(number=True)),
    "zero": json.dumps(payload(number=0)),
    "beyond a column": json.dumps(payload(number=2**31)),
    "far beyond": json.dumps(payload(number=10**400)),
    "no pull request": json.dumps(payload(pull_request=None)),
    "no id": json.dumps(payload(pull_request={"node_id": ""})),
    "an id with a NUL": json.dumps(payload(pull_request={"node_id": "PR\0"})),
    "a long id": json.dumps(payload(pull_request={"node_id": "x" * 201})),
    "text for private": json.dumps(payload(repository={"full_name": "acme/api", "private": "false"})),
    "a number for private": json.dumps(payload(repository={"full_name": "acme/api", "private": 1})),
    "no private": json.dumps(payload(repository={"full_name": "acme/api"})),
    "another place": json.dumps(payload(repository={"full_name": "acme/../user", "private": True})),
    "a query": json.dumps(payload(repository={"full_name": "acme/api?x", "private": True})),
    "two lines": json.dumps(payload(repository={"full_name": "acme/api\n", "private": True})),
    "half a surrogate": '{"action": "\\ud800"}',
    "an object for an action": json.dumps(payload(action={"a": 1})),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_event_is_unreadable_and_quotes_nothing(name):
    with pytest.raises(Unreadable) as caught:
        parse(PULL_REQUEST, HOSTILE[name])
    assert str(caught.value) == ""
    assert caught.value.__cause__ is None


def test_a_huge_event_is_read():
    assert parse(PULL_REQUEST, json.dumps(payload(padding="x" * 5_000_000, more=list(range(100_000))))) is not None
