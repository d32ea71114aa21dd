"""Which agents' sessions a commit message names. The message is read here and nowhere kept.

Known forms: `Agent-Session: <id>`, `Claude-Session: <address that ends in the id>`, and what Copilot's cloud agent
writes, `Agent-Logs-Url: https://github.com/<owner>/<repository>/sessions/<id>`. Squash merges put whole messages into
the body of one, indented or not, so a line counts wherever it stands and not only in the last paragraph.
"""

import re

from bot.domain.model import fingerprint
from integrations.outcomes.github.tally import Tally

NAMED = re.compile(r"^[ \t]*(?:agent-session|claude-session|agent-logs-url):[ \t]*(?P<told>\S+)[ \t\r]*$", re.I | re.M)
ADDRESS = re.compile(r"https?://[^/?#]+(?P<path>/[^?#]*)?", re.I)
MOST = 100
"""Fingerprints of one commit: a message with more was not written by people and agents at work."""


def sessions(message: str, tally: Tally) -> tuple[str, ...]:
    """Fingerprints of the sessions that it names, each once."""
    ids = (_id(found["told"]) for found in NAMED.finditer(message))
    named = sorted({fingerprint(session) for session in ids if session})
    if len(named) > MOST:
        tally.ignored["commit that names too many sessions"] += 1
        return ()
    return tuple(named)


def _id(told: str) -> str:
    """An id as it is written, or the end of an address."""
    address = ADDRESS.match(told)
    return (address["path"] or "").rstrip("/").rpartition("/")[2] if address else told
