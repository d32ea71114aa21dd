"""Whether a pull request takes something back, from what people wrote. The texts are read here and nowhere kept.

Known forms: GitHub's button ("Reverts owner/repo#12" in the body, 'Revert "..."' in the title) and `git revert`
("This reverts commit <sha>." in the body, or in each commit). A fix that goes forward is not a revert.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

TITLE = re.compile(r'(?:Revert ")+')
BY_NUMBER = re.compile(r"^Reverts (?P<repository>[\w.-]+/[\w.-]+)?#(?P<number>[1-9]\d{0,9})\b", re.MULTILINE)
BY_COMMIT = re.compile(r"^This reverts commit (?P<sha>[0-9a-f]{7,64})\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a revert says it takes back: a pull request of the same repository, or a commit, or it does not say."""

    number: int | None = None
    sha: str | None = None


def claim(title: str, body: str, repository: str, reverted: Iterable[str | None]) -> Claim | None:
    """None if it is no revert. `repository` is the name of its own, `reverted` has one entry a commit.

    Text that only mentions a revert somewhere does not make one; a revert of a revert that names nothing is ordinary.
    """
    number, commit = BY_NUMBER.search(body), BY_COMMIT.search(body)
    shas = list(reverted)
    by_title = TITLE.match(title)
    opens = any(found and not body[: found.start()].strip() for found in (number, commit))
    if not (by_title or opens or (shas and all(shas))):
        return None
    if number:
        return Claim(number=_own(number, repository))
    if commit or (shas and all(shas)):
        return Claim(sha=commit["sha"] if commit else shas[0])
    return Claim() if by_title and by_title[0].count("Revert") % 2 else None


def reverted_commit(message: str) -> str | None:
    """The commit that a commit takes back, if it says so."""
    found = BY_COMMIT.search(message)
    return found["sha"] if found else None


def _own(found: re.Match[str], repository: str) -> int | None:
    elsewhere = found["repository"] and found["repository"].lower() != repository.lower()
    return None if elsewhere else int(found["number"])
