"""`make bench`: measure the bars that are named, all by default, and print them as one table."""

import argparse
import importlib.util
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.report import Line, as_json, as_table, machine
from bench.teams import Size

BARS = ("B6", "B7")


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    bars = asked.bars or list(BARS)
    if importlib.util.find_spec("duckdb") is None:
        lines = [Line(bar, "the digest of all teams", note="duckdb is not installed") for bar in bars]
        where = machine()
    else:
        lines, servers = _measure(bars, Size(asked.people, asked.events))
        where = machine(**servers)
    show = as_json if asked.json else as_table
    sys.stdout.write(show(where, lines) + "\n")
    return 0


def _measure(bars: Sequence[str], size: Size) -> tuple[list[Line], dict[str, str]]:
    from bench.digests import Digests

    with tempfile.TemporaryDirectory(prefix="leverage-bench-") as folder:
        return Digests(Path(folder), size, _say).run(bars)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _bar(name: str) -> str:
    if name not in BARS:
        raise argparse.ArgumentTypeError(f"there is no bar {name!r}")
    return name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("bars", nargs="*", metavar="BAR", type=_bar, help=f"of {', '.join(BARS)}; all by default")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--events", type=int, default=Size().events, help="how many events, at least")
    parser.add_argument("--people", type=int, default=Size().people, help="of how many people")
    return parser


if __name__ == "__main__":
    sys.exit(main())
