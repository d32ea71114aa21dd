"""Pull requests, their reviews, their commits' days and the commits of their branches: public facts, by node id."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, func, or_, select
from sqlmodel import Session

from bot.domain.model import GitHubUser, PullRequest, PullState, Review
from bot.store import tables
from bot.store.bulk import replace, upsert
from bot.store.tables import CommitDay, Pull, PullCommit, PullReview

PULLS = tables.table(Pull).c
REVIEWS = tables.table(PullReview).c
COMMITS = tables.table(CommitDay).c
HEADS = tables.table(PullCommit).c
MADE = ("author_id", "author_login", "author_is_bot", "owner_id", "owner_login", "state")
PLAIN = tuple(column.name for column in PULLS if column.name not in MADE)
PULL = tuple(PULLS[name] for name in (*MADE, *PLAIN))
"""A pull request's columns: those that make its people and its state, then those that are taken as they are."""

# Made once: making a statement costs as much as running it.
BY_ID = select(*PULL).where(PULLS.id.in_(bindparam("ids")))
BY_NUMBER = select(*PULL).where(
    PULLS.repository_id.in_(bindparam("repositories")), PULLS.number.in_(bindparam("numbers"))
)
MERGED = (
    select(*PULL)
    .where(or_(PULLS.author_id.in_(bindparam("people")), PULLS.owner_id.in_(bindparam("people"))))
    .where(PULLS.merged_at >= bindparam("start"), PULLS.merged_at < bindparam("end"))
    .order_by(PULLS.merged_at, PULLS.id)
)

Reviews = Mapping[str, Sequence[Review]]
"""Reviews by the pull request's node id."""


def save(session: Session, pulls: Sequence[PullRequest]) -> int:
    """Store pull requests; one that is known in a newer state is left alone. Returns how many were new or newer."""
    known = _updated(session, [pull.id for pull in pulls])
    newest = {pull.id: pull for pull in sorted(pulls, key=lambda pull: pull.updated_at)}
    fresh = {key: pull for key, pull in newest.items() if key not in known or known[key] <= pull.updated_at}
    upsert(session, Pull, [_row(pull) for pull in fresh.values()])
    reviews = [row for pull in fresh.values() for row in _reviews(pull)]
    replace(session, PullReview, reviews, REVIEWS.pull_id.in_(fresh))
    days = [row for pull in fresh.values() for row in _days(pull)]
    replace(session, CommitDay, days, COMMITS.pull_id.in_(fresh))
    heads = [row for pull in fresh.values() for row in _heads(pull)]
    replace(session, PullCommit, heads, HEADS.pull_id.in_(fresh))
    return sum(known.get(key) != pull.updated_at for key, pull in fresh.items())


def _updated(session: Session, ids: Collection[str]) -> dict[str, datetime]:
    rows = session.execute(select(PULLS.id, PULLS.updated_at).where(PULLS.id.in_(ids)))
    return {pull: updated_at for pull, updated_at in rows}


def _row(pull: PullRequest) -> dict[str, object]:
    author, owner = pull.author, pull.owner
    return {
        "id": pull.id,
        "repository": pull.repository,
        "repository_id": pull.repository_id,
        "number": pull.number,
        "author_id": author.id if author else None,
        "author_login": author.login if author else None,
        "author_is_bot": bool(author and author.is_bot),
        "owner_id": owner.id if owner else None,
        "owner_login": owner.login if owner else None,
        "state": pull.state,
        "draft": pull.draft,
        "created_at": pull.created_at,
        "ready_at": pull.ready_at,
        "merged_at": pull.merged_at,
        "closed_at": pull.closed_at,
        "updated_at": pull.updated_at,
        "base_branch": pull.base_branch,
        "head_branch": pull.head_branch,
        "lines": pull.lines,
        "files": pull.files,
        "reverts": pull.reverts,
        "head_repository": pull.head_repository,
        "default_branch": pull.default_branch,
        "periods": pull.periods,
    }


def _reviews(pull: PullRequest) -> Iterable[dict[str, object]]:
    for review in pull.reviews:
        author = review.author
        yield {
            "pull_id": pull.id,
            "author_id": author.id,
            "at": review.at,
            "author_is_bot": author.is_bot,
            "state": review.state,
        }


def _days(pull: PullRequest) -> Iterable[dict[str, object]]:
    for commit in pull.commits:
        yield {"author_id": commit.author_id, "day": commit.day, "pull_id": pull.id}


def _heads(pull: PullRequest) -> Iterable[dict[str, object]]:
    for head in pull.heads:
        yield {
            "pull_id": pull.id,
            "sha": head.sha,
            "replaced": head.replaced,
            "sessions": " ".join(head.sessions),
        }


def by_id(session: Session, ids: Collection[str]) -> dict[str, PullRequest]:
    """Pull requests without their commits, reviews and heads, by node id."""
    rows = session.execute(BY_ID, {"ids": list(ids)}).all()
    return {pull.id: pull for pull in (_value(row, {}) for row in rows)}


def taken_back(session: Session, pulls: Collection[PullRequest]) -> list[PullRequest]:
    """The pull requests that reverts among these name."""
    named = {(pull.repository_id, pull.reverts) for pull in pulls if pull.reverts}
    if not named:
        return []
    # Not as pairs: SQLite would read the whole table.
    repositories, numbers = {repository for repository, _ in named}, {number for _, number in named}
    rows = session.execute(BY_NUMBER, {"repositories": list(repositories), "numbers": list(numbers)}).all()
    return [pull for pull in (_value(row, {}) for row in rows) if (pull.repository_id, pull.number) in named]


def merged_by(session: Session, people: Collection[str], start: datetime, end: datetime) -> list[PullRequest]:
    """Those merged in `[start, end)` by one of these accounts, or by a coding agent it owns; with reviews."""
    rows = session.execute(MERGED, {"people": list(people), "start": start, "end": end}).all()
    reviews = _reviews_of(session, [row.id for row in rows])
    return [_value(row, reviews) for row in rows]


def _reviews_of(session: Session, ids: Collection[str]) -> Reviews:
    found: dict[str, list[Review]] = {}
    rows = session.execute(
        select(REVIEWS.pull_id, REVIEWS.author_id, REVIEWS.author_is_bot, REVIEWS.state, REVIEWS.at)
        .where(REVIEWS.pull_id.in_(ids))
        .order_by(REVIEWS.at)
    ).all()
    for pull, author, is_bot, state, at in rows:
        found.setdefault(pull, []).append(Review(GitHubUser(author, "", is_bot), state, at))
    return found


def _value(row: Sequence[Any], reviews: Reviews) -> PullRequest:
    author_id, author_login, author_is_bot, owner_id, owner_login, state, *plain = row
    values = dict(zip(PLAIN, plain, strict=True))
    return PullRequest(
        **values,
        author=GitHubUser(author_id, author_login or "", author_is_bot) if author_id else None,
        owner=GitHubUser(owner_id, owner_login or "") if owner_id else None,
        state=PullState(state),
        commits=(),
        reviews=tuple(reviews.get(values["id"], ())),
    )


@dataclass(frozen=True, slots=True)
class Touch:
    """An account authored a commit of a pull request on a UTC day."""

    author_id: str
    day: date
    pull: str


def touched(session: Session, authors: Collection[str], days: Collection[date]) -> list[Touch]:
    """On which pull requests these accounts committed on these days: lowest number first, then repository."""
    rows = session.execute(
        select(COMMITS.author_id, COMMITS.day, COMMITS.pull_id)
        .join(tables.table(Pull), PULLS.id == COMMITS.pull_id)
        .where(COMMITS.author_id.in_(authors), COMMITS.day.in_(days))
        .order_by(PULLS.number, PULLS.repository, PULLS.id)
    ).all()
    return [Touch(*row) for row in rows]


def active(session: Session, accounts: Collection[str], since: datetime, until: datetime) -> set[str]:
    """Which of these accounts merged a pull request in `[since, until)`, or reviewed others' at least three times."""
    merged = set(
        session.execute(
            select(PULLS.author_id)
            .where(PULLS.author_id.in_(accounts), PULLS.merged_at >= since, PULLS.merged_at < until)
            .distinct()
        ).scalars()
    )
    left = set(accounts) - merged
    if not left:
        return merged
    reviewed = session.execute(
        select(REVIEWS.author_id)
        .join(tables.table(Pull), PULLS.id == REVIEWS.pull_id)
        .where(REVIEWS.author_id.in_(left), REVIEWS.at >= since, REVIEWS.at < until)
        .where(PULLS.author_id != REVIEWS.author_id, PULLS.owner_id.is_distinct_from(REVIEWS.author_id))
        .group_by(REVIEWS.author_id)
        .having(func.count(REVIEWS.pull_id.distinct()) >= REVIEWS_OF_A_CONTRIBUTOR)
    ).scalars()
    return merged | set(reviewed)


REVIEWS_OF_A_CONTRIBUTOR = 3
