"""What a command says on stderr: a moving bar on a terminal, plain lines elsewhere, and what did not work."""

import errno
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.pool import AsyncResult, ThreadPool
from typing import TextIO, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bot.domain.ports import SourceError

Report = Callable[[int, int], None]
"""Called with how much is done and how much is expected in all."""

Result = TypeVar("Result")

LINES = 10
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
READER_GONE = 141
"""As a shell counts it: 128 and the number of SIGPIPE."""


@contextmanager
def side_by_side(stream: TextIO) -> Iterator[Callable[[str], Report]]:
    """Gives a report for each of several pieces of work that go on at once."""
    if not stream.isatty():
        yield lambda title: _lines(title, stream)
        return
    with _progress(stream) as progress:
        yield lambda title: _report(progress, title)


@contextmanager
def reporting(title: str, stream: TextIO | None = None) -> Iterator[Report]:
    """A report for one piece of work; it says so when the work ends or breaks."""
    stream = stream or sys.stderr
    if stream.isatty():
        yield from _bar(title, stream)
    else:
        yield _lines(title, stream)


def _bar(title: str, stream: TextIO) -> Iterator[Report]:
    with _progress(stream) as progress:
        yield _report(progress, title)


def _progress(stream: TextIO) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(file=stream))


def _report(progress: Progress, title: str) -> Report:
    task = progress.add_task(title, total=None)
    return lambda done, total: progress.update(task, completed=done, total=total)


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


def say(sentence: str, code: int = 1) -> int:
    """Say it in one line, whatever it holds; the code is what the command then ends with."""
    print(f"leverage: {' '.join(sentence.split())}", file=sys.stderr)
    return code


def unwritten(error: OSError) -> int:
    """What a command ends with that cannot print. Raises the error again if it is about something else."""
    if error.filename is not None or error.errno not in (errno.EPIPE, *NO_ROOM):
        raise error
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains at exit
    if error.errno == errno.EPIPE:
        return READER_GONE
    return say(f"The output could not be written ({error.strerror}): make room, or write it elsewhere.")


def all_of(steps: Sequence[Callable[[], None]]) -> None:
    """Do every step even if one fails, unless the rest would fail as well; then fail with the first error.

    The others are said before it, each sentence once.
    """
    failures: dict[str, SourceError] = {}
    for step in steps:
        try:
            step()
        except SourceError as error:
            failures.setdefault(str(error), error)
            if error.whole:
                break
    first, *others = failures.values() or [None]
    for failure in others:
        say(str(failure))
    if first:
        raise first


def all_at_once(steps: Sequence[Callable[[], Result]]) -> list[Result | SourceError]:
    """Do every step in a thread of its own: what each gave, or the SourceError it ended with.

    Another error is raised once all are over. The threads end with the process, so that Ctrl-C ends it at once.
    """
    if not steps:
        return []
    with ThreadPool(len(steps)) as pool:
        pending: list[AsyncResult[Result]] = [pool.apply_async(step) for step in steps]
        for one in pending:
            one.wait()
        outcomes: list[Result | SourceError] = []
        for one in pending:
            try:
                outcomes.append(one.get())
            except SourceError as error:
                outcomes.append(error)
        return outcomes
