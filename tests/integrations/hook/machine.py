"""A developer's machine for one test: a home of its own, agents' folders in it, and hook.py run as people run it."""

import gzip
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
HOOK = ROOT / "integrations" / "hook.py"
SAMPLES = ROOT / "tests" / "samples" / "transcripts"
TOKEN = "lev_" + "t" * 43
HOMES = {  # where on the machine the folders of the samples belong
    "claude": ".claude",
    "codex": ".codex",
    "gemini": ".gemini",
    "qwen": ".qwen",
    "copilot": ".copilot",
}
QUICK = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def opencode_database(home: Path) -> Path:
    """opencode's database, out of the rows in the samples."""
    rows = json.loads((SAMPLES / "opencode" / "opencode_db_rows.json").read_text())
    home.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(home / "opencode.db")
    with database:
        database.execute("CREATE TABLE session (id TEXT, parent_id TEXT, directory TEXT, time_created INTEGER)")
        database.execute("CREATE TABLE message (id TEXT, session_id TEXT, time_created INTEGER, data TEXT)")
        for row in rows["session"]:
            values = [row[name] for name in ("id", "parent_id", "directory", "time_created")]
            database.execute("INSERT INTO session VALUES (?, ?, ?, ?)", values)
        for row in rows["message"]:
            values = [row["id"], row["session_id"], row["time_created"], json.dumps(row["data"])]
            database.execute("INSERT INTO message VALUES (?, ?, ?, ?)", values)
    database.close()
    return home


def told(name: str) -> dict[str, Any]:
    """What an agent told its hook, as captured."""
    told: dict[str, Any] = json.loads((SAMPLES / "hooks" / f"{name}.json").read_text())
    return told


@dataclass
class Machine:
    home: Path
    python: str = sys.executable
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "LC_ALL": "C.UTF-8", **QUICK, **self.extra}

    @property
    def config(self) -> Path:
        return self.home / ".config" / "leverage"

    def hook(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return self.run([self.python, str(HOOK), *arguments], stdin)

    def run(
        self, command: list[str], stdin: bytes = b"", cwd: Path | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            command,
            input=stdin,
            env=self.environment,
            cwd=cwd or self.home,
            capture_output=True,
            check=False,
            timeout=60,
        )

    def install(self, url: str = "https://leverage.example.com") -> None:
        done = self.hook("install", "--url", url, "--token", TOKEN, "--yes")
        assert done.returncode == 0, done.stderr

    def work(self, agent: str, said: dict[str, Any]) -> None:
        """What the child does with what an agent says, waited for."""
        program = str(self.config / "hook.py")
        done = self.run([self.python, "-I", "-S", program, "work", agent], json.dumps(said).encode())
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")

    def tell(self, agent: str, said: Any) -> subprocess.CompletedProcess[bytes]:
        """An agent calls its hook, by the command that is in its settings."""
        return self.run(["sh", "-c", self.command(agent)], json.dumps(said).encode())

    def command(self, agent: str) -> str:
        files = {"claude_code": ".claude/settings.json", "codex": ".codex/hooks.json", "cursor": ".cursor/hooks.json"}
        files["gemini_cli"] = ".gemini/settings.json"
        hooks = json.loads((self.home / files[agent]).read_text())["hooks"]
        entry = hooks.get("Stop", hooks.get("AfterAgent", hooks.get("stop")))[-1]
        command: str = entry.get("hooks", [entry])[0]["command"]
        return command

    def copy(self, sample: str, to: str | None = None) -> Path:
        place = self.home / (to or HOMES[sample])
        shutil.copytree(SAMPLES / sample, place, dirs_exist_ok=True)
        return place

    def git(self, *arguments: str, at: Path) -> str:
        named = ["-c", "user.name=dev", "-c", "user.email=dev@example.com", "-c", "init.defaultBranch=main"]
        done = self.run(["git", *named, *arguments], cwd=at)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode().strip()

    def checkout(self, name: str = "src", remote: str = "git@github.com:acme/widgets.git") -> Path:
        """A clone with one commit on main."""
        at = self.home / name
        at.mkdir(parents=True)
        self.git("init", "-q", at=at)
        self.git("remote", "add", "origin", remote, at=at)
        self.commit(at)
        return at

    def commit(self, at: Path) -> str:
        self.git("commit", "-q", "--allow-empty", "-m", "secret words of a commit", at=at)
        return self.git("rev-parse", "HEAD", at=at)

    def documents(self, *arguments: str) -> list[dict[str, Any]]:
        """What `send --dry-run` prints."""
        done = self.hook("send", "--dry-run", "--since", "2025-01-01", *arguments)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def waiting(self) -> list[dict[str, Any]]:
        spool = sorted((self.config / "hook" / "spool").glob("*.json.gz"))
        return [json.loads(gzip.decompress(path.read_bytes())) for path in spool]


def until(true: Callable[[], Any], seconds: float = 20) -> Any:
    """The worker is on its own: wait for what it does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = true()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("the worker did not do it in time")


@dataclass
class Server:
    """A Leverage that takes whatever comes, and answers as it is told to."""

    url: str
    bodies: list[dict[str, Any]] = field(default_factory=list)
    tokens: set[str | None] = field(default_factory=set)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: int = 0


@contextmanager
def server(port: int = 0) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
            here.asked += 1
            here.tokens.add(self.headers["Authorization"])
            if here.status == 200 and self.path == "/v1/sessions":
                here.bodies.append(json.loads(body))
            self.send_response(here.status)
            for name, value in here.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            here.asked += 1
            here.tokens.add(self.headers["Authorization"])
            self.send_error(404)

        def log_message(self, *_: Any) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    here = Server(f"http://127.0.0.1:{listening.server_port}")
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    try:
        yield here
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()
