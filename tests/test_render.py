"""Messages that Slack accepts, text that reads well, and no number that may not be told."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.block import HeldReason, Part, PartSum, PublicFacts
from bot.domain.digest import Digest
from bot.render import WIDTH, Message, document, slack_message, text
from tests import slack_rules
from tests.blocks import ONE_PART, URL, blocks, digest, facts, held, held_blocks, published, trend

NOT_SHOWN = "Not in the chart, as no cost was shown: W15."
METHOD = Path(__file__).parents[1] / "docs" / "method.md"

CASES = {
    "rich": digest(published(missing_days=1), trend()),
    "only_the_total": digest(
        published("2026-W17 2026-W20", parts=ONE_PART, typical=None, explained_band=None, coverage_band=None)
    ),
    "few_pull_requests": digest(published(merged=2), trend()),
    "no_pull_request": digest(published(merged=0, public=PublicFacts(0, 0, None))),
    "no_spend": digest(published(spend_micro=0, parts=(PartSum(tuple(Part), 0),), typical=None, linked_band=None)),
    "leads_with_coverage": digest(published(leads_with_coverage=True, linked_band="under 50 %"), trend()),
    "held": digest(held()),
    "waiting": digest(held(HeldReason.WAITING)),
    "silent": digest(held(public=None)),
}
HOSTILE = [
    "<!channel> <!here> <@U0123ABCD> <#C0123ABCD>",
    "@here @channel @everyone",
    "<https://evil.example|payments>",
    '"}, {"type": "divider"}, {"',
    "{{ 7 * 7 }} {% raw %} {# no #}",
    "a & b &lt;!channel&gt;",
    "line\nbreak\r\n\u2028\u2029 tab\t nul\x00 escape\x1b[2J",
    "*bold* _it_ ~gone~ `code` :fire:",
    "\u202ereversed \u200b\ud800 \U0001f4a9",
    "x" * 500,
    "",
    "\U0001f4a9" * 500,
]


@pytest.mark.parametrize("case", CASES)
def test_the_text_reads_as_approved(case, snapshot):
    assert text(CASES[case]) == snapshot


@pytest.mark.parametrize("case", CASES)
def test_the_slack_message_is_as_approved(case, snapshot):
    message = slack_message(CASES[case])
    slack_rules.accept(message.text, message.blocks)
    assert (message.text, message.blocks) == snapshot


@pytest.mark.parametrize("case", CASES)
def test_the_document_is_as_approved(case, snapshot):
    assert json.dumps(document(CASES[case]), indent=2) == snapshot


def test_lines_of_the_text_fit_a_terminal():
    lines = [line for case in CASES.values() for line in text(case).splitlines()]
    assert max(map(len, lines)) <= WIDTH


def test_a_chart_is_native_and_its_values_are_in_the_text_too():
    message = slack_message(CASES["rich"])
    (series,) = _chart(message)["chart"]["series"]
    table = re.findall(r"^  (W\S+) +\$(\S+)$", message.text, re.MULTILINE)
    assert [(label, float(dollars)) for label, dollars in table] == [tuple(point.values()) for point in series["data"]]
    assert len(table) == 6


def test_a_week_that_showed_no_cost_is_missing_in_the_chart_and_named_beside_it_and_in_the_text():
    message = slack_message(CASES["rich"])
    assert "W15" not in json.dumps(_chart(message))
    assert [block for block in message.blocks if "W15" in json.dumps(block)] == [
        {"type": "context", "elements": [{"type": "mrkdwn", "verbatim": True, "text": NOT_SHOWN}]}
    ]
    assert re.findall(r"^  (W15 +-|-: .*)$", message.text, re.MULTILINE) == [
        "W15                -",
        "-: no cost was shown",
    ]


def test_without_two_blocks_to_compare_there_is_no_chart():
    types = [block["type"] for block in slack_message(digest(published(), (published(),))).blocks]
    assert slack_rules.CHART not in types


@pytest.mark.parametrize("reason", HeldReason)
def test_a_held_week_reads_the_same_whatever_held_it(reason):
    one, other = digest(held(reason)), Digest(held(reason), trend(), "elsewhere")
    assert (text(one), slack_message(one), document(one)) == (text(other), slack_message(other), document(other))


@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.parametrize("block", [published(), held()], ids=["published", "held"])
def test_a_hostile_name_mentions_nobody_and_breaks_nothing(unit, block):
    told = digest(replace(block, unit=unit), trend())
    message = slack_message(told)
    slack_rules.accept(message.text, message.blocks)
    header, *others = message.blocks
    assert header["text"]["type"] == "plain_text"
    assert len(header["text"]["text"].encode("utf-16-le")) <= 2 * 150
    assert others == slack_message(digest(block, trend())).blocks[1:]
    assert _markup(message.text) <= {f"<{URL}"}
    assert set().union(*map(_markup, _mrkdwn(message.blocks))) <= {f"<{URL}"}
    assert text(told).replace("\n", "").isprintable()
    assert json.loads(json.dumps(document(told)))["unit"] == unit


@pytest.mark.parametrize(
    ("url", "end"),
    [
        ("https://a.example/m?x=1&y=2", "<https://a.example/m?x=1&amp;y=2>"),
        ("https://a.example/>|<!channel>", "<https://a.example/%3E%7C%3C!channel%3E>"),
        ("docs/method.md", "docs/method.md"),
        ("<!channel>", "&lt;!channel&gt;"),
    ],
)
def test_the_method_is_linked_safely(url, end):
    message = slack_message(Digest(published(), (), url))
    slack_rules.accept(message.text, message.blocks)
    assert message.text.endswith(end)
    assert "<!" not in json.dumps(message.blocks)


# 6 digits that do not end in 0: no rounded number can look like one of these.
telltale = st.integers(100_000, 999_999).filter(lambda count: count % 10)


@given(st.lists(blocks(counted=telltale), min_size=1, max_size=8))
def test_no_output_tells_how_many_pull_requests_count(history):
    counts = {str(count) for block in history for count in (block.merged, block.touched)}
    for output in _outputs(digest(replace(history[-1], unit=""), tuple(history))):
        assert not counts & set(re.findall(r"\d+", output))


@given(blocks(), st.lists(blocks(), max_size=7))
def test_no_output_tells_an_unrounded_amount(block, earlier):
    told = digest(replace(block, unit=""), (*earlier, block))
    for output in _outputs(told):
        assert all(_digits(amount) <= 2 for amount in re.findall(r"\$(\d[\d,]*(?:\.\d+)?)", output))
        assert all(_digits(share) <= 2 for share in re.findall(r"\((\d[\d.]*)%\)", output))
    for name, number in _numbers(document(told)):
        if name not in {"metric_version", "missing_days", "merged_prs", "revert_prs"}:
            assert _digits(number) <= 2, name


@given(blocks() | held_blocks(), st.lists(blocks(), max_size=7))
def test_any_message_is_one_that_slack_accepts(block, earlier):
    ordered = sorted(earlier, key=lambda one: one.first)
    apart = [one for one, after in pairwise(ordered) if one.last < after.first]
    message = slack_message(digest(block, tuple(apart)))
    slack_rules.accept(message.text, message.blocks)


@given(facts)
def test_public_facts_are_the_only_numbers_of_a_held_week(public):
    _, _, sentence, _, heading, *lines = text(digest(held(public=public))).splitlines()
    assert (sentence, heading) == ("Held for the next digest.", "On GitHub")
    counts = {number for line in lines if "merged" in line for number in re.findall(r"\d+", line)}
    assert counts <= {str(public.merged), str(public.reverted)}
    assert len(lines) <= 2


@pytest.mark.parametrize("case", CASES)
def test_every_name_of_the_document_is_explained(case):
    explained = METHOD.read_text()
    assert not [name for name in _names(document(CASES[case])) if f"`{name}`" not in explained]


@pytest.mark.parametrize("case", CASES)
def test_every_code_of_the_document_is_explained(case):
    explained = METHOD.read_text()
    told = document(CASES[case])
    public = told["public"] or {"reasons": {}}
    codes = [told["state"], *told["reasons"].values(), *public["reasons"].values()]
    assert not [code for code in codes if f"`{code}`" not in explained]


@pytest.mark.parametrize("case", CASES)
def test_a_null_has_a_reason_and_nothing_else_has_one(case):
    told = document(CASES[case])
    assert {name for name, value in told.items() if value is None} == told["reasons"].keys()


@pytest.mark.parametrize(
    "change",
    [
        {"title": "x" * 51},
        {"chart": {"type": "pie", "segments": []}},
        {"chart": {"type": "bar", "series": [], "axis_config": {"categories": []}}},
    ],
)
def test_the_rule_for_charts_bites(change):
    with pytest.raises(AssertionError):
        slack_rules.accept_chart({**_chart(slack_message(CASES["rich"])), **change})


def _outputs(given: Digest) -> list[str]:
    """All that is made of a digest."""
    message = slack_message(given)
    return [text(given), message.text, json.dumps(message.blocks, ensure_ascii=False), json.dumps(document(given))]


def _digits(number: str) -> int:
    """How many digits of a number matter."""
    return len(Decimal(number.replace(",", "")).normalize().as_tuple().digits)


def _numbers(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        yield from (found for key, inner in value.items() for found in _numbers(inner, key))
    elif isinstance(value, list):
        yield from (found for inner in value for found in _numbers(inner, name))
    elif isinstance(value, int | float):
        yield name, str(value)


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        yield from (name for key, inner in value.items() if key != "reasons" for name in _names(inner))
    elif isinstance(value, list):
        yield from (name for inner in value for name in _names(inner))


def _mrkdwn(value: Any) -> Iterator[str]:
    """All text that Slack would look through for markup."""
    if isinstance(value, dict) and value.get("type") == "mrkdwn":
        yield value["text"]
    elif isinstance(value, dict):
        yield from (words for inner in value.values() for words in _mrkdwn(inner))
    elif isinstance(value, list):
        yield from (words for inner in value for words in _mrkdwn(inner))


def _chart(message: Message) -> dict[str, Any]:
    (chart,) = (block for block in message.blocks if block["type"] == slack_rules.CHART)
    return chart


def _markup(words: str) -> set[str]:
    """What Slack would take for a link or a mention."""
    return set(re.findall(r"<[^|>]*", words))
