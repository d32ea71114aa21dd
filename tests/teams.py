"""Teams in few words."""

from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.team import Team
from bot.domain.weeks import Schedule


def team(name: str = "payments", **facts: Any) -> Team:
    """A team of acme; facts are the fields of `Team`."""
    usual: dict[str, Any] = {
        "slack_channel": "C0123ABCD",
        "github_team": None,
        "members": (),
        "repositories": ("acme/api",),
        "zone": ZoneInfo("UTC"),
        "schedule": Schedule.parse("Mon 09:00"),
        "owner": None,
        "service_accounts": frozenset(),
        "credit_micro": None,
    }
    return Team(name=name, **(usual | facts))
