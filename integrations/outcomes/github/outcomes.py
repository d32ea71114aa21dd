"""Where pull requests and teams come from: GitHub, read as a GitHub App with the least rights that do."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from urllib.parse import quote

from bot.domain.model import GitHubUser, PullRequest
from bot.domain.ports import NotFound, Sighting, SourceError
from integrations.outcomes.github import problems, queries
from integrations.outcomes.github.accounts import account
from integrations.outcomes.github.gateway import PAGE, Answer
from integrations.outcomes.github.installations import READ, Installations
from integrations.outcomes.github.models import AccountNode, Foreign, read
from integrations.outcomes.github.pygithub import PyGithubApp
from integrations.outcomes.github.reader import Reader
from integrations.outcomes.github.tally import Tally
from integrations.outcomes.github.wire import App

API = "https://api.github.com"
Connect = Callable[[str, str, str], App]


class Member(Foreign):
    login: str


class GitHubOutcomes:
    """An OutcomeSource for one job: it keeps its connections, tokens and tallies, and is not for several threads.

    `rejected` counts pull requests that were refused, `ignored` parts that could not be used, both by reason.
    """

    def __init__(
        self,
        app_id: str,
        private_key: str,
        base_url: str = API,
        *,
        permissions: Mapping[str, str] = READ,
        connect: Connect = PyGithubApp,
    ) -> None:
        self._installations = Installations(connect(app_id, private_key, base_url), app_id, permissions)
        self._tally = Tally()
        self._readers: dict[str, Reader] = {}

    @property
    def rejected(self) -> Counter[str]:
        return self._tally.rejected

    @property
    def ignored(self) -> Counter[str]:
        return self._tally.ignored

    def pull_requests(
        self, repository: str, since: datetime, progress: Callable[[int, int], None]
    ) -> Iterator[list[PullRequest]]:
        """See the port. One that is touched while we read may be missed: next time, begin at the start of this one."""
        yield from self._reader(repository).pages(since, progress)

    def pull_request(self, repository: str, number: int) -> Sighting | None:
        """See the port. What GitHub refuses of a repository is remembered and not asked for again."""
        if repository not in self._readers:
            self._readers[repository] = self._reader(repository)
        return self._readers[repository].one(number)

    def _reader(self, repository: str) -> Reader:
        owner, name = halves(repository, "a repository", "owner/name")
        gateway = self._installations.of_repository(owner, name)
        gateway.require("pull_requests", "Pull requests: read")
        return Reader(gateway, owner, name, self._installations.not_given(owner, name), self._tally)

    def team_members(self, team: str) -> list[GitHubUser]:
        """Members of a team and of the teams in it; a team without members is an empty list."""
        organisation, slug = halves(team, "a GitHub team", "organisation/team")
        gateway = self._installations.of_owner(organisation)
        gateway.require("members", "organization Members: read")
        path = f"/orgs/{quote(organisation)}/teams/{quote(slug)}/members"
        try:
            logins = [read(Member, raw).login for raw in gateway.rest_all(path)]
        except NotFound:
            raise SourceError(f"GitHub has no team {team}, or the App may not see it", permanent=True) from None
        return self.users(logins)

    def users(self, logins: list[str]) -> list[GitHubUser]:
        """In the order of the logins. One request for a hundred."""
        return [user for start in range(0, len(logins), PAGE) for user in self._users(logins[start : start + PAGE])]

    def _users(self, logins: list[str]) -> list[GitHubUser]:
        """By GraphQL even where REST just named them, so that all ids are of one kind."""
        gateway = self._installations.any()
        query, variables = queries.users(logins)
        answer = gateway.graphql(query, variables)
        unknown = [variables[alias] for alias in _not_found(answer)]
        if unknown:
            raise problems.no_user(unknown)
        for complaint in answer.errors:
            raise problems.refused(complaint, gateway.account)
        nodes = [read(AccountNode, (answer.data or {}).get(alias)) for alias in variables]
        return [user for node in nodes if (user := account(node))]


def _not_found(answer: Answer) -> list[str]:
    return [str(complaint.path[0]) for complaint in answer.errors if complaint.type == "NOT_FOUND" and complaint.path]


def halves(name: str, kind: str, form: str) -> tuple[str, str]:
    """Both parts of a name with one slash in it. Raises SourceError."""
    owner, _, rest = name.partition("/")
    if not owner or not rest or "/" in rest:
        raise SourceError(f"{name!r} does not name {kind}: write it as {form}", permanent=True)
    return owner, rest
