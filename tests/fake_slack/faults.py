"""What can go wrong with one request. `stored`: Slack did what was asked; the asker may never learn of it."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fault:
    stored: bool = False
    hold: bool = False
    answer: bool = True
    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    code: str | None = None
    more: dict[str, str] = field(default_factory=dict)


def lost() -> Fault:
    """Stored, and the connection ends without an answer."""
    return Fault(stored=True, answer=False)


def dropped() -> Fault:
    """The connection ends, and nothing is stored."""
    return Fault(answer=False)


def hanging(*, stored: bool) -> Fault:
    """No answer until `slack.let_go` is set."""
    return Fault(stored=stored, hold=True)


def failing(status: int, *, stored: bool) -> Fault:
    return Fault(stored=stored, status=status, body=b"<html>upstream error</html>")


def busy(seconds: str | None = None) -> Fault:
    """429, with or without a Retry-After."""
    return Fault(status=429, code="ratelimited", headers={} if seconds is None else {"Retry-After": seconds})


def refusing(code: str, **more: str) -> Fault:
    """Slack's usual no: 200 and `ok: false`."""
    return Fault(code=code, more=more)


def saying(body: bytes, status: int = 200) -> Fault:
    """Words that are not Slack's."""
    return Fault(status=status, body=body)
