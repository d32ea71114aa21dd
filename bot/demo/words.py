"""What the demo says around the digests."""

import textwrap
from collections.abc import Iterable, Iterator
from datetime import date

from bot.demo.company import DIGEST_AT, Group
from bot.domain.block import Held, HeldReason
from bot.domain.digest import Digest, tell
from bot.render import text

OPENING = """\
Leverage, the demo: eight Mondays of a company that does not exist.

Fernwick has three teams, of 12, 8 and 4 people, who work with Claude and GitHub.
Most of them have joined Leverage; nobody is counted who has not. People, prices
and pull requests are invented. All else is the real thing: the code that reads,
balances, withholds and words this is the code that will do it with your data.
Nothing leaves this machine.

EIGHT MONDAYS, AND THE FIRST LINE OF EACH DIGEST"""

CLOSING = """
WHAT YOU SAW

- payments: seven of twelve joined. Five are out, so a digest may say roughly how
  many joined; were it one to four, it would be about them and say nothing.
- search: six joined before the first Monday and two later, who count from the
  Monday after. One of them is the reason for the held week.
- tools: four people, and all have joined. With so few, a sum would tell each of
  them what the others used, so they get GitHub's own facts and no number of money.
- Each Monday some of the last days' spend was not reported yet. What came later
  is in the next digest; no digest that was posted is ever changed.

WHERE TO GO NEXT

- Connect your own team: README.md, "Connect your own".
- How each number is made: docs/method.md. What is kept of whom: docs/privacy.md."""

HELD = """\
THE WEEK THAT WAS HELD

In #search one person's migration cost more than all the others' work together. To
show the sum would have been to show that person's share. The channel is not told
why a week is held; you are, because these people are invented."""


def day(monday: date) -> str:
    return f"{monday:%A} {monday.day} {monday:%B %Y}"


def headline(group: Group, digest: Digest) -> str:
    """The first line of a digest, as part of a list."""
    place = group.zone.key.partition("/")[2].replace("_", " ")
    start = f"  {DIGEST_AT:%H:%M} {place:<9} #{group.name:<9} "
    return textwrap.fill(tell(digest).headline, 92, initial_indent=start, subsequent_indent=" " * len(start))


def is_held(digest: Digest) -> bool:
    return isinstance(digest.block, Held) and digest.block.reason is HeldReason.HELD


def in_full(last: Iterable[tuple[Group, date, Digest]], held: Iterable[tuple[Group, date, Digest]]) -> str:
    """The last Monday's digests and the held ones, as the channels show them."""
    shown = [_post(*post) for post in last]
    return "\n\n".join(["\nTHE LAST MONDAY IN FULL", *shown, HELD, *(_post(*post) for post in held)])


def _post(group: Group, monday: date, digest: Digest) -> str:
    lines = "\n".join(_quoted(text(digest)))
    return f"{day(monday)}, {DIGEST_AT:%H:%M} — #{group.name}\n{lines}"


def _quoted(said: str) -> Iterator[str]:
    return (f"│ {line}".rstrip() for line in said.splitlines())
