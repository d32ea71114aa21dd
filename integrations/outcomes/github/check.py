"""Whether the GitHub App can do its work for every team: one harmless request for each thing that may be wrong."""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from bot.domain.health import Finding, ok, problem, warning
from bot.domain.ports import NotFound, SourceError
from bot.domain.team import Team
from integrations.outcomes.github import problems
from integrations.outcomes.github.installations import AppPage, Installation
from integrations.outcomes.github.models import read
from integrations.outcomes.github.wire import App, Reply

MEMBERS: Mapping[str, str] = {"members": "read"}


class Installed(Installation):
    html_url: str = "the installation's page"
    suspended_at: str | None = None


def check(app: App, app_id: str, teams: Sequence[Team], *, comments: bool) -> list[Finding]:
    """`comments`: whether pull requests are to be commented."""
    return list(_Round(app, app_id, teams, comments).findings())


class _Round:
    """One look at everything; an installation that was found is remembered by its account."""

    def __init__(self, app: App, app_id: str, teams: Sequence[Team], comments: bool) -> None:
        self._app = app
        self._app_id = app_id
        self._teams = teams
        self._comments = comments
        self._installed: dict[str, Installed] = {}

    def findings(self) -> Iterator[Finding]:
        try:
            self._install_at = f"{read(AppPage, self._get('/app').body).html_url}/installations/new"
        except SourceError as error:
            yield problem(f"GitHub App: {error}")
            return
        yield ok("GitHub App: its ID and private key are accepted")
        for name in dict.fromkeys(name for team in self._teams for name in team.repositories):
            yield self._repository(name)
        asked = [(team, team.github_team) for team in self._teams if team.github_team]
        for owner in dict.fromkeys(name.partition("/")[0] for _, name in asked):
            yield from self._organisation(owner)
        for installation in self._installed.values():
            yield rights(installation, self._reads_teams_of(installation), comments=self._comments)
        for team, name in asked:
            if (found := self._installed.get(_owner(name))) and may(found, "members", "read"):
                yield self._github_team(team, name, found)

    def _repository(self, name: str) -> Finding:
        owner, _, repository = name.partition("/")
        try:
            self._look(owner, f"/repos/{quote(owner)}/{quote(repository)}/installation")
        except NotFound:
            return self._missing(f"GitHub repository {name}", "give it that repository")
        except SourceError as error:
            return problem(f"GitHub repository {name}: {error}")
        return ok(f"GitHub repository {name}: the App is installed")

    def _organisation(self, owner: str) -> Iterator[Finding]:
        """Nothing to say if the App is installed there; none of its repositories need be observed."""
        if owner.lower() in self._installed:
            return
        try:
            self._look(owner, f"/orgs/{quote(owner)}/installation")
        except NotFound:
            yield self._missing(f"GitHub organization {owner}", "give it one of the organization's repositories")
        except SourceError as error:
            yield problem(f"GitHub organization {owner}: {error}")

    def _missing(self, what: str, give: str) -> Finding:
        return problem(f"{what}: the App is not installed there", f"install it, or {give}, at {self._install_at}")

    def _look(self, owner: str, path: str) -> None:
        self._installed[owner.lower()] = read(Installed, self._get(path).body)

    def _get(self, path: str) -> Reply:
        reply = self._app.get(path)
        problems.check_as_app(reply, self._app_id)
        return reply

    def _reads_teams_of(self, installation: Installed) -> bool:
        owner = installation.account.login.lower()
        return any(team.github_team and _owner(team.github_team) == owner for team in self._teams)

    def _github_team(self, team: Team, name: str, installation: Installed) -> Finding:
        """By its first member, who is not looked at."""
        organisation, _, slug = name.partition("/")
        what = f"GitHub team {name}"
        account = installation.account.login
        try:
            wire = self._app.installation(installation.id, account, MEMBERS)
            problems.check(wire.get(f"/orgs/{quote(organisation)}/teams/{quote(slug)}/members?per_page=1"), account)
        except NotFound:
            advice = f"check github_team of {team.name} in leverage.toml"
            return problem(f"{what}: not found, or hidden from the App", advice)
        except SourceError as error:
            return problem(f"{what}: {error}")
        return ok(f"{what}: the App may read it")


def rights(installed: Installed, reads_teams: bool, *, comments: bool) -> Finding:
    """Whether an installation may do all that it is needed for; the first thing that is in the way."""
    account, page = installed.account.login, installed.html_url
    what = f"GitHub App on {account}"
    if installed.suspended_at:
        return problem(f"{what}: suspended", f"an owner of {account} can unsuspend it at {page}")
    advice = f"ask for it on the App's own page (Permissions), then accept it at {page}"
    wanted = {"metadata": "Metadata: read", "pull_requests": "Pull requests: read"}
    wanted |= {"members": "organization Members: read"} if reads_teams else {}
    if lacking := [words for name, words in wanted.items() if not may(installed, name, "read")]:
        return problem(f"{what}: it lacks {' and '.join(lacking)}", advice)
    if not may(installed, "pull_requests", "write"):
        level = problem if comments else warning
        return level(f"{what}: it lacks Pull requests: write, so it cannot comment", advice)
    return ok(f"{what}: it has the permissions it needs")


def may(installed: Installed, permission: str, level: str) -> bool:
    levels = ("read", "write", "admin")
    given = installed.permissions.get(permission)
    return given in levels and levels.index(given) >= levels.index(level)


def _owner(name: str) -> str:
    return name.partition("/")[0].lower()
