"""Handles: a person's account names, known to the store only as keyed hashes.

Without the secret a hash says nothing, and nobody can find a person by hashing all likely names.
"""

import hashlib
import hmac
import unicodedata
from enum import StrEnum


class HandleKind(StrEnum):
    GITHUB = "github"
    SLACK = "slack"
    EMAIL = "email"
    PROVIDER = "provider"


def keyed_hash(secret: bytes, kind: HandleKind, name: str) -> str:
    """HMAC-SHA256 of kind and normalised name, as 64 hex digits. An e-mail is the same in any case, an id is not."""
    plain = unicodedata.normalize("NFKC", name).strip()
    plain = plain.casefold() if kind is HandleKind.EMAIL else plain
    return hmac.new(secret, f"{kind}:{plain}".encode(), hashlib.sha256).hexdigest()


def check_value(secret: bytes) -> str:
    """What is stored to notice another secret: a hash nobody else's name can collide with."""
    return hmac.new(secret, b"check", hashlib.sha256).hexdigest()
