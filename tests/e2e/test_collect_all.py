"""`leverage collect` against stand-ins for every source of the registry at once, one of them failing in some way: what
the others told is complete, and the last line says which source it was and what to do."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from sqlalchemy import text

from bot.store.db import connect, reading
from integrations.spend import sources
from tests.fake_http import serve
from tests.integrations.spend.contract import MOST_REQUESTS, Answer, Case, billed, cases, changing, given

pytestmark = pytest.mark.e2e

CASES = cases()
TEAM = """
[[team]]
name = "payments"
slack_channel = "C0123ABCD"
members = ["ann"]
repositories = ["acme/api"]
timezone = "UTC"
digest = "Mon 09:00"
"""


def cut_off(case: Case) -> Answer:
    def answer(request: httpx2.Request) -> httpx2.Response:
        response = case.answer(request)
        return httpx2.Response(response.status_code, content=response.content[: len(response.content) // 2])

    return answer


def endless(case: Case) -> Answer:
    assert case.more is not None
    return changing(case, case.more)


def always(status: int, **headers: str) -> Answer:
    return lambda _request: httpx2.Response(status, headers=headers, content=b"{}")


def half_way(case: Case) -> Answer:
    """The last request of a run fails for good."""
    asked: list[httpx2.Request] = []
    list(given(case, lambda request: asked.append(request) or case.answer(request)))  # type: ignore[func-returns-value]
    numbers = iter(range(MOST_REQUESTS))
    return lambda request: case.answer(request) if next(numbers) < len(asked) - 1 else httpx2.Response(500)


FAULTS = {
    "a refused key": ("openai", lambda _case: always(401)),
    "a key that may not": ("cursor", lambda _case: always(403)),
    "too many requests": ("litellm", lambda _case: always(429, **{"retry-after": "7200"})),
    "a service that is down": ("openrouter", lambda _case: always(503)),
    "truncated JSON": ("codex", cut_off),
    "endless paging": ("anthropic", endless),
    "a page that fails half-way": ("copilot", half_way),
    "words that are no report": ("devin", lambda _case: lambda _request: httpx2.Response(200, content=b"<html>")),
}


class Collecting:
    """A folder with the settings of every source, each of which has a server of its own."""

    def __init__(self, url: str, answers: dict[str, Answer], folder: Path) -> None:
        self.engine = connect(url)
        self._answers, self._folder = answers, folder
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "DATABASE_URL": url.replace("postgresql+psycopg", "postgresql"),
            "LEVERAGE_SECRET_KEY": "a secret of at least thirty-two characters",
        }
        (folder / "leverage.toml").write_text(TEAM)

    def run(self, name: str) -> subprocess.CompletedProcess[str]:
        """Collect the days of one case's week from all."""
        case = CASES[name]
        days = ("--since", str(case.since), "--until", str(case.until))
        command = [sys.executable, "-m", "tests.e2e.clocked", f"{case.now:%Y-%m-%dT%H:%M}", "collect", *days]
        with ExitStack() as stack:
            for one, answer in self._answers.items():
                self._set(CASES[one], stack.enter_context(serve(answer)))
            return subprocess.run(
                command,
                cwd=self._folder,
                env=self._environment,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )

    def _set(self, case: Case, url: str) -> None:
        source = sources()[case.source]
        for setting in source.SETTINGS:
            if setting.is_url:
                base = case.settings.get(setting.name) or str(vars(source)["BASE_URL"])
                self._environment[setting.name] = url + urlsplit(base).path
            elif setting.name in case.settings:
                self._environment[setting.name] = case.settings[setting.name]

    def days(self, case: Case) -> dict[str, int]:
        """What is stored as reported by a source, by day."""
        query = "SELECT day, sum(reported_billed_micro) FROM account_days WHERE account = :name OR account LIKE :all"
        with reading(self.engine) as session:
            rows = session.execute(
                text(f"{query} GROUP BY day ORDER BY day"), {"name": case.source, "all": f"{case.source}:%"}
            )
            return {str(day)[:10]: int(micro or 0) for day, micro in rows}


@pytest.fixture
def collecting(empty_database_url, tmp_path) -> Iterator[Callable[[dict[str, Answer]], Collecting]]:
    made: list[Collecting] = []

    def make(answers: dict[str, Answer]) -> Collecting:
        made.append(Collecting(empty_database_url, answers, tmp_path))
        return made[-1]

    yield make
    for one in made:
        one.engine.dispose()


def whole(case: Case) -> dict[str, int]:
    return {str(day): micro or 0 for day, micro in billed(given(case)).items()}


def test_all_sources_side_by_side(collecting):
    all_of_them = collecting({name: case.answer for name, case in CASES.items()})
    done = all_of_them.run("anthropic")
    assert done.returncode == 0, done.stderr
    for name, case in CASES.items():
        assert all_of_them.days(case).items() >= whole(case).items(), name
    assert [line.split()[0] for line in done.stdout.splitlines()[1 : len(CASES) + 1]] == list(CASES)
    assert "plan factor" in done.stdout


@pytest.mark.parametrize("fault", FAULTS)
def test_one_that_fails_stops_no_other_and_the_last_line_says_what_to_do(collecting, fault):
    victim, breaking = FAULTS[fault]
    answers = {name: case.answer for name, case in CASES.items()} | {victim: breaking(CASES[victim])}
    one_fails = collecting(answers)
    done = one_fails.run(victim)
    assert done.returncode == 1
    for name, case in CASES.items():
        if name != victim:
            assert one_fails.days(case).items() >= whole(case).items(), name
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(f"leverage: {sources()[victim].TITLE}: ")
    assert "could not be read: see below" in done.stdout
    if fault.endswith(("key", "not")):
        assert sources()[victim].SETTINGS[0].name in last


def test_every_way_to_fail_and_every_source_has_a_turn():
    assert {victim for victim, _ in FAULTS.values()} == set(CASES)
