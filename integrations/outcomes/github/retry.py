"""When a request to GitHub is sent again: reads only, a few times, and never after a long wait."""

from types import TracebackType
from typing import Any

from github import GithubRetry
from github.GithubException import RateLimitExceededExceedsMaxWait
from urllib3 import Retry
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import MaxRetryError, ResponseError
from urllib3.response import HTTPResponse

SETTINGS: dict[str, Any] = {
    "total": 3,
    "backoff_factor": 1,
    "secondary_rate_wait": 60,
    "max_rate_limit_wait": 90,
    "allowed_methods": ("GET", "HEAD", "POST"),
    "status_forcelist": [429, *range(500, 600)],
    "raise_on_status": False,
}


class ReadRetry(GithubRetry):
    """PyGithub's rules, and three more: of POST only GraphQL, 429 counts as a rate limit, no wait above the limit.

    A GraphQL query is a read, although it is sent by POST; we send no mutations by this way.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**(SETTINGS | settings))

    def increment(  # type: ignore[override]  # as in GithubRetry
        self,
        method: str | None = None,
        url: str | None = None,
        response: HTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Retry:
        if method == "POST" and not is_graphql(url):
            reason = error or ResponseError("only reads are sent again")
            raise MaxRetryError(_pool, url or "", reason)  # type: ignore[arg-type]  # a pool is only printed
        if response is not None:
            self._refuse_long_waits(response)
        return super().increment(method, url, response, error, _pool, _stacktrace)

    def _refuse_long_waits(self, response: HTTPResponse) -> None:
        wait = self.get_retry_after(response)
        unsaid = wait is None and response.status == 429
        exhausted = unsaid and response.headers.get("X-RateLimit-Remaining") == "0"
        if exhausted or (wait or 0) > (self.max_rate_limit_wait or 0):
            headers = dict(response.headers.items())
            raise RateLimitExceededExceedsMaxWait(response.status, {"message": "rate limit"}, headers, wait=wait)
        if unsaid:
            response.headers["Retry-After"] = str(self.secondary_rate_wait)


def is_graphql(url: str | None) -> bool:
    return (url or "").partition("?")[0].endswith("/graphql")
