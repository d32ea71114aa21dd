"""What coding agents tell of their own work: requests with their tokens, what happened in between, and where it was.

One shape for everything that arrives, over OTLP or from the hook. No text of a prompt, command, path or output is in
it.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.domain.model import Tokens


def request_key(agent: str, request_id: str) -> str:
    """The key of a request or event that has an id: 32 hex digits, the same whichever way it arrives."""
    return hashlib.sha256(f"{agent}:{request_id}".encode()).hexdigest()[:32]


class Via(StrEnum):
    """How something arrived."""

    OTLP = "otlp"
    HOOK = "hook"


class Origin(StrEnum):
    """What a request was for: a person's turn, a sub-agent within one, or the agent's own housekeeping (titles,
    compaction)."""

    MAIN = "main"
    SUBAGENT = "subagent"
    AUXILIARY = "auxiliary"


@dataclass(frozen=True, slots=True)
class AgentRequest:
    """One call of a model. `agent` is our name of it ("claude_code"), `session` its own conversation id.

    `key` tells this request apart however it arrives: the provider's request or response id, or, where an agent gives
    none, a fingerprint of what was sent. `turn` is the prompt that caused it. `cost_micro` is the agent's own estimate
    at list price, None where it gives none.
    """

    agent: str
    session: str
    key: str
    at: datetime
    model: str
    tokens: Tokens
    cost_micro: int | None = None
    turn: str | None = None
    origin: Origin = Origin.MAIN


class Happening(StrEnum):
    """What else is counted in a session. HEADLESS says that no person sat before it."""

    PROMPT = "prompt"
    TOOL_OK = "tool_ok"
    TOOL_FAILED = "tool_failed"
    REJECTED = "rejected"
    INTERRUPTED = "interrupted"
    COMPACTION = "compaction"
    API_ERROR = "api_error"
    EDIT = "edit"
    COMMIT = "commit"
    HEADLESS = "headless"


@dataclass(frozen=True, slots=True)
class AgentEvent:
    """Something that happened in a session. `what` is an opaque fingerprint of the tool and its input (TOOL_*) or of
    the file (EDIT), so that repetition shows and content does not; over OTLP it may be a built-in tool's plain name."""

    agent: str
    session: str
    key: str
    at: datetime
    happening: Happening
    turn: str | None = None
    what: str | None = None


class Proof(StrEnum):
    """How a session's work is known to belong to a place, strongest first (docs/method.md, "Binding")."""

    PULL = "pull"
    COMMIT = "commit"
    TRAILER = "trailer"
    BRANCH = "branch"
    START = "start"
    RESOURCE = "resource"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a session was, from some moment on. `repository` is "owner/name" as the remote says, `commit` a full or
    short SHA made in the turn, `pull` a number in that repository. `turn` is None where it is about the session."""

    agent: str
    session: str
    at: datetime
    proof: Proof
    repository: str | None = None
    branch: str | None = None
    commit: str | None = None
    pull: int | None = None
    turn: str | None = None


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What one batch tells of one person. `email` is the address the agent was signed in with, where it says so: it is
    matched by its keyed hash and goes no further.
    """

    email: str | None = field(default=None, repr=False)

    requests: tuple[AgentRequest, ...] = ()
    events: tuple[AgentEvent, ...] = ()
    evidence: tuple[Evidence, ...] = ()
