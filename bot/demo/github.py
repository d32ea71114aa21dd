"""GitHub as the invented company's App sees it at a given moment: the wire below the real adapter."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.demo.changes import Change, Verdict
from bot.demo.company import ORGANISATION
from integrations.outcomes.github.wire import Reply

INSTALLATION = {
    "id": 1,
    "account": {"login": ORGANISATION},
    "permissions": {"metadata": "read", "pull_requests": "read", "members": "read"},
}
NOTHING: Mapping[str, Any] = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": []}

Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DemoApp:
    """`App` and `Wire` of the GitHub adapter in one."""

    changes: tuple[Change, ...]
    now: datetime

    def get(self, path: str) -> Reply:
        if path.startswith("/app/installations"):
            return Reply(200, [INSTALLATION])
        return Reply(200, INSTALLATION) if path.endswith("/installation") else Reply(404, {})

    def installation(self, number: int, account: str, permissions: Mapping[str, str]) -> "DemoApp":
        return self

    def graphql(self, query: str, variables: Mapping[str, Any]) -> Reply:
        if "name" in variables:
            return Reply(200, {"data": {"repository": self._repository(variables)}})
        return Reply(200, {"data": {alias: account(login) for alias, login in variables.items()}})

    def _repository(self, variables: Mapping[str, Any]) -> Node:
        name = f"{variables['owner']}/{variables['name']}"
        known = [one for one in self.changes if one.repository == name and one.opened_at <= self.now]
        known.sort(key=lambda one: updated_at(one, self.now), reverse=True)
        start = int(variables["after"] or 0)
        end = start + variables["size"]
        more = {"hasNextPage": end < len(known), "endCursor": str(end)}
        nodes = [pull(one, self.now) for one in known[start:end]]
        return {
            "id": f"R_{variables['name']}",
            "nameWithOwner": name,
            "pullRequests": {"totalCount": len(known), "pageInfo": more, "nodes": nodes},
        }


def updated_at(change: Change, now: datetime) -> datetime:
    return max(moment for moment in _moments(change) if moment <= now)


def _moments(change: Change) -> Iterable[datetime]:
    return (change.opened_at, *change.commits, change.ready_at, change.ended_at, *(one.at for one in change.reviews))


def pull(change: Change, now: datetime) -> Node:
    """The pull request as it is now."""
    ended = change.ended_at <= now
    merged_at = change.ended_at if ended and change.merged else None
    was_draft = change.opened_at < change.ready_at <= now
    return {
        "id": f"PR_{change.repository}_{change.number}",
        "number": change.number,
        "state": ("MERGED" if change.merged else "CLOSED") if ended else "OPEN",
        "isDraft": change.ready_at > now,
        "title": change.title,
        "body": change.body,
        "createdAt": change.opened_at.isoformat(),
        "updatedAt": updated_at(change, now).isoformat(),
        "mergedAt": merged_at and merged_at.isoformat(),
        "closedAt": change.ended_at.isoformat() if ended else None,
        "baseRefName": "main",
        "headRefName": f"{change.author}/{change.number}",
        "author": account(change.author),
        "assignees": NOTHING,
        "draftEvents": _list([_ready(change)] if was_draft else []),
        "reviews": _list(_review(one) for one in change.reviews if one.at <= now),
        "files": _list([{"path": "src/app.py", "additions": change.lines, "deletions": change.lines // 4}]),
        "commits": _list(_commit(change.author, at) for at in change.commits if at <= now),
    }


def account(login: str) -> Node:
    return {"__typename": "User", "id": node_id(login), "login": login}


def node_id(login: str) -> str:
    return f"U_{login}"


def _ready(change: Change) -> Node:
    return {"__typename": "ReadyForReviewEvent", "createdAt": change.ready_at.isoformat()}


def _review(verdict: Verdict) -> Node:
    return {"state": verdict.state, "submittedAt": verdict.at.isoformat(), "author": account(verdict.login)}


def _commit(login: str, at: datetime) -> Node:
    authors = {"nodes": [{"user": account(login)}]}
    return {"commit": {"authoredDate": at.isoformat(), "message": "A piece of work", "authors": authors}}


def _list(nodes: Iterable[Node]) -> Mapping[str, Any]:
    return {**NOTHING, "nodes": list(nodes)}
