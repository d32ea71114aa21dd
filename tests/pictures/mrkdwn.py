"""Slack's mrkdwn as HTML: as much of it as our messages use. https://docs.slack.dev/messaging/formatting-message-text"""

import re
from html import escape

CHANNELS = {"C0123ABCD": "payments"}
MARKS = re.compile(
    r"<(?P<target>[^<>|\n]+)(?:\|(?P<words>[^<>\n]+))?>"
    r"|\n?```(?P<block>[^`]+)```\n?"
    r"|`(?P<code>[^`\n]+)`"
    r"|(?<![\w*])\*(?P<bold>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])"
    r"|(?<![\w_])_(?P<italic>[^\s_](?:[^_\n]*[^\s_])?)_(?![\w_])"
)


def html(mrkdwn: str) -> str:
    """`verbatim` or not: Slack then only leaves alone what looks like a link or a name without being marked as one."""
    done, out = 0, []
    for mark in MARKS.finditer(mrkdwn):
        out += [_plain(mrkdwn[done : mark.start()]), _marked(mark)]
        done = mark.end()
    return "".join([*out, _plain(mrkdwn[done:])])


def _plain(words: str) -> str:
    """Slack knows these three entities and no others."""
    return escape(words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def _marked(mark: re.Match[str]) -> str:
    if mark["target"]:
        return _link(mark["target"], mark["words"])
    if mark["block"]:
        return f"<pre>{_plain(mark['block'])}</pre>"
    if mark["code"]:
        return f"<code>{_plain(mark['code'])}</code>"
    return f"<b>{html(mark['bold'])}</b>" if mark["bold"] else f"<i>{html(mark['italic'])}</i>"


def _link(target: str, words: str | None) -> str:
    """A mention of a person or of everybody is none of what we send."""
    if target.startswith("#"):
        return f'<a class="mention">#{escape(CHANNELS[target[1:]])}</a>'
    if not target.startswith(("https://", "http://")):
        raise ValueError(f"we send no <{target}>")
    return f'<a href="{_plain(target)}">{_plain(words or target)}</a>'
