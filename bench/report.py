"""The table that `make bench` prints, and the same for machines. It holds what was measured and nothing else."""

import json
import os
import platform
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version


@dataclass(frozen=True, slots=True)
class Line:
    """One bar, or a measurement without one (`most` is None). In seconds, bytes or what else `unit` says.

    `ratio` is ours to the baseline's, None without a baseline: then `most` is about our own figure. `note` says the
    cause of a bar that falls short, or why something was not run.
    """

    bar: str
    what: str
    unit: str = ""
    ours: float | None = None
    baseline: float | None = None
    most: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.baseline if self.ours is not None and self.baseline else None

    @property
    def verdict(self) -> str:
        if self.ours is None:
            return "not run"
        if self.most is None:
            return ""
        reached = self.ours if self.ratio is None else self.ratio
        return "pass" if reached <= self.most else "falls short"


def machine(**servers: str) -> dict[str, str]:
    """Where this was measured."""
    found = {
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "sqlalchemy": version("sqlalchemy"),
    }
    try:
        found["duckdb"] = version("duckdb")
    except PackageNotFoundError:
        found["duckdb"] = "not installed"
    return {**found, **servers}


def as_json(where: Mapping[str, str], lines: Sequence[Line]) -> str:
    found = [{**asdict(line), "ratio": line.ratio, "verdict": line.verdict} for line in lines]
    return json.dumps({"machine": where, "lines": found}, indent=2)


HEAD = ("bar", "what", "ours", "baseline", "ratio", "bar is", "verdict")


def as_table(where: Mapping[str, str], lines: Sequence[Line]) -> str:
    rows = [HEAD, *(_cells(line) for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    text = ["  ".join(f"{name} {value}" for name, value in where.items())]
    for row, line in zip(rows, [None, *lines], strict=True):
        text.append("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if line and line.note:
            text.append(f"{'':{widths[0]}}    {line.note}")
    return "\n".join(text)


def _cells(line: Line) -> tuple[str, ...]:
    ratio = "" if line.ratio is None else f"{line.ratio:.2f}x"
    most = "" if line.most is None else f"<= {line.most:g}x" if line.baseline else f"<= {_figure(line.most, line.unit)}"
    return (
        line.bar,
        line.what,
        _figure(line.ours, line.unit),
        _figure(line.baseline, line.unit),
        ratio,
        most,
        line.verdict,
    )


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    if unit == "s":
        return f"{value * 1000:,.0f} ms"
    if unit == "B":
        return f"{value / 1e6:,.0f} MB"
    return f"{value:,.{0 if value >= 100 else 1}f} {unit}".rstrip()
