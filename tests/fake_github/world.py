"""What the fake holds: accounts, repositories, pull requests, as tests name them.

Times are ISO texts, a day is its noon. A login nobody announced is a plain user; `*carl` is an e-mail address without
an account; None is a deleted account. A commit has a SHA that follows from the rest of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Any

NOON = "T12:00:00Z"


@dataclass(frozen=True)
class FakeAccount:
    login: str
    kind: str = "User"
    node_id: str | None = None

    @property
    def id(self) -> str:
        return self.node_id or f"{self.kind[0]}_{self.login}"


@dataclass(frozen=True)
class FakeCommit:
    at: str
    authors: tuple[str, ...]
    message: str = "some work"
    parents: int = 1

    @property
    def sha(self) -> str:
        return sha1(repr(self).encode(), usedforsecurity=False).hexdigest()


def commit(at: str, *authors: str, message: str = "some work", parents: int = 1) -> FakeCommit:
    """`at` is a day or a time; the first author wrote it, the others are co-authors; a merge has two parents."""
    return FakeCommit(moment(at), authors, message, parents)


def moment(text: str) -> str:
    return text if "T" in text else text + NOON


@dataclass(frozen=True)
class FakeEvent:
    """It was "closed" or "reopened", or "pushed" by force: `before` was the last commit, None if GitHub has lost it."""

    kind: str
    at: str
    before: FakeCommit | None = None


@dataclass
class FakePull:
    number: int
    author: str | None
    created: str
    merged: str | None = None
    closed: str | None = None
    updated: str | None = None
    draft: bool = False
    draft_events: Sequence[tuple[str, str]] = ()
    events: Sequence[FakeEvent] = ()
    title: str = "Some work"
    body: str = ""
    base: str = "main"
    head: str = "work"
    fork: str | None = ""
    assignees: Sequence[str] = ()
    files: Mapping[str, tuple[int, int]] | None = field(default_factory=lambda: {"src/app.py": (1, 0)})
    commits: Sequence[FakeCommit] = ()
    reviews: Sequence[tuple[str | None, str, str]] = ()
    merge_sha: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> str:
        return "MERGED" if self.merged else "CLOSED" if self.closed else "OPEN"

    @property
    def touched(self) -> str:
        times = [self.created, self.merged, self.closed, *(at for _, _, at in self.reviews)]
        return moment(self.updated or max(time for time in times if time))

    @property
    def sha(self) -> str:
        return self.merge_sha or f"{self.number:040x}"


@dataclass
class FakeRepository:
    name: str
    id: str
    private: bool
    default_branch: str = "main"
    pulls: list[FakePull] = field(default_factory=list)

    def pull(self, author: str | None = "ann", created: str = "2026-05-04", **facts: Any) -> FakePull:
        """Add one. Facts are the fields of `FakePull`; `raw` overrides single GraphQL fields. `fork` is the repository
        with its branch: "" for this one, None for a fork that is gone."""
        facts.setdefault("number", len(self.pulls) + 1)
        self.pulls.append(FakePull(author=author, created=created, **facts))
        return self.pulls[-1]

    def pulls_id(self, pull: FakePull) -> str:
        return f"PR_{self.id}_{pull.number}"
