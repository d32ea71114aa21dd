"""`leverage local` over the captured transcripts: what it prints comes to what was worked out by other means."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bot import local
from bot.domain.local import Place
from integrations import hook
from integrations.prices import ListPrices

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "tests" / "samples" / "transcripts"
EXPECTED = json.loads((SAMPLES / "expected.json").read_text())


def run(*arguments: str, cwd: Path = ROOT, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin:/usr/local/bin", "PYTHONPATH": str(ROOT), "HOME": str(home or cwd)}
    return subprocess.run(
        [sys.executable, "-m", "bot", "local", *arguments],
        cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def told(*arguments: str) -> dict[str, Any]:
    done = run(*arguments, "--format", "json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def as_claude(sums: dict[str, Any]) -> dict[str, int]:
    tokens = sums["tokens"]
    return {
        "input": tokens["fresh"],
        "output": tokens["output"],
        "cache_creation": tokens["cache_write_5m"] + (tokens["cache_write_1h"] or 0),
        "cache_read": tokens["cache_read"],
        "requests": sums["requests"],
    }


@pytest.mark.parametrize("sample", ["claude", "claude_older_versions"])
def test_claude_comes_to_what_was_expected_in_total_and_by_session(sample):
    found, expected = told("--claude-dir", str(SAMPLES / sample)), EXPECTED[sample]
    by_session = {one["session"]: one for one in found["sessions"]}
    for sums, should in [(found["total"], expected["totals"])] + [
        (by_session[session], should) for session, should in expected["by_session"].items()
    ]:
        assert as_claude(sums) == {name: number for name, number in should.items() if name != "cost_usd"}
        # each request is rounded to a micro-dollar, so a sum may differ by half of one for each
        assert abs(sums["cost_micro"] - should["cost_usd"] * 1_000_000) <= 0.5 * max(1, sums["requests"])


@pytest.mark.parametrize("sample", ["codex", "codex_older_versions"])
def test_codex_comes_to_what_was_expected(sample):
    found, totals = told("--codex-home", str(SAMPLES / sample))["total"], EXPECTED[sample]["totals"]
    tokens = found["tokens"]
    given = tokens["fresh"] + tokens["cache_write_5m"] + tokens["cache_read"]
    assert given == totals["input_incl_cached"]
    assert tokens["output"] + (tokens["reasoning"] or 0) == totals["output_incl_reasoning"]


def test_the_same_files_twice_count_once(tmp_path):
    """Forks, resumed sessions and copies hold the same requests again."""
    for name in ("a", "b"):
        (tmp_path / "projects" / name).mkdir(parents=True)
        for path in (SAMPLES / "claude" / "projects").rglob("*.jsonl"):
            (tmp_path / "projects" / name / path.name).write_bytes(path.read_bytes())
    assert as_claude(told("--claude-dir", str(tmp_path))["total"]) == {
        name: number for name, number in EXPECTED["claude"]["totals"].items() if name != "cost_usd"
    }


def test_turns_are_told_by_pull_request_and_branch():
    found = told("--claude-dir", str(SAMPLES / "claude"))
    pulls = {one["place"]["pull"] for one in found["places"] if one["place"]}
    assert pulls >= {42, 43, 44}
    assert sum(one["cost_micro"] for one in found["places"]) == found["total"]["cost_micro"]


def test_only_days_that_are_asked_for_count():
    everything = told("--claude-dir", str(SAMPLES / "claude"))["total"]["requests"]
    later, _ = local.read({"claude_code": [str(SAMPLES / "claude")]}, date(2030, 1, 1), ListPrices())
    assert everything > 0
    assert later == []


def test_it_reads_as_text_and_no_prompt_path_or_command_is_in_it():
    done = run("--claude-dir", str(SAMPLES / "claude"))
    assert done.returncode == 0
    assert "at list price" in done.stdout
    assert "acme/widgets#42" in done.stdout
    for secret in ("calc.py", "def add", "git commit", "src/widgets"):
        assert secret not in done.stdout + done.stderr


def test_no_work_at_all_is_one_line(tmp_path):
    done = run(home=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("leverage: No work of a coding agent was found")
    assert "Traceback" not in done.stderr


def test_a_folder_that_is_none_is_one_line(tmp_path):
    done = run("--codex-home", str(tmp_path / "nowhere"))
    assert done.returncode == 1
    assert "is no folder: name where codex keeps its sessions" in done.stderr


def git(folder: Path, *words: str) -> None:
    names = ("-c", "user.name=ann", "-c", "user.email=ann@example.com")
    subprocess.run(["git", *names, *words], cwd=folder, check=True, capture_output=True)


def test_what_is_on_the_default_branch_has_shipped_merged_or_squashed(tmp_path):
    git(tmp_path, "init", "-b", "main")
    git(tmp_path, "remote", "add", "origin", "https://github.com/acme/api.git")
    git(tmp_path, "commit", "--allow-empty", "-m", "first")
    git(tmp_path, "switch", "-c", "merged")
    git(tmp_path, "commit", "--allow-empty", "-m", "work")
    git(tmp_path, "switch", "main")
    git(tmp_path, "merge", "--no-ff", "merged", "-m", "Merge pull request #7 from acme/merged")
    git(tmp_path, "commit", "--allow-empty", "-m", "Squashed work (#8)")
    git(tmp_path, "switch", "-c", "lying")
    git(tmp_path, "commit", "--allow-empty", "-m", "half")
    places = [Place("acme/api", "merged"), Place("acme/api", "lying"), Place("acme/api", "main")]
    pulls = [Place("acme/api", "x", number) for number in (7, 8, 9)]
    known, shipped = local.ships([*places, *pulls, Place("acme/web", "x")], {"": hook.Checkout(str(tmp_path))})
    assert known == {*places, *pulls}
    assert shipped == {places[0], places[2], pulls[0], pulls[1]}
