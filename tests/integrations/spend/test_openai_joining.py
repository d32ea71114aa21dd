"""How OpenAI's reports are joined: whose a cost is, which tokens go with it, and what is not known."""

from datetime import date

import pytest

from bot.domain.model import Actor, ActorKind, Tokens
from bot.domain.ports import NotFound, Refused, SourceError
from bot.domain.prices import NO_TERMS, on_terms, unpriced
from integrations.spend import openai
from tests.integrations.spend.openai_org import (
    ANN,
    BO,
    BOT,
    COSTS,
    KEYS,
    MONDAY,
    PROJECTS,
    THURSDAY,
    TUESDAY,
    USAGE,
    USERS,
    WEDNESDAY,
    Organization,
    check,
    failing,
    fetch,
)

SOL, MINI = "gpt-6-sol", "gpt-5.4-mini"


@pytest.fixture
def org() -> Organization:
    return Organization()


def billed(day) -> dict[tuple[str | None, str | None], int | None]:
    return {(row.actor.id, row.model): row.billed_micro for row in day.rows}


def test_every_day_up_to_the_running_one_is_given_and_an_empty_one_costs_nothing(org):
    org.spend(TUESDAY, ANN, "key_a", f"{SOL}, input", "1.5")
    days = fetch(org, MONDAY, date(2026, 12, 1))
    assert [(day.day, day.billed_micro, len(day.rows)) for day in days] == [
        (MONDAY, 0, 0),
        (TUESDAY, 1_500_000, 1),
        (WEDNESDAY, 0, 0),
    ]


def test_nothing_is_asked_for_no_days(org):
    assert fetch(org, MONDAY, MONDAY) == fetch(org, THURSDAY, date(2026, 12, 1)) == []
    assert org.requests == []


def test_a_month_is_read_in_weeks_and_the_directory_once(org):
    org.spend(date(2026, 10, 5), ANN, "key_a", f"{SOL}, input", "1")
    org.spend(TUESDAY, ANN, "key_a", f"{SOL}, input", "2")
    days = fetch(org, date(2026, 10, 5), WEDNESDAY)
    assert [day.day for day in days] == sorted({day.day for day in days})
    # 27 days of October and 3 of November
    assert (len(days), sum(day.billed_micro or 0 for day in days)) == (30, 3_000_000)
    paths = [request.url.path for request in org.requests]
    assert [paths.count(path) for path in (USERS, PROJECTS, KEYS)] == [1, 1, 1]
    assert paths.count(USAGE) == 30  # a day a page


def test_line_items_of_a_model_are_added_up_and_joined_with_its_tokens(org):
    for item, dollars in (("input", "1"), ("cached input", "0.25"), ("output", "2")):
        org.spend(MONDAY, ANN, "key_a", f"{SOL}, {item}", dollars)
    org.use(MONDAY, ANN, "key_a", SOL, 7, output_tokens=2)
    org.use(MONDAY, ANN, "key_b", SOL, 5, num_model_requests=3)
    [day] = fetch(org)
    [row] = day.rows
    # 7 + 5 = 12 tokens, 1 + 3 = 4 requests, 1 + 0.25 + 2 = 3.25 dollars
    assert (row.tokens, row.requests, row.billed_micro, row.list_micro) == (Tokens(12, output=2), 4, 3_250_000, None)


@pytest.mark.parametrize(
    ("item", "model"),
    [
        ("gpt-6-sol, input", "gpt-6-sol"),
        ("gpt-5.4-mini, batch, cached input", "gpt-5.4-mini"),
        ("ft:gpt-6-sol:acme::a1, output", "ft:gpt-6-sol:acme::a1"),
        ("web search tool calls", None),
        (None, None),
    ],
)
def test_the_model_is_what_a_line_item_begins_with(org, item, model):
    org.spend(MONDAY, ANN, "key_a", item, "1")
    assert billed(fetch(org)[0]) == {(ANN, model): 1_000_000}


def test_who_an_actor_is(org):
    org.user(ANN, " Ann@Example.com ")
    org.user(BOT, None, machine=True)
    org.user("user-new", None)
    org.users[-1]["user"] = {"id": "user-new", "email": "New@Example.com"}
    org.key("key_a", user={"id": ANN, "email": "elsewhere@example.com"})
    org.key("key_left", user={"id": "user-left", "email": "Left@Example.com"})
    org.key("key_ci", service_account="svc_ci")
    org.key("key_odd")
    for user, key in (
        (ANN, "key_odd"),
        (None, "key_a"),
        ("user-new", None),
        ("user-gone", "key_ci"),  # a person who is named is before the key
        (None, "key_left"),
        (BOT, "key_ci"),
        (BOT, None),
        (None, "key_ci"),
        (None, "key_odd"),
        (None, "key_untold"),
        (None, None),
    ):
        org.spend(MONDAY, user, key, f"{SOL}, input", "1")
    [day] = fetch(org)
    assert {row.actor: row.billed_micro for row in day.rows} == {
        Actor(ActorKind.USER, ANN, "ann@example.com"): 2_000_000,
        Actor(ActorKind.USER, "user-new", "new@example.com"): 1_000_000,
        Actor(ActorKind.USER, "user-gone"): 1_000_000,
        Actor(ActorKind.USER, "user-left", "left@example.com"): 1_000_000,
        Actor(ActorKind.SERVICE_ACCOUNT, "svc_ci"): 2_000_000,
        Actor(ActorKind.SERVICE_ACCOUNT, BOT): 1_000_000,
        Actor(ActorKind.KEY, "key_odd", owned_by_user=True): 1_000_000,
        Actor(ActorKind.KEY, "key_untold", owned_by_user=True): 1_000_000,
        Actor(ActorKind.UNKNOWN): 1_000_000,
    }
    assert day.billed_micro == 11_000_000


def test_keys_that_owners_can_no_longer_use_and_archived_projects_are_asked_for_too(org):
    fetch(org)
    [projects] = [request.url.params for request in org.requests if request.url.path == PROJECTS]
    [keys] = [request.url.params for request in org.requests if request.url.path == KEYS]
    assert (projects["include_archived"], keys["owner_project_access"]) == ("true", "any")


def test_a_project_whose_id_is_a_path_is_not_asked_for(org):
    org.alter = lambda path, body: body.update(data=[{"id": "../users"}]) if path == PROJECTS else None
    fetch(org)
    assert {request.url.path for request in org.requests} == {USERS, PROJECTS, COSTS, USAGE}


@pytest.mark.parametrize("path", [USERS, PROJECTS, KEYS])
@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_directory_that_may_not_be_listed_leaves_ids(org, path, status):
    org.user(ANN, "ann@example.com")
    org.key("key_ci", service_account="svc_ci")
    org.spend(MONDAY, ANN, "key_a", f"{SOL}, input", "1")
    org.spend(MONDAY, None, "key_ci", f"{SOL}, input", "2")
    org.fail[path] = status
    [day] = fetch(org)
    key, ann = (row.actor for row in day.rows)
    assert ann == Actor(ActorKind.USER, ANN, None if path == USERS else "ann@example.com")
    assert (key.id, key.owned_by_user) == (("svc_ci", False) if path == USERS else ("key_ci", True))
    assert day.billed_micro == 3_000_000


def test_a_key_is_its_users_where_only_usage_tells_of_one(org):
    org.spend(MONDAY, None, "key_a", f"{SOL}, input", "1")
    org.spend(MONDAY, None, "key_both", f"{SOL}, input", "2")
    org.use(TUESDAY, ANN, "key_a", SOL, 5)
    for user in (ANN, BO):
        org.use(TUESDAY, user, "key_both", SOL, 5)
    monday, _ = fetch(org, MONDAY, WEDNESDAY)
    assert billed(monday) == {(ANN, SOL): 1_000_000, ("key_both", SOL): 2_000_000}


def test_users_that_cannot_be_combined_with_keys_are_asked_for_apart_and_no_dollar_counts_twice(org):
    """By user: Ann 1 + 2, Bo 4, nobody 8 + 16. By key: Ann's 1, no key 2 + 4, the service account's 8, unknown 16."""
    org.key("key_a", user={"id": ANN, "email": "ann@example.com"})
    org.key("key_ci", service_account="svc_ci")
    for user, key, dollars in (
        (ANN, "key_a", "1"),
        (ANN, None, "2"),
        (BO, None, "4"),
        (None, "key_ci", "8"),
        (None, "key_untold", "16"),
    ):
        org.spend(MONDAY, user, key, f"{SOL}, input", dollars)
    org.refuse = lambda groups: {"user_id", "api_key_id"} <= groups
    [day] = fetch(org)
    assert billed(day) == {(ANN, SOL): 3_000_000, (BO, SOL): 4_000_000, ("svc_ci", SOL): 8_000_000}
    assert day.billed_micro == 31_000_000


def test_a_service_account_that_is_told_as_a_user_too_counts_by_its_key_alone(org):
    org.user(BOT, None, machine=True)
    org.key("key_ci", service_account="svc_ci")
    org.spend(MONDAY, BOT, "key_ci", f"{SOL}, input", "8")
    org.refuse = lambda groups: {"user_id", "api_key_id"} <= groups
    assert billed(fetch(org)[0]) == {("svc_ci", SOL): 8_000_000}


def test_where_costs_are_not_told_by_user_at_all_keys_say_who(org):
    org.key("key_a", user={"id": ANN, "email": "ann@example.com"})
    org.spend(MONDAY, ANN, "key_a", f"{SOL}, input", "1")
    org.spend(MONDAY, BO, "key_b", f"{SOL}, input", "2")
    org.spend(MONDAY, BO, None, f"{SOL}, input", "4")
    org.use(MONDAY, BO, "key_b", SOL, 5)
    org.refuse = lambda groups: "user_id" in groups
    assert billed(fetch(org)[0]) == {(ANN, SOL): 1_000_000, (BO, SOL): 2_000_000, (None, SOL): 4_000_000}


@pytest.mark.parametrize("path", [COSTS, USAGE])
@pytest.mark.parametrize("status", [401, 403])
def test_a_report_that_is_refused_fails_the_source(org, path, status):
    org.fail[path] = status
    days, error = failing(org)
    assert (days, error.permanent) == ([], True)
    assert str(error) == (
        f"OpenAI: api.openai.com refused the key ({status}). Check OPENAI_ADMIN_KEY: it has to be an Admin key, made "
        "by an owner of the organization, with read access to usage, users, projects and API keys."
    )


def test_an_address_without_reports_is_perhaps_the_wrong_one(org):
    org.fail[COSTS] = 404
    with pytest.raises(NotFound, match="Check OPENAI_API_URL"):
        raise failing(org)[1]


@pytest.mark.parametrize(("dollars", "expected"), [("1", 0), ("3", None)])
def test_tokens_without_a_cost_were_free_only_if_the_other_rows_are_the_whole_bill(org, dollars, expected):
    org.spend(MONDAY, ANN, "key_a", f"{SOL}, input", "1")
    org.use(MONDAY, ANN, "key_a", MINI, 5)

    def alter(path, body):
        for row in body["data"][0]["results"] if path == COSTS else []:
            row["amount"]["value"] = dollars if row["line_item"] is None else row["amount"]["value"]

    org.alter = alter
    assert billed(fetch(org)[0]) == {(ANN, MINI): expected, (ANN, SOL): 1_000_000}


def test_tokens_that_were_free_are_not_a_model_without_a_price(org):
    """Told in costs as 0, or in no cost of a day whose other rows are the whole bill."""
    org.spend(MONDAY, ANN, "key_a", f"{SOL}, input", "1")
    org.spend(MONDAY, BO, "key_b", f"{MINI}, input", "0")
    org.use(MONDAY, BO, "key_b", MINI, 7)
    org.use(MONDAY, ANN, "key_a", MINI, 5)
    day = on_terms(fetch(org)[0], NO_TERMS)
    assert {(row.actor.id, row.model): row.list_micro for row in day.rows} == {
        (ANN, SOL): 1_000_000,
        (ANN, MINI): 0,
        (BO, MINI): 0,
    }
    assert (day.list_micro, unpriced(day)) == (1_000_000, frozenset())


def test_tokens_of_a_day_without_any_cost_yet_have_an_unknown_cost(org):
    org.use(WEDNESDAY, ANN, "key_a", SOL, 5)
    [day] = fetch(org, WEDNESDAY, THURSDAY)
    assert day.billed_micro == 0
    assert billed(day) == {(ANN, SOL): None}


def test_rows_never_come_to_more_than_their_bill(org):
    for user in (ANN, BO, BOT):
        org.spend(MONDAY, user, None, f"{SOL}, input", "0.0100006")  # 10,000.6 micro-dollars
    [day] = fetch(org)
    assert [row.billed_micro for row in day.rows] == [10_000, 10_000, 10_000]
    assert day.billed_micro == 30_002  # 30,001.8


def test_the_check_asks_for_a_bill_and_for_a_user(org):
    check(org)
    assert [request.url.path for request in org.requests] == [COSTS, USERS]


def test_the_check_says_so_where_nobody_could_be_recognised(org):
    org.fail[USERS] = 403
    with pytest.raises(Refused, match="with read access to usage, users, projects"):
        check(org)


@pytest.mark.parametrize("key", ["", " \n"])
def test_a_missing_key_is_told(org, key):
    with pytest.raises(SourceError, match="OpenAI: OPENAI_ADMIN_KEY is not set") as caught:
        check(org, key)
    assert caught.value.permanent
    assert org.requests == []


def test_a_month_is_read_until_it_is_final():
    """On the 8th of December, 38 days back is the 1st of November."""
    assert date(2026, 12, 8).toordinal() - openai.REFETCH_DAYS + 1 == date(2026, 11, 1).toordinal()
