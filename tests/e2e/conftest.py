"""The counterparts of end-to-end tests: started once for a run, and missing ones are an error, never a skip."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.e2e.emulate import PEOPLE, Emulator
from tests.e2e.emulate import emulator as run_emulator
from tests.fake_github import FakeGitHub, serve


@dataclass(frozen=True)
class GitHubServer:
    """A GitHub that knows GraphQL: `fake` answers that and what it holds, the emulator behind it everything else.

    `url` is a base URL for PyGithub; an App's key, its tokens and the rest of REST are the emulator's.
    """

    fake: FakeGitHub
    url: str
    emulator: Emulator


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with run_emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture
def github_server(emulator: Emulator) -> Iterator[GitHubServer]:
    """With the emulator's people under the same ids, and no repository yet: `github_server.fake.repository(...)`."""
    fake = FakeGitHub()
    for login in PEOPLE:
        fake.user(login, emulator.ids[login])
    with serve(fake, emulator.github) as url:
        yield GitHubServer(fake, url, emulator)
