"""One installation of the App, asked politely: what did not work becomes a SourceError, what it costs is watched."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.domain.ports import SourceError
from integrations.outcomes.github import problems
from integrations.outcomes.github.problems import Complaint
from integrations.outcomes.github.wire import Reply, Wire

PAGE = 100
RESERVE = 10
"""Per cent of an hour's requests that back-fill leaves to webhooks and comments."""


class Answer(BaseModel):
    """What GraphQL said: parts of `data` are null where `errors` complain."""

    model_config = ConfigDict(hide_input_in_errors=True)

    data: dict[str, Any] | None = None
    errors: tuple[Complaint, ...] = ()


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left of an hour's requests of one kind, and when the hour ends (epoch seconds)."""

    remaining: int
    limit: int
    reset: int


class Gateway:
    def __init__(self, wire: Wire, account: str, granted: Mapping[str, str]) -> None:
        self.account = account
        self._wire = wire
        self._granted = granted
        self._budgets: dict[str, Budget] = {}

    def require(self, permission: str, words: str) -> None:
        """Raise if the installation was not given it. `words` name it as GitHub's settings page does."""
        if permission not in self._granted:
            raise SourceError(
                f"The GitHub App lacks the permission '{words}' on {self.account}: "
                f"accept it in the settings of the installation",
                permanent=True,
            )

    def rest(self, path: str) -> Any:
        """The body of a page. Raises NotFound if there is none, else SourceError."""
        reply = self._wire.get(path)
        problems.check(reply, self.account)
        self._note("rest", reply)
        return reply.body

    def rest_all(self, path: str) -> Iterator[Any]:
        """The items of a list, over all its pages."""
        for number in range(1, 1000):
            items = self.rest(f"{path}?per_page={PAGE}&page={number}")
            yield from items
            if len(items) < PAGE:
                return

    def graphql(self, query: str, variables: Mapping[str, Any]) -> Answer:
        """Raises SourceError if there is no answer; complaints about parts of an answer are in it."""
        reply = self._wire.graphql(query, variables)
        problems.check(reply, self.account)
        self._note("graphql", reply)
        try:
            answer = Answer.model_validate(reply.body)
        except ValidationError:
            raise SourceError("GitHub's answer to a query is not one") from None
        problems.check_complaints(answer.errors, reply.headers)
        return answer

    def spare(self) -> None:
        """Raise if so little is left of an hour that reading on would starve everything else."""
        for budget in self._budgets.values():
            if budget.remaining * 100 < budget.limit * RESERVE:
                raise SourceError(
                    f"Less than {RESERVE} % of GitHub's hourly requests are left: "
                    f"reading stopped and can go on at {problems.moment(budget.reset)}"
                )

    def _note(self, kind: str, reply: Reply) -> None:
        names = ("x-ratelimit-remaining", "x-ratelimit-limit", "x-ratelimit-reset")
        numbers = [reply.headers.get(name, "") for name in names]
        if all(number.isdigit() for number in numbers):
            self._budgets[kind] = Budget(*map(int, numbers))
