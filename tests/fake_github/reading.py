"""Reads a fake GitHub the way the product does, without sockets."""

from datetime import UTC, datetime

from bot.domain.model import PullRequest
from integrations.outcomes.github import GitHubOutcomes
from tests.fake_github.fake import FakeGitHub

START = datetime(2026, 5, 1, tzinfo=UTC)
"""Before everything that happens in the fake, unless a test says otherwise."""


def outcomes(fake: FakeGitHub) -> GitHubOutcomes:
    return GitHubOutcomes("1", "a key", "https://github.example", connect=fake.connect)


def pages(source: GitHubOutcomes, repository: str = "acme/api", since: datetime = START) -> list[list[PullRequest]]:
    return list(source.pull_requests(repository, since, lambda _done, _expected: None))


def read(fake: FakeGitHub, repository: str = "acme/api", since: datetime = START) -> list[PullRequest]:
    return [pull for page in pages(outcomes(fake), repository, since) for pull in page]


def only(fake: FakeGitHub) -> PullRequest:
    [pull] = read(fake)
    return pull
