"""Tokens with which agents' machines tell of their work. Whoever has one may only add telemetry; it reads nothing.

A person's token says whose telemetry it is. A fleet's token says nothing of that: there the address an agent is signed
in with decides, if the person behind it has joined.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

PREFIX = "lev_"
FORM = re.compile(r"lev_[0-9a-f]{64}")
ID_DIGITS = 8
MOST_VALID = 2
"""Of one person, or of one fleet's name: the new one and, while machines are told of it, the old one."""


@dataclass(frozen=True, slots=True)
class Token:
    """A stored token. `person` is None for a fleet's, which has a `name`."""

    id: str
    hash: str = field(repr=False)
    person: str | None = field(repr=False)
    name: str | None
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used: date | None = None

    def is_valid(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def make() -> str:
    """A new token: 32 random bytes."""
    return PREFIX + secrets.token_hex(32)


def id_of(token: str) -> str:
    """The part that it is found by and called by; it proves nothing."""
    return token[len(PREFIX) : len(PREFIX) + ID_DIGITS]


def hash_of(token: str) -> str:
    """SHA-256: no slower hash is needed for what nobody can guess."""
    return hashlib.sha256(token.encode()).hexdigest()


def proves(token: str, stored: Token | None) -> bool:
    """Whether this is that token; takes as long for a wrong one as for the right one."""
    return hmac.compare_digest(hash_of(token), stored.hash if stored else "") and stored is not None


def presented(authorization: str | None) -> str | None:
    """The token in an Authorization header; None where there is none of ours. OTLP's clients may have written the space
    as %20, as they expect headers in a URL's form."""
    scheme, _, value = (authorization or "").replace("%20", " ", 1).strip().partition(" ")
    token = value.strip()
    return token if scheme.lower() == "bearer" and FORM.fullmatch(token) else None


def superseded(tokens: Iterable[Token], now: datetime) -> list[Token]:
    """Of one owner's tokens those that end when another is made, so that at most two are valid: the oldest."""
    valid = sorted((one for one in tokens if one.is_valid(now)), key=lambda one: (one.created_at, one.id))
    return valid[: max(0, len(valid) - MOST_VALID + 1)]
