"""An invented GitHub with one App on it, for tests without sockets (`connect`) and as a server (`server.py`)."""

from collections import deque
from collections.abc import Mapping
from typing import Any

from graphql import parse as parse_query
from graphql.language import OperationDefinitionNode

from integrations.outcomes.github import READ
from integrations.outcomes.github.problems import check_token
from integrations.outcomes.github.wire import Reply
from tests.fake_github.graphql import Trees, execute, refusal
from tests.fake_github.rest import MISSING, Pages, page, split
from tests.fake_github.world import FakeAccount, FakeRepository

APP_URL = "https://github.example/apps/leverage"


class FakeGitHub:
    """Tell it what to hold and what to refuse; `calls` says what it was asked, one entry a request.

    `hidden` are the parts that GraphQL does not show of private repositories: commits, and with them the default
    branch, as on GitHub for an App without `contents: read`; clear it for an App that has it.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.variables: list[Mapping[str, Any]] = []
        self.hidden = {"commits"}
        self.refuse_forks = False
        self.budget = (5000, 5000)
        self.resets_at = 1_778_000_400
        self._accounts: dict[str, FakeAccount] = {}
        self._repositories: dict[str, FakeRepository] = {}
        self._teams: dict[str, list[str]] = {}
        self._installed: dict[str, Mapping[str, str]] = {}
        self._failures: deque[tuple[str, Reply]] = deque()
        self._losses: deque[tuple[str, Reply | None]] = deque()
        self._pages = Pages(self._accounts, self._find)

    # --- what it holds

    def user(self, login: str, id: str | None = None, kind: str = "User") -> FakeAccount:
        account = FakeAccount(login, kind, id)
        self._accounts[login.lower()] = account
        return account

    def bot(self, login: str) -> FakeAccount:
        return self.user(login, kind="Bot")

    def team(self, name: str, *logins: str) -> None:
        self.install(name.partition("/")[0])
        self._teams[name.lower()] = list(logins)
        for login in logins:
            self._accounts.setdefault(login.lower(), FakeAccount(login))

    def repository(self, name: str, *, private: bool = False, id: str | None = None) -> FakeRepository:
        """One that the App was given."""
        repository = FakeRepository(name, id or f"R_{name.partition('/')[2]}", private)
        self._repositories[name.lower()] = repository
        self.install(name.partition("/")[0])
        return repository

    def install(self, account: str, permissions: Mapping[str, str] = READ) -> None:
        self._installed[account.lower()] = permissions

    def rename(self, repository: FakeRepository, name: str) -> None:
        """It stays the same repository and is found by both names."""
        repository.name = name
        self._repositories[name.lower()] = repository

    # --- what it refuses

    def fail(self, call: str, status: int, message: str = "", *, times: int = 1, **headers: str) -> None:
        """The next calls whose entry in `calls` contains this text fail. Headers are written with `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answer(call, Reply(status, {"message": message}, named), times=times)

    def complain(self, call: str, kind: str | None, *path: str | int, times: int = 1, **headers: str) -> None:
        """The next such queries come back with an error and no data."""
        complaint = {"message": "Something is not right", "path": list(path)} | ({"type": kind} if kind else {})
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answer(call, Reply(200, {"data": None, "errors": [complaint]}, named), times=times)

    def answer(self, call: str, reply: Reply, *, times: int = 1) -> None:
        self._failures.extend([(call, reply)] * times)

    def lose(self, call: str, reply: Reply | None = None, *, times: int = 1) -> None:
        """The next such calls are done by the emulator, and then answered otherwise: by this, or by nothing at all."""
        self._losses.extend([(call, reply)] * times)

    # --- how it is asked

    def connect(self, app_id: str, private_key: str, base_url: str) -> "FakeApp":
        """For `GitHubOutcomes(..., connect=fake.connect)`: no key, no address, no socket."""
        return FakeApp(self)

    def graphql(self, query: str, variables: Mapping[str, Any]) -> Reply:
        operation = next(node for node in parse_query(query).definitions if isinstance(node, OperationDefinitionNode))
        self.variables.append(variables)
        trees = Trees(self._accounts, self.hidden | {"forks"} if self.refuse_forks else self.hidden)
        root = {
            "repository": lambda _info, owner, name: self._repository_tree(trees, f"{owner}/{name}"),
            "user": lambda _info, login: trees.user(login),
            "node": lambda _info, id: self._node(trees, id),
        }
        planned = self.planned(operation.name.value if operation.name else "?")
        return planned or self.reply(execute(root, query, variables))

    def get(self, path: str) -> Reply | None:
        """A REST page of a repository it holds; None for everything else."""
        found = self._pages.get(path)
        return found and (self.planned(f"GET {path}") or self.reply(found.body, found.status))

    def get_alone(self, path: str) -> Reply:
        """Without the emulator behind it: installations and teams too."""
        return self.get(path) or self.planned(f"GET {path}") or self._other_page(*split(path))

    def planned(self, call: str) -> Reply | None:
        """Note the call; the answer if somebody planned one."""
        self.calls.append(call)
        for failure in self._failures:
            if failure[0] in call:
                self._failures.remove(failure)
                return failure[1]
        return None

    def lost(self, call: str) -> tuple[str, Reply | None] | None:
        """What is to become of the answer to a call that was done, if anything was planned."""
        for loss in self._losses:
            if loss[0] in call:
                self._losses.remove(loss)
                return loss
        return None

    def reply(self, body: Any, status: int = 200) -> Reply:
        remaining, limit = self.budget
        numbers = {"remaining": remaining, "limit": limit, "reset": self.resets_at}
        return Reply(status, body, {f"x-ratelimit-{name}": str(number) for name, number in numbers.items()})

    def _find(self, name: str) -> FakeRepository | None:
        return self._repositories.get(name.lower())

    def _repository_tree(self, trees: Trees, name: str) -> Any:
        found = self._find(name)
        if found is None:
            raise refusal("NOT_FOUND", f"Could not resolve to a Repository with the name '{name}'.")
        return trees.repository(found)

    def _node(self, trees: Trees, id: str) -> Any:
        pulls = ((repository, pull) for repository in self._repositories.values() for pull in repository.pulls)
        return next((trees.pull(*found) for found in pulls if found[0].pulls_id(found[1]) == id), None)

    def _other_page(self, where: str, query: str) -> Reply:
        match where.strip("/").split("/"):
            case ["app"]:
                return Reply(200, {"html_url": APP_URL})
            case ["app", "installations"]:
                return Reply(200, page([self._installation(name) for name in self._installed], query))
            case ["repos", owner, name, "installation"]:
                return self._installed_on(owner) if self._find(f"{owner}/{name}") else MISSING
            case ["orgs" | "users", owner, "installation"]:
                return self._installed_on(owner)
            case ["orgs", owner, "teams", slug, "members"] if (
                members := self._teams.get(f"{owner}/{slug}".lower())
            ) is not None:
                return self.reply(page([{"login": login} for login in members], query))
        return MISSING

    def _installed_on(self, owner: str) -> Reply:
        return Reply(200, self._installation(owner)) if owner.lower() in self._installed else MISSING

    def _installation(self, owner: str) -> dict[str, Any]:
        return {"id": 1, "account": {"login": owner}, "permissions": dict(self._installed[owner.lower()])}


class FakeApp:
    def __init__(self, fake: FakeGitHub) -> None:
        self._fake = fake

    def get(self, path: str) -> Reply:
        return self._fake.get_alone(path)

    def installation(self, number: int, account: str, permissions: Mapping[str, str]) -> "FakeWire":
        planned = self._fake.planned(f"token for {account}: {' '.join(permissions)}")
        if planned:
            check_token(planned, "1", account)
        return FakeWire(self._fake)


class FakeWire:
    def __init__(self, fake: FakeGitHub) -> None:
        self._fake = fake

    def get(self, path: str) -> Reply:
        return self._fake.get_alone(path)

    def graphql(self, query: str, variables: Mapping[str, Any]) -> Reply:
        return self._fake.graphql(query, variables)
