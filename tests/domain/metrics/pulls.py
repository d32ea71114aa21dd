"""Pull requests for tests: ordinary ones, of which a test names only what it is about. Day 1 is a Monday."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.model import CommitDay, GitHubUser, PullRequest, PullState, Review

ANN = GitHubUser("U_ann", "ann")
BO = GitHubUser("U_bo", "bo")
CY = GitHubUser("U_cy", "cy")
AGENT = GitHubUser("B_agent", "coding-agent[bot]", is_bot=True)


def at(day: int, hour: float = 0) -> datetime:
    return datetime(2026, 5, 4, tzinfo=UTC) + timedelta(days=day - 1, hours=hour)


def pull(number: int, **facts: Any) -> PullRequest:
    """Ann's pull request, opened ready for review on day 1 at 9:00 and still open."""
    ordinary = PullRequest(
        id=f"PR_{number}",
        repository="acme/api",
        repository_id="R_api",
        number=number,
        author=ANN,
        owner=None,
        state=PullState.OPEN,
        draft=False,
        created_at=at(1, 9),
        ready_at=at(1, 9),
        merged_at=None,
        closed_at=None,
        updated_at=at(1, 9),
        base_branch="main",
        head_branch=f"work/{number}",
        lines=40,
        files=2,
        reverts=None,
        commits=(CommitDay(ANN.id, at(1).date()),),
        reviews=(),
    )
    return replace(ordinary, **facts)


def merged(number: int, when: datetime, **facts: Any) -> PullRequest:
    return pull(number, state=PullState.MERGED, merged_at=when, closed_at=when, **facts)


def review(author: GitHubUser, when: datetime) -> Review:
    return Review(author, "commented", when)


def closed(number: int, when: datetime, **facts: Any) -> PullRequest:
    return pull(number, state=PullState.CLOSED, closed_at=when, **facts)


def committed(*days: int) -> tuple[CommitDay, ...]:
    return tuple(CommitDay(ANN.id, at(day).date()) for day in days)
