"""What a page does not hold of a pull request: long lists, parts that GraphQL refuses, the target of a revert.

GraphQL shows commits of a private repository only to an App with the permission `contents: read`, which we never ask
for (found out by palantir/policy-bot#43 and multica-ai/multica#7369). REST shows a pull request's commits and files,
and the pull request behind a commit, for `pull_requests: read` (github/docs: server-to-server-permissions.json). So
each refused part costs one request per pull request and hundred entries. REST knows of co-authors less than GraphQL.
"""

from collections.abc import Iterable
from typing import Any

from bot.domain.model import GitHubUser, PullRequest
from bot.domain.ports import NotFound
from integrations.outcomes.github import commits, parse, problems, queries
from integrations.outcomes.github.accounts import account
from integrations.outcomes.github.commits import Commit
from integrations.outcomes.github.gateway import Gateway
from integrations.outcomes.github.heads import periods
from integrations.outcomes.github.models import (
    Connection,
    FileNode,
    MoreNode,
    Node,
    PullNode,
    RestFile,
    RestPull,
    read,
)
from integrations.outcomes.github.parse import Parts, Repository
from integrations.outcomes.github.reverts import claim
from integrations.outcomes.github.tally import Tally

LISTS = ("files", "commits", "reviews")


class Details:
    def __init__(self, gateway: Gateway, tally: Tally) -> None:
        self._gateway = gateway
        self._tally = tally
        self._known: dict[str, GitHubUser] = {}

    def pull_requests(self, nodes: list[PullNode], repository: Repository) -> list[PullRequest]:
        for node in nodes:
            self._remember(node)
        return [self._pull_request(self._completed(node), repository) for node in nodes]

    def _remember(self, node: PullNode) -> None:
        """People by login: REST names co-authors by their login only."""
        reviewers = [review.author for review in _items(node.reviews)]
        for found in (node.author, *node.assignees.items, *reviewers):
            if (user := account(found)) and not user.is_bot:
                self._known.setdefault(user.login.lower(), user)

    def _completed(self, node: PullNode) -> PullNode:
        while open_lists := _open_lists(node):
            wanted = {name: name in open_lists for name in LISTS}
            cursors = {f"{name}After": found.page_info.end_cursor for name, found in open_lists.items()}
            answer = self._gateway.graphql(queries.MORE, {"id": node.id, **wanted, **cursors})
            for complaint in answer.errors:
                raise problems.refused(complaint, self._gateway.account)
            more = read(MoreNode, (answer.data or {}).get("node"))
            node = node.model_copy(
                update={name: found.joined(getattr(more, name)) for name, found in open_lists.items()}
            )
        return node

    def _pull_request(self, node: PullNode, repository: Repository) -> PullRequest:
        lines, files = parse.size(self._files(node, repository))
        reviews = parse.reviews(_items(node.reviews), self._tally)
        parts = Parts(lines, files, self._commits(node, repository), reviews, periods(node, self._tally))
        return parse.pull_request(node, repository, parts, self._reverts(node, repository, parts.commits))

    def _files(self, node: PullNode, repository: Repository) -> list[FileNode] | list[RestFile]:
        """GraphQL has none also where it cannot tell what changed."""
        if node.files is not None:
            return node.files.items
        path = f"/repos/{repository.name}/pulls/{node.number}/files"
        return [read(RestFile, raw) for raw in self._gateway.rest_all(path)]

    def _commits(self, node: PullNode, repository: Repository) -> tuple[Commit, ...]:
        if node.commits is not None:
            return tuple(commits.commit(item.commit, self._tally) for item in node.commits.items)
        raws = self._gateway.rest_all(f"/repos/{repository.name}/pulls/{node.number}/commits")
        found = (commits.rest_commit(raw, self._known, self._tally) for raw in raws)
        return tuple(commit for commit in found if commit is not None)

    def _reverts(self, node: PullNode, repository: Repository, made_of: Iterable[Commit]) -> int | None:
        found = claim(node.title, node.body, repository.name, [commit.reverted for commit in made_of])
        if found is None:
            return None
        return self._merged_by(found.sha, repository) if found.sha else found.number or 0

    def _merged_by(self, sha: str, repository: Repository) -> int:
        """The number of the pull request that this commit merged, 0 if there is none."""
        try:
            raws = self._gateway.rest(f"/repos/{repository.name}/commits/{sha}/pulls")
        except NotFound:
            return 0
        pulls = [read(RestPull, raw) for raw in raws]
        return next((pull.number for pull in pulls if pull.merged(sha, repository.name)), 0)


def _open_lists(node: PullNode) -> dict[str, Connection[Any]]:
    found: dict[str, Connection[Any] | None] = {name: getattr(node, name) for name in LISTS}
    return {name: items for name, items in found.items() if items is not None and items.page_info.has_next_page}


def _items(connection: Connection[Node] | None) -> list[Node]:
    return connection.items if connection is not None else []
