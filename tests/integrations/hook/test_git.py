"""Where a turn was: real repositories, asked when it happened or remembered by git itself."""

import os
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.clock import now  # git itself writes down the real time
from integrations import hook
from integrations.hook import Checkout, Note, Turn, where_was
from tests.integrations.hook.machine import QUICK, Machine


@pytest.fixture(autouse=True)
def plain_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {**QUICK, "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def turn(at: Path, start: float = -60, end: float = 60, **more: Any) -> Turn:
    times = [(now() + timedelta(seconds=offset)).isoformat().replace("+00:00", "Z") for offset in (start, end)]
    return Turn("t1", started=times[0], ended=times[1], cwd=str(at), **more)


def note(when: str, at: Path, turn: str | None = "t1") -> Note:
    return Checkout(str(at)).note(now(), when, turn)


@pytest.mark.parametrize(
    ("address", "repository"),
    [
        ("git@github.com:acme/widgets.git", "acme/widgets"),
        ("https://github.com/acme/widgets", "acme/widgets"),
        ("https://github.com/acme/widgets.git/", "acme/widgets"),
        ("https://dev:ghp_secret@github.com/acme/widgets.git", "acme/widgets"),
        ("https://x-access-token:secret@ghe.example.com/acme/wid.gets.git", "acme/wid.gets"),
        ("ssh://git@github.com:22/acme/widgets.git", "acme/widgets"),
        ("github.com:acme/widgets", "acme/widgets"),
        ("/srv/git/acme/widgets.git", None),
        ("../acme/widgets", None),
        ("file:///srv/acme/widgets", None),
        ("C:/src/acme/widgets", None),
        ("https://gitlab.com/group/sub/widgets.git", None),
        ("", None),
    ],
)
def test_a_repository_is_owner_and_name_and_nothing_else_of_the_address(address: str, repository: str | None) -> None:
    assert hook.repository_of(address) == repository


def test_git_is_asked_for_repository_branch_and_head(machine: Machine) -> None:
    at = machine.checkout(remote="https://dev:ghp_secret@github.com/acme/widgets.git")
    machine.git("checkout", "-q", "-b", "feature/a", at=at)

    checkout = Checkout(str(at))
    assert (checkout.repository, checkout.branch) == ("acme/widgets", "feature/a")
    assert checkout.head == machine.git("rev-parse", "HEAD", at=at)


@pytest.mark.parametrize("place", ["", "missing", "empty"])
def test_where_there_is_no_repository_nothing_is_known(machine: Machine, place: str) -> None:
    (machine.home / "empty").mkdir()
    checkout = Checkout(str(machine.home / place) if place else None)

    assert (checkout.repository, checkout.branch, checkout.head, checkout.moves) == (None, None, None, [])


def test_a_turn_that_began_on_main_belongs_to_the_branch_it_made(machine: Machine) -> None:
    at = machine.checkout()
    start = note("start", at)
    machine.git("checkout", "-q", "-b", "feature/a", at=at)
    made = machine.commit(at)

    where = where_was(turn(at, branches=["main"]), [start, note("end", at)], Checkout(str(at)))
    assert (where.repository, where.branch, where.head_after) == ("acme/widgets", "feature/a", made)
    assert made in where.commits


def test_a_turn_that_ended_by_going_back_to_main_belongs_to_the_branch_it_left(machine: Machine) -> None:
    at = machine.checkout()
    machine.git("checkout", "-q", "-b", "feature/a", at=at)
    start = note("start", at)
    machine.git("checkout", "-q", "main", at=at)

    where = where_was(turn(at), [start, note("end", at)], Checkout(str(at)))
    assert where.branch == "feature/a"
    assert where.head_before is None  # HEAD moved, but not by work


def test_what_git_said_wins_over_a_stale_branch_in_the_transcript(machine: Machine) -> None:
    at = machine.checkout()
    machine.git("checkout", "-q", "-b", "fix/one", at=at)

    assert where_was(turn(at, branches=["main"]), [note("end", at)], Checkout(str(at))).branch == "fix/one"


def test_without_notes_git_remembers_the_branch_of_that_time(machine: Machine) -> None:
    at = machine.checkout()
    machine.git("checkout", "-q", "-b", "feature/a", at=at)
    machine.git("checkout", "-q", "-b", "feature/b", at=at)
    checkout = Checkout(str(at))
    left = checkout.moves[0]._replace(at=now() + timedelta(hours=1))  # as if feature/a was left an hour later
    checkout._moves = [left, *(move._replace(at=now() - timedelta(hours=1)) for move in checkout.moves[1:])]

    assert where_was(turn(at, branches=["stale"]), [], checkout).branch == "feature/a"
    assert where_was(turn(at, 3601, 3700, branches=["stale"]), [], checkout).branch == "feature/b"


def test_what_git_does_not_remember_is_told_by_the_transcript(machine: Machine) -> None:
    at = machine.checkout()
    long_ago = turn(at, -(10**6), -(10**6) + 60, branches=["feature/old"], pushed=["feature/pushed"])

    assert where_was(long_ago, [], Checkout(str(at))).branch == "feature/pushed"
    assert (
        where_was(Turn("t", started=long_ago.started, ended=long_ago.ended, branches=["x"]), [], Checkout(None)).branch
        == "x"
    )


def test_a_note_without_a_turn_is_about_the_turn_that_is_nearest(machine: Machine) -> None:
    at = machine.checkout()
    machine.git("checkout", "-q", "-b", "feature/a", at=at)
    then = note("end", at, turn=None)
    near, far = turn(at, -90, 10), turn(at, -900, -600, branches=["main"])

    assert where_was(near, [then], Checkout(None)).branch == "feature/a"
    assert where_was(far, [then], Checkout(None)).branch == "main"


def test_commits_of_the_turn_are_told_and_amended_ones_too(machine: Machine) -> None:
    at = machine.checkout()
    first = machine.commit(at)
    machine.git("commit", "-q", "--amend", "--allow-empty", "-m", "again", at=at)
    second = machine.git("rev-parse", "HEAD", at=at)

    commits = where_was(turn(at, commits=[first[:7]]), [note("end", at)], Checkout(str(at))).commits
    assert commits[-2:] == [first, second]  # the short name of the first is the same commit


def test_commits_that_a_rebase_or_a_cherry_pick_made_are_told(machine: Machine) -> None:
    at = machine.checkout()
    machine.git("checkout", "-q", "-b", "feature/a", at=at)
    mine = machine.commit(at)
    machine.git("checkout", "-q", "main", at=at)
    machine.commit(at)
    machine.git("checkout", "-q", "feature/a", at=at)
    machine.git("rebase", "-q", "main", at=at)
    rebased = machine.git("rev-parse", "HEAD", at=at)
    machine.git("checkout", "-q", "-b", "feature/b", "main", at=at)
    machine.git("cherry-pick", "--allow-empty", mine, at=at)
    picked = machine.git("rev-parse", "HEAD", at=at)

    commits = where_was(turn(at), [], Checkout(str(at))).commits
    assert {mine, rebased, picked} <= set(commits)


def test_commits_that_were_pulled_or_made_at_another_time_are_not_the_turns(machine: Machine) -> None:
    upstream, at = machine.checkout("upstream"), machine.home / "clone"
    machine.git("clone", "-q", str(upstream), str(at), at=machine.home)
    others = machine.commit(upstream)
    start = note("start", at)
    machine.git("pull", "-q", at=at)

    where = where_was(turn(at), [start, note("end", at)], Checkout(str(at)))
    assert (where.commits, where.head_after, where.head_before) == ([], others, None)
    assert where_was(turn(upstream, -900, -600), [], Checkout(str(upstream))).commits == []


def test_a_head_that_moved_by_the_turns_own_commits_is_told_from_where(machine: Machine) -> None:
    at = machine.checkout()
    start = note("start", at)
    made = machine.commit(at)

    where = where_was(turn(at), [start, note("end", at)], Checkout(str(at)))
    assert (where.head_before, where.head_after) == (start.head, made)


def test_each_worktree_has_a_branch_of_its_own(machine: Machine) -> None:
    at = machine.checkout()
    other = machine.home / "other"
    machine.git("worktree", "add", "-q", "-b", "feature/w", str(other), at=at)

    assert (Checkout(str(at)).branch, Checkout(str(other)).branch) == ("main", "feature/w")
    assert Checkout(str(other)).repository == "acme/widgets"


def test_a_detached_head_is_no_branch(machine: Machine) -> None:
    at = machine.checkout()
    machine.git("checkout", "-q", "--detach", at=at)

    assert where_was(turn(at, branches=["old"]), [note("end", at)], Checkout(str(at))).branch is None


def test_a_git_that_hangs_is_left_alone(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = machine.home / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 30\n")
    slow.chmod(slow.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{slow.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(hook, "GIT_SECONDS", 0.1)

    assert Checkout(str(machine.home)).branch is None


def test_git_may_not_ask_and_is_not_told_where_to_look(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    at = machine.checkout()
    monkeypatch.setenv("GIT_DIR", str(machine.home / "elsewhere"))
    monkeypatch.setenv("GIT_TERMINAL_PROMPT", "1")
    seen = machine.home / "seen"
    spy = machine.home / "bin" / "git"
    spy.parent.mkdir()
    spy.write_text(f"#!/bin/sh\nenv | grep ^GIT_ > '{seen}'\n")
    spy.chmod(0o755)

    assert Checkout(str(at)).branch == "main"
    monkeypatch.setenv("PATH", f"{spy.parent}{os.pathsep}{os.environ['PATH']}")
    hook.git(str(at), "status")
    names = dict(line.split("=", 1) for line in seen.read_text().splitlines())
    assert (names["GIT_TERMINAL_PROMPT"], names["GIT_OPTIONAL_LOCKS"]) == ("0", "0")
    assert "GIT_DIR" not in names


def test_a_repository_cannot_make_git_run_something(machine: Machine) -> None:
    at = machine.checkout()
    ran = machine.home / "ran"
    program = machine.home / "program"
    program.write_text(f"#!/bin/sh\ntouch '{ran}'\n")
    program.chmod(0o755)
    for name in ("core.fsmonitor", "gpg.program", "core.pager"):
        machine.git("config", name, str(program), at=at)
    machine.git("config", "log.showSignature", "true", at=at)

    where_was(turn(at), [note("end", at)], Checkout(str(at)))
    assert not ran.exists()
