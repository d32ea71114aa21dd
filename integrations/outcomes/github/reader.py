"""Reads the pull requests of one repository, page by page, with as few requests as GitHub allows.

Normally a page of 100 is one request, and one more for each pull request whose lists go on (`details.py`). Two things
bend that: a page that is too much for GitHub is asked for again with half as many pull requests, and a page that it
refuses in part is asked for again without that part. Whoever may not see a private repository's commits may not see
what a force-push replaced and the default branch either (cli/cli#12798); these two have no second way.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, TypeVar

from bot.domain.model import PullRequest
from bot.domain.ports import Sighting, SourceError
from integrations.outcomes.github import parse, problems, queries
from integrations.outcomes.github.details import Details
from integrations.outcomes.github.gateway import PAGE, Answer, Gateway
from integrations.outcomes.github.models import GraphQL, PageInfo, PullNode, RefNode, read
from integrations.outcomes.github.parse import Repository
from integrations.outcomes.github.tally import Tally

SMALLEST = 6
PARTS = {"files": "files", "commits": "commits", "beforeCommit": "commits", "defaultBranchRef": "commits"}
"""What GitHub may refuse to show, and the part it goes with."""
ELSEWHERE = "headRepository"
"""A fork that the App was not given: GitHub shows the pull request without it."""
Progress = Callable[[int, int], None]
Page = TypeVar("Page", bound=GraphQL)


class PullsPage(GraphQL):
    total_count: int
    page_info: PageInfo
    nodes: list[Any]


class RepositoryPart(GraphQL):
    id: str
    name_with_owner: str
    default_branch_ref: RefNode | None = None

    @property
    def value(self) -> Repository:
        branch = self.default_branch_ref
        return Repository(self.id, self.name_with_owner, branch.name if branch else None)


class RepositoryPage(RepositoryPart):
    pull_requests: PullsPage


class SinglePage(RepositoryPart):
    is_private: bool
    pull_request: Any = None


class Reader:
    """One pass over one repository. `missing` is the error if GitHub does not show it."""

    def __init__(self, gateway: Gateway, owner: str, name: str, missing: SourceError, tally: Tally) -> None:
        self._gateway = gateway
        self._owner = owner
        self._name = name
        self._missing = missing
        self._tally = tally
        self._details = Details(gateway, tally)
        self._size = PAGE
        self._hidden: frozenset[str] = frozenset()
        self._seen: set[str] = set()

    def pages(self, since: datetime, progress: Progress) -> Iterator[list[PullRequest]]:
        """Newest first, each pull request once."""
        done, after = 0, None
        while True:
            page = self._page(after)
            info = page.pull_requests.page_info
            nodes = [node for raw in page.pull_requests.nodes if (node := parse.pull_node(raw, self._tally))]
            recent = [node for node in nodes if node.updated_at >= since]
            pulls = self._pulls(recent, page.value)
            last = len(recent) < len(nodes) or not info.has_next_page
            done += len(pulls)
            progress(done, done if last else max(done, page.pull_requests.total_count))
            yield pulls
            if last:
                return
            self._gateway.spare()
            after = info.after(after)

    def one(self, number: int) -> Sighting | None:
        """A pull request as it is now; None if there is none, or if it is unreadable."""
        while refused := _refused_parts(answer := self._ask_one(number)) - self._hidden:
            self._hidden |= refused
        page = self._checked(answer, SinglePage)
        node = parse.pull_node(page.pull_request, self._tally) if page.pull_request is not None else None
        if node is None:
            return None
        [pull] = self._details.pull_requests([node], page.value)
        return Sighting(pull, page.is_private)

    def _pulls(self, nodes: list[PullNode], repository: Repository) -> list[PullRequest]:
        """A pull request that was touched while we read can come a second time."""
        fresh = {node.id: node for node in nodes if node.id not in self._seen}
        self._seen.update(fresh)
        return self._details.pull_requests(list(fresh.values()), repository)

    def _page(self, after: str | None) -> RepositoryPage:
        while True:
            try:
                answer = self._ask(after)
            except problems.TooMuch:
                if self._size <= SMALLEST:
                    raise
                self._size //= 2
                continue
            refused = _refused_parts(answer) - self._hidden
            if not refused:
                return self._checked(answer, RepositoryPage)
            self._hidden |= refused

    def _ask(self, after: str | None) -> Answer:
        where = {"owner": self._owner, "name": self._name, "size": self._size, "after": after}
        return self._gateway.graphql(queries.PULL_REQUESTS, where | self._parts())

    def _ask_one(self, number: int) -> Answer:
        where = {"owner": self._owner, "name": self._name, "number": number}
        return self._gateway.graphql(queries.PULL_REQUEST, where | self._parts())

    def _parts(self) -> dict[str, object]:
        return {part: part not in self._hidden for part in PARTS.values()}

    def _checked(self, answer: Answer, kind: type[Page]) -> Page:
        for complaint in answer.errors:
            if complaint.type == "NOT_FOUND" and complaint.path == ("repository",):
                raise self._missing
            if complaint.type == "FORBIDDEN" and ELSEWHERE in complaint.path:
                self._tally.ignored["part that GitHub does not show"] += 1
            elif complaint.type == "NOT_FOUND":
                self._tally.ignored["part that GitHub does not find"] += 1
            else:
                raise problems.refused(complaint, self._gateway.account)
        return read(kind, (answer.data or {}).get("repository"))


def _refused_parts(answer: Answer) -> frozenset[str]:
    return frozenset(
        PARTS[step]
        for complaint in answer.errors
        if complaint.type == "FORBIDDEN"
        for step in complaint.path
        if isinstance(step, str) and step in PARTS
    )
