"""Answers our GraphQL queries from the world, by graphql-core on the part of GitHub's schema that they touch."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from operator import attrgetter
from pathlib import Path
from typing import Any

from graphql import GraphQLError, GraphQLSchema, build_schema, graphql_sync

from tests.fake_github.world import FakeAccount, FakeCommit, FakeEvent, FakePull, FakeRepository, moment

EVENTS = {
    "ready": ("READY_FOR_REVIEW_EVENT", "ReadyForReviewEvent"),
    "draft": ("CONVERT_TO_DRAFT_EVENT", "ConvertToDraftEvent"),
    "closed": ("CLOSED_EVENT", "ClosedEvent"),
    "reopened": ("REOPENED_EVENT", "ReopenedEvent"),
    "pushed": ("HEAD_REF_FORCE_PUSHED_EVENT", "HeadRefForcePushedEvent"),
}
Tree = dict[str, Any]


@cache
def schema() -> GraphQLSchema:
    return build_schema((Path(__file__).parent / "schema.graphql").read_text())


def execute(root: Tree, query: str, variables: Mapping[str, Any]) -> Tree:
    result = graphql_sync(schema(), query, root_value=root, variable_values=dict(variables))
    answer: Tree = {"data": result.data}
    if result.errors:
        answer["errors"] = [_complaint(error) for error in result.errors]
    return answer


def refusal(kind: str, message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"type": kind})


def _complaint(error: GraphQLError) -> Tree:
    kind = (error.extensions or {}).get("type")
    return {"message": error.message, "path": error.path} | ({"type": kind} if kind else {})


def listing(items: Sequence[Any], tree: Callable[[Any], Any] = lambda item: item) -> Any:
    """A list of GitHub's: only the entries of the page that is asked for are made. Its length can be had alone."""

    def page(info: Any, first: int | None = None, last: int | None = None, after: str | None = None, **_: Any) -> Tree:
        size = first or last
        if size is None and not {"nodes", "pageInfo"} & _asked(info):
            return {"totalCount": len(items)}
        if size is None or not 0 < size <= 100:
            raise refusal("EXCESSIVE_PAGINATION", "ask for 1 to 100 records")
        start = int(after or 0) if first else max(0, len(items) - size)
        end = min(start + size, len(items))
        place = {"hasNextPage": end < len(items), "endCursor": str(end) if end > start else None}
        return {"totalCount": len(items), "pageInfo": place, "nodes": [tree(item) for item in items[start:end]]}

    return page


def _asked(info: Any) -> set[str]:
    return {
        field.name.value
        for node in info.field_nodes
        for field in node.selection_set.selections
        if hasattr(field, "name")
    }


def account(found: FakeAccount | None) -> Tree | None:
    return None if found is None else {"__typename": found.kind, "id": found.id, "login": found.login}


class Trees:
    """Turns the world into what the schema asks for. `hidden` are the lists of private repositories nobody may see."""

    def __init__(self, accounts: Mapping[str, FakeAccount], hidden: set[str]) -> None:
        self._accounts = accounts
        self._hidden = hidden

    def user(self, login: str) -> Tree:
        found = self._accounts.get(login.lower())
        if found is None or found.kind != "User":
            raise refusal("NOT_FOUND", f"Could not resolve to a User with the login of '{login}'.")
        return account(found) or {}

    def repository(self, repository: FakeRepository) -> Tree:
        def pulls(info: Any, orderBy: Mapping[str, str], **where: Any) -> Tree:  # noqa: N803  # GitHub's name
            field = {"UPDATED_AT": "touched", "CREATED_AT": "created"}[orderBy["field"]]
            ordered = sorted(repository.pulls, key=attrgetter(field), reverse=orderBy["direction"] == "DESC")
            found: Tree = listing(ordered, partial(self.pull, repository))(info, **where)
            return found

        return {
            "__typename": "Repository",
            "id": repository.id,
            "nameWithOwner": repository.name,
            "isPrivate": repository.private,
            "defaultBranchRef": self._shown(repository, "commits", {"id": "REF", "name": repository.default_branch}),
            "pullRequest": lambda _info, number: self._numbered(repository, number),
            "pullRequests": pulls,
        }

    def _numbered(self, repository: FakeRepository, number: int) -> Tree:
        found = next((pull for pull in repository.pulls if pull.number == number), None)
        if found is None:
            raise refusal("NOT_FOUND", f"Could not resolve to a PullRequest with the number of {number}.")
        return self.pull(repository, found)

    def pull(self, repository: FakeRepository, pull: FakePull) -> Tree:
        plain = {
            "__typename": "PullRequest",
            "id": repository.pulls_id(pull),
            "number": pull.number,
            "state": pull.state,
            "isDraft": pull.draft,
            "title": pull.title,
            "body": pull.body,
            "createdAt": moment(pull.created),
            "updatedAt": pull.touched,
            "mergedAt": pull.merged and moment(pull.merged),
            "closedAt": (end := pull.merged or pull.closed) and moment(end),
            "baseRefName": pull.base,
            "headRefName": pull.head,
            "headRepository": self._head(repository, pull),
            "author": self._account(pull.author),
        }
        return plain | self._lists(repository, pull) | dict(pull.raw)

    def _lists(self, repository: FakeRepository, pull: FakePull) -> Tree:
        files = [
            {"path": path, "additions": plus, "deletions": minus} for path, (plus, minus) in (pull.files or {}).items()
        ]
        return {
            "assignees": listing(pull.assignees, self._account),
            "timelineItems": lambda info, **where: self._events(repository, pull, info, **where),
            "reviews": listing(pull.reviews, lambda review: self._review(*review)),
            "files": None if pull.files is None else self._shown(repository, "files", listing(files)),
            "commits": listing(pull.commits, partial(self._pull_commit, repository)),
        }

    def _head(self, repository: FakeRepository, pull: FakePull) -> Any:
        if pull.fork and "forks" in self._hidden:
            return _refuse
        return None if pull.fork is None else {"id": "R", "nameWithOwner": pull.fork or repository.name}

    def _events(self, repository: FakeRepository, pull: FakePull, info: Any, **where: Any) -> Tree:
        events = [*(FakeEvent(*event) for event in pull.draft_events), *pull.events]
        wanted = [event for event in events if EVENTS[event.kind][0] in where["itemTypes"]]
        found: Tree = listing(wanted, partial(self._event, repository))(info, **where)
        return found

    def _event(self, repository: FakeRepository, event: FakeEvent) -> Tree:
        tree = {"__typename": EVENTS[event.kind][1], "id": f"E_{event.at}", "createdAt": moment(event.at)}
        before = event.before and self._shown(repository, "commits", self._commit(event.before))
        return tree | {"beforeCommit": before}

    def _pull_commit(self, repository: FakeRepository, commit: FakeCommit) -> Tree:
        """As on GitHub, it is the commit that is refused, not the list."""
        return {"id": "PC", "commit": self._shown(repository, "commits", self._commit(commit))}

    def _commit(self, commit: FakeCommit) -> Tree:
        actors = [{"user": self._person(login)} for login in commit.authors]
        return {
            "id": "C",
            "oid": commit.sha,
            "authoredDate": commit.at,
            "message": commit.message,
            "parents": listing([{"id": "C"}] * commit.parents),
            "authors": listing(actors),
        }

    def _shown(self, repository: FakeRepository, part: str, value: Any) -> Any:
        if repository.private and part in self._hidden:
            return _refuse
        return value

    def _review(self, login: str | None, state: str, at: str) -> Tree:
        submitted = None if state == "PENDING" else moment(at)
        return {"id": "R", "state": state, "submittedAt": submitted, "author": self._account(login)}

    def _person(self, login: str) -> Tree | None:
        """Bots and strangers are no users."""
        found = self._account(login)
        return found if found and found["__typename"] == "User" else None

    def _account(self, login: str | None) -> Tree | None:
        if login is None or login.startswith("*"):
            return None
        return account(self._accounts.get(login.lower()) or FakeAccount(login))


def _refuse(_info: Any, **_: Any) -> Any:
    raise refusal("FORBIDDEN", "Resource not accessible by integration")
