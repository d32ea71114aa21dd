"""The door of telemetry: who sends, how often, and what they are told; which bytes mean what is for others.

The order is the specification's: the token, then the rate, then the length and the body, then all that costs memory.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil

from bot.domain.rate import Bucket, Rate, take
from bot.domain.tokens import Token
from bot.web.pools import Door, Face, Headers, Reply

OF_PERSON = Rate(per_s=1.0, burst=120)
OF_FLEET = Rate(per_s=100.0, burst=12_000)
"""A fleet's token is that of very many machines."""
MOST_BUCKETS = 10_000

UNKNOWN = (
    "There is no such token, or not any more: /leverage token in Slack makes one for you, and your platform team makes "
    "those of a fleet."
)
TOO_FAST = "Too many requests with this token: send larger batches less often."
FULL = "The disk is nearly full, so nothing is taken in for now."
CLOSED = "The database does not answer: nothing was kept, send it again later."
PAUSE_S = 60

Refuse = Callable[[Headers, int, str, int | None], Reply]
"""From status, words and seconds to a refusal in the form that the sender reads."""
Take = Callable[[Token, Headers, bytes], Reply]


@dataclass(slots=True)
class Limiter:
    """The buckets of this process. Several processes let through several times as much."""

    now: Callable[[], datetime]
    _buckets: dict[str, Bucket] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, token: Token) -> float:
        """Take a try of this token: 0, or the seconds until there is one."""
        rate = OF_FLEET if token.person is None else OF_PERSON
        with self._lock:
            if len(self._buckets) >= MOST_BUCKETS:
                self._buckets.clear()
            self._buckets[token.id], wait = take(self._buckets.get(token.id), rate, self.now())
        return wait


@dataclass(frozen=True, slots=True)
class Guard:
    """What every path of telemetry asks first. `sender` raises StoreError where the database does not answer."""

    sender: Callable[[str | None], Token | None]
    has_room: Callable[[], bool]
    limiter: Limiter
    trouble: type[Exception]

    def door(self, work: Take, refuse: Refuse) -> Door:
        def door(headers: Headers) -> Face | Reply:
            try:
                token = self.sender(headers.get("authorization"))
            except self.trouble:
                return refuse(headers, 503, CLOSED, PAUSE_S)
            if token is None:
                return refuse(headers, 401, UNKNOWN, None)
            if wait := self.limiter.wait(token):
                return refuse(headers, 429, TOO_FAST, ceil(wait))
            if not self.has_room():
                return refuse(headers, 503, FULL, PAUSE_S)
            return lambda given, body: work(token, given, body)

        return door
