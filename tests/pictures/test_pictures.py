"""Drawing without a browser: all that we send can be drawn, and what cannot be is refused, never left out."""

import pytest

from tests.pictures import chart, mrkdwn, slack
from tests.pictures.shown import page, pictures

SHOWN = {one.name: one.html for one in pictures()}


def test_each_picture_is_on_the_page_once():
    html = page(pictures(), "body {}")
    assert len(SHOWN) == len(pictures())
    assert all(html.count(f'id="{name}"') == 1 for name in SHOWN)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("digest-published", "<b>All-in cost of a merged pull request</b><svg"),
        ("digest-held", '<div class="header">payments: Week 20'),
        ("digest-published-blocks-refused", '<a href="https://leverage.example.com/method">'),
        ("me-with-data", "<code>/leverage leave</code>"),
        ("window-join", '<span class="optional">(optional)</span><label><input type="checkbox"><span>collect'),
        ("window-change", '<input type="radio" checked><span>A band'),
        ("note-to-the-owner", '<a class="mention">#payments</a>'),
        ("comment", "<strong>M-size pull requests here"),
    ],
)
def test_it_is_drawn_as_people_see_it(name, words):
    assert words in SHOWN[name]


def test_nothing_is_preselected_for_a_newcomer():
    assert "checked" not in SHOWN["window-join"]


@pytest.mark.parametrize(
    ("said", "drawn"),
    [
        ("*bold*, 2 * 3 * 4, `a*b*c`", "<b>bold</b>, 2 * 3 * 4, <code>a*b*c</code>"),
        ("_so_ snake_case_name", "<i>so</i> snake_case_name"),
        ("<https://a.example/?x=1&amp;y=2|a &lt;b&gt;>", '<a href="https://a.example/?x=1&amp;y=2">a &lt;b&gt;</a>'),
        ("&lt;!channel&gt; &amp;lt; \"'", "&lt;!channel&gt; &amp;lt; &quot;&#x27;"),
        ("*Title*\n• one", "<b>Title</b>\n• one"),
    ],
)
def test_mrkdwn_is_read_as_slack_reads_it(said, drawn):
    assert mrkdwn.html(said) == drawn


@pytest.mark.parametrize("words", ["<!channel>", "<@U0123ABCD>"])
def test_a_mention_is_nothing_that_we_send(words):
    with pytest.raises(ValueError, match="we send no"):
        mrkdwn.html(words)


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image"},
        {"type": "section", "text": {"type": "raw_text", "text": "x"}},
        {"type": "input", "label": {"type": "plain_text", "text": "x"}, "element": {"type": "datepicker"}},
    ],
)
def test_an_unknown_type_is_refused(block):
    with pytest.raises(ValueError, match="cannot be drawn yet"):
        slack.block(block)


@pytest.mark.parametrize(
    ("values", "top"), [([15, 7.6], "15"), ([0.003], "0.01"), ([0], "0.01"), ([1201], "1500"), ([50], "50")]
)
def test_a_chart_ends_a_little_above_its_highest_bar(values, top):
    data = [{"label": f"W{week}", "value": value} for week, value in enumerate(values)]
    axis = {"categories": [], "x_label": "Week", "y_label": "US$"}
    drawn = chart.svg({"type": "bar", "series": [{"name": "US$", "data": data}], "axis_config": axis})
    assert drawn.count("<rect") == len(values)
    assert f'y="{chart.TOP + 4.0}" text-anchor="end">{top}</text>' in drawn
