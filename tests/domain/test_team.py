"""Teams are disjoint: what two of them claim is found."""

from dataclasses import replace
from zoneinfo import ZoneInfo

from bot.domain.privacy.gate import Rule
from bot.domain.team import Company, Overlap, Team, overlaps
from bot.domain.weeks import Schedule

PAYMENTS = Team(
    name="payments",
    slack_channel="C0123ABCD",
    github_team=None,
    members=("ann", "bo"),
    repositories=("acme/api", "acme/web"),
    zone=ZoneInfo("UTC"),
    schedule=Schedule.parse("Mon 09:00"),
    owner=None,
    service_accounts=frozenset({"ci"}),
    credit_micro=None,
)
CORE = replace(
    PAYMENTS, name="core", members=("cy",), repositories=("acme/web", "acme/core"), service_accounts=frozenset()
)
GROUP = replace(CORE, name="group", members=(), github_team="acme/group")


def company(*teams: Team) -> Company:
    return Company(teams, Rule(), None, "USD")


def test_teams_that_share_only_repositories_and_a_channel_are_disjoint():
    assert list(overlaps([PAYMENTS, CORE, GROUP])) == []


def test_a_login_in_two_teams_is_found_whatever_its_case():
    again = replace(CORE, members=("cy", "Bo"))
    assert list(overlaps([PAYMENTS, again])) == [Overlap("members", "Bo", index=1, earlier=0)]


def test_a_service_account_in_two_teams_is_found():
    again = replace(CORE, service_accounts=frozenset({"ci", "cron"}))
    assert list(overlaps([PAYMENTS, again])) == [Overlap("service_accounts", "ci", index=1, earlier=0)]


def test_a_name_and_a_github_team_that_are_used_twice_are_found():
    assert list(overlaps([GROUP, CORE, replace(GROUP, github_team="Acme/Group")])) == [
        Overlap("name", "group", index=2, earlier=0),
        Overlap("github_team", "Acme/Group", index=2, earlier=0),
    ]


def test_a_login_may_be_spelled_like_a_service_account_or_a_team():
    assert list(overlaps([PAYMENTS, replace(CORE, name="ann", members=("ci",))])) == []


def test_a_company_observes_each_repository_once():
    assert company(PAYMENTS, CORE).repositories == ("acme/api", "acme/web", "acme/core")


def test_a_company_lists_the_service_accounts_of_all_teams():
    third = replace(CORE, name="third", service_accounts=frozenset({"cron"}))
    assert company(PAYMENTS, CORE, third).service_accounts == {"ci", "cron"}
    assert company(CORE).service_accounts == frozenset()
