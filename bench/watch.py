"""Timing things fairly on a machine that others use too: in turns, and the least of several rounds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter, process_time


class Differs(Exception):
    """What is measured and what it is held against do not give the same sums: no time means anything then."""


@dataclass(frozen=True, slots=True)
class Took:
    """The least wall and the least CPU seconds of this process, all threads, over the rounds."""

    wall: float
    cpu: float


def in_turns(rounds: int, runs: Mapping[str, Callable[[], object]]) -> dict[str, Took]:
    """Run each once to warm it up, then all of them in turns."""
    for run in runs.values():
        run()
    took: dict[str, list[Took]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            took[name].append(once(run))
    return {name: least(ones) for name, ones in took.items()}


def least(ones: Sequence[Took]) -> Took:
    return Took(min(one.wall for one in ones), min(one.cpu for one in ones))


def once(run: Callable[[], object]) -> Took:
    wall, cpu = perf_counter(), process_time()
    run()
    return Took(perf_counter() - wall, process_time() - cpu)
