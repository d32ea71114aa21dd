"""Progress on stderr: a moving bar on a terminal, plain lines elsewhere. Nothing of it is on stdout."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Report = Callable[[int, int], None]
"""Called with how much is done and how much is expected in all."""

LINES = 10


@contextmanager
def reporting(title: str, stream: TextIO | None = None) -> Iterator[Report]:
    """A report for one piece of work; it says so when the work ends or breaks."""
    stream = stream or sys.stderr
    if stream.isatty():
        yield from _bar(title, stream)
    else:
        yield _lines(title, stream)


def _bar(title: str, stream: TextIO) -> Iterator[Report]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=stream)) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _lines(title: str, stream: TextIO) -> Report:
    """About ten lines however long the work is, so that a log stays readable."""
    said = -1

    def report(done: int, total: int) -> None:
        nonlocal said
        step = LINES * done // total if total else 0
        if step != said:
            said = step
            print(f"{title}: {done} of {total}", file=stream, flush=True)

    return report
