"""The heads of pull requests, as binding wants them: where their branches are, when they were open, their commits."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, or_, select
from sqlmodel import Session

from bot.domain.binding import Candidate, Period
from bot.domain.model import PullState
from bot.store import tables
from bot.store.tables import Pull, PullCommit

PULLS = tables.table(Pull).c
HEADS = tables.table(PullCommit).c
OVER = (PullState.MERGED, PullState.CLOSED)

Shas = Mapping[str, Iterable[str]]
"""By the pull request's node id."""


def candidates(session: Session, since: datetime) -> list[Candidate]:
    """The pull requests that work since then may have gone into: those that are open, or were updated since. Of those
    that were read before heads were, only the number, the branch's name and the time are known."""
    rows = session.execute(
        select(
            PULLS.id,
            PULLS.repository,
            PULLS.repository_id,
            PULLS.number,
            PULLS.head_repository,
            PULLS.head_branch,
            PULLS.default_branch,
            PULLS.base_branch,
            PULLS.periods,
            PULLS.created_at,
            PULLS.merged_at,
            PULLS.closed_at,
        )
        .where(_matters(since))
        .order_by(PULLS.updated_at, PULLS.id)
    ).all()
    names, usual = _names(rows), _usual_bases(rows)
    today, before = _shas(session, since)
    return [_candidate(row, names[row.repository_id], usual[row.repository_id], today, before) for row in rows]


def sessions_by_commit(session: Session, since: datetime) -> dict[str, tuple[str, ...]]:
    """Fingerprints of the sessions that commits of these pull requests name, by full SHA."""
    rows = session.execute(
        select(HEADS.sha, HEADS.sessions)
        .join(tables.table(Pull), PULLS.id == HEADS.pull_id)
        .where(_matters(since), HEADS.sessions != "")
    ).all()
    return {sha: tuple(sessions.split()) for sha, sessions in rows}


def _matters(since: datetime) -> ColumnElement[bool]:
    """Said so that one index answers it."""
    return or_(PULLS.state == PullState.OPEN, and_(PULLS.state.in_(OVER), PULLS.updated_at >= since))


def _shas(session: Session, since: datetime) -> tuple[Shas, Shas]:
    """Commits in the list of each pull request today, and those that were before a force-push."""
    found: tuple[dict[str, list[str]], dict[str, list[str]]] = defaultdict(list), defaultdict(list)
    rows = session.execute(
        select(HEADS.pull_id, HEADS.sha, HEADS.replaced)
        .join(tables.table(Pull), PULLS.id == HEADS.pull_id)
        .where(_matters(since))
    ).all()
    for pull, sha, replaced in rows:
        found[replaced][pull].append(sha)
    return found


def _names(rows: Iterable[Row[Any]]) -> dict[str, Sequence[str]]:
    """What each repository is called, by its id: a pull request keeps the name of when it was read, so the last one is
    today's and the others were before."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for row in rows:  # by the time of their last change
        found[row.repository_id].pop(row.repository.lower(), None)
        found[row.repository_id][row.repository.lower()] = row.repository
    return {repository: tuple(names.values()) for repository, names in found.items()}


def _usual_bases(rows: Iterable[Row[Any]]) -> dict[str, str]:
    """The branch that most pull requests of a repository go into, by its id: where GitHub may not show the default
    branch, it is that one."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        counts[row.repository_id][row.base_branch] += 1
    return {repository: bases.most_common(1)[0][0] for repository, bases in counts.items()}


def _candidate(row: Row[Any], names: Sequence[str], usual_base: str, today: Shas, before: Shas) -> Candidate:
    *former, name = names
    head = row.head_repository
    is_own = head is not None and head.lower() in {one.lower() for one in names}
    return Candidate(
        id=row.id,
        repository=name,
        number=row.number,
        head_repository=name if is_own else head,
        head_branch=row.head_branch,
        periods=tuple(Period(*period) for period in row.periods) or (_only(row),),
        commits=frozenset(today.get(row.id, ())),
        replaced=frozenset(before.get(row.id, ())),
        default_branch=row.default_branch or usual_base,
        former=frozenset(former),
    )


def _only(row: Row[Any]) -> Period:
    return Period(row.created_at, row.merged_at or row.closed_at)
