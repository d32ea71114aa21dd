"""From GitHub's answers to our values. Titles, bodies, messages and file names end here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from bot.domain.metrics.size import is_counted_file
from bot.domain.model import PullRequest, PullState, Review
from integrations.outcomes.github import agents
from integrations.outcomes.github.accounts import account
from integrations.outcomes.github.commits import Commit, days
from integrations.outcomes.github.heads import Period, heads
from integrations.outcomes.github.models import FileNode, PullNode, RestFile, ReviewNode
from integrations.outcomes.github.tally import Tally

REVIEWS = {
    "APPROVED": "approved",
    "CHANGES_REQUESTED": "changes_requested",
    "COMMENTED": "commented",
    "DISMISSED": "commented",  # GitHub forgets what it said: that somebody reviewed is all that is left
}


@dataclass(frozen=True, slots=True)
class Parts:
    """The lists of a pull request, complete."""

    lines: int
    files: int
    commits: tuple[Commit, ...]
    reviews: tuple[Review, ...]
    periods: tuple[Period, ...]


@dataclass(frozen=True, slots=True)
class Repository:
    """`name` is what it is called today, which may differ from the name that was asked for. `default_branch` is None
    where GitHub does not show it."""

    id: str
    name: str
    default_branch: str | None = None


def pull_node(raw: Any, tally: Tally) -> PullNode | None:
    """A readable pull request with possible values, or None and a reason in the tally."""
    try:
        node = PullNode.model_validate(raw)
    except ValidationError as error:
        place = error.errors(include_input=False)[0]["loc"]
        tally.rejected[f"bad {place[0] if place else 'entry'}"] += 1
        return None
    reason = _impossible(node)
    if reason:
        tally.rejected[reason] += 1
    return None if reason else node


def _impossible(node: PullNode) -> str | None:
    if (node.state == "MERGED") != (node.merged_at is not None):
        return "state and merge time disagree"
    if node.merged_at and node.merged_at < node.created_at:
        return "merged before it was created"
    if node.closed_at and node.closed_at < node.created_at:
        return "closed before it was created"
    return None


def size(files: Iterable[FileNode | RestFile]) -> tuple[int, int]:
    """Lines and number of the files that count."""
    counted = [file.additions + file.deletions for file in files if is_counted_file(file.path)]
    return sum(counted), len(counted)


def reviews(nodes: Iterable[ReviewNode], tally: Tally) -> tuple[Review, ...]:
    """Submitted reviews, oldest first. Those of deleted accounts are left out, and pending ones, which have no time."""
    found = []
    for node in nodes:
        author, state = account(node.author), REVIEWS.get(node.state)
        if node.submitted_at and state is None:
            tally.ignored["review in an unknown state"] += 1
        elif node.submitted_at and state and author:
            found.append(Review(author, state, node.submitted_at))
    return tuple(sorted(found, key=lambda review: review.at))


def pull_request(node: PullNode, repository: Repository, parts: Parts, reverts: int | None) -> PullRequest:
    author = account(node.author)
    assignees = [person for assignee in node.assignees.items if (person := account(assignee))]
    return PullRequest(
        id=node.id,
        repository=repository.name,
        repository_id=repository.id,
        number=node.number,
        author=author,
        owner=agents.owner(author, parts.commits, assignees),
        state=PullState[node.state],
        draft=node.is_draft,
        created_at=node.created_at,
        ready_at=_ready_at(node),
        merged_at=node.merged_at,
        closed_at=node.closed_at,
        updated_at=node.updated_at,
        base_branch=node.base_ref_name,
        head_branch=node.head_ref_name,
        lines=parts.lines,
        files=parts.files,
        reverts=reverts,
        commits=days(parts.commits),
        reviews=parts.reviews,
        head_repository=node.head_repository.name_with_owner if node.head_repository else None,
        default_branch=repository.default_branch,
        periods=parts.periods,
        heads=heads((commit.head for commit in parts.commits), node.branch_events.items),
    )


def _ready_at(node: PullNode) -> datetime | None:
    """When it first was no draft. Its first change tells how it began: what became a draft was ready when opened."""
    first = next(iter(node.draft_events.items), None)
    if first is not None and first.typename == "ReadyForReviewEvent":
        return first.created_at
    return None if first is None and node.is_draft else node.created_at
