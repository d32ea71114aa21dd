"""Pull requests, their reviews and their commits' days: public facts, by node id."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, or_, tuple_
from sqlmodel import Session, col, select

from bot.domain.model import CommitDay as CommitDayValue
from bot.domain.model import GitHubUser, PullRequest, PullState, Review
from bot.store.bulk import replace, upsert
from bot.store.tables import CommitDay, Pull, PullReview


def save(session: Session, pulls: Sequence[PullRequest]) -> int:
    """Store pull requests; one that is known in a newer state is left alone. Returns how many were new or newer."""
    known = _updated(session, [pull.id for pull in pulls])
    newest = {pull.id: pull for pull in sorted(pulls, key=lambda pull: pull.updated_at)}
    fresh = {key: pull for key, pull in newest.items() if key not in known or known[key] <= pull.updated_at}
    upsert(session, Pull, [_row(pull) for pull in fresh.values()])
    reviews = [row for pull in fresh.values() for row in _reviews(pull)]
    replace(session, PullReview, reviews, col(PullReview.pull_id).in_(fresh))
    days = [row for pull in fresh.values() for row in _days(pull)]
    replace(session, CommitDay, days, col(CommitDay.pull_id).in_(fresh))
    return sum(known.get(key) != pull.updated_at for key, pull in fresh.items())


def _updated(session: Session, ids: Collection[str]) -> dict[str, datetime]:
    return dict(session.exec(select(Pull.id, Pull.updated_at).where(col(Pull.id).in_(ids))).all())


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


def by_id(session: Session, ids: Collection[str]) -> dict[str, PullRequest]:
    """Pull requests without their commits and reviews, by node id."""
    rows = session.exec(select(Pull).where(col(Pull.id).in_(ids))).all()
    return {row.id: _value(row, ()) for row in rows}


def taken_back(session: Session, pulls: Collection[PullRequest]) -> list[PullRequest]:
    """The pull requests that reverts among these name."""
    named = {(pull.repository_id, pull.reverts) for pull in pulls if pull.reverts}
    rows = session.exec(select(Pull).where(tuple_(col(Pull.repository_id), col(Pull.number)).in_(named))).all()
    return [_value(row, ()) for row in rows]


def merged_by(session: Session, people: Collection[str], start: datetime, end: datetime) -> list[PullRequest]:
    """Those merged in `[start, end)` by one of these accounts, or by a coding agent it owns; with reviews."""
    rows = session.exec(
        select(Pull)
        .where(or_(col(Pull.author_id).in_(people), col(Pull.owner_id).in_(people)))
        .where(col(Pull.merged_at) >= start, col(Pull.merged_at) < end)
        .order_by(col(Pull.merged_at), Pull.id)
    ).all()
    reviews = _reviews_of(session, [row.id for row in rows])
    return [_value(row, tuple(reviews.get(row.id, ()))) for row in rows]


def _reviews_of(session: Session, ids: Collection[str]) -> dict[str, list[Review]]:
    found: dict[str, list[Review]] = {}
    for row in session.exec(
        select(PullReview).where(col(PullReview.pull_id).in_(ids)).order_by(col(PullReview.at))
    ).all():
        author = GitHubUser(row.author_id, "", row.author_is_bot)
        found.setdefault(row.pull_id, []).append(Review(author, row.state, row.at))
    return found


def _value(row: Pull, reviews: tuple[Review, ...]) -> PullRequest:
    author = GitHubUser(row.author_id, row.author_login or "", row.author_is_bot) if row.author_id else None
    owner = GitHubUser(row.owner_id, row.owner_login or "") if row.owner_id else None
    columns = row.model_dump(exclude={"author_id", "author_login", "author_is_bot", "owner_id", "owner_login", "state"})
    no_commits: tuple[CommitDayValue, ...] = ()
    return PullRequest(
        **columns, author=author, owner=owner, state=PullState(row.state), commits=no_commits, reviews=reviews
    )


@dataclass(frozen=True, slots=True)
class Touch:
    """An account authored a commit of a pull request on a UTC day."""

    author_id: str
    day: date
    pull: str


def touched(session: Session, authors: Collection[str], days: Collection[date]) -> list[Touch]:
    """On which pull requests these accounts committed on these days: lowest number first, then repository."""
    rows = session.exec(
        select(col(CommitDay.author_id), col(CommitDay.day), col(CommitDay.pull_id))
        .join(Pull, col(Pull.id) == CommitDay.pull_id)
        .where(col(CommitDay.author_id).in_(authors), col(CommitDay.day).in_(days))
        .order_by(col(Pull.number), Pull.repository, Pull.id)
    ).all()
    return [Touch(*row) for row in rows]


def active(session: Session, accounts: Collection[str], since: datetime, until: datetime) -> set[str]:
    """Which of these accounts merged a pull request in `[since, until)`, or reviewed others' at least three times."""
    merged = session.exec(
        select(Pull.author_id)
        .where(col(Pull.author_id).in_(accounts), col(Pull.merged_at) >= since, col(Pull.merged_at) < until)
        .distinct()
    ).all()
    reviewed = session.exec(
        select(PullReview.author_id)
        .join(Pull, col(Pull.id) == PullReview.pull_id)
        .where(col(PullReview.author_id).in_(accounts), col(PullReview.at) >= since, col(PullReview.at) < until)
        .where(col(Pull.author_id) != PullReview.author_id)
        .group_by(col(PullReview.author_id))
        .having(func.count() >= REVIEWS_OF_A_CONTRIBUTOR)
    ).all()
    return {account for account in (*merged, *reviewed) if account}


REVIEWS_OF_A_CONTRIBUTOR = 3
