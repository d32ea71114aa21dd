"""The command as people type it: a process of its own in a folder, with no settings but those that are named."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LEVERAGE = [sys.executable, "-m", "bot"]


def environment(**settings: str) -> dict[str, str]:
    secret = {"LEVERAGE_SECRET_KEY": "a secret of at least thirty-two characters"}
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "COLUMNS": "80"} | secret | settings


def run(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LEVERAGE, *arguments],
        cwd=folder,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def one_line(folder: Path, *arguments: str, code: int = 1, **settings: str) -> str:
    done = run(folder, *arguments, **settings)
    assert (done.returncode, done.stdout) == (code, "")
    (line,) = done.stderr.splitlines()
    return line.removeprefix("leverage: ")
