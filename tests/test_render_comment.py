"""The words of the comment: as they are, and as GitHub's own Markdown shows them."""

from fractions import Fraction

import cmarkgfm
import pytest

from bot.domain.card_levels import Level, Reference
from bot.domain.comment import FAMILY, MARKER
from bot.domain.metrics.size import SizeClass
from bot.domain.privacy.cards import Card
from bot.render_comment import comment_body

URL = "https://leverage.example.com/method"
GOLDEN = """\
<!-- leverage:comment v1 -->
**M-size pull requests here usually take $3 to $12 of AI compute** (estimated from daily totals).

This is the middle half of the team's earlier pull requests that used AI, at list prices. It says nothing about this \
one or its author. [How this is made](<https://leverage.example.com/method>)"""


def reference(
    low: str = "3", high: str = "12", level: Level = Level.REPOSITORY, size: SizeClass = SizeClass.M
) -> Reference:
    lower, upper = (Fraction(amount) * 1_000_000 for amount in (low, high))
    return Reference(level, size, Card(lower, lower, upper, lower, upper, 95))


def test_the_comment_word_for_word():
    assert comment_body(reference(), URL) == GOLDEN
    assert comment_body(reference(), URL).startswith(MARKER)
    assert MARKER.startswith(FAMILY)


@pytest.mark.parametrize(
    ("level", "words"),
    [
        (Level.REPOSITORY, "**XL-size pull requests here usually"),
        (Level.SIZE, "**XL-size pull requests of this team usually"),
        (Level.UNIT, "**Pull requests of this team usually"),
    ],
)
def test_it_says_what_the_card_is_about(level, words):
    assert words in comment_body(reference(level=level, size=SizeClass.XL), URL)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        ("3", "3", "about $3 of"),
        ("0.25", "1.2", "$0.25 to $1.20 of"),
        ("1000", "2500", "$1,000 to $2,500 of"),
        ("0", "0.04", "$0 to $0.04 of"),
    ],
)
def test_amounts_are_told_as_they_were_rounded(low, high, words):
    assert words in comment_body(reference(low, high), URL)


def test_only_the_quartiles_are_told():
    middle, lower, upper, low, high = (Fraction(amount * 1_000_000) for amount in (5, 3, 12, 4, 8))
    card = Card(middle, lower, upper, low, high, 95)
    body = comment_body(Reference(Level.UNIT, SizeClass.M, card), URL)
    assert "$3 to $12" in body
    assert not any(amount in body for amount in ("$4", "$5", "$8", "95"))


def test_as_github_shows_it():
    html = cmarkgfm.github_flavored_markdown_to_html(
        comment_body(reference(), URL), cmarkgfm.cmark.Options.CMARK_OPT_UNSAFE
    )
    assert html.startswith("<!-- leverage:comment v1 -->")
    assert "<strong>M-size pull requests here usually take $3 to $12 of AI compute</strong>" in html
    assert f'<a href="{URL}">How this is made</a>' in html
    assert "@" not in html
    assert "#" not in html


@pytest.mark.parametrize(
    "url",
    ["https://x/a)b", "https://x/a>b", "https://x/a b", "https://x/<script>", "https://x/\nhello", "https://x/`a`"],
)
def test_an_odd_address_stays_one_link(url):
    html = cmarkgfm.github_flavored_markdown_to_html(comment_body(reference(), url))
    assert html.count("<a href=") == 1
    assert "How this is made</a></p>" in html
    assert "script>" not in html
