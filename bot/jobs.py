"""What runs without being asked: a tick every half minute, reading the sources every few minutes, and a watchdog.

Our tables are the only schedule: whatever is due is found there, so a start is an ordinary tick and any number of
processes may tick. The scheduler itself remembers nothing.
"""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

TICK_S = 30.0
READ_S = 300.0
FORGET_S = 6 * 3600.0
WATCH_S = 30.0
MISSED_ROUNDS = 5
STUCK = 70

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do every so many seconds, one run at a time."""

    name: str
    seconds: float
    run: Callable[[], object]


def start(jobs: list[Job]) -> BackgroundScheduler:
    """Run each job now and then at its interval, until `shutdown()` of what is returned."""
    scheduler = BackgroundScheduler(timezone="UTC")
    for job in jobs:
        every = IntervalTrigger(seconds=job.seconds, timezone="UTC")
        scheduler.add_job(
            guarded,
            every,
            args=(job.name, job.run),
            id=job.name,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
            next_run_time=every.start_date - every.interval,  # now, by the scheduler's own clock
        )
    scheduler.start()
    return scheduler


def guarded(name: str, run: Callable[[], object]) -> None:
    """Run something; if it breaks, the log tells, and it runs again next time."""
    try:
        run()
    except Exception as error:  # noqa: BLE001  # the one handler of this entry point
        log.error("job failed", job=name, error=error)


def watch(beats: Callable[[], int], stop: threading.Event) -> None:
    """End the process when its jobs give no sign of life any more, so that whoever runs it starts it anew; until told
    to stop. `beats` counts the signs."""
    watchdog = Watchdog()
    while not stop.wait(WATCH_S):
        if watchdog.is_stuck(beats()):
            log.error("the jobs have stopped")
            os._exit(STUCK)


class Watchdog:
    """Counts rounds without a sign of life. It asks no clock: one that is set anew, or a machine that slept, is no
    reason to end."""

    def __init__(self) -> None:
        self._seen = 0
        self._missed = 0

    def is_stuck(self, beats: int) -> bool:
        """Whether this round is one too many."""
        self._missed = 0 if beats != self._seen else self._missed + 1
        self._seen = beats
        return self._missed >= MISSED_ROUNDS
