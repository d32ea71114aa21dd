"""What runs without being asked: it runs again whatever happened, and somebody notices if it does not."""

import io
import json
import threading
from collections.abc import Iterator

import pytest

from bot import jobs, log
from bot.jobs import MISSED_ROUNDS, Job, Watchdog, guarded


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    import logging

    before = logging.root.handlers[:], logging.root.level
    stream = io.StringIO()
    log.setup(stream)
    yield stream
    logging.root.handlers[:], logging.root.level = before[0], before[1]


def test_a_job_that_breaks_runs_again():
    twice = threading.Event()
    runs: list[int] = []

    def breaks() -> None:
        runs.append(1)
        if len(runs) == 2:
            twice.set()
        raise RuntimeError("canary")

    scheduler = jobs.start([Job("breaks", 0.05, breaks)])
    try:
        assert twice.wait(10)
    finally:
        scheduler.shutdown()


def test_a_job_runs_at_once_and_then_waits_for_its_time():
    ran = threading.Event()
    runs: list[int] = []

    def run() -> None:
        runs.append(1)
        ran.set()

    scheduler = jobs.start([Job("once", 3600, run)])
    try:
        assert ran.wait(10)
    finally:
        scheduler.shutdown()
    assert runs == [1]


def test_a_job_does_not_run_beside_itself_and_what_runs_is_waited_for_at_the_end():
    begun, running, most = threading.Event(), [0], [0]

    def slow() -> None:
        running[0] += 1
        most[0] = max(most[0], running[0])
        begun.set()
        threading.Event().wait(0.3)
        running[0] -= 1

    scheduler = jobs.start([Job("slow", 0.05, slow)])
    assert begun.wait(10)
    threading.Event().wait(0.15)
    scheduler.shutdown(wait=True)
    assert (running[0], most[0]) == (0, 1)


def test_the_log_tells_where_a_job_broke_and_not_with_what_words(logged):
    def breaks() -> None:
        raise RuntimeError("canary of ann@example.com")

    guarded("tick", breaks)
    [line] = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert (line["level"], line["event"], line["job"], line["error"]) == ("error", "job failed", "tick", "RuntimeError")
    assert any("breaks" in place for place in line["trace"])
    assert "canary" not in logged.getvalue()


def test_jobs_that_give_no_sign_of_life_are_stuck_after_some_rounds():
    watchdog = Watchdog()
    assert not watchdog.is_stuck(1)
    assert [watchdog.is_stuck(1) for _ in range(MISSED_ROUNDS)] == [False] * (MISSED_ROUNDS - 1) + [True]


def test_jobs_that_never_began_are_stuck_too():
    watchdog = Watchdog()
    assert [watchdog.is_stuck(0) for _ in range(MISSED_ROUNDS)][-1]


def test_any_sign_of_life_begins_the_count_anew():
    watchdog = Watchdog()
    signs = [1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3]
    assert not any(watchdog.is_stuck(sign) for sign in signs)


def test_stuck_jobs_end_the_process_within_three_minutes():
    assert jobs.WATCH_S * (MISSED_ROUNDS + 1) <= 180
    assert jobs.TICK_S <= jobs.WATCH_S
