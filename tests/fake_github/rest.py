"""The REST pages that the fake knows, each a function of the world; every other path is not its business."""

import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from integrations.outcomes.github.wire import Reply
from tests.fake_github.world import FakeAccount, FakeCommit, FakePull, FakeRepository, moment

MISSING = Reply(404, {"message": "Not Found"})


def page(items: Sequence[Any], query: str) -> list[Any]:
    asked = parse_qs(query)
    size, number = int(asked.get("per_page", ["30"])[0]), int(asked.get("page", ["1"])[0])
    return list(items[(number - 1) * size : number * size])


def split(path: str) -> tuple[str, str]:
    parts = urlsplit(path)
    return parts.path, parts.query


class Pages:
    def __init__(self, accounts: dict[str, FakeAccount], repository: Callable[[str], FakeRepository | None]) -> None:
        self._accounts = accounts
        self._repository = repository

    def get(self, path: str) -> Reply | None:
        """None for what the fake does not hold."""
        where, query = split(path)
        found = re.fullmatch(r"/repos/([^/]+/[^/]+)/(?:pulls/(\d+)/(commits|files)|commits/([0-9a-f]+)/pulls)", where)
        repository = found and self._repository(found[1])
        if not found or not repository:
            return None
        if found[4]:
            return Reply(
                200, [self._pull(repository, pull) for pull in repository.pulls if pull.sha.startswith(found[4])]
            )
        pull = next((pull for pull in repository.pulls if str(pull.number) == found[2]), None)
        if pull is None:
            return MISSING
        items = [self._commit(commit) for commit in pull.commits] if found[3] == "commits" else self._files(pull)
        return Reply(200, page(items, query))

    def _pull(self, repository: FakeRepository, pull: FakePull) -> dict[str, Any]:
        return {
            "number": pull.number,
            "merged_at": pull.merged and moment(pull.merged),
            "merge_commit_sha": pull.sha,
            "base": {"repo": {"full_name": repository.name}},
        }

    def _files(self, pull: FakePull) -> list[Any]:
        items = (pull.files or {}).items()
        return [{"filename": path, "additions": plus, "deletions": minus} for path, (plus, minus) in items]

    def _commit(self, commit: FakeCommit) -> dict[str, Any]:
        first, *others = commit.authors or ("*nobody",)
        trailers = "".join(f"\nCo-authored-by: Somebody <{self._mail(login)}>" for login in others)
        return {
            "sha": commit.sha,
            "parents": [{"sha": f"{number:040x}"} for number in range(commit.parents)],
            "commit": {"author": {"date": commit.at}, "message": f"{commit.message}\n{trailers}"},
            "author": self._account(first),
        }

    def _account(self, login: str) -> dict[str, Any] | None:
        if login.startswith("*"):
            return None
        account = self._accounts.get(login.lower()) or FakeAccount(login)
        suffix = "[bot]" if account.kind == "Bot" else ""
        return {"login": account.login + suffix, "node_id": account.id, "type": account.kind}

    def _mail(self, login: str) -> str:
        return f"{login[1:]}@example.com" if login.startswith("*") else f"12345+{login}@users.noreply.github.com"
