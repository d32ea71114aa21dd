"""An invented GitHub that answers our queries; see `fake.py` and `world.py`."""

from tests.fake_github.fake import FakeGitHub
from tests.fake_github.reading import START, only, outcomes, pages, read
from tests.fake_github.server import serve
from tests.fake_github.world import FakeEvent, FakePull, FakeRepository, commit

__all__ = [
    "START",
    "FakeEvent",
    "FakeGitHub",
    "FakePull",
    "FakeRepository",
    "commit",
    "only",
    "outcomes",
    "pages",
    "read",
    "serve",
]
