"""`leverage.toml`: what it means, and the one line a person gets for each thing that is wrong in it."""

from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import config
from bot.config.lines import find_lines
from bot.domain.prices import Plan, Rate, UnitPrices
from bot.domain.privacy.gate import Rule
from bot.domain.team import Company
from bot.domain.weeks import Schedule
from bot.errors import UserError

EXAMPLE = Path(__file__).parents[1] / "leverage.example.toml"
COMPANY = "[company]\nk = 5\n"
PAYMENTS = """
[[team]]
name = "payments"
slack_channel = "C0123ABCD"
members = [
  "ann",
  "bo",
]
repositories = ["acme/api"]
timezone = "Europe/Berlin"
digest = "Mon 09:00"
"""
CORE = PAYMENTS.replace("payments", "core").replace('"ann"', '"cy"').replace('"bo"', '"di"')


@pytest.fixture
def file(tmp_path):
    return tmp_path / "leverage.toml"


def company(file: Path, text: str) -> Company:
    file.write_text(text)
    return config.load(file)


def complaint(file: Path, text: str) -> str:
    """What is said about a text, without the folder."""
    with pytest.raises(UserError) as caught:
        company(file, text)
    return str(caught.value).replace(str(file), file.name)


def outcome(file: Path, text: str) -> str:
    try:
        company(file, text)
    except UserError as error:
        return str(error)
    return "valid"


def changed(old: str, new: str) -> str:
    text = COMPANY + PAYMENTS
    assert text.count(old) == 1
    return text.replace(old, new)


def test_the_example_is_valid_as_it_is():
    payments, platform = config.load(EXAMPLE).teams
    assert (payments.name, payments.github_team, payments.members) == ("payments", "acme/payments", ())
    assert (platform.name, platform.github_team, len(platform.members)) == ("platform", None, 2)


def test_the_example_is_valid_with_every_line_in_use(file):
    lines = EXAMPLE.read_text().split("[company]")[1].splitlines()
    in_use = [line.removeprefix("# ") if "=" in line or line.startswith("# [[") else line for line in lines]
    full = company(file, "[company]" + "\n".join(in_use))
    assert full.hourly_cost_micro == 95_000_000
    assert full.teams[0].owner == "U0123ABCD"
    assert full.teams[0].service_accounts == {"svac_01AB"}
    assert full.teams[0].credit_micro == 4_000_000_000
    assert [(rate.model, rate.discount) for rate in full.terms.rates] == [("acme-coder-*", Fraction(15, 100))]
    assert [(plan.account, plan.seats) for plan in full.terms.plans] == [("copilot", 25)]


def test_a_team_is_what_its_table_says(file):
    (team,) = company(file, COMPANY + PAYMENTS).teams
    assert team.members == ("ann", "bo")
    assert team.repositories == ("acme/api",)
    assert team.zone == ZoneInfo("Europe/Berlin")
    assert team.schedule == Schedule.parse("Mon 09:00")
    assert (team.github_team, team.owner, team.service_accounts, team.credit_micro) == (None, None, frozenset(), None)


def test_the_company_table_may_be_left_out(file):
    found = company(file, PAYMENTS)
    assert (found.rule, found.hourly_cost_micro, found.currency_note) == (Rule(), None, "USD")


def test_the_privacy_rule_can_be_raised(file):
    assert company(file, changed("k = 5", "k = 8\np = 40")).rule == Rule(8, 40)


@pytest.mark.parametrize(
    ("written", "micro"), [("95", 95_000_000), ("0.1", 100_000), ("0.000001", 1), ("1_000.10", 1_000_100_000)]
)
def test_amounts_are_exact(file, written, micro):
    assert company(file, changed("k = 5", f"hourly_cost = {written}")).hourly_cost_micro == micro


def test_a_repository_of_two_teams_is_spelled_as_the_first_one_spells_it(file):
    found = company(file, PAYMENTS + CORE.replace("acme/api", "Acme/API"))
    assert [team.repositories for team in found.teams] == [("acme/api",), ("acme/api",)]


def test_windows_line_ends_and_a_byte_order_mark_do_not_matter(file):
    file.write_bytes(b"\xef\xbb\xbf" + (COMPANY + PAYMENTS).replace("\n", "\r\n").encode())
    assert config.load(file).teams[0].name == "payments"


def priced(text: str, table: str = "price") -> str:
    return f"{COMPANY}{PAYMENTS}[[{table}]]\n{text}\n"


def test_prices_and_plans_are_read(file):
    text = priced(
        'model = "acme-*"\nsource = "litellm"\ninput = 1.25\noutput = 10\ncache_read = 0.125\ndiscount = 0.15'
    )
    found = company(file, text + '[[plan]]\nsource = "copilot"\nseat = 39\nseats = 25\n').terms
    prices = UnitPrices(1_250_000, 10_000_000, 125_000, 1_250_000, 1_250_000)
    assert found.rates == (Rate("acme-*", "litellm", prices, Fraction(15, 100)),)
    assert found.plans == (Plan("copilot", 39_000_000, 25, None),)


TEAM = 'team "payments"'
MENDED = [
    # the whole file
    ("", "1: team: there is no team; add a table [[team]], as in leverage.example.toml"),
    ("team = []", "1: team: there is no team; add a table [[team]], as in leverage.example.toml"),
    ("team = [1]", "1: team 1: 1 stands where a table was expected; put its keys under [[team]]"),
    (changed("[[team]]", "[team]"), "4: team: each team is written under a header in double brackets, [[team]]"),
    (
        changed("[company]", "[[company]]"),
        "1: company: a list stands where a table was expected; put its keys under [company]",
    ),
    (
        COMPANY + PAYMENTS + '[price]\nmodel = "gpt"\n',
        "14: price: each price is written under a header in double brackets, [[price]]",
    ),
    # [[price]] and [[plan]]
    (priced('model = "gpt"'), '14: price "gpt": says no price; give input and output, or a discount'),
    (
        priced('model = "gpt"\ninput = 2'),
        '14: price "gpt": has a price in part; give input and output, in US dollars for a million tokens',
    ),
    (
        priced('model = "gpt"\ninput = 0\noutput = 1'),
        '16: price "gpt" → input: 0 is no amount; write US dollars as a number above 0, like 4000 or 0.5',
    ),
    (
        priced('model = "gpt"\ndiscount = 15'),
        '16: price "gpt" → discount: 15 is no discount; write a share above 0 and below 1, like 0.15 for 15 %',
    ),
    (
        priced('model = "g p t"\ndiscount = 0.1'),
        '15: price "g p t" → model: "g p t" is no name of a model; write it as the source does, * stands for the rest, '
        'like "acme-coder-*"',
    ),
    (
        priced('model = "gpt"\ndicsount = 0.1'),
        '16: price "gpt" → dicsount: there is no such key; did you mean discount?',
    ),
    (
        priced('source = "copilot"', "plan"),
        '14: plan "copilot": says no amount; give what a seat costs in a month, or what a credit costs',
    ),
    (
        priced('source = "copilot"\nseat = 39\nseats = 0', "plan"),
        '17: plan "copilot" → seats: 0 is too low; write how many there are, or leave it out',
    ),
    (
        priced('source = "copilot"\nseat = 39\n[[plan]]\nsource = "copilot"\ncredit = 1', "plan"),
        '14: plan: "copilot" has two plans; write what a seat and a credit cost into one',
    ),
    (
        priced('model = "gpt"\ninput = 1000000000\noutput = 1'),
        '16: price "gpt" → input: 1000000000 is too much; write an amount of up to 1000000 US dollars',
    ),
    (
        priced('model = "gpt"\ninput = 1\noutput = 1\ncache_read = -1'),
        '18: price "gpt" → cache_read: -1 is no amount; write US dollars as a number from 0 on, like 0.5',
    ),
    (changed("[company]", "[compny]"), "1: compny: there is no such key; did you mean company?"),
    # [company]
    (changed("k = 5", "k = 4"), "2: company → k: 4 is too low; it may only be raised, from 5 on"),
    (changed("k = 5", "p = -20"), "2: company → p: -20 is too low; it may only be raised, from 20 on"),
    (changed("k = 5", "k = true"), "2: company → k: true stands where a whole number was expected, like k = 5"),
    (changed("k = 5", "k = 5.5"), "2: company → k: 5.5 stands where a whole number was expected, like k = 5"),
    *(
        (
            changed("k = 5", f"hourly_cost = {written}"),
            f"2: company → hourly_cost: {shown} is no amount; write US dollars as a number above 0, like 4000 or 0.5",
        )
        for written, shown in (
            ("0", "0"),
            ("-1", "-1"),
            ("0.0000001", "1E-7"),
            ("inf", "Infinity"),
            ("nan", "NaN"),
            ("1e99999999999999999999", "Infinity"),
            ("1_000_000_000_000_000", "1000000000000000"),
            ("true", "true"),
            ('"95"', '"95"'),
            ("2026-01-01", "a date or time"),
        )
    ),
    (
        changed("k = 5", 'currency_note = "two\\nlines"'),
        '2: company → currency_note: "two�lines" is no currency note; write a few plain letters, like "USD"',
    ),
    # [[team]]
    (
        changed('name = "payments"', 'name = "Pay ments"'),
        '5: team "Pay ments" → name: "Pay ments" is no name; '
        'use lower-case letters, digits and dashes, like "payments"',
    ),
    (
        changed('name = "payments"', "name = 5"),
        '5: team 1 → name: 5 stands where text in quotes was expected, like name = "payments"',
    ),
    (
        changed('"C0123ABCD"', '"#payments"'),
        f'6: {TEAM} → slack_channel: "#payments" is no channel ID; '
        'copy it from the channel\'s details in Slack, like "C0123ABCD"',
    ),
    (
        changed('"bo"', '"@bo"'),
        f'7: {TEAM} → members → item 2: "@bo" is no GitHub login; write it without @, like "octocat"',
    ),
    (
        changed('"bo"', "3"),
        f'7: {TEAM} → members → item 2: 3 stands where text in quotes was expected, like members = ["octocat"]',
    ),
    (changed('"bo"', '"Ann"'), f'7: {TEAM} → members: "Ann" is listed twice; once is enough'),
    (
        changed("digest =", 'github_team = "acme/payments"\ndigest ='),
        f"4: {TEAM}: names its people twice; keep github_team or members, not both",
    ),
    (
        changed('members = [\n  "ann",\n  "bo",\n]', ""),
        f'4: {TEAM}: names no people; add github_team = "acme/payments" or members = ["octocat"]',
    ),
    (
        changed("digest =", 'github_team = "payments"\ndigest ='),
        f'13: {TEAM} → github_team: "payments" is no team; write organization and team, like "acme/payments"',
    ),
    (changed('["acme/api"]', "[]"), f"11: {TEAM} → repositories: the list is empty; name at least one"),
    (
        changed('["acme/api"]', '"acme/api"'),
        f'11: {TEAM} → repositories: "acme/api" stands where a list in square brackets was expected, '
        'like repositories = ["acme/api"]',
    ),
    *(
        (
            changed('["acme/api"]', f'["{name}"]'),
            f'11: {TEAM} → repositories → item 1: "{name}" is no repository; write owner and name, like "acme/api"',
        )
        for name in ("https://github.com/acme/api", "acme/..", "acme", "acme/api/pulls", "acme/ä")
    ),
    (
        changed('["acme/api"]', '["acme/api", "Acme/api"]'),
        f'11: {TEAM} → repositories: "Acme/api" is listed twice; once is enough',
    ),
    (
        changed("Europe/Berlin", "Europe/Berln"),
        f'12: {TEAM} → timezone: "Europe/Berln" is no time zone; write its IANA name, like "Europe/Berlin"',
    ),
    *(
        (
            changed("Europe/Berlin", zone),
            f'12: {TEAM} → timezone: "{zone}" is no time zone; write its IANA name, like "Europe/Berlin"',
        )
        for zone in ("", "/etc/passwd", "..", "CEST", "cest", "UTC+2", "GMT+2", "berlin")
    ),
    *(
        (
            changed("Europe/Berlin", zone),
            f'12: {TEAM} → timezone: "{zone}" is no time zone; write its IANA name, like "{likely}"',
        )
        for zone, likely in (("PST", "America/Los_Angeles"), ("BST", "Europe/London"), ("New York", "America/New_York"))
    ),
    (
        changed("Mon 09:00", "Mon 9:00"),
        f'13: {TEAM} → digest: "Mon 9:00" is no weekly time; '
        'write a day of three letters and a time of two and two digits, like "Mon 09:00"',
    ),
    (
        changed('digest = "Mon 09:00"', 'digest = "Mon 09:00"\nowner = "ann"'),
        f'14: {TEAM} → owner: "ann" is no member ID; copy it from the person\'s profile in Slack, like "U0123ABCD"',
    ),
    (
        changed('digest = "Mon 09:00"', 'digest = "Mon 09:00"\nservice_accounts = [""]'),
        f'14: {TEAM} → service_accounts → item 1: "" is no account; '
        'write its ID as the provider reports it, like "svac_01AB"',
    ),
    (
        changed('digest = "Mon 09:00"', 'digest = "Mon 09:00"\nservice_accounts = ["ci", "ann@acme.example"]'),
        f'14: {TEAM} → service_accounts → item 2: "***" is an e-mail address, and nobody\'s spend is counted unless '
        'they join; write the ID of a service account, like "svac_01AB"',
    ),
    (
        changed('digest = "Mon 09:00"\n', ""),
        f'4: {TEAM} → digest: the key is missing; add it, like digest = "Mon 09:00"',
    ),
    (
        changed("timezone", "time_zone"),
        f"12: {TEAM} → time_zone: there is no such key; did you mean timezone? (and 1 more)",
    ),
    (
        changed("digest =", "colour = 3\ndigest ="),
        f"13: {TEAM} → colour: there is no such key; the keys are name, slack_channel, github_team, members, "
        "repositories, timezone, digest, owner, service_accounts, credit",
    ),
    (
        changed("digest =", "x = 3\ny = 4\nz = 5\ndigest ="),
        f"13: {TEAM} → x: there is no such key; the keys are name, slack_channel, github_team, members, "
        "repositories, timezone, digest, owner, service_accounts, credit (and 2 more)",
    ),
    # two teams
    (
        PAYMENTS + CORE.replace('"core"', '"payments"'),
        '14: team "payments" → name: "payments" is the name of team 1 of this file too; '
        "give each team a name of its own",
    ),
    (
        PAYMENTS + CORE.replace('"di"', '"BO"'),
        '16: team "core" → members: "BO" is a member of team "payments" too; '
        "people count in one team only, so take them out of one",
    ),
    (
        PAYMENTS + 'service_accounts = ["ci"]\n' + CORE + 'service_accounts = ["ci"]\n',
        '24: team "core" → service_accounts: "ci" is a service account of team "payments" too; '
        "its cost counts once, so take it out of one",
    ),
    (
        (PAYMENTS + CORE)
        .replace('members = [\n  "ann",\n  "bo",\n]', 'github_team = "acme/all"')
        .replace('members = [\n  "cy",\n  "di",\n]', 'github_team = "acme/All"'),
        '13: team "core" → github_team: "acme/All" is the GitHub team of team "payments" too; '
        "people count in one team only, so name it once",
    ),
]


@pytest.mark.parametrize(("text", "said"), MENDED)
def test_what_is_wrong_is_said_in_one_line_with_its_place(file, text, said):
    found = complaint(file, text)
    assert found == f"leverage.toml:{said}"
    assert len(found.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (changed("k = 5", "k 5"), "2:3"),
        ('[[team]]\nname = "payments', "2:17"),
        ("[[team]]\nname = 1\nname = 2\n", "3:9"),
        ("team = [\n\n", "1:9"),
    ],
)
def test_what_is_not_toml_is_said_with_line_and_column(file, text, place):
    found = complaint(file, text)
    assert found.startswith(f"leverage.toml:{place}: this is not TOML: ")
    assert len(found.splitlines()) == 1


@pytest.mark.parametrize(
    "text",
    [
        changed('"Europe/Berlin"', '"Europe/Berlin'),
        changed('"Mon 09:00"\n', '"Mon 09:00'),
        changed('"Mon 09:00"\n', "'Mon 09:00"),
        changed('"ann",', '"ann,'),
        changed('"C0123ABCD"', '"C0123ABCD').replace("\n", "\r\n"),
    ],
)
def test_a_quote_that_is_not_closed_is_guessed(file, text):
    assert complaint(file, text).endswith("; is a quote not closed?")


def test_other_mistakes_are_not_blamed_on_a_quote(file):
    assert "quote" not in complaint(file, changed("k = 5", "k 5"))


def test_a_file_that_is_missing_is_made_by_copying_the_example(file):
    with pytest.raises(UserError) as caught:
        config.load(file)
    assert str(caught.value) == f"{file} is missing: `cp leverage.example.toml {file}` and write your teams into it."


def test_a_file_of_another_encoding_is_refused(file):
    file.write_bytes("# größer".encode("latin-1"))
    with pytest.raises(UserError, match="is not UTF-8 text"):
        config.load(file)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        config.load(tmp_path)


@pytest.mark.parametrize("text", ["x = " + "9" * 5000, "x = " + "[" * 5000])
def test_what_is_too_much_for_the_parser_is_refused_in_one_line(file, text):
    assert "too long" in complaint(file, text)


@pytest.mark.parametrize(
    "line",
    ['slack_token = "{}"', 'owner = "{}"', '"{}" = 1', 'service_accounts = ["{}", "{}"]', '"{}"', '["{}"]\n["{}"]'],
)
@pytest.mark.parametrize("secret", ["xoxb-1234-canary", "sk-ant-admin01-canary", "ghp_canary", "canary@example.com"])
def test_a_secret_that_strayed_into_the_file_is_not_repeated(file, line, secret):
    text = PAYMENTS.replace('"Europe/Berlin"', '"nowhere"') + line.replace("{}", secret) + "\n"
    assert "canary" not in complaint(file, text)


def test_a_long_value_is_cut(file):
    assert len(complaint(file, changed("Europe/Berlin", "x" * 10_000))) < 200


def test_text_that_looks_like_a_header_is_none(file):
    hidden = '"""\n[[team]]\nname = \'x\'\n"""'
    lines = find_lines(
        f'# [[team]]\n[[team]]\nnote = {hidden}\n[[team]]\n"na.me" = "a"\nlist = [\n# ]\n[1],\n]\nend = 1'
    )
    assert lines["team", 0, "note"] == 3
    assert lines["team", 1] == 7
    assert lines["team", 1, "na.me"] == 8
    assert lines["team", 1, "end"] == 13


def test_keys_are_found_however_their_tables_are_written():
    lines = find_lines("a.b = 1\n[c]\nd = {e = 2}\n[[t.u]]\n[t.u.v]\nw = 1\n[[t.u]]\n[[t.u.x]]\ny = 1")
    assert lines["a", "b"] == 1
    assert lines["c", "d", "e"] == 3
    assert lines["t", "u", 0, "v", "w"] == 6
    assert lines["t", "u", 1, "x", 0, "y"] == 9


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_edit_of_a_file_leads_to_anything_but_one_line(file, data):
    text = COMPANY + PAYMENTS + CORE
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 30)))
    piece = data.draw(
        st.sampled_from(["", "\n", "[", "]", '"', "=", "5", "true", "nan", "[[team]]\n", "\u2028", "#", "{}"])
    )
    said = outcome(file, text[:start] + piece + text[end:])
    assert len(said.splitlines()) == 1
    assert said == "valid" or said.startswith(f"{file}:")
