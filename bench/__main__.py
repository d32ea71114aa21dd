"""`make bench`: measure the bars that are named, all by default, and print them as one table."""

import argparse
import importlib.util
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.report import Line, as_json, as_table, machine
from bench.teams import Size

INGEST, GROWTH, DIGESTS, LOCAL = ("B1", "B2", "B4"), ("B3", "B5"), ("B6", "B7"), ("B10",)
BARS = ("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B10")
Found = tuple[list[Line], dict[str, str]]


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    bars = asked.bars or list(BARS)
    lines: list[Line] = []
    servers: dict[str, str] = {}
    for measure, known in ((_ingest, INGEST), (_growth, GROWTH), (_digests, DIGESTS), (_local, LOCAL)):
        wanted = [bar for bar in known if bar in bars]
        if wanted:
            with tempfile.TemporaryDirectory(prefix="leverage-bench-") as folder:
                found, took_part = measure(Path(folder), wanted, asked)
            lines += found
            servers |= took_part
    show = as_json if asked.json else as_table
    lines.sort(key=lambda line: BARS.index(line.bar))
    sys.stdout.write(show(machine(**servers), lines) + "\n")
    return 0


def _ingest(folder: Path, bars: Sequence[str], asked: argparse.Namespace) -> Found:
    from bench.ingest import Ingest

    return Ingest(folder, _say, asked.requests, asked.seconds).run(bars), {}


def _growth(folder: Path, bars: Sequence[str], asked: argparse.Namespace) -> Found:
    from bench.growth import Growth

    return Growth(folder, _say, many=asked.stored, few=asked.stored // 8).run(bars), {}


def _digests(folder: Path, bars: Sequence[str], asked: argparse.Namespace) -> Found:
    if importlib.util.find_spec("duckdb") is None:
        return [Line(bar, "the digest of all teams", note="duckdb is not installed") for bar in bars], {}
    from bench.digests import Digests

    return Digests(folder, Size(asked.people, asked.events), _say).run(bars)


def _local(folder: Path, _bars: Sequence[str], asked: argparse.Namespace) -> Found:
    from bench.local import LocalRuns

    return LocalRuns(folder, _say, asked.megabytes * 10**6).run()


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
    parser.add_argument("--events", type=int, default=Size().events, help="B6, B7: how many events, at least")
    parser.add_argument("--people", type=int, default=Size().people, help="B6, B7: of how many people")
    parser.add_argument("--requests", type=int, default=20_000, help="B1, B2, B4: how many requests a round")
    parser.add_argument("--seconds", type=int, default=15, help="B1: how long requests are offered over HTTP")
    parser.add_argument("--stored", type=int, default=4_000_000, help="B3: rows stored, against an eighth of them")
    parser.add_argument("--megabytes", type=int, default=300, help="B10: how much of transcripts")
    return parser


if __name__ == "__main__":
    sys.exit(main())
