"""Our comments on pull requests, over the API of issues: a pull request's number is an issue's too.

docs.github.com/en/rest/issues/comments, read November 2026. It lives beside the reader because only integrations know
how an App gets its tokens. A write is sent once; what became of it is an `Answer`.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from pydantic import Field, ValidationError

from bot.domain.delivery import Answer, BadMessage, NotSent, Refused, Revoked, Sent, Uncertain
from bot.domain.ports import NotFound, PullComment, SourceError
from integrations.outcomes.github import problems
from integrations.outcomes.github.gateway import Gateway
from integrations.outcomes.github.installations import Installations
from integrations.outcomes.github.models import Foreign, read
from integrations.outcomes.github.outcomes import API, halves
from integrations.outcomes.github.pygithub import PyGithubApp
from integrations.outcomes.github.wire import NotReached, Reply, WritingApp, WritingWire

WRITE: Mapping[str, str] = MappingProxyType({"metadata": "read", "pull_requests": "write"})
SECONDARY_WAIT = 60
Connect = Callable[[str, str, str], WritingApp]


class AppPage(Foreign):
    id: int
    slug: str


class Account(Foreign):
    id: int
    type: str = "User"


class Via(Foreign):
    id: int


class Comment(Foreign):
    id: int
    body: str | None = Field(default=None, repr=False)
    user: Account | None = None
    via: Via | None = Field(default=None, alias="performed_via_github_app")


class Written(Foreign):
    id: int


class _Recorder:
    """An App that remembers the wires it opened, by account."""

    def __init__(self, app: WritingApp) -> None:
        self._app = app
        self.wires: dict[str, WritingWire] = {}

    def get(self, path: str) -> Reply:
        return self._app.get(path)

    def installation(self, number: int, account: str, permissions: Mapping[str, str]) -> WritingWire:
        self.wires[account] = self._app.installation(number, account, permissions)
        return self.wires[account]


class GitHubComments:
    """A Commenter for one job; not for several threads."""

    def __init__(self, app_id: str, private_key: str, base_url: str = API, *, connect: Connect = PyGithubApp) -> None:
        self._app = _Recorder(connect(app_id, private_key, base_url))
        self._app_id = app_id
        self._installations = Installations(self._app, app_id, WRITE)
        self._page: AppPage | None = None
        self._bot: Account | None = None

    def comments(self, repository: str, number: int) -> list[PullComment]:
        """All pages, oldest first, as GitHub lists them."""
        gateway = self._gateway(repository)
        raws = gateway.rest_all(f"/repos/{_path(repository)}/issues/{number}/comments")
        found = [read(Comment, raw) for raw in raws]
        return [PullComment(one.id, self._is_ours(one, gateway), one.body or "") for one in found]

    def create(self, repository: str, number: int, body: str) -> Answer:
        path = f"/repos/{_path(repository)}/issues/{number}/comments"
        return self._sent(repository, "POST", path, {"body": body}, missing=Refused("missing"))

    def update(self, repository: str, comment_id: int, body: str) -> Answer:
        path = f"/repos/{_path(repository)}/issues/comments/{comment_id}"
        return self._sent(repository, "PATCH", path, {"body": body}, missing=Refused("gone"))

    def delete(self, repository: str, comment_id: int) -> Answer:
        path = f"/repos/{_path(repository)}/issues/comments/{comment_id}"
        there_is_none = Sent(str(comment_id))
        return self._sent(repository, "DELETE", path, None, missing=there_is_none, id=comment_id)

    def _gateway(self, repository: str) -> Gateway:
        owner, name = halves(repository, "a repository", "owner/name")
        gateway = self._installations.of_repository(owner, name)
        gateway.require("pull_requests", "Pull requests: write")
        return gateway

    def _is_ours(self, comment: Comment, gateway: Gateway) -> bool:
        """By the App's id, or by the id of its own account where GitHub does not name the App. A person who writes
        through the App (`type` is User) is not the App."""
        user = comment.user
        if user is None or user.type != "Bot":
            return False
        if comment.via is not None:
            return comment.via.id == self._named().id
        bot = self._account(gateway)
        return bot is not None and bot.id == user.id

    def _named(self) -> AppPage:
        if self._page is None:
            reply = self._app.get("/app")
            problems.check_as_app(reply, self._app_id)
            self._page = read(AppPage, reply.body)
        return self._page

    def _account(self, gateway: Gateway) -> Account | None:
        """The App's own account; None while GitHub shows none."""
        if self._bot is None:
            try:
                self._bot = read(Account, gateway.rest(f"/users/{quote(self._named().slug)}%5Bbot%5D"))
            except NotFound:
                return None
        return self._bot

    def _sent(
        self, repository: str, method: str, path: str, body: Any, *, missing: Answer, id: int | None = None
    ) -> Answer:
        try:
            wire = self._app.wires[self._gateway(repository).account]
        except SourceError:
            return NotSent("no_installation")
        try:
            reply = wire.send(method, path, body)
        except NotReached:
            return NotSent("not_reached")
        except SourceError:
            return Uncertain("no_answer")
        return _answer(reply, missing, id)


def _path(repository: str) -> str:
    return "/".join(quote(half) for half in halves(repository, "a repository", "owner/name"))


def _answer(reply: Reply, missing: Answer, id: int | None) -> Answer:
    """What became of a write. `id` is what it was about, where the answer does not say."""
    if reply.status < 400:
        return _done(reply, id)
    if problems.is_rate_limit(reply):
        return NotSent("rate_limited", _wait(reply))
    match reply.status:
        case 401:
            return Revoked("token_refused")
        case 403:
            return _forbidden(problems.message_of(reply))
        case 404 | 410:
            return missing
        case status if status >= 500:
            return Uncertain(f"status_{status}")
        case status:
            return BadMessage(f"status_{status}")


def _done(reply: Reply, id: int | None) -> Answer:
    try:
        return Sent(str(id if id is not None else Written.model_validate(reply.body).id))
    except ValidationError:
        return Uncertain("no_id")


def _forbidden(message: str) -> Answer:
    if "suspended" in message:
        return Revoked("suspended")
    return Refused("locked" if "locked" in message else "forbidden")


def _wait(reply: Reply) -> timedelta:
    """As GitHub says; without a word it means at least a minute."""
    after = reply.headers.get("retry-after", "")
    return timedelta(seconds=int(after[:6]) if after.isdigit() else SECONDARY_WAIT)
