"""From GitHub's answers to our values. Titles, bodies, messages and file names end here."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from bot.domain.metrics.size import is_counted_file
from bot.domain.model import CommitDay, GitHubUser, PullRequest, PullState, Review
from integrations.outcomes.github.models import (
    AccountNode,
    CommitNode,
    FileNode,
    PullNode,
    RestCommit,
    RestFile,
    ReviewNode,
)
from integrations.outcomes.github.reverts import reverted_commit

AGENTS = frozenset(
    """
    copilot-swe-agent copilot claude anthropic-claude claude-code-action cursor devin-ai-integration
    chatgpt-codex-connector openai-codex codex google-labs-jules jules amazon-q-developer openhands-agent openhands-ai
    factory-droid sweep-ai cline gemini-cli-bot gemini-cli
    """.split()
)
"""Logins of bots that write code for a person who asked them to; every other bot works for nobody in particular."""

REVIEWS = {"APPROVED": "approved", "CHANGES_REQUESTED": "changes_requested", "COMMENTED": "commented"}
DISMISSED = "commented"
"""GitHub forgets what a dismissed review said: that somebody reviewed is all that is left of it."""

CO_AUTHOR = re.compile(
    r"^co-authored-by:[^<\n]*<(?:\d+\+)?(?P<login>[\w.-]+)(?:\[bot\])?@users\.noreply\.[\w.-]+>\s*$", re.I | re.M
)
ANY_CO_AUTHOR = re.compile(r"^co-authored-by:", re.I | re.M)


@dataclass
class Tally:
    """What could not be used, by reason: whole pull requests, and smaller parts of them."""

    rejected: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)

    def stranger(self, count: int) -> None:
        if count:
            self.ignored["commit author without an account"] += count


@dataclass(frozen=True, slots=True)
class Commit:
    """What we take from a commit: when, which accounts, and the commit it takes back."""

    at: datetime
    authors: tuple[GitHubUser, ...]
    reverted: str | None


@dataclass(frozen=True, slots=True)
class Parts:
    """The lists of a pull request, complete."""

    lines: int
    files: int
    commits: tuple[Commit, ...]
    reviews: tuple[Review, ...]


@dataclass(frozen=True, slots=True)
class Repository:
    """`name` is what it is called today, which may differ from the name that was asked for."""

    id: str
    name: str


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


def account(node: AccountNode | None) -> GitHubUser | None:
    """None for a deleted account and for a mannequin, the placeholder an import leaves where nobody was matched."""
    if node is None or node.typename == "Mannequin":
        return None
    return GitHubUser(node.id, plain(node.login), is_bot=node.typename == "Bot")


def plain(login: str) -> str:
    """REST says `copilot-swe-agent[bot]` where GraphQL says `copilot-swe-agent`."""
    return login.removesuffix("[bot]")


def size(files: Iterable[FileNode | RestFile]) -> tuple[int, int]:
    """Lines and number of the files that count."""
    counted = [file.additions + file.deletions for file in files if is_counted_file(file.path)]
    return sum(counted), len(counted)


def reviews(nodes: Iterable[ReviewNode], tally: Tally) -> tuple[Review, ...]:
    """Submitted reviews, oldest first. Those of deleted accounts are left out, and pending ones, which nobody sees."""
    found = []
    for node in nodes:
        author, state = account(node.author), REVIEWS.get(node.state, DISMISSED)
        if node.state not in REVIEWS and node.state not in ("DISMISSED", "PENDING"):
            tally.ignored["review in an unknown state"] += 1
        elif node.state != "PENDING" and author and node.submitted_at:
            found.append(Review(author, state, utc(node.submitted_at)))
    return tuple(sorted(found, key=lambda review: review.at))


def commit(node: CommitNode, tally: Tally) -> Commit:
    actors = node.authors.items
    authors = [author for actor in actors if (author := account(actor.user))]
    tally.stranger(len(actors) - len(authors))
    return Commit(node.authored_date, tuple(authors), reverted_commit(node.message))


def rest_commit(raw: RestCommit, known: dict[str, GitHubUser], tally: Tally) -> Commit:
    """REST names one account; co-authors are found by GitHub's own private e-mail address if the account is known."""
    message = raw.commit.message
    logins = [found["login"].lower() for found in CO_AUTHOR.finditer(message)]
    authors = [known[login] for login in logins if login in known and not known[login].is_bot]
    first = raw.author
    if first is not None and first.type != "Bot":
        authors.insert(0, known.get(first.login.lower()) or GitHubUser(first.node_id, first.login))
    strangers = (first is None) + len(ANY_CO_AUTHOR.findall(message)) - sum(login in known for login in logins)
    tally.stranger(strangers)
    return Commit(raw.commit.author.date, tuple(dict.fromkeys(authors)), reverted_commit(message))


def pull_request(node: PullNode, repository: Repository, parts: Parts, reverts: int | None) -> PullRequest:
    return PullRequest(
        id=node.id,
        repository=repository.name,
        repository_id=repository.id,
        number=node.number,
        author=account(node.author),
        owner=_owner(node, parts.commits),
        state=PullState[node.state],
        draft=node.is_draft,
        created_at=utc(node.created_at),
        ready_at=_ready_at(node),
        merged_at=node.merged_at and utc(node.merged_at),
        closed_at=node.closed_at and utc(node.closed_at),
        updated_at=utc(node.updated_at),
        base_branch=node.base_ref_name,
        head_branch=node.head_ref_name,
        lines=parts.lines,
        files=parts.files,
        reverts=reverts,
        commits=_days(parts.commits),
        reviews=parts.reviews,
    )


def utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _owner(node: PullNode, commits: Sequence[Commit]) -> GitHubUser | None:
    """Who asked a coding agent for this: the co-author of its first commit, else the first human assignee.

    docs.github.com/en/copilot/concepts/agents/cloud-agent/risks-and-mitigations promises the co-author. Other bots
    have no owner.
    """
    author = account(node.author)
    if author is None or not author.is_bot or author.login.lower() not in AGENTS:
        return None
    first = min(commits, key=lambda commit: commit.at, default=None)
    assigned = [person for assignee in node.assignees.items if (person := account(assignee))]
    people = [person for person in (*(first.authors if first else ()), *assigned) if not person.is_bot]
    return people[0] if people else None


def _ready_at(node: PullNode) -> datetime | None:
    """When it first was no draft. The first change tells how it began: one that became a draft was ready when opened."""
    first = next(iter(node.draft_events.items), None)
    if first is not None and first.typename == "ReadyForReviewEvent":
        return utc(first.created_at)
    return None if first is None and node.is_draft else utc(node.created_at)


def _days(commits: Iterable[Commit]) -> tuple[CommitDay, ...]:
    days = {(author.id, utc(commit.at).date()) for commit in commits for author in commit.authors}
    return tuple(CommitDay(author_id, day) for author_id, day in sorted(days))
