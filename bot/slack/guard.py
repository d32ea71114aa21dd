"""Who may speak to us as Slack: signed over the raw bytes, of these minutes, and never the same request twice.

Bolt checks the signature as well, but stumbles over a time stamp that is no number or a signature that is not ASCII,
and reads the body before it knows who sent it.
"""

import hashlib
import hmac
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

TIMESTAMP = "x-slack-request-timestamp"
SIGNATURE = "x-slack-signature"
WINDOW = timedelta(minutes=5)
MEMORY = timedelta(minutes=10)
SECONDS = re.compile(r"[0-9]{1,12}")

Guard = Callable[[Mapping[str, str], bytes, datetime], bool]


def is_signed(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether Slack signed these bytes, not more than five minutes from now."""
    sent, signature = headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, "")
    if not SECONDS.fullmatch(sent) or not signature.isascii():
        return False
    if abs(now.timestamp() - int(sent)) > WINDOW.total_seconds():
        return False
    expected = hmac.new(secret.encode(), b"v0:" + sent.encode() + b":" + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={expected}".encode(), signature.encode())


def make(secret: str) -> Guard:
    """A function that says whether a request may pass; headers are named in lower case.

    It remembers what passed for ten minutes, longer than a signature is good for. Slack's own repeats are signed anew.
    """
    if not secret.strip():
        raise ValueError("Without a signing secret anybody could sign.")
    seen: OrderedDict[bytes, datetime] = OrderedDict()
    lock = threading.Lock()

    def may_pass(headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
        if not is_signed(secret, headers, body, now):
            return False
        key = hashlib.sha256(headers[SIGNATURE].encode()).digest()
        with lock:
            _forget(seen, now - MEMORY)
            if key in seen:
                return False
            seen[key] = now
            return True

    return may_pass


def _forget(seen: OrderedDict[bytes, datetime], before: datetime) -> None:
    """Drop what is older; the oldest come first."""
    while seen and next(iter(seen.values())) < before:
        seen.popitem(last=False)
