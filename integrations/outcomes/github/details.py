"""What a page does not hold of a pull request: long lists, parts that GraphQL refuses, the target of a revert.

GraphQL shows commits of a private repository only to an App with the permission `contents: read`, which we never ask
for (found out by palantir/policy-bot#43 and multica-ai/multica#7369). REST shows a pull request's commits and files,
and the pull request behind a commit, for `pull_requests: read` (github/docs: server-to-server-permissions.json). So
each refused part costs one request per pull request and hundred entries. REST knows of co-authors less than GraphQL.
"""

from collections.abc import Iterable, Set
from typing import Any

from bot.domain.model import GitHubUser, PullRequest
from bot.domain.ports import NotFound
from integrations.outcomes.github import parse, problems, queries
from integrations.outcomes.github.gateway import Gateway
from integrations.outcomes.github.models import (
    Connection,
    FileNode,
    MoreNode,
    PullCommitNode,
    PullNode,
    RestCommit,
    RestFile,
    RestPull,
    ReviewNode,
    read,
)
from integrations.outcomes.github.parse import Commit, Parts, Repository, Tally
from integrations.outcomes.github.reverts import claim

LISTS = ("files", "commits", "reviews")


class Details:
    def __init__(self, gateway: Gateway, name: str, tally: Tally) -> None:
        self._gateway = gateway
        self._name = name
        self._tally = tally
        self._known: dict[str, GitHubUser] = {}

    def pull_requests(self, nodes: list[PullNode], repository: Repository, hidden: Set[str]) -> list[PullRequest]:
        for node in nodes:
            self._remember(node)
        return [self._pull_request(self._completed(node), repository, hidden) for node in nodes]

    def _remember(self, node: PullNode) -> None:
        """Accounts by login: REST names co-authors by their login only."""
        reviewers = [review.author for review in node.reviews.items] if node.reviews else []
        for found in (node.author, *node.assignees.items, *reviewers):
            if user := parse.account(found):
                self._known.setdefault(user.login.lower(), user)

    def _completed(self, node: PullNode) -> PullNode:
        while open_lists := _open_lists(node):
            wanted = {name: name in open_lists for name in LISTS}
            cursors = {f"{name}After": found.page_info.end_cursor for name, found in open_lists.items()}
            answer = self._gateway.graphql(queries.MORE, {"id": node.id, **wanted, **cursors})
            for complaint in answer.errors:
                raise problems.refused(complaint, self._gateway.account)
            more = read(MoreNode, (answer.data or {}).get("node"))
            node = node.model_copy(update={name: found.joined(getattr(more, name)) for name, found in open_lists.items()})
        return node

    def _pull_request(self, node: PullNode, repository: Repository, hidden: Set[str]) -> PullRequest:
        lines, files = parse.size(self._files(node, hidden))
        commits = self._commits(node, hidden)
        reviews = parse.reviews(_items(node.reviews), self._tally)
        parts = Parts(lines, files, commits, reviews)
        return parse.pull_request(node, repository, parts, self._reverts(node, repository, commits))

    def _files(self, node: PullNode, hidden: Set[str]) -> list[FileNode] | list[RestFile]:
        if "files" not in hidden:
            return _items(node.files)
        return [read(RestFile, raw) for raw in self._gateway.rest_all(f"/repos/{self._name}/pulls/{node.number}/files")]

    def _commits(self, node: PullNode, hidden: Set[str]) -> tuple[Commit, ...]:
        if "commits" not in hidden:
            return tuple(parse.commit(item.commit, self._tally) for item in _items(node.commits))
        raws = self._gateway.rest_all(f"/repos/{self._name}/pulls/{node.number}/commits")
        return tuple(parse.rest_commit(read(RestCommit, raw), self._known, self._tally) for raw in raws)

    def _reverts(self, node: PullNode, repository: Repository, commits: Iterable[Commit]) -> int | None:
        names = (repository.name, self._name)
        found = claim(node.title, node.body, names, [commit.reverted for commit in commits])
        if found is None or found.sha is None:
            return found and (found.number or 0)
        return self._merged_by(found.sha, names)

    def _merged_by(self, sha: str, names: tuple[str, ...]) -> int:
        """The number of the pull request that this commit merged, 0 if there is none."""
        try:
            raws = self._gateway.rest(f"/repos/{self._name}/commits/{sha}/pulls")
        except NotFound:
            return 0
        pulls = [read(RestPull, raw) for raw in raws]
        ours = {name.lower() for name in names}
        return next((pull.number for pull in pulls if pull.base.repo.full_name.lower() in ours and pull.merged(sha)), 0)


Lists = Connection[FileNode] | Connection[PullCommitNode] | Connection[ReviewNode]


def _open_lists(node: PullNode) -> dict[str, Any]:
    found = {name: getattr(node, name) for name in LISTS}
    return {name: items for name, items in found.items() if items is not None and items.page_info.has_next_page}
