"""From a person's own numbers, and from the words of joining, to what that person alone is shown in Slack.

Whoever calls this shows the result to that person only: in an ephemeral answer, or in a window of theirs.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import floor
from typing import Any
from urllib.parse import quote

from bot.domain.block import Part
from bot.domain.me import Comments, Me, OwnPull, Switches, Told, WeekSpend, token_kinds
from bot.domain.model import PullState
from bot.domain.money import MICRO
from bot.render import FALLBACK, SLACK, TERMINAL, URL_SIGNS, Message, mrkdwn

PULLS_SHOWN = 10
ROOM = 2800
REPOSITORY = re.compile(r"[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}")
LONGEST = 100
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
STATES = {PullState.MERGED: "merged", PullState.CLOSED: "closed without a merge", PullState.OPEN: "opened"}
PARTS = {
    Part.DIRECT: "in merged pull requests",
    Part.ABANDONED: "in work that was given up",
    Part.UNATTRIBUTED: "not tied to a pull request",
}
SHOWN = {
    Comments.NOTHING: "nothing of your cost",
    Comments.BAND: "your cost as a band, such as $4-$8, once it can be measured",
    Comments.AMOUNT: "your cost as a rounded amount, once it can be measured",
}
PRIVATE = "Only you can see this. At list prices, whatever your plan costs; compared with nobody."
TELEMETRY = "What each pull request took is measured by your agent's own telemetry; `/leverage token` connects it."
MEASURED = "What is measured of a pull request is your part so far, as of the last digest."
LEAVE = "`/leverage leave` withdraws everything at once."


STRANGER = (
    "`/leverage join` opens a window with everything there is to switch on, and what becomes of it.",
    "Joining shows you, and nobody else, what your AI tools cost week by week, in which kinds of tokens, and beside "
    "your own pull requests.",
    "If you wish, you also count in your team's digest, which tells sums over five people or more.",
)
UNSEEN = (
    "Spend is recognised by the e-mail address of your Slack profile. If your AI tools know you by another one, it is "
    "not found: use the same in both."
)
NO_TEAM = "You do not count in your team's digest; `/leverage join` lets you switch that on."
UNLINKED = "Your GitHub account is on no team's list now, so your pull requests cannot be shown."


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a list; a pull request's leads to it."""

    words: str
    url: str | None = None

    @property
    def mrkdwn(self) -> str:
        return _link(self.url, self.words) if self.url else mrkdwn(self.words)


@dataclass(frozen=True, slots=True)
class Story:
    """A person's own numbers in words, in the order of reading."""

    title: str
    headline: str
    private: str = ""
    weeks: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    pulls: tuple[Line, ...] = ()
    notes: tuple[str, ...] = ()


def slack_message(me: Me | None, github_url: str) -> Message:
    """For an ephemeral answer to the person alone."""
    story = tell(me, github_url)
    rendered = SLACK.get_template("slack/me.json.j2").render(story=story)
    plain = FALLBACK.get_template("text/me.txt.j2").render(story=story)
    return Message(plain.strip(), json.loads(rendered))


def text(me: Me | None, github_url: str) -> str:
    """The same for a terminal."""
    return TERMINAL.get_template("text/me.txt.j2").render(story=tell(me, github_url)).strip()


def help_message(method_url: str) -> Message:
    rendered = SLACK.get_template("slack/help.json.j2").render(link=_link, method_url=method_url)
    message = json.loads(rendered)
    return Message(message["text"], message["blocks"])


def note(words: str) -> Message:
    """One paragraph of our own words."""
    return Message(words, [{"type": "section", "text": {"type": "mrkdwn", "verbatim": True, "text": words}}])


def join_window(switches: Switches | None, callback_id: str, method_url: str) -> dict[str, Any]:
    """The window of `/leverage join`: for a newcomer nothing is preselected, for others what is on now."""
    template = SLACK.get_template("slack/join.json.j2")
    window = template.render(switches=switches, callback_id=callback_id, method=_link(method_url, "method"))
    return dict(json.loads(window))


def joined_window(switches: Switches | None) -> dict[str, Any]:
    """What the window turns into when it was sent off: what is on, from when, and how to leave."""
    return closing_window(*(_switched(switches) if switches else ["You have not joined; nothing is switched on."]))


def closing_window(*lines: str) -> dict[str, Any]:
    """A window with our own words that can only be closed."""
    return dict(json.loads(SLACK.get_template("slack/joined.json.j2").render(lines=lines)))


def tell(me: Me | None, github_url: str) -> Story:
    if me is None:
        return Story("Your AI compute", "You have not joined, so nothing about your use of AI is kept.", notes=STRANGER)
    return Story(
        title="Your AI compute",
        headline=_headline(me),
        private=PRIVATE,
        weeks=tuple(map(_week, me.weeks)) if me.has_spend else (),
        tokens=tuple(f"{count(number)} {kind}" for kind, number in token_kinds(me.tokens)) if me.has_spend else (),
        where=tuple(_where(me)) if me.has_spend else (),
        pulls=tuple(_pulls(me, github_url)),
        notes=tuple(_notes(me)),
    )


def _headline(me: Me) -> str:
    joined = me.switches
    if me.has_spend:
        full = sum(week.micro for week in me.weeks if week.over)
        now = sum(week.micro for week in me.weeks if not week.over)
        return f"{dollars(full)} in the last four full weeks, {dollars(now)} so far in this one."
    if me.new:
        return (
            f"You joined on {_day(joined.joined_at.date())}. Your first numbers come when your company's AI accounts "
            f"are read next, usually within a day, and reach back to {_day(joined.collect_from)}."
        )
    since = max(joined.collect_from, me.weeks[0].week.monday)
    return f"No AI spend of yours was reported since {_day(since)}."


def _week(week: WeekSpend) -> str:
    monday, sunday = week.week.monday, week.week.monday + timedelta(days=6)
    start = f"{monday.day}" if monday.month == sunday.month else _day(monday)
    return f"{start}-{_day(sunday)}{'' if week.over else ' (so far)'}: {dollars(week.micro)}"


def _where(me: Me) -> Iterator[str]:
    if me.switches.team_from is None and not me.sorted.parts:
        return
    for part, words in PARTS.items():
        if me.sorted.parts.get(part):
            yield f"{dollars(me.sorted.parts[part])} {words}"
    yield f"{dollars(max(0, me.sorted.open_micro))} still open, or not yet taken in by a digest"


def _pulls(me: Me, github_url: str) -> list[Line]:
    """The newest, as many as are of use and fit into one block of Slack's."""
    lines = [_pull(pull, github_url) for pull in me.pulls[:PULLS_SHOWN]]
    while sum(len(line.mrkdwn) + 3 for line in lines) > ROOM:
        lines.pop()
    more = len(me.pulls) - len(lines)
    return [*lines, Line(f"and {more} more")] if more else lines


def _pull(pull: OwnPull, github_url: str) -> Line:
    words = f"{_name(pull)} #{pull.number}, {STATES[pull.state]} {_day(pull.at.date())}"
    if pull.micro:
        words += f": {dollars(pull.micro)} measured"
    return Line(words, _url(pull, github_url))


def _name(pull: OwnPull) -> str:
    return " ".join(pull.repository.split())[:LONGEST]


def _url(pull: OwnPull, github_url: str) -> str | None:
    """Only what looks like a repository is linked."""
    plain = REPOSITORY.fullmatch(pull.repository)
    return f"{github_url.rstrip('/')}/{pull.repository}/pull/{pull.number}" if plain else None


def _notes(me: Me) -> Iterator[str]:
    if not me.has_spend and not me.new:
        yield UNSEEN
    if not me.linked:
        yield UNLINKED
    if me.told.requests:
        yield _told(me.told)
        yield MEASURED
    elif me.pulls:
        yield TELEMETRY
    monday = me.switches.team_from
    yield f"You count in your team's digest from Monday {_day(monday)} on." if monday else NO_TEAM
    yield f"Comments on your pull requests show {SHOWN[me.switches.comments]}."
    yield LEAVE


def _told(told: Told) -> str:
    runs = f", {told.auto_turns:,} runs without anybody" if told.auto_turns else ""
    return f"Your agents told of {told.human_turns:,} prompts{runs} and {told.requests:,} calls of a model."


def _switched(switches: Switches) -> Iterator[str]:
    yield f"*collect* is on: your own numbers, from {_day(switches.collect_from)} on, in `/leverage me`."
    if switches.team_from:
        yield f"*team* is on: you count in your team's digest from Monday {_day(switches.team_from)} on."
    else:
        yield "*team* is off: you count in no digest."
    yield f"*PR comments* show {SHOWN[switches.comments]}."
    yield f"`/leverage join` changes this at any time; {LEAVE}"


def dollars(micro: int) -> str:
    """An exact own amount, to the cent."""
    cents = floor(Fraction(micro, MICRO // 100) + Fraction(1, 2))
    return f"${cents // 100:,}.{cents % 100:02}"


def count(number: int) -> str:
    """A count of tokens in three digits: "950", "1.23k", "45.6M"."""
    for unit, size in (("B", 10**9), ("M", 10**6), ("k", 10**3)):
        if number >= size:
            return f"{float(f'{number / size:.3g}'):g}{unit}"
    return str(number)


def _day(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]}"


def _link(url: str, words: str) -> str:
    """Words that lead to an address of ours; it cannot end the link early. What is not on the web is named."""
    if not url.startswith(("https://", "http://")):
        return mrkdwn(f"{words}: {url}")
    return f"<{mrkdwn(quote(url, safe=URL_SIGNS))}|{mrkdwn(words)}>"
