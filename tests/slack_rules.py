"""What Slack accepts, as far as two libraries and our own small rule for charts know it."""

from collections.abc import Callable
from typing import Any

import slackblocks
from slack_sdk.models.blocks import Block

CHART = "data_visualization"
CHARTS_A_MESSAGE = 2
AXIS_CHARTS: dict[str, Callable[..., slackblocks.Chart]] = {
    "bar": slackblocks.BarChart,
    "line": slackblocks.LineChart,
    "area": slackblocks.AreaChart,
}


def accept(text: str, blocks: list[dict[str, Any]]) -> None:
    """Fail unless Slack would take the message."""
    assert 0 < len(text) <= 4000
    assert sum(block["type"] == CHART for block in blocks) <= CHARTS_A_MESSAGE
    slackblocks.Message(channel="C0123ABCD", text=text, blocks=[_parsed(block) for block in blocks])
    for block in blocks:
        if block["type"] != CHART:  # slack_sdk skips what it does not know
            known = Block.parse(block)
            assert known is not None
            known.validate_json()


def accept_chart(block: dict[str, Any]) -> None:
    """https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block, for charts with axes."""
    assert block.keys() <= {"type", "block_id", "title", "chart"}
    assert 0 < len(block["title"]) <= 50
    chart = block["chart"]
    assert chart.keys() == {"type", "series", "axis_config"}
    assert chart["type"] in AXIS_CHARTS
    assert 1 <= len(chart["series"]) <= 6
    axis = chart["axis_config"]
    assert axis.keys() <= {"categories", "x_label", "y_label"}
    assert all(0 < len(axis[name]) <= 50 for name in axis.keys() - {"categories"})
    categories = axis["categories"]
    assert len(set(categories)) == len(categories)
    for series in chart["series"]:
        assert 0 < len(series["name"]) <= 20
        assert 1 <= len(series["data"]) <= 20
        assert [point["label"] for point in series["data"]] == categories
        assert all(0 < len(point["label"]) <= 20 for point in series["data"])
        assert all(type(point["value"]) in (int, float) for point in series["data"])


def _parsed(block: dict[str, Any]) -> slackblocks.Block:
    if block["type"] != CHART:
        return slackblocks.Block.from_dict(block)
    accept_chart(block)
    return _chart(block)


def _chart(block: dict[str, Any]) -> slackblocks.DataVisualizationBlock:
    """slackblocks checks charts it is asked to make, but cannot read one."""
    chart = block["chart"]
    series = [
        slackblocks.DataSeries(one["name"], [slackblocks.DataPoint(**point) for point in one["data"]])
        for one in chart["series"]
    ]
    axis = slackblocks.AxisConfig(**chart["axis_config"])
    return slackblocks.DataVisualizationBlock(block["title"], AXIS_CHARTS[chart["type"]](series, axis))
