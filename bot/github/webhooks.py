"""GitHub's webhooks: is it GitHub, and what does it say.

docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries: HMAC-SHA256 over the raw bytes.
"""

import hmac
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, StringConstraints, ValidationError

from bot.domain.comment import PullEvent
from bot.usecases.intake import PULL_REQUEST, Delivery, Unreadable

LIMIT = 25 * 1024 * 1024
LONGEST_NAME = 100
NUMBERS = 2**31 - 1


class Forged(Exception):
    """Nobody who knows the secret sent this: 401."""


class TooLarge(Exception):
    """More than GitHub ever sends: 413."""


def secrets(*values: str | None) -> tuple[bytes, ...]:
    """The secrets that are valid now: one, or two while it is being changed. Raises ValueError without any, or for one
    that is empty: it would let everybody in."""
    given = tuple(value.encode() for value in values if value is not None)
    _refuse_empty(given)
    return given


def accept(secrets: Sequence[bytes], headers: Mapping[str, str], body: bytes) -> Delivery:
    """The delivery in a request, given its raw body. Raises Forged, TooLarge."""
    _refuse_empty(secrets)
    if len(body) > LIMIT:
        raise TooLarge
    named = {name.lower(): value for name, value in headers.items()}
    if not _signed(secrets, named.get("x-hub-signature-256", ""), body):
        raise Forged
    id, event = named.get("x-github-delivery", ""), named.get("x-github-event", "")
    if not (_is_name(id) and _is_name(event)):
        raise Forged
    return Delivery(id, event, body.decode(errors="replace").replace("\0", ""))


def _refuse_empty(secrets: Sequence[bytes]) -> None:
    if not secrets or not all(secrets):
        raise ValueError("GITHUB_WEBHOOK_SECRET is empty: anybody could send webhooks.")


def _signed(secrets: Sequence[bytes], signature: str, body: bytes) -> bool:
    """Compared as bytes: `compare_digest` raises for text that is not ASCII. Every secret is tried in any case."""
    given = signature.encode(errors="surrogateescape")
    matches = [hmac.compare_digest(b"sha256=" + _digest(secret, body), given) for secret in secrets]
    return any(matches)


def _digest(secret: bytes, body: bytes) -> bytes:
    return hmac.new(secret, body, "sha256").hexdigest().encode()


def _is_name(text: str) -> bool:
    return 0 < len(text) <= LONGEST_NAME and text.isascii() and text.isprintable() and " " not in text


class _Foreign(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True, frozen=True, strict=True)


Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]


class _Repository(_Foreign):
    full_name: Annotated[Name, StringConstraints(pattern=r"^[\w.-]+/[\w.-]+$")]
    private: bool


class _Pull(_Foreign):
    node_id: Name


class _PullRequestEvent(_Foreign):
    """All that is read of it: state, title and people come from GitHub's API when they are needed."""

    action: Name
    number: Annotated[PositiveInt, Field(le=NUMBERS)]
    pull_request: _Pull
    repository: _Repository


def parse(kind: str, body: str) -> PullEvent | None:
    """What a stored delivery says; None if it is nothing for us. Raises Unreadable."""
    if kind != PULL_REQUEST:
        return None
    try:
        event = _PullRequestEvent.model_validate_json(body)
    except ValidationError:
        raise Unreadable from None
    return PullEvent(
        action=event.action,
        id=event.pull_request.node_id,
        repository=event.repository.full_name,
        number=event.number,
        private=event.repository.private,
    )
