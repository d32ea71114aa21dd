"""The command line at another time. The product has no switch for its clock; end-to-end tests come in through this
door of their own.

    python -m tests.e2e.clocked 2026-05-18T10:00 digest payments      the clock stands still
    python -m tests.e2e.clocked clock.json serve                      it goes on, and the file moves it: `MovingClock`
"""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot import clock, jobs
from bot.cli import main

real_now = clock.now
EVERY_S = 0.2


def standing(moment: str) -> Callable[[], datetime]:
    then = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    return lambda: then


class MovingClock:
    """A clock that goes on from the time it was set to, also in other processes that read the same file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def now(self) -> datetime:
        return real_now() + timedelta(seconds=json.loads(self._file.read_text()))

    def set(self, moment: datetime) -> None:
        draft = self._file.with_suffix(".draft")
        draft.write_text(json.dumps((moment - real_now()).total_seconds()))
        draft.replace(self._file)


def main_at(when: str, arguments: list[str]) -> None:
    if when.endswith(".json"):
        clock.now = MovingClock(Path(when)).now
        jobs.TICK_S = jobs.READ_S = EVERY_S  # half a minute is long for a test
    else:
        clock.now = standing(when)
    main(arguments)


if __name__ == "__main__":
    main_at(sys.argv[1], sys.argv[2:])
