"""`make` with a Python that somebody named: it is the one that is used, or the reason why not is said."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[1] / "Makefile"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    shutil.copy(MAKEFILE, tmp_path)
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).touch()
    return tmp_path


def python(path: Path, version: str) -> Path:
    """A Python that says it is of this version, whatever it is asked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{version}'\n")
    path.chmod(0o755)
    return path


def make(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Not as part of the `make` that may run this test."""
    return subprocess.run(
        ["make", *arguments],
        cwd=clone,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("there", [False, True])
def test_a_python_that_is_not_there_is_told(clone, there):
    if there:
        python(clone / ".venv/bin/python", "(3, 11)")
    done = make(clone, "demo", "PYTHON=nopython")
    assert done.returncode != 0
    assert done.stderr.startswith("there is no nopython here; name a Python 3.11 or newer with PYTHON=...\n")


def test_another_python_than_that_of_the_venv_is_told(clone):
    python(clone / ".venv/bin/python", "(3, 11)")
    other = python(clone / "other", "(3, 12)")
    done = make(clone, "demo", f"PYTHON={other}")
    assert done.returncode != 0
    assert done.stderr.startswith(f".venv was made with another Python than {other}; run `make clean` first\n")


@pytest.mark.parametrize("named", [[], [f"PYTHON={sys.executable}"]])
def test_who_names_the_same_python_or_none_is_not_held_up(clone, named):
    version = str(sys.version_info[:2]) if named else "(2, 7)"
    python(clone / ".venv/bin/python", version)
    python(clone / ".venv/bin/leverage", "eight Mondays")
    (clone / ".venv/.runtime").touch()
    done = make(clone, "demo", *named)
    assert (done.returncode, done.stdout, done.stderr) == (0, "eight Mondays\n", "")
