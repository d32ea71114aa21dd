"""What we take from a commit: who wrote on which day, which agents' sessions it names, and whether it takes another one
back. Its message ends here."""

import re
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from bot.domain.model import CommitDay, GitHubUser, HeadCommit
from integrations.outcomes.github import heads
from integrations.outcomes.github.accounts import account
from integrations.outcomes.github.models import CommitNode, RestCommit
from integrations.outcomes.github.reverts import reverted_commit
from integrations.outcomes.github.tally import Tally
from integrations.outcomes.github.trailers import sessions

CO_AUTHOR = re.compile(
    r"^co-authored-by:[^<\n]*<(?:\d+\+)?(?P<login>[\w.-]+)@users\.noreply\.[\w.-]+>\s*$", re.I | re.M
)
ANY_CO_AUTHOR = re.compile(r"^co-authored-by:", re.I | re.M)


@dataclass(frozen=True, slots=True)
class Commit:
    """What we take from a commit: when, which accounts, and the commit it takes back.

    `head` is what binding knows of it, None for a merge.
    """

    at: datetime
    authors: tuple[GitHubUser, ...]
    reverted: str | None
    head: HeadCommit | None = None


def commit(node: CommitNode, tally: Tally) -> Commit:
    """GraphQL names every author and co-author; a bot, or an e-mail address without an account, has no user."""
    actors = node.authors.items
    authors = [author for actor in actors if (author := account(actor.user))]
    tally.stranger(len(actors) - len(authors))
    head = heads.head(node.oid, node.parents.total_count, sessions(node.message, tally))
    return Commit(node.authored_date, tuple(authors), reverted_commit(node.message), head)


def rest_commit(answer: Any, known: MutableMapping[str, GitHubUser], tally: Tally) -> Commit | None:
    """REST names one account; co-authors are found by GitHub's own private e-mail address if the person is known."""
    try:
        raw = RestCommit.model_validate(answer)
    except ValidationError:
        tally.ignored["unreadable commit"] += 1
        return None
    message = raw.commit.message
    named = [found["login"].lower() for found in CO_AUTHOR.finditer(message)]
    authors = [known[login] for login in named if login in known]
    if raw.author and raw.author.type == "User":
        user = GitHubUser(raw.author.node_id, raw.author.login)
        authors.insert(0, known.setdefault(user.login.lower(), user))
    tally.stranger(1 + len(ANY_CO_AUTHOR.findall(message)) - len(authors))
    head = heads.head(raw.sha, len(raw.parents), sessions(message, tally))
    return Commit(raw.commit.author.date, tuple(authors), reverted_commit(message), head)


def days(commits: Iterable[Commit]) -> tuple[CommitDay, ...]:
    """On which UTC days each account wrote, once each."""
    found = {(author.id, commit.at.date()) for commit in commits for author in commit.authors}
    return tuple(CommitDay(author_id, day) for author_id, day in sorted(found))
