"""Logging: JSON lines that hold event ids, counts, durations and error classes, and nothing about people.

Three things keep it so. Only the fields named here come out. The words of libraries are left out, unless it is known
that they quote no data; of exceptions come out class and place, never the text. What is left is masked.
"""

import logging
import math
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

FIELDS = (
    *("time", "level", "logger", "event"),
    *("error", "causes", "trace", "status", "permanent"),
    *("source", "team", "week", "since", "until", "command", "job", "delivery", "kind", "version", "host", "port"),
    *("count", "days", "rows", "rejected", "refused", "seen", "changed", "frozen", "sent", "skipped", "waiting"),
    *("seconds", "attempt", "retry_num", "wait_for", "waited_so_far"),
)
"""Everything a line may say, in this order; a field that is not named here is dropped."""

PINNED = ("slack_sdk", "slack_bolt", "urllib3", "sqlalchemy", "github", "httpx2", "httpcore2", "apscheduler")
"""Loggers that would print tokens, bodies or queries, or a line every few seconds: never below WARNING."""

PLAIN_SPOKEN = ("bot", "integrations", "alembic", "dotenv", "uvicorn.error")
"""Loggers whose messages quote nothing but their arguments, which are dropped."""

LONGEST = 300
MOST_ITEMS = 20
MASK = "***"

SECRETS = re.compile(
    r"""
      -----BEGIN[ ][^-]+-----.*?(?:-----END[ ][^-]+-----|\Z)
    | xox[a-z][-.][\w%.~+/=-]*                      # Slack, and its app-level tokens
    | xapp-[\w%.~+/=-]*
    | hooks\.slack\.com/\S*                         # whoever has a response_url can post
    | gh[oprsu]_[\w.-]*                             # GitHub
    | github_pat_\w*
    | (?<![A-Za-z])sk-[\w-]{8,}                     # providers of models
    | sk-(?:admin|ant|or|proj|svcacct)-[\w-]*
    | (?<![A-Za-z])lev_[\w-]*                       # ours
    | (?i:bearer)(?:\s|%20|["':=])+[\w%.~+/=-]+
    | eyJ[\w-]{8,}(?:\.[\w-]*)*                     # JSON web tokens
    | (?<=://)[^\s/]+@                              # user and password of a URL
    | (?<![^\s"<>(),:;@])[^\s"<>(),:;@]+(?:@|%40)[\w.-]*  # e-mail addresses
    """,
    re.VERBOSE | re.DOTALL,
)


def setup(stream: TextIO, level: str = "INFO") -> None:
    """Send everything that is logged to `stream`, from structlog and from the standard library alike.

    Nothing below `level` comes out, whatever level a library gives its own loggers.
    """
    door = logging.StreamHandler(stream)
    door.setLevel(level)
    door.addFilter(_may_speak)
    door.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                _speaker,
                structlog.stdlib.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", key="time"),
                _error,
                _allowed,
                structlog.processors.JSONRenderer(),
            ],
            use_get_message=False,
        )
    )
    logging.raiseExceptions = False  # a message that cannot be formatted would be printed as it is
    logging.root.handlers[:] = [door]
    logging.root.setLevel(level)
    for name in PINNED:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def mask(text: str) -> str:
    """The text without anything that looks like a secret or an e-mail address."""
    return SECRETS.sub(MASK, text)


def _may_speak(record: logging.LogRecord) -> bool:
    """Libraries are heard from WARNING on, whatever level they or a debug switch choose."""
    return record.levelno >= logging.WARNING or _from_structlog(record) or _belongs(record.name, PLAIN_SPOKEN)


def _from_structlog(record: logging.LogRecord) -> bool:
    return hasattr(record, "_logger")


def _belongs(name: str, families: Iterable[str]) -> bool:
    return any(name == family or name.startswith(f"{family}.") for family in families)


def _speaker(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Name the logger, and leave out a library's own words."""
    record: logging.LogRecord = event["_record"]
    event["logger"] = record.name
    if not event["_from_structlog"] and not (_belongs(record.name, PLAIN_SPOKEN) and isinstance(record.msg, str)):
        event["event"] = "a library's message, left out"
    return event


def _error(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Say of an exception its class, the classes of its causes, and where it happened."""
    error = _exception(event.pop("exc_info", None)) or event.pop("error", None)
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["causes"] = [type(cause).__name__ for cause in _causes(error)]
        event["trace"] = list(_places(error.__traceback__))
    elif isinstance(error, str) and re.fullmatch(r"[A-Za-z_][\w.]*", error):
        event["error"] = error
    return event


def _exception(info: Any) -> BaseException | None:
    """What `exc_info` means: an exception, the triple of one, or true for the one that is being handled."""
    if isinstance(info, tuple):
        info = info[1]
    elif info and not isinstance(info, BaseException):
        info = sys.exc_info()[1]
    return info if isinstance(info, BaseException) else None


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen = {id(error)}
    cause = error.__cause__ or error.__context__
    while cause is not None and id(cause) not in seen:
        yield cause
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__


def _places(trace: TracebackType | None) -> Iterator[str]:
    """Module, line and function of the innermost calls; source lines and values stay out."""
    for frame, line in list(traceback.walk_tb(trace))[-MOST_ITEMS:]:
        yield f"{frame.f_globals.get('__name__', '?')}:{line} {frame.f_code.co_name}"


def _allowed(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {name: _plain(event[name]) for name in FIELDS if event.get(name) is not None}


def _plain(value: Any) -> Any:
    """A value that JSON can say and that hides nothing: of any other object only the class is told."""
    match value:
        case bool() | int():
            return value
        case float() if math.isfinite(value):
            return value
        case str():
            return mask(value)[:LONGEST]
        case date():
            return value.isoformat()
        case Mapping():
            return {_plain(str(key)): count for key, count in value.items() if isinstance(count, int)}
        case list() | tuple() | set() | frozenset():
            return [_plain(item) for item in list(value)[:MOST_ITEMS]]
        case _:
            return type(value).__name__
