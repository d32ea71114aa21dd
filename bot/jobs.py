"""What runs without being asked: a tick every half minute, reading the sources every few minutes, and a watchdog.

Our tables are the only schedule: whatever is due is found there, so a start is an ordinary tick and any number of
processes may tick. The scheduler itself remembers nothing.
"""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

TICK_S = 30
READ_S = 300
MISSED_TICKS = 5
STUCK = 70

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do every so many seconds, one run at a time."""

    name: str
    seconds: float
    run: Callable[[], None]


def start(jobs: list[Job], now: Callable[[], datetime]) -> BackgroundScheduler:
    """Run each job now and then at its interval, until `shutdown()` of what is returned."""
    scheduler = BackgroundScheduler(timezone="UTC")
    for job in jobs:
        scheduler.add_job(
            guarded,
            "interval",
            args=(job.name, job.run),
            seconds=job.seconds,
            id=job.name,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
            next_run_time=now(),
        )
    scheduler.start()
    return scheduler


def guarded(name: str, run: Callable[[], object]) -> None:
    """Run something; if it breaks, the log tells, and it runs again next time."""
    try:
        run()
    except Exception as error:  # noqa: BLE001  # the one handler of this entry point
        log.error("job failed", job=name, error=error)


def watch(last_beat: Callable[[], datetime | None], now: Callable[[], datetime], stop: threading.Event) -> None:
    """End the process when its ticks have stopped, so that whoever runs it starts it anew; until told to stop."""
    patience = timedelta(seconds=TICK_S * MISSED_TICKS)
    started = now()
    while not stop.wait(TICK_S):
        if is_stuck(last_beat() or started, now(), patience):
            log.error("the jobs have stopped")
            os._exit(STUCK)


def is_stuck(beat: datetime, now: datetime, patience: timedelta) -> bool:
    """Whether the ticks of a process have stopped."""
    return now - beat > patience
