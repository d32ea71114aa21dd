"""The wire in the product: PyGithub signs, renews tokens, waits between requests and tries reads again."""

from collections.abc import Callable, Mapping
from functools import cached_property
from json import JSONDecodeError
from typing import Any

from github import Auth, Github, GithubException, GithubIntegration
from jwt import PyJWTError
from requests import ReadTimeout, RequestException
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ReadTimeoutError

from bot.domain.ports import SourceError
from integrations.outcomes.github import problems
from integrations.outcomes.github.retry import ReadRetry
from integrations.outcomes.github.wire import NotReached, Reply

TIMEOUT = 15
PAUSE = 0.25
"""Seconds between two reads. PyGithub would leave a second between two POSTs, but these are queries, not writes."""
WRITE_PAUSE = 1.0


class PyGithubApp:
    """An App by its private key (PEM text). Nothing is read or sent before the first request."""

    def __init__(
        self,
        app_id: str,
        private_key: str,
        base_url: str,
        *,
        retry: ReadRetry | None = None,
        pause: float = PAUSE,
        write_pause: float = WRITE_PAUSE,
    ) -> None:
        self._app_id = app_id
        self._private_key = private_key
        self._write_pause = write_pause
        self._options: dict[str, Any] = {
            "base_url": base_url.rstrip("/"),
            "retry": retry or ReadRetry(),
            "timeout": TIMEOUT,
            "seconds_between_requests": pause,
            "seconds_between_writes": pause,
            "user_agent": "leverage-bot",
        }

    @cached_property
    def _integration(self) -> GithubIntegration:
        try:
            auth = Auth.AppAuth(self._app_id, self._private_key)
            auth.create_jwt()
        except (PyJWTError, ValueError, AssertionError):
            raise SourceError(
                "GITHUB_APP_PRIVATE_KEY is not a private key in PEM form, or GITHUB_APP_ID is empty",
                permanent=True,
                whole=True,
            ) from None
        return GithubIntegration(auth=auth, **self._options)

    def get(self, path: str) -> Reply:
        requester = self._integration.requester
        return _reply(lambda: requester.requestJsonAndCheck("GET", path))

    def installation(self, number: int, account: str, permissions: Mapping[str, str]) -> "PyGithubWire":
        wire = PyGithubWire(self._integration, number, permissions, self._write_pause)
        problems.check_token(wire.renew(), self._app_id, account)
        return wire


class PyGithubWire:
    """One installation, by a token that can do what `permissions` name. A token that GitHub drops is renewed once."""

    def __init__(
        self, integration: GithubIntegration, number: int, permissions: Mapping[str, str], write_pause: float
    ) -> None:
        self._integration = integration
        self._number = number
        self._permissions = dict(permissions)
        self._write_options = {"retry": None, "seconds_between_writes": write_pause}

    def renew(self) -> Reply:
        """Get a token; its answer tells why there is none."""
        auth = self._integration.auth.get_installation_auth(
            self._number, self._permissions, self._integration.requester
        )
        reply = _reply(lambda: ({}, {"expires": bool(auth.token)}))
        options = self._integration.requester.withAuth(auth).kwargs
        self._github = Github(**options)
        self._writer = Github(**(options | self._write_options))
        return reply

    def get(self, path: str) -> Reply:
        return self._twice(lambda: self._github.requester.requestJsonAndCheck("GET", path))

    def graphql(self, query: str, variables: Mapping[str, Any]) -> Reply:
        """Not by PyGithub's `graphql_query`, which throws away an answer that is refused in part."""
        body = {"query": query, "variables": dict(variables)}
        return self._twice(
            lambda: self._github.requester.requestJsonAndCheck("POST", self._github.requester.graphql_url, input=body)
        )

    def send(self, method: str, path: str, body: Mapping[str, Any] | None) -> Reply:
        """Sent once: only a token that GitHub drops, so that nothing was done, is renewed."""
        content = dict(body) if body is not None else None
        return self._twice(lambda: self._writer.requester.requestJsonAndCheck(method, path, input=content))

    def _twice(self, send: Callable[[], tuple[Mapping[str, Any], Any]]) -> Reply:
        reply = _reply(send)
        if reply.status != 401 or self.renew().status >= 400:
            return reply
        return _reply(send)


def _reply(send: Callable[[], tuple[Mapping[str, Any], Any]]) -> Reply:
    try:
        headers, body = send()
    except GithubException as error:
        return Reply(error.status, error.data, _lower(error.headers or {}))
    except JSONDecodeError:
        raise problems.TooMuch("GitHub's answer ends in the middle") from None
    except RequestException as error:
        raise no_answer(error) from None
    return Reply(200, body, _lower(headers))


def no_answer(error: RequestException) -> SourceError:
    """What it means that there is none: one that takes too long may come for a smaller question."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, ReadTimeout) or isinstance(reason, ReadTimeoutError):
        return problems.TooMuch("GitHub does not answer in time")
    kind = NotReached if isinstance(reason, NewConnectionError | ConnectTimeoutError) else SourceError
    return kind(problems.NO_ANSWER.format(kind=type(error).__name__), whole=True)


def _lower(headers: Mapping[str, Any]) -> dict[str, str]:
    return {name.lower(): str(value) for name, value in headers.items()}
