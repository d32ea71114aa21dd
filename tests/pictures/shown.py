"""What is pictured: our own rendering of the tests' data, drawn as people would see it."""

from dataclasses import dataclass
from html import escape
from typing import Any

import cmarkgfm

from bot import render, render_me, render_token
from bot.domain import notes
from bot.domain.delivery import State
from bot.render_comment import comment_body
from bot.slack.app import SORRY
from bot.slack.commands import LEFT, WINDOW
from tests import test_render, test_render_me
from tests.blocks import URL
from tests.pictures import slack
from tests.pictures.mrkdwn import CHANNELS
from tests.test_render_comment import reference

DIGESTS = {
    "digest-published": "rich",
    "digest-only-the-total": "only_the_total",
    "digest-few-pull-requests": "few_pull_requests",
    "digest-little-is-tied": "leads_with_coverage",
    "digest-held": "held",
    "digest-waiting": "waiting",
}
OWN = {
    "me-with-data": "rich",
    "me-not-joined": "not_joined",
    "me-joined-today": "joined_today",
    "me-without-spend": "no_spend",
}
HEAD = "<b>leverage</b> <small>bot</small> commented"


@dataclass(frozen=True, slots=True)
class Picture:
    name: str
    html: str
    is_window: bool = False

    @property
    def width(self) -> int:
        return 560 if self.is_window else 760


def pictures() -> list[Picture]:
    return [
        *_digests(),
        *_answers(),
        *_windows(),
        Picture("note-to-the-owner", _note()),
        Picture("comment", _comment()),
    ]


def _digests() -> list[Picture]:
    messages = {name: render.slack_message(test_render.CASES[case]) for name, case in DIGESTS.items()}
    refused = slack.plain(messages["digest-published"].text)
    drawn = [Picture(name, slack.message(message.blocks)) for name, message in messages.items()]
    return [*drawn, Picture("digest-published-blocks-refused", refused)]


def _answers() -> list[Picture]:
    cases = test_render_me.CASES
    answers = {name: render_me.slack_message(cases[case], test_render_me.GITHUB) for name, case in OWN.items()}
    answers |= {"help": render_me.help_message(URL), "left": render_me.note(LEFT)}
    token = "lev_" + "0a1b2c3d" * 8
    answers |= {
        "token": render_token.made(token, 1, "https://leverage.example.com"),
        "token-ended": render_token.ended(1),
    }
    return [Picture(name, slack.message(answer.blocks, private=True)) for name, answer in answers.items()]


def _windows() -> list[Picture]:
    on = test_render_me.JOINED
    views: dict[str, dict[str, Any]] = {
        "window-join": render_me.join_window(None, WINDOW, URL),
        "window-change": render_me.join_window(on, WINDOW, URL),
        "window-joined": render_me.joined_window(on),
        "window-went-wrong": render_me.closing_window(SORRY),
    }
    return [Picture(name, slack.window(view), is_window=True) for name, view in views.items()]


def _note() -> str:
    """As an owner gets it: the channel is named by a link to it."""
    (channel,) = CHANNELS
    said = notes.say("digest/payments/2026-W20", State.UNKNOWN, f"<#{channel}>", None)
    return slack.plain(said)


def _comment() -> str:
    body = cmarkgfm.github_flavored_markdown_to_html(comment_body(reference(), URL))
    return f'<div class="commenter">{HEAD}</div><div class="markdown-body">{body}</div>'


def page(shown: list[Picture], *styles: str) -> str:
    """A page of pictures one below the other, each under its name."""
    kinds = {True: "picture narrow", False: "picture"}
    drawn = (f'<div class="{kinds[one.is_window]}" id="{escape(one.name)}">{one.html}</div>' for one in shown)
    return f"<!doctype html><meta charset=utf-8><style>{''.join(styles)}</style>{''.join(drawn)}"
