"""What the demo says around the digests."""

import textwrap
from collections.abc import Iterable, Iterator
from datetime import date

from bot.demo.company import DIGEST_AT, Group
from bot.domain.block import Held, HeldReason
from bot.domain.digest import Digest, tell
from bot.domain.model import PullRequest
from bot.render import text

WIDTH = 80

OPENING = """\
Leverage, the demo: eight Mondays of a company that does not exist.

Fernwick has three teams who work with Claude and GitHub: payments, 12 people
in Berlin; search, 8 in New York; tools, 4 in London. Most have joined Leverage;
who has not is not counted. The people, their pull requests and what they spend
are invented. All else is the real thing: what reads, balances, withholds and
words this is the code that will do it with your data. Nothing leaves this
machine, and nothing stays on it.

EIGHT MONDAYS, 09:00 BY EACH TEAM'S CLOCK: WHAT ITS DIGEST BEGINS WITH"""

CLOSING = """
WHAT YOU SAW

- payments: seven of the twelve have joined. With five out, a digest may say
  roughly how many joined; if one to four were out, that would be about them.
- search: six joined before the first Monday, and two later: they count from the
  Monday after they joined.
- tools: all four have joined. In so small a team a sum would tell too much of
  each of them, so they read what GitHub shows anyway, and no amount of money.
- On Monday morning the provider has not yet reported all of the last days, and
  some it corrects later. That goes into the next digest, never into an old one.

WHERE TO GO NEXT

- Connect your own team: README.md, "Connect your own".
- How each number is made: docs/method.md.
- What is kept of whom, and who sees what: docs/privacy.md."""

HELD = """\
THE WEEK THAT WAS HELD

In search, one person's migration took more compute than all other work there
together, so the team's sum would nearly have been that person's. The channel
is not told why a week is held. You are, because these people are invented."""


def day(monday: date) -> str:
    return f"{monday:%A} {monday.day} {monday:%B %Y}"


def headline(group: Group, digest: Digest) -> str:
    """The first sentence of a digest, as an entry of the list."""
    start = f"  #{group.name:<9} "
    return textwrap.fill(tell(digest).headline, WIDTH, initial_indent=start, subsequent_indent=" " * len(start))


def is_held(digest: Digest) -> bool:
    return isinstance(digest.block, Held) and digest.block.reason is HeldReason.HELD


def in_full(last: Iterable[tuple[Group, date, Digest]], held: Iterable[tuple[Group, date, Digest]]) -> str:
    """The last Monday's digests and the held ones, as the channels show them."""
    shown = [_post(*post) for post in last]
    return "\n\n".join(["\nTHE LAST MONDAY IN FULL", *shown, HELD, *(_post(*post) for post in held)])


def faces(own: str, commented: tuple[PullRequest, str] | None) -> str:
    """What one person is answered, and a pull request's comment, as they are seen."""
    parts = [ME, "\n".join(_quoted(own))]
    if commented:
        pull, body = commented
        wrapped = "\n\n".join(textwrap.fill(one, WIDTH - 4) for one in body.split("\n\n"))
        parts += [COMMENT, f"{pull.repository}, pull request {pull.number}\n" + "\n".join(_quoted(wrapped))]
    return "\n\n".join(["", *parts])


ME = """\
WHAT ONE PERSON SEES: /leverage me

Only the person who asks is answered, in Slack, for their eyes only. This is
somebody in payments, on the last Monday."""

COMMENT = """\
WHAT A PULL REQUEST GETS: A COMMENT

What pull requests of this size usually take here. It does not depend on who
wrote it, nor on who has joined."""


def _post(group: Group, monday: date, digest: Digest) -> str:
    lines = "\n".join(_quoted(text(digest)))
    return f"{day(monday)}, {DIGEST_AT:%H:%M} — #{group.name}\n{lines}"


def _quoted(said: str) -> Iterator[str]:
    return (f"│ {line}".rstrip() for line in said.splitlines())
