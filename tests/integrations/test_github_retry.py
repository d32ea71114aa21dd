"""Which requests to GitHub are sent again, and how long that may wait."""

from io import BytesIO

import pytest
from github.GithubException import GithubException, RateLimitExceededException
from urllib3 import Retry
from urllib3.exceptions import MaxRetryError, ProtocolError
from urllib3.response import HTTPResponse

from integrations.outcomes.github.retry import ReadRetry

LIMIT = b'{"message": "You have exceeded a secondary rate limit."}'
READS = [("GET", "/repos/acme/api"), ("POST", "/graphql"), ("POST", "/api/graphql")]
WRITES = [("POST", "/app/installations/1/access_tokens"), ("POST", "/repos/acme/api/issues/1/comments")]


def response(status: int, body: bytes = b"{}", **headers: str) -> HTTPResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HTTPResponse(BytesIO(body), status=status, headers=named, preload_content=False)


def after(answer: HTTPResponse, method: str = "GET", url: str = "/repos/acme/api") -> Retry:
    return ReadRetry().increment(method, url, response=answer)


@pytest.mark.parametrize(("method", "url"), READS)
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_reads_are_sent_again_when_github_is_not_well(method, url, status) -> None:
    retry = ReadRetry()
    assert retry.is_retry(method, status)
    assert retry.increment(method, url, response=response(status)).total == 2


@pytest.mark.parametrize(("method", "url"), WRITES)
@pytest.mark.parametrize("status", [403, 429, 502])
def test_writes_are_never_sent_again(method, url, status) -> None:
    with pytest.raises(MaxRetryError):
        ReadRetry().increment(method, url, response=response(status, LIMIT, retry_after="1"))


@pytest.mark.parametrize(("method", "url"), WRITES)
def test_writes_whose_answer_was_lost_are_never_sent_again(method, url) -> None:
    with pytest.raises(MaxRetryError):
        ReadRetry().increment(method, url, error=ProtocolError("lost"))


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_methods_are_no_reads(method) -> None:
    assert not ReadRetry().is_retry(method, 502)


def test_after_three_times_the_last_answer_is_given_back() -> None:
    retry: Retry = ReadRetry()
    for _ in range(3):
        retry = retry.increment("GET", "/x", response=response(502))
    assert isinstance(retry, ReadRetry)
    assert not retry.raise_on_status
    with pytest.raises(MaxRetryError):
        retry.increment("GET", "/x", response=response(502))


@pytest.mark.parametrize("status", [403, 429, 503])
@pytest.mark.parametrize("wait", ["91", "3600"])
def test_no_wait_is_longer_than_ninety_seconds(status, wait) -> None:
    with pytest.raises(RateLimitExceededException) as caught:
        after(response(status, LIMIT, retry_after=wait))
    assert caught.value.status == status
    assert caught.value.headers == {"retry-after": wait}


@pytest.mark.parametrize("status", [403, 429])
def test_a_wait_of_ninety_seconds_is_waited(status) -> None:
    answer = response(status, LIMIT, retry_after="90")
    assert after(answer).get_retry_after(answer) == 90


def test_too_many_requests_without_a_time_are_a_secondary_limit() -> None:
    answer = response(429)
    assert after(answer).get_retry_after(answer) == 60


def test_too_many_requests_at_the_end_of_the_budget_are_not_waited_for() -> None:
    with pytest.raises(RateLimitExceededException):
        after(response(429, x_ratelimit_remaining="0"))


def test_a_secondary_limit_without_a_time_waits_a_minute() -> None:
    assert after(response(403, LIMIT)).get_backoff_time() == 60


def test_a_plain_refusal_is_not_sent_again() -> None:
    with pytest.raises(GithubException) as caught:
        after(response(403, b'{"message": "Resource not accessible by integration"}'))
    assert caught.value.status == 403


def test_settings_survive_each_try() -> None:
    retry = ReadRetry(backoff_factor=0.5, total=7).increment("GET", "/x", response=response(502))
    assert isinstance(retry, ReadRetry)
    assert (retry.total, retry.backoff_factor, retry.max_rate_limit_wait) == (6, 0.5, 90)
