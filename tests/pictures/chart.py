"""A bar chart with one series, about as Slack draws it."""

from html import escape
from itertools import count
from math import ceil
from typing import Any

WIDTH, HEIGHT = 520, 260
LEFT, RIGHT, TOP, BOTTOM = 60, 10, 14, 42
SPAN, RISE = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
LINES = 5  # at most


def svg(chart: dict[str, Any]) -> str:
    if chart["type"] != "bar" or len(chart["series"]) != 1:
        raise ValueError("we send bars of one series only")
    (series,) = chart["series"]
    axis, points = chart["axis_config"], series["data"]
    most = max(point["value"] for point in points)
    step = _step(most)
    lines = max(1, ceil(most / step))
    top = step * lines
    room = SPAN / len(points)
    drawn = [_line(step * number, top) for number in range(lines + 1)]
    drawn += [_bar(point, LEFT + room * number, room, top) for number, point in enumerate(points)]
    names = (
        f'<text x="{LEFT + SPAN / 2}" y="{HEIGHT - 4}" text-anchor="middle">{escape(axis["x_label"])}</text>'
        f'<text transform="translate(14 {TOP + RISE / 2}) rotate(-90)" text-anchor="middle">'
        f"{escape(axis['y_label'])}</text>"
    )
    legend = f'<div class="legend"><span class="swatch"></span>{escape(series["name"])}</div>'
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}">{"".join(drawn)}{names}</svg>{legend}'


def _step(most: float) -> float:
    """The least of 1, 2 and 5 times a power of ten that carries the highest bar in a few lines."""
    steps = (digit * 10**power for power in count(-2) for digit in (1, 2, 5))
    return next(float(step) for step in steps if step * LINES >= most)


def _line(value: float, top: float) -> str:
    y = TOP + RISE * (1 - value / top)
    return (
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{value:g}</text>'
    )


def _bar(point: dict[str, Any], x: float, room: float, top: float) -> str:
    height = RISE * point["value"] / top
    return (
        f'<rect x="{x + room * 0.15}" y="{TOP + RISE - height}" width="{room * 0.7}" height="{height}"/>'
        f'<text x="{x + room / 2}" y="{TOP + RISE + 16}" text-anchor="middle">{escape(point["label"])}</text>'
    )
