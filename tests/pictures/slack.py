"""Slack's messages and windows as HTML: the kinds of blocks we send and no others."""

from collections.abc import Iterable
from html import escape
from typing import Any

from tests.pictures import chart, mrkdwn

Json = dict[str, Any]
PRIVATE = '<div class="private">Only visible to you</div>'


def message(blocks: Iterable[Json], private: bool = False) -> str:
    return _posted("".join(map(block, blocks)), private)


def plain(text: str) -> str:
    """A message without blocks."""
    return _posted(f'<div class="section">{mrkdwn.html(text)}</div>', False)


def _posted(body: str, private: bool) -> str:
    head = '<b>Leverage</b><span class="app">APP</span><span class="time">09:00</span>'
    return (
        f'{PRIVATE * private}<div class="message"><div class="face">L</div>'
        f'<div class="said"><div class="who">{head}</div>{body}</div></div>'
    )


def window(view: Json) -> str:
    """The whole of a window; on a screen, Slack lets people scroll between its title and its buttons."""
    if view["type"] != "modal":
        raise ValueError(f"we open no {view['type']}")
    submit = f'<span class="button go">{text(view["submit"])}</span>' if "submit" in view else ""
    return (
        f'<div class="window"><div class="title">{text(view["title"])}</div>'
        f'<div class="body">{"".join(map(block, view["blocks"]))}</div>'
        f'<div class="foot"><span class="button">{text(view["close"])}</span>{submit}</div></div>'
    )


def block(one: Json) -> str:
    match one["type"]:
        case "header":
            return f'<div class="header">{text(one["text"])}</div>'
        case "section":
            return f'<div class="section">{text(one["text"])}</div>'
        case "context":
            return f'<div class="context">{" ".join(map(text, one["elements"]))}</div>'
        case "divider":
            return "<hr>"
        case "data_visualization":
            return f'<div class="chart"><b>{escape(one["title"])}</b>{chart.svg(one["chart"])}</div>'
        case "input":
            return _input(one)
        case unknown:
            raise ValueError(f"a block of type {unknown} cannot be drawn yet")


def text(one: Json) -> str:
    match one["type"]:
        case "mrkdwn":
            return mrkdwn.html(one["text"])
        case "plain_text":
            return escape(one["text"])
        case unknown:
            raise ValueError(f"text of type {unknown} cannot be drawn yet")


def _input(one: Json) -> str:
    optional = ' <span class="optional">(optional)</span>' if one.get("optional") else ""
    hint = f'<div class="hint">{text(one["hint"])}</div>' if "hint" in one else ""
    return f'<div class="input"><b>{text(one["label"])}</b>{optional}{_element(one["element"])}{hint}</div>'


def _element(one: Json) -> str:
    match one["type"]:
        case "checkboxes":
            return "".join(_option("checkbox", option, one.get("initial_options", [])) for option in one["options"])
        case "radio_buttons":
            return "".join(_option("radio", option, [one.get("initial_option")]) for option in one["options"])
        case "plain_text_input":
            return '<input type="text">'
        case unknown:
            raise ValueError(f"an input of type {unknown} cannot be drawn yet")


def _option(kind: str, one: Json, on: list[Json | None]) -> str:
    described = f"<small>{text(one['description'])}</small>" if "description" in one else ""
    checked = " checked" if one in on else ""
    return f'<label><input type="{kind}"{checked}><span>{text(one["text"])}{described}</span></label>'
