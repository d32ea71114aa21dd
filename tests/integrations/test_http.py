"""The outgoing client: what is tried again, what is not, and what no error may say."""

import gzip
import logging
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import httpx2
import pytest
import stamina
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from bot.domain.ports import NotFound, Refused, SourceError
from integrations._http import ATTEMPTS, BODY_LIMIT, HttpClient
from tests.fake_http import serve

URL = "https://api.example.com/v1/report"
SECRET = "sk-ant-admin01-SECRET-0123456789"


class Script:
    """Answers one after the other, the last one again and again."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)


def get(answer: Callable[[httpx2.Request], httpx2.Response], url: str = URL, **options: Any) -> Any:
    client = HttpClient(httpx2.MockTransport(answer), **options)
    return client.get_json(url, params={"day": "2026-11-02", "by[]": ["actor", "model"]}, headers={"x-api-key": SECRET})


def refusal(answer: Callable[[httpx2.Request], httpx2.Response], url: str = URL, **options: Any) -> SourceError:
    with pytest.raises(SourceError) as caught:
        get(answer, url, **options)
    assert SECRET not in str(caught.value)
    return caught.value


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, not waited for."""
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    return waits


@pytest.fixture
def no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=ATTEMPTS):
        yield


@pytest.fixture
def told() -> Iterator[list[RetryDetails]]:
    """All that stamina tells whoever logs retries."""
    retries: list[RetryDetails] = []

    def hook(details: RetryDetails) -> None:
        retries.append(details)

    set_on_retry_hooks([hook])
    yield retries
    set_on_retry_hooks(None)


def test_numbers_with_a_point_are_exact_and_lists_repeat():
    script = Script(httpx2.Response(200, content=b'{"amount": 0.1, "whole": 7}'))
    assert get(script) == {"amount": Decimal("0.1"), "whole": 7}
    [request] = script.requests
    assert request.url.params.multi_items() == [("day", "2026-11-02"), ("by[]", "actor"), ("by[]", "model")]
    assert request.headers["user-agent"].startswith("Leverage/")
    assert request.headers["user-agent"].endswith("(+https://github.com/leverage-bot/leverage)")


@pytest.mark.parametrize(
    "failure", [*map(httpx2.Response, (429, 500, 529)), httpx2.ReadTimeout("x"), httpx2.ConnectError("x")]
)
def test_what_often_passes_is_tried_again(no_waits, failure):
    script = Script(failure, failure, httpx2.Response(200, json=[1]))
    assert get(script) == [1]
    assert len(script.requests) == 3


def test_pauses_grow_and_vary_and_end_after_five_attempts(waits):
    script = Script(httpx2.Response(503))
    error = refusal(script)
    assert (str(error), error.permanent) == ("api.example.com has a failure of its own (503)", False)
    assert len(script.requests) == 5
    assert [base <= wait <= base + 1 for base, wait in zip([0.5, 1, 2, 4], waits, strict=True)] == [True] * 4


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "60"}, 60),
        ({"retry-after": "Wed, 04 Nov 2026 06:12:30 GMT", "date": "Wed, 04 Nov 2026 06:12:00 GMT"}, 30),
        ({"retry-after": "Wed, 04 Nov 2026 06:11:00 GMT", "date": "Wed, 04 Nov 2026 06:12:00 GMT"}, 0),
    ],
)
def test_a_pause_that_was_asked_for_is_kept(waits, headers, pause):
    assert get(Script(httpx2.Response(429, headers=headers), httpx2.Response(200, json=1))) == 1
    assert waits == ([pause] if pause else [0])


@pytest.mark.parametrize("value", ["soon", "-5", "1e9", "٣", "Wed, 04 Nov 2026 06:12:30 GMT"])
def test_a_pause_that_cannot_be_read_is_an_ordinary_one(waits, value):
    get(Script(httpx2.Response(429, headers={"retry-after": value.encode()}), httpx2.Response(200, json=1)))
    assert 0.5 <= waits[0] <= 1.5


@pytest.mark.parametrize(
    ("seconds", "when"),
    [("61", "2 minutes"), ("3600", "60 minutes"), ("86400", "24 hours"), ("9" * 40, "277778 hours")],
)
def test_nobody_waits_longer_than_a_minute(waits, seconds, when):
    script = Script(httpx2.Response(429, headers={"retry-after": seconds}))
    error = refusal(script)
    assert str(error) == f"api.example.com asks for fewer requests (429) and said to come back in {when}"
    assert (error.permanent, len(script.requests), waits) == (False, 1, [])


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_permanent_and_its_own_error(status):
    script = Script(httpx2.Response(status, json={"error": {"message": f"bad {SECRET}"}}))
    error = refusal(script)
    assert isinstance(error, Refused)
    assert (str(error), error.permanent) == (f"api.example.com refused the key ({status})", True)
    assert len(script.requests) == 1


def test_a_missing_page_is_its_own_error():
    error = refusal(Script(httpx2.Response(404)))
    assert isinstance(error, NotFound)
    assert "/v1/report" in str(error)


@pytest.mark.parametrize("status", [400, 422])
def test_a_wrong_request_is_permanent_and_says_why(status):
    message = "date: data for 2026-11-21 is not available yet"
    script = Script(httpx2.Response(status, json={"type": "error", "error": {"message": message}}))
    error = refusal(script)
    assert (str(error), error.permanent) == (f"api.example.com does not accept the request ({status}): {message}", True)
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (f"key {SECRET} is wrong", "key … is wrong"),
        ("no user ana.lim@example.com, or <ben%40example.com>", "no user … or <…>"),
        ("unknown user_01AnaQ8bKxN4pVtR2mWc7Yd", "unknown …"),
        ("two\nlines\u202e\x1b[31m", "two lines[31m"),
        ("x " * 500, ("x " * 500)[:200]),
        (17, ""),
    ],
)
def test_a_services_own_words_hold_no_secret_and_no_person(message, told):
    error = refusal(Script(httpx2.Response(400, json={"error": {"message": message}})))
    assert str(error) == "api.example.com does not accept the request (400)" + (f": {told}" if told else "")


@pytest.mark.parametrize("body", [b"", b"[]", b'"no"', b'{"error": []}', b"<html>", b"[" * 100_000])
def test_other_words_are_left_out(body):
    assert str(refusal(Script(httpx2.Response(400, content=body)))).endswith("(400)")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"data": [',
        b"<html>",
        b'{"amount": NaN}',
        b"-Infinity",
        b"[" * 100_000,
        b"9" * 5000,
        b"1e9999999999999999999",
        b"\xff\xfe\xfa",
    ],
)
def test_a_cut_off_or_wrong_body_is_not_taken(body):
    script = Script(httpx2.Response(200, content=body))
    error = refusal(script)
    assert (str(error), error.permanent) == ("api.example.com sent an answer that is cut off or is not JSON", False)


def test_a_redirect_is_not_followed():
    script = Script(httpx2.Response(302, headers={"location": "https://elsewhere.example.com/"}))
    error = refusal(script)
    assert (str(error), error.permanent) == (
        "api.example.com sends requests elsewhere (302); check the base URL",
        True,
    )
    assert len(script.requests) == 1


class Trickle(httpx2.SyncByteStream):
    """Bytes without end."""

    def __init__(self, piece: bytes) -> None:
        self.piece = piece
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield self.piece

    def close(self) -> None:
        self.closed = True


def test_a_body_without_end_is_cut():
    body = Trickle(b" " * 2**20)
    assert "more than 16 MiB" in str(refusal(lambda _: httpx2.Response(200, stream=body)))
    assert body.closed


def test_a_packed_body_counts_unpacked():
    packed = gzip.compress(b" " * (BODY_LIMIT + 1))
    assert len(packed) < 2**16
    answer = httpx2.Response(200, headers={"content-encoding": "gzip"}, content=packed)
    assert "more than 16 MiB" in str(refusal(lambda _: answer))


def test_a_trickle_ends_at_the_deadline():
    clock = iter(range(0, 10_000, 14))  # a byte every 14 seconds
    body = Trickle(b" ")
    error = refusal(lambda _: httpx2.Response(200, stream=body), clock=lambda: next(clock))
    assert str(error) == "api.example.com took longer than 60 seconds for one answer"
    assert body.closed


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://example.com", "api.example.com/v1", "https:///v1", "http://[::1"]
)
def test_a_base_url_is_http(url):
    error = refusal(Script(httpx2.Response(200, json=1)), url)
    assert error.permanent
    assert "base URL" in str(error)


@pytest.mark.parametrize("key", ["sk-ant\nadmin", "sk-ant-ädmin", "sk-ant-\x00"])
def test_a_key_that_fits_no_header_is_told_without_it(key):
    client = HttpClient(httpx2.MockTransport(Script(httpx2.Response(200, json=1))))
    with pytest.raises(SourceError, match="no HTTP header may hold") as caught:
        client.get_json(URL, params={}, headers={"x-api-key": key})
    assert caught.value.permanent


TOLD = "api.example.com could not be reached, or broke off (ReadError): check the network or proxy"


def test_who_cannot_be_reached_is_told_with_the_setting_that_says_where_it_is(no_waits):
    client = HttpClient(httpx2.MockTransport(Script(httpx2.ReadError("x"))), setting="ACME_API_URL")
    with pytest.raises(SourceError) as caught:
        client.get_json(URL, params={}, headers={})
    assert str(caught.value) == f"{TOLD} and ACME_API_URL"


def test_no_log_holds_a_secret_or_a_query(no_waits, told, caplog):
    caplog.set_level(logging.DEBUG)
    refusal(Script(httpx2.ReadError(f"while sending {SECRET}")))
    assert len(told) == 4
    for details in told:
        assert repr(details.caused_by) == f"BusyError({TOLD!r})"
        assert (details.args, details.kwargs) == ((), {})
    assert caplog.text == ""


@pytest.mark.e2e
def test_over_a_real_connection(no_waits, caplog):
    caplog.set_level(logging.DEBUG)
    script = Script(httpx2.Response(503), httpx2.Response(200, json={"ok": True}))
    with serve(script) as url:
        client = HttpClient()
        assert client.get_json(f"{url}/v1/report", params={"a": "b"}, headers={"x-api-key": SECRET}) == {"ok": True}
        client.close()
    assert [request.headers["x-api-key"] for request in script.requests] == [SECRET] * 2
    assert SECRET not in caplog.text
    assert "HTTP Request" not in caplog.text
