"""A GitHub that holds comments, for the comment worker: it keeps what it gets, and fails when told to.

It is one place for several workers: safe to use from threads, and a write that is under way can be watched.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.domain.delivery import Answer, Refused, Sent, Uncertain
from bot.domain.model import PullRequest
from bot.domain.ports import PullComment, Sighting, SourceError


@dataclass
class FakeComments:
    """`pulls` by number; `private` holds for all of them. `refusals` are answers to the next writes, `after` those that
    come although the write was done; a SourceError in `failures` is raised by the next read. `meanwhile` is told of
    each call as it arrives, and of a list also when it was read ("listed")."""

    pulls: dict[int, PullRequest] = field(default_factory=dict)
    private: bool = True
    found: list[PullComment] = field(default_factory=list)
    numbers: dict[int, int] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    refusals: deque[Answer] = field(default_factory=deque)
    after: deque[Answer] = field(default_factory=deque)
    failures: deque[SourceError] = field(default_factory=deque)
    meanwhile: Callable[[str], None] = lambda _call: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def pull_request(self, repository: str, number: int) -> Sighting | None:
        self._note("pull_request")
        pull = self.pulls.get(number)
        return Sighting(pull, self.private) if pull else None

    def comments(self, repository: str, number: int) -> list[PullComment]:
        self._note("list")
        with self.lock:
            found = [one for one in self.found if self.numbers[one.id] == number]
        self.meanwhile("listed")
        return found

    def create(self, repository: str, number: int, body: str) -> Answer:
        def write() -> str:
            return str(self.add(body, ours=True, number=number))

        return self._write("create", write)

    def update(self, repository: str, comment_id: int, body: str) -> Answer:
        def write() -> str | None:
            for index, one in enumerate(self.found):
                if one.id == comment_id:
                    self.found[index] = PullComment(one.id, one.ours, body)
                    return str(one.id)
            return None

        return self._write("update", write)

    def delete(self, repository: str, comment_id: int) -> Answer:
        def write() -> str:
            self.remove(comment_id)
            return str(comment_id)

        return self._write("delete", write)

    def add(self, body: str, *, ours: bool, number: int = 20) -> int:
        id = 100 + len(self.numbers)
        self.numbers[id] = number
        self.found.append(PullComment(id, ours, body))
        return id

    def remove(self, comment_id: int) -> None:
        self.found[:] = [one for one in self.found if one.id != comment_id]

    @property
    def ours(self) -> list[PullComment]:
        return [one for one in self.found if one.ours]

    @property
    def writes(self) -> list[str]:
        return [call for call in self.calls if call in ("create", "update", "delete")]

    def _note(self, call: str) -> None:
        with self.lock:
            self.calls.append(call)
            failure = self.failures.popleft() if self.failures and call in ("pull_request", "list") else None
        self.meanwhile(call)
        if failure:
            raise failure

    def _write(self, call: str, write: Callable[[], str | None]) -> Answer:
        self._note(call)
        with self.lock:
            if self.refusals:
                return self.refusals.popleft()
            remote_id = write()
            if self.after:
                return self.after.popleft()
        return Sent(remote_id) if remote_id else Refused("gone")


LOST = Uncertain("no_answer")
