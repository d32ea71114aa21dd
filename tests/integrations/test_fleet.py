"""The files for a fleet: each is read as its agent reads it, none has an agent tell what people say, and the hook's
entries do something only where a person has the hook."""

import json
import re
import stat
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from bot.domain.tokens import presented
from integrations import agents, fleet
from integrations.otlp import Media, Signal, decode
from tests.integrations.hook.machine import Machine

URL = "https://leverage.example.com"
TOKEN = "lev_" + 64 * "a"
FILES = {one.agent: one for one in fleet.files(URL, TOKEN)}
JSON = [name for name, one in FILES.items() if one.places[0].endswith(".json")]
HOOKED = {"Claude Code": "claude_code", "Codex": "codex", "Gemini CLI": "gemini_cli", "Cursor, its hook": "cursor"}
SAMPLES = Path(__file__).parents[1] / "samples" / "otlp"


def content(name: str) -> dict[str, Any]:
    read: dict[str, Any] = (json if name in JSON else tomllib).loads(FILES[name].content)
    return read


def test_claude_code_tells_its_events_and_counters():
    assert content("Claude Code")["env"] == {
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_ENDPOINT": URL,
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer {TOKEN}",
        "OTEL_METRICS_INCLUDE_ACCOUNT_UUID": "false",
    }


def test_codex_names_the_whole_address_and_the_token_for_each_signal():
    otel = content("Codex")["otel"]
    for name, path in (("exporter", "/v1/logs"), ("metrics_exporter", "/v1/metrics")):
        (exporter,) = otel.pop(name).items()
        headers = {"Authorization": f"Bearer {TOKEN}"}
        assert exporter == ("otlp-http", {"endpoint": URL + path, "protocol": "json", "headers": headers})
    assert otel == {"log_user_prompt": False}


@pytest.mark.parametrize("name", ["Gemini CLI", "Qwen Code"])
def test_gemini_and_qwen_are_told_not_to_log_prompts_as_they_would(name):
    telemetry = {"enabled": True, "target": "local", "otlpEndpoint": URL, "otlpProtocol": "http", "logPrompts": False}
    assert content(name)["telemetry"] == telemetry


def test_copilots_content_stays_off_for_everybody():
    assert content("GitHub Copilot, CLI and VS Code") == {
        "telemetry": {
            "enabled": True,
            "endpoint": URL,
            "protocol": "http/json",
            "captureContent": False,
            "lockCaptureContent": True,
            "headers": {"Authorization": f"Bearer {TOKEN}"},
        }
    }


def test_every_header_is_one_that_the_server_reads_the_token_from():
    headers = re.findall(r'Authorization"?(?:=|: | = )"?(Bearer[ %][^"\n]+)', fleet.text(URL, TOKEN))
    assert len(headers) == 6  # Claude Code, Codex twice, Gemini CLI, Qwen Code, Copilot
    assert {presented(header) for header in headers} == {TOKEN}


def test_no_file_switches_on_that_content_is_sent():
    switches = r"OTEL_LOG_\w+|CAPTURE_MESSAGE_CONTENT|(?:log_user_prompt|logPrompts|captureContent)\W+true"
    assert re.findall(switches, fleet.text(URL, TOKEN)) == []
    assert re.findall(switches, '"logPrompts": true, log_user_prompt = true'), "it would be found"


def test_each_file_says_where_it_belongs_on_each_system():
    printed = fleet.text(URL, TOKEN)
    for file in FILES.values():
        assert all(place in printed for place in file.places)
        assert file.content in printed
        linux, mac, windows = file.places
        assert linux.startswith(("/etc/", "~/"))
        assert mac.startswith(("/Library/Application Support/", "/etc/codex/", "~/"))
        assert windows.startswith(("C:\\", "%USERPROFILE%\\"))


# Whose work it is


@pytest.mark.parametrize(("sample", "signal"), [("qwen_code.logs", Signal.LOGS), ("copilot_cli.traces", Signal.TRACES)])
def test_the_address_that_device_management_gives_an_agent_is_read(sample, signal):
    body = json.loads((SAMPLES / f"{sample}.json").read_text())
    (resources,) = (one for key, one in body.items() if key.startswith("resource"))
    for one in resources:
        one["resource"]["attributes"].append({"key": "user.email", "value": {"stringValue": "ann@example.com"}})
    told, _ = agents.read(decode(signal, Media.JSON, json.dumps(body).encode(), agents.ALLOWED).records)
    assert {one.telemetry.email for one in told} == {"ann@example.com"}


# The hook


def commands(name: str) -> list[str]:
    entries = [entry for event in content(name)["hooks"].values() for entry in event]
    return [one["command"] for entry in entries for one in entry.get("hooks", [entry])]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize(("name", "agent"), HOOKED.items())
def test_where_nobody_installed_the_hook_its_entry_is_silent(machine, name, agent):
    expected = b"{}\n" if agent in ("gemini_cli", "cursor") else b""
    for command in commands(name):
        done = machine.run(["sh", "-c", command], b'{"session_id": "s"}')
        assert (done.returncode, done.stdout, done.stderr) == (0, expected, b"")


@pytest.mark.parametrize(("name", "agent"), HOOKED.items())
def test_where_a_person_installed_it_the_entry_calls_it(machine, name, agent):
    install(machine)
    caught = machine.home / "caught"
    (machine.config / "hook.py").write_text(  # the worker that the entry starts, in the hook's place
        f"import sys; open({str(caught)!r}, 'w').write(sys.argv[2] + sys.stdin.read())"
    )
    done = machine.run(["sh", "-c", commands(name)[-1]], b'{"session_id": "s", "prompt": "canary"}')
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == (b"{}" if agent in ("gemini_cli", "cursor") else b"")
    assert written(caught) == agent + '{"session_id": "s"}'


def test_the_managed_hook_changes_nothing_of_the_agents_own_settings(machine):
    for folder in (".codex", ".gemini", ".cursor"):
        (machine.home / folder).mkdir()
    install(machine)
    assert {path.name for path in machine.home.iterdir()} == {".config", ".codex", ".gemini", ".cursor"}
    assert not any(any((machine.home / folder).iterdir()) for folder in (".codex", ".gemini", ".cursor"))
    assert stat.S_IMODE((machine.config / "hook.json").stat().st_mode) == 0o600
    assert machine.hook("uninstall").returncode == 0
    assert not machine.config.exists()


def install(machine: Machine) -> None:
    done = machine.hook("install", "--managed", "--url", URL, "--token", TOKEN)
    assert (done.returncode, done.stderr) == (0, b"")


def written(path: Path) -> str:
    """What the detached worker wrote, waited for."""
    for _ in range(200):
        if path.is_file() and (text := path.read_text()):
            return text
        time.sleep(0.05)
    return ""
