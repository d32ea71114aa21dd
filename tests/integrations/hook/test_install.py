"""Installing into agents' settings and out again: shown, asked for, and byte for byte as before."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.integrations.hook.machine import HOOK, TOKEN, Machine

SETTINGS = (
    '{\n    "model": "opus",\n    "permissions": {"allow": ["Bash(ls:*)"]},\n    "note": "schön"\n}'  # no end of line
)
LINE = """{
\t"statusLine": {"type": "command", "command": "sh ~/line.sh", "padding": 0},
\t"hooks": {
\t\t"Stop": [{"hooks": [{"type": "command", "command": "say done"}]}],
\t\t"PreToolUse": []
\t}
}
"""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def settings(machine: Machine) -> Path:
    return machine.home / ".claude" / "settings.json"


def given(machine: Machine, text: str) -> Path:
    settings(machine).parent.mkdir()
    settings(machine).write_text(text)
    return settings(machine)


def everything(machine: Machine) -> dict[str, tuple[bytes, int]]:
    """Each file of the home with its bytes and mode, and each folder."""
    found = {}
    for path in machine.home.rglob("*"):
        found[str(path.relative_to(machine.home))] = (path.read_bytes() if path.is_file() else b"", path.stat().st_mode)
    return found


def loaded(machine: Machine) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(settings(machine).read_text())
    return told


@pytest.mark.parametrize("text", [SETTINGS, LINE, "{}", "", LINE.replace("\n", "\r\n"), '{"hooks": {}}\n'])
def test_uninstall_gives_back_every_byte(machine: Machine, text: str) -> None:
    path = given(machine, "")
    path.write_bytes(text.encode())
    path.chmod(0o640)
    for agent in (".codex", ".gemini", ".cursor"):
        (machine.home / agent).mkdir()
    (machine.home / ".gemini" / "settings.json").write_text('{"theme": "dark"}')
    before = everything(machine)
    machine.install()
    assert everything(machine) != before

    done = machine.hook("uninstall")
    assert (done.returncode, done.stderr) == (0, b"")
    left = everything(machine)
    left.pop(".config", None)
    assert left == before


def test_on_a_machine_without_any_agent_nothing_is_left_behind(machine: Machine) -> None:
    machine.install()
    assert "Stop" in loaded(machine)["hooks"]
    assert not (machine.home / ".codex").exists()
    assert machine.hook("uninstall").returncode == 0
    assert not settings(machine).parent.exists()
    assert not machine.config.exists()


def test_what_was_there_is_kept_and_goes_on(machine: Machine) -> None:
    given(machine, LINE)
    machine.install()

    told = loaded(machine)
    assert told["hooks"]["Stop"][0] == {"hooks": [{"type": "command", "command": "say done"}]}
    assert len(told["hooks"]["Stop"]) == 2
    assert set(told["hooks"]) == {"PreToolUse", "SessionStart", "UserPromptSubmit", "Stop", "SessionEnd"}
    assert told["statusLine"]["padding"] == 0
    assert settings(machine).read_text().startswith('{\n\t"statusLine"')


def test_after_other_changes_only_ours_is_taken_out(machine: Machine) -> None:
    path = given(machine, LINE)
    machine.install()
    told = loaded(machine)
    told["model"] = "sonnet"
    told["hooks"]["Stop"].insert(0, {"hooks": [{"type": "command", "command": "theirs"}]})
    told["hooks"]["SessionEnd"][0]["hooks"].append({"type": "command", "command": "beside ours"})
    path.write_text(json.dumps(told, indent="\t"))

    assert machine.hook("uninstall").returncode == 0
    expected = json.loads(LINE)
    expected["model"] = "sonnet"
    expected["hooks"]["Stop"].insert(0, {"hooks": [{"type": "command", "command": "theirs"}]})
    expected["hooks"]["SessionEnd"] = [{"hooks": [{"type": "command", "command": "beside ours"}]}]
    assert loaded(machine) == expected


def test_a_change_that_was_taken_back_leaves_the_old_bytes(machine: Machine) -> None:
    path = given(machine, SETTINGS)
    machine.install()
    path.write_text(json.dumps(loaded(machine)))  # written anew by somebody, with the same content

    assert machine.hook("uninstall").returncode == 0
    assert path.read_text() == SETTINGS


def test_a_status_line_that_was_changed_since_stays_as_it_is(machine: Machine) -> None:
    path = given(machine, LINE)
    machine.install()
    path.write_text(json.dumps({**loaded(machine), "statusLine": {"type": "command", "command": "new"}}))

    assert machine.hook("uninstall").returncode == 0
    assert loaded(machine)["statusLine"] == {"type": "command", "command": "new"}


def test_installing_twice_is_like_once_and_still_gives_back_every_byte(machine: Machine) -> None:
    path = given(machine, LINE)
    machine.install()
    once = path.read_bytes()
    machine.install("https://other.example.com")

    assert path.read_bytes() == once
    assert json.loads((machine.config / "hook.json").read_text())["url"] == "https://other.example.com"
    assert (machine.config / "hook" / "status_line").read_text() == "sh ~/line.sh"
    assert machine.hook("uninstall").returncode == 0
    assert path.read_text() == LINE


def test_it_shows_the_change_and_asks_first(machine: Machine) -> None:
    path = given(machine, SETTINGS)
    before = everything(machine)
    done = machine.hook("install", "--url", "https://l.example.com", "--token", TOKEN, stdin=b"n\n")

    assert done.returncode == 1
    assert f"--- {path}".encode() in done.stdout
    assert b'+    "statusLine": {' in done.stdout
    assert everything(machine) == before
    assert machine.hook("install", "--url", "https://l.example.com", "--token", TOKEN, stdin=b"y\n").returncode == 0
    assert b"hook_start.py" in path.read_bytes()


def test_without_anybody_to_ask_nothing_is_written(machine: Machine) -> None:
    done = machine.hook("install", "--url", "https://l.example.com", "--token", TOKEN)

    assert (done.returncode, everything(machine)) == (1, {})
    assert b"With --yes it does not ask" in done.stderr


def test_address_and_token_are_for_their_owner_only_and_shown_nowhere(machine: Machine) -> None:
    given(machine, SETTINGS)
    done = machine.hook("install", "--url", "https://l.example.com/", "--token", TOKEN, "--yes")

    told = machine.config / "hook.json"
    assert stat.S_IMODE(told.stat().st_mode) == 0o600
    assert stat.S_IMODE((machine.config / "hook").stat().st_mode) == 0o700
    assert json.loads(told.read_text()) == {"url": "https://l.example.com", "token": TOKEN}
    assert TOKEN.encode() not in done.stdout + done.stderr + settings(machine).read_bytes()


def test_the_token_may_come_from_the_environment(machine: Machine) -> None:
    machine.extra["LEVERAGE_TOKEN"] = TOKEN
    assert machine.hook("install", "--url", "https://l.example.com", "--yes").returncode == 0
    assert json.loads((machine.config / "hook.json").read_text())["token"] == TOKEN


@pytest.mark.parametrize(
    "url",
    [
        *("http://l.example.com", "ftp://l.example.com", "l.example.com", "https://", "https://u:p@l.example.com"),
        *("http://127.0.0.1.example.com", "https://l.example.com?x=1", "https://["),
    ],
)
def test_a_token_goes_over_https_only(machine: Machine, url: str) -> None:
    done = machine.hook("install", "--url", url, "--token", TOKEN, "--yes")

    assert (done.returncode, everything(machine)) == (1, {})
    assert done.stderr.startswith(b"The address has to be https:// and a host")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"])
def test_this_machine_itself_needs_no_https(machine: Machine, url: str) -> None:
    assert machine.hook("install", "--url", url, "--token", TOKEN, "--yes").returncode == 0


def test_settings_with_comments_are_left_alone_and_named(machine: Machine) -> None:
    (machine.home / ".gemini").mkdir()
    commented = machine.home / ".gemini" / "settings.json"
    commented.write_text("{\n  // my theme\n  'theme': 'dark'\n}")
    done = machine.hook("install", "--url", "https://l.example.com", "--token", TOKEN, "--yes")

    assert done.returncode == 0
    assert f"{commented} is left as it is: it is no plain JSON (comments?).".encode() in done.stdout
    assert "my theme" in commented.read_text()
    assert machine.hook("uninstall").returncode == 0


def test_settings_that_became_unreadable_are_left_and_the_way_out_is_told(machine: Machine) -> None:
    path = given(machine, SETTINGS)
    machine.install()
    path.write_text(path.read_text() + "// a note")
    done = machine.hook("uninstall")

    assert done.returncode == 1
    assert b"Take the entries with" in done.stderr
    assert (machine.config / "hook.json").exists()


def test_a_link_to_settings_elsewhere_stays_a_link(machine: Machine) -> None:
    real = machine.home / "dotfiles.json"
    real.write_text(SETTINGS)
    settings(machine).parent.mkdir()
    settings(machine).symlink_to(real)
    machine.install()

    assert settings(machine).is_symlink()
    assert b"hook_start.py" in real.read_bytes()
    machine.hook("uninstall")
    assert (settings(machine).is_symlink(), real.read_text()) == (True, SETTINGS)


def test_agents_that_keep_their_settings_elsewhere_are_found_there(machine: Machine) -> None:
    machine.extra |= {"CLAUDE_CONFIG_DIR": str(machine.home / "cc"), "CODEX_HOME": str(machine.home / "cx")}
    (machine.home / "cx").mkdir()
    machine.install()
    assert (machine.home / "cc" / "settings.json").exists()
    assert (machine.home / "cx" / "hooks.json").exists()
    machine.extra.clear()  # by the time it is taken out, the variables are gone

    assert machine.hook("uninstall").returncode == 0
    assert not (machine.home / "cc").exists()
    assert not (machine.home / "cx" / "hooks.json").exists()


def test_the_config_may_be_elsewhere_and_agents_still_find_it(machine: Machine) -> None:
    machine.extra["LEVERAGE_HOOK_CONFIG"] = str(machine.home / "mine" / "hook.json")
    machine.install()
    machine.extra.clear()

    done = machine.run([machine.python, str(machine.home / "mine" / "hook.py"), "status"])
    assert b"claude_code installed" in done.stdout


def test_without_an_installation_it_says_what_to_do(machine: Machine) -> None:
    done = machine.hook("status")

    assert done.returncode == 1
    assert done.stderr.startswith(b"The hook is not set up: run `python3 hook.py install")
    assert machine.hook("uninstall").stdout == b"The hook is not installed here.\n"


def test_a_folder_that_may_not_be_written_is_named(machine: Machine) -> None:
    (machine.home / ".config").write_text("a file where a folder has to be")
    done = machine.hook("install", "--url", "https://l.example.com", "--token", TOKEN, "--yes")

    assert done.returncode == 1
    assert done.stderr.startswith(b"It did not work: Not a directory (") or b"File exists" in done.stderr


@pytest.mark.parametrize("arguments", [(), ("sell",), ("install",)])
def test_wrong_usage_is_an_exit_code_of_two(machine: Machine, arguments: tuple[str, ...]) -> None:
    assert machine.hook(*arguments).returncode == 2


def test_what_agents_run_ends_well_even_when_the_files_are_gone(machine: Machine) -> None:
    """Exit code 2 would stop an agent's work, and it is what Python ends with when its script is missing."""
    machine.install()
    command = machine.command("claude_code")
    for name in ("hook_start.py", "hook.py"):
        os.unlink(machine.config / name)

    assert machine.run(["sh", "-c", command], b"{}").returncode == 0


def test_the_starter_is_the_beginning_of_the_program(machine: Machine) -> None:
    machine.install()
    start, program = ((machine.config / name).read_text() for name in ("hook_start.py", "hook.py"))

    assert program == HOOK.read_text()
    assert program.startswith(start.removesuffix("_hand_over(sys.argv[1:])\n"))
    assert len(start.splitlines()) < 200


def test_with_nobody_to_ask_for_the_token_it_says_so_and_changes_nothing(machine: Machine) -> None:
    before = sorted(machine.home.rglob("*"))
    done = machine.hook("install", "--url", "https://leverage.example.com")
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"give it with --token, or in LEVERAGE_TOKEN" in done.stderr
    assert sorted(machine.home.rglob("*")) == before


def test_where_no_agent_could_be_set_up_it_does_not_end_well(machine: Machine) -> None:
    settings = machine.home / ".claude" / "settings.json"
    settings.parent.mkdir()
    settings.write_text("{bad")
    done = machine.hook("install", "--url", "https://leverage.example.com", "--token", TOKEN, "--yes")
    assert (done.returncode, settings.read_text()) == (1, "{bad")
    assert b"no agent calls the hook yet" in done.stderr
