"""What is left of OTLP once it is decoded: small plain records, and the rule of what may be in them."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.domain.series import Temporality

EMAIL = "user.email"
"""Kept apart from all other attributes: it is matched and goes no further."""

Scalar = str | bool | int | float
Attributes = Mapping[str, Scalar]


class Signal(StrEnum):
    """The paths are /v1/ and this."""

    LOGS = "logs"
    METRICS = "metrics"
    TRACES = "traces"


class Media(StrEnum):
    """The two encodings of OTLP/HTTP, as content types."""

    JSON = "application/json"
    PROTOBUF = "application/x-protobuf"


class BadBody(Exception):
    """A body that is not taken; sending it again would not help. `status` is HTTP's: 400 malformed, 413 too large,
    415 in a form that nobody here reads. The message holds nothing of the body."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Piece:
    """An attribute of which only a piece is kept, under a name of its own."""

    name: str
    take: Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Allowed:
    """What is kept of a body, by name. Everything else is gone once it is decoded: attributes, bodies, events, the
    names of spans. Log records and metrics whose own name is not here are left out whole."""

    attributes: frozenset[str]
    events: frozenset[str] = frozenset()
    metrics: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    pieces: Mapping[str, Piece] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """Who sends: attributes of the resource, and the name of the instrumentation. `identity` is an opaque name of all
    scalar attributes of the resource, also of those that are dropped."""

    resource: Attributes
    scope: str
    identity: str
    email: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Record:
    """What all three have. `at` is nanoseconds since 1970."""

    source: Source
    at: int
    attributes: Attributes
    email: str | None = field(repr=False)

    def get(self, name: str) -> Scalar | None:
        """An attribute of its own, else of its resource."""
        found = self.attributes.get(name)
        return self.source.resource.get(name) if found is None else found


@dataclass(frozen=True, slots=True)
class Log(Record):
    """A log record that is an event. Ids are lower-case hex, empty where there is none."""

    name: str
    trace: str
    span: str


@dataclass(frozen=True, slots=True)
class Span(Record):
    """A span; `at` is its end, and `failed` that its status says so."""

    trace: str
    span: str
    parent: str
    start: int
    failed: bool


@dataclass(frozen=True, slots=True)
class Point(Record):
    """One point of a counter, or the sum of a histogram. `series` is an opaque name of all that tells the counter
    apart, but not its start."""

    name: str
    series: str
    temporality: Temporality
    start: int
    value: int | float


@dataclass(frozen=True, slots=True)
class Batch:
    """A decoded body: what is kept of it in the order of the body, and how many records were refused, by reason."""

    records: tuple[Log | Span | Point, ...]
    rejected: Counter[str]
