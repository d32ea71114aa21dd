"""What binding needs of a pull request's branch: its commits, what force-pushes replaced, and when it was open."""

from collections.abc import Iterable
from datetime import datetime

from bot.domain.model import HeadCommit
from integrations.outcomes.github.models import BranchEventNode, PullNode
from integrations.outcomes.github.tally import Tally

FORCE_PUSHED, CLOSED, REOPENED = "HeadRefForcePushedEvent", "ClosedEvent", "ReopenedEvent"
Period = tuple[datetime, datetime | None]


def head(sha: str | None, parents: int, sessions: tuple[str, ...] = (), *, replaced: bool = False) -> HeadCommit | None:
    """None for a merge: what came with it was worked on elsewhere, and others may have it too."""
    return HeadCommit(sha, replaced, sessions) if sha and parents <= 1 else None


def heads(commits: Iterable[HeadCommit | None], events: Iterable[BranchEventNode]) -> tuple[HeadCommit, ...]:
    """Each commit once. One that was pushed again is not replaced.

    Of what a force-push replaced, GitHub tells the last commit only.
    """
    before = [event.before_commit for event in events if event.typename == FORCE_PUSHED]
    replaced = [head(node.oid, node.parents.total_count, replaced=True) for node in before if node]
    found = {one.sha: one for one in (*replaced, *commits) if one}
    return tuple(found[sha] for sha in sorted(found))


def periods(node: PullNode, tally: Tally) -> tuple[Period, ...]:
    """When it was open. Its state now counts more than its events, of which the oldest may be missing."""
    found: list[Period] = [(node.created_at, None)]
    for event in node.branch_events.items:
        opened, closed = found[-1]
        if event.created_at < (closed or opened):
            tally.ignored["event before the one that came first"] += 1
        elif event.typename == CLOSED and closed is None:
            found[-1] = opened, event.created_at
        elif event.typename == REOPENED and closed is not None:
            found.append((event.created_at, None))
    return (*found[:-1], _last(found[-1], node))


def _last(period: Period, node: PullNode) -> Period:
    opened, closed = period
    end = node.merged_at or node.closed_at
    if node.state == "OPEN":
        return opened, None
    return opened, end if end and end >= opened else closed
