"""Where the App is installed, found by repository or by owner, with the least rights that do."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from urllib.parse import quote

from pydantic import Field

from bot.domain.ports import NotFound, SourceError
from integrations.outcomes.github import problems
from integrations.outcomes.github.gateway import Gateway
from integrations.outcomes.github.models import Foreign, read
from integrations.outcomes.github.wire import App, Reply

READ: Mapping[str, str] = MappingProxyType({"metadata": "read", "pull_requests": "read", "members": "read"})
"""All that reading needs. No `contents`: we never ask for code."""

LEVELS = ("", "read", "write", "admin")


class Account(Foreign):
    login: str


class Installation(Foreign):
    id: int
    account: Account
    html_url: str = "its settings"
    permissions: dict[str, str] = Field(default_factory=dict)


class AppPage(Foreign):
    html_url: str = "its page"


class Installations:
    """Opens each installation once and keeps it: one token an hour, however many repositories."""

    def __init__(self, app: App, app_id: str, permissions: Mapping[str, str] = READ) -> None:
        self._app = app
        self._app_id = app_id
        self._permissions = permissions
        self._open: dict[str, Gateway] = {}

    def of_repository(self, owner: str, name: str) -> Gateway:
        return self._opened(
            owner, lambda: self._found(f"/repos/{quote(owner)}/{quote(name)}/installation", owner, name)
        )

    def of_owner(self, owner: str) -> Gateway:
        return self._opened(owner, lambda: self._found(f"/orgs/{quote(owner)}/installation", owner))

    def any(self) -> Gateway:
        """Some installation: what it is asked does not depend on which."""
        if self._open:
            return next(iter(self._open.values()))
        found = self._get("/app/installations?per_page=1").body
        if not found:
            raise SourceError(f"The GitHub App is not installed anywhere: {self._install_at()}", permanent=True)
        installation = read(Installation, found[0])
        return self._opened(installation.account.login, lambda: installation)

    def not_given(self, owner: str, name: str) -> SourceError:
        """The error for a repository that an installation does not see."""
        return SourceError(
            f"The GitHub App is installed on {owner} but has no repository {owner}/{name}: "
            f"check the name, or give it {owner}/{name} in the settings of the installation",
            permanent=True,
        )

    def _opened(self, owner: str, find: Callable[[], Installation]) -> Gateway:
        key = owner.lower()
        if key not in self._open:
            installation = find()
            granted = _granted(self._permissions, installation.permissions)
            wire = self._app.installation(installation.id, installation.account.login, granted)
            self._open[key] = Gateway(wire, installation.account.login, granted)
        return self._open[key]

    def _found(self, path: str, owner: str, name: str | None = None) -> Installation:
        try:
            return read(Installation, self._get(path).body)
        except NotFound:
            pass
        if name is not None and self._is_installed(owner):
            raise self.not_given(owner, name)
        wanted = f" and give it {owner}/{name}" if name else ""
        raise SourceError(f"The GitHub App is not installed on {owner}: {self._install_at()}{wanted}", permanent=True)

    def _is_installed(self, owner: str) -> bool:
        for path in (f"/orgs/{quote(owner)}/installation", f"/users/{quote(owner)}/installation"):
            try:
                self._get(path)
            except NotFound:
                continue
            return True
        return False

    def _install_at(self) -> str:
        return f"install it at {read(AppPage, self._get('/app').body).html_url}/installations/new"

    def _get(self, path: str) -> Reply:
        reply = self._app.get(path)
        problems.check_as_app(reply, self._app_id)
        return reply


def _granted(wanted: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """What we want as far as we have it: GitHub refuses a token outright that asks for more."""
    return {name: level for name, level in wanted.items() if _rank(given.get(name)) >= _rank(level)}


def _rank(level: str | None) -> int:
    return LEVELS.index(level) if level in LEVELS else 0
