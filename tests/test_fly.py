"""`fly.toml` keeps a deployment alive, alone with its database, and free of secrets."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).parents[1] / "fly.toml"


@pytest.fixture(scope="module")
def fly() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text())


def test_the_machine_never_stops_or_sleeps(fly):
    service = fly["http_service"]
    assert service["auto_stop_machines"] == "off"
    assert service["auto_start_machines"] is True
    assert service["min_machines_running"] == 1


def test_a_machine_that_ended_is_started_again(fly):
    assert [restart["policy"] for restart in fly["restart"]] == ["always"]


def test_work_on_its_way_has_time_to_end(fly):
    assert (fly["kill_signal"], fly["kill_timeout"]) == ("SIGTERM", 30)


def test_the_edge_is_https_and_limits_what_comes_in(fly):
    service = fly["http_service"]
    assert service["force_https"] is True
    assert service["internal_port"] == int(fly["env"]["PORT"]) == 8080
    assert service["concurrency"] == {"type": "requests", "soft_limit": 50, "hard_limit": 100}


def test_health_is_asked_for_every_fifteen_seconds(fly):
    check = {"method": "GET", "path": "/healthz", "interval": "15s", "timeout": "2s", "grace_period": "20s"}
    assert fly["http_service"]["checks"] == [check]


def test_the_database_lies_on_a_volume_that_grows_and_is_kept(fly):
    mount = fly["mounts"]
    assert fly["env"]["DATABASE_URL"].startswith(f"sqlite:///{mount['destination']}/")
    assert (mount["destination"], mount["initial_size"], mount["snapshot_retention"]) == ("/data", "3gb", 30)
    assert {"auto_extend_size_threshold", "auto_extend_size_increment", "auto_extend_size_limit"} <= mount.keys()


def test_one_machine_migrates_at_its_start_because_a_release_command_has_no_volume(fly):
    assert fly["deploy"] == {"strategy": "rolling"}


def test_the_postgresql_variant_in_the_comments_migrates_before_a_release(fly):
    variant = "\n".join(re.findall(r"^# (\[deploy\]|\w+ = .*)$", FILE.read_text(), re.MULTILINE))
    assert tomllib.loads(variant)["deploy"]["release_command"] == "leverage migrate"


def test_it_holds_no_secret(fly):
    assert set(fly["env"]) == {"PORT", "DATABASE_URL", "LEVERAGE_CONFIG"}


def test_memory_is_small(fly):
    assert [machine["memory"] for machine in fly["vm"]] == ["512mb"]
    assert fly["swap_size_mb"] == 256
