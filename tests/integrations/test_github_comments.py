"""Our comments over the wire: which are ours, what is sent, and what each answer means."""

from collections import deque
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.delivery import BadMessage, NotSent, Refused, Revoked, Sent, Uncertain
from bot.domain.ports import Commenter, PullComment, SourceError
from integrations.outcomes.github.comments import WRITE, GitHubComments
from integrations.outcomes.github.wire import NotReached, Reply

APP, BOT = 4711, 99
LIST = "GET /repos/acme/api/issues/7/comments?per_page=100&page=1"


class FakeApp:
    """An App installed on `acme` and its wire in one; `comments` are what a list shows."""

    def __init__(self, permissions: Mapping[str, str] = WRITE) -> None:
        self.permissions = permissions
        self.comments: list[Any] = []
        self.bot: Reply = Reply(200, {"id": BOT, "type": "Bot", "login": "leverage[bot]"})
        self.answers: deque[Reply | SourceError] = deque()
        self.calls: list[str] = []
        self.sent: list[Any] = []
        self.asked: list[Mapping[str, str]] = []

    def get(self, path: str) -> Reply:
        self.calls.append(f"GET {path}")
        if path == "/app":
            return Reply(200, {"id": APP, "slug": "leverage"})
        if path == "/repos/acme/api/installation":
            return Reply(200, {"id": 1, "account": {"login": "Acme"}, "permissions": dict(self.permissions)})
        if path == "/users/leverage%5Bbot%5D":
            return self.bot
        if path.startswith("/repos/acme/api/issues/7/comments?"):
            number = int(path.rpartition("=")[2])
            return Reply(200, self.comments[100 * (number - 1) : 100 * number])
        return Reply(404, {"message": "Not Found"})

    def installation(self, number: int, account: str, permissions: Mapping[str, str]) -> "FakeApp":
        self.asked.append(permissions)
        return self

    def graphql(self, query: str, variables: Mapping[str, Any]) -> Reply:
        raise AssertionError("comments need no query")

    def send(self, method: str, path: str, body: Mapping[str, Any] | None) -> Reply:
        self.calls.append(f"{method} {path}")
        self.sent.append(body)
        answer = self.answers.popleft() if self.answers else Reply(200, {"id": 12})
        if isinstance(answer, SourceError):
            raise answer
        return answer


@pytest.fixture
def app() -> FakeApp:
    return FakeApp()


def commenter(app: FakeApp) -> Commenter:
    return GitHubComments(str(APP), "a key", "https://github.example", connect=lambda *_: app)


def comment(id: int = 1, user: int | None = BOT, kind: str = "Bot", via: int | None = None) -> dict[str, Any]:
    account = {"id": user, "type": kind, "login": "leverage[bot]"} if user is not None else None
    return {"id": id, "body": "text", "user": account, "performed_via_github_app": via and {"id": via}}


# --- whose they are


@pytest.mark.parametrize(
    ("found", "ours"),
    [
        (comment(), True),
        (comment(via=APP), True),
        (comment(user=5, via=APP), True),
        (comment(via=5), False),
        (comment(user=5), False),
        (comment(kind="User", via=APP), False),
        (comment(user=5, kind="User"), False),
        (comment(user=BOT, kind="User"), False),
        (comment(user=None), False),
    ],
    ids=[
        *("our account", "our App", "our App, its account renamed", "another App", "another bot"),
        *("a person through our App", "a person with our name", "a person with our id", "a deleted account"),
    ],
)
def test_ours_is_told_by_ids_and_never_by_name(app, found, ours):
    app.comments = [found]
    assert commenter(app).comments("acme/api", 7) == [PullComment(1, ours, "text")]


def test_without_an_account_of_its_own_the_app_has_no_comments_and_asks_again(app):
    app.comments, app.bot = [comment()], Reply(404, {"message": "Not Found"})
    reader = commenter(app)
    assert not reader.comments("acme/api", 7)[0].ours
    app.bot = FakeApp().bot
    assert reader.comments("acme/api", 7)[0].ours


def test_all_pages_are_read_in_order(app):
    app.comments = [comment(id) for id in range(1, 251)]
    assert [one.id for one in commenter(app).comments("acme/api", 7)] == list(range(1, 251))
    assert sum("issues/7/comments" in call for call in app.calls) == 3


def test_who_we_are_is_asked_once(app):
    app.comments = [comment(id) for id in range(1, 20)]
    reader = commenter(app)
    reader.comments("acme/api", 7)
    reader.comments("acme/api", 7)
    assert app.calls.count("GET /app") == app.calls.count("GET /users/leverage%5Bbot%5D") == 1


def test_a_comment_without_a_body_is_read(app):
    app.comments = [comment() | {"body": None}]
    assert commenter(app).comments("acme/api", 7)[0].body == ""


@pytest.mark.parametrize("answer", [[{"id": "x"}], [{}], [5]])
def test_a_list_of_another_shape_is_an_error(app, answer):
    app.comments = answer
    with pytest.raises(SourceError, match="GitHub's answer is no Comment"):
        commenter(app).comments("acme/api", 7)


# --- what is sent


def test_writes_go_where_github_has_them(app):
    writer = commenter(app)
    assert writer.create("acme/api", 7, "body") == Sent("12")
    assert writer.update("acme/api", 12, "newer") == Sent("12")
    assert writer.delete("acme/api", 12) == Sent("12")
    assert [call for call in app.calls if "installation" not in call] == [
        "POST /repos/acme/api/issues/7/comments",
        "PATCH /repos/acme/api/issues/comments/12",
        "DELETE /repos/acme/api/issues/comments/12",
    ]
    assert app.sent == [{"body": "body"}, {"body": "newer"}, None]


def test_the_token_can_write_comments_and_no_more(app):
    commenter(app).create("acme/api", 7, "body")
    assert app.asked == [{"metadata": "read", "pull_requests": "write"}]


def test_a_permission_that_was_not_given_is_named():
    reader = commenter(FakeApp({"metadata": "read", "pull_requests": "read"}))
    with pytest.raises(SourceError, match="lacks the permission 'Pull requests: write' on Acme") as caught:
        reader.comments("acme/api", 7)
    assert caught.value.permanent


# --- what an answer means

LOCKED = {"message": "Unable to create comment because issue is locked."}
ANSWERS = [
    (Reply(201, {"id": 12}), Sent("12")),
    (Reply(201, {"message": "odd"}), Uncertain("no_id")),
    (Reply(200, "odd"), Uncertain("no_id")),
    (Reply(403, LOCKED), Refused("locked")),
    (Reply(403, {"message": "Resource not accessible by integration"}), Refused("forbidden")),
    (Reply(403, {"message": "This installation has been suspended"}), Revoked("suspended")),
    (Reply(401, {"message": "Bad credentials"}), Revoked("token_refused")),
    (Reply(404, {"message": "Not Found"}), Refused("missing")),
    (Reply(410, {"message": "Issues are disabled"}), Refused("missing")),
    (Reply(422, {"message": "Validation Failed"}), BadMessage("status_422")),
    (Reply(429, {}, {"retry-after": "30"}), NotSent("rate_limited", timedelta(seconds=30))),
    (Reply(429, {}), NotSent("rate_limited", timedelta(seconds=60))),
    (Reply(403, {}, {"retry-after": "7200"}), NotSent("rate_limited", timedelta(hours=2))),
    (Reply(403, {}, {"x-ratelimit-remaining": "0"}), NotSent("rate_limited", timedelta(seconds=60))),
    (
        Reply(403, {"message": "You have exceeded a secondary rate limit"}, {"retry-after": "soon"}),
        NotSent("rate_limited", timedelta(seconds=60)),
    ),
    (Reply(500, None), Uncertain("status_500")),
    (Reply(502, "<html>"), Uncertain("status_502")),
    (Reply(504, {}), Uncertain("status_504")),
    (NotReached("GitHub does not answer"), NotSent("not_reached")),
    (SourceError("GitHub does not answer"), Uncertain("no_answer")),
]


@pytest.mark.parametrize(("answer", "meaning"), ANSWERS, ids=[str(meaning) for _, meaning in ANSWERS])
def test_an_answer_is_told_apart(app, answer, meaning):
    app.answers.append(answer)
    assert commenter(app).create("acme/api", 7, "body") == meaning
    assert len(app.sent) == 1


@pytest.mark.parametrize("status", [404, 410])
def test_a_comment_that_is_gone_cannot_be_changed_and_need_not_be_deleted(app, status):
    app.answers.extend([Reply(status, {"message": "Not Found"})] * 2)
    writer = commenter(app)
    assert writer.update("acme/api", 12, "body") == Refused("gone")
    assert writer.delete("acme/api", 12) == Sent("12")


def test_a_write_without_an_installation_was_not_sent(app):
    assert commenter(app).create("other/api", 7, "body") == NotSent("no_installation")
    assert app.sent == []
