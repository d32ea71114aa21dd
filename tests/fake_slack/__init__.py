"""A Slack that remembers what stays in its channels, and misbehaves as it is told: `slack.next(lost())`."""

from tests.fake_slack.faults import Fault, busy, dropped, failing, hanging, lost, refusing, saying
from tests.fake_slack.server import FakeSlack, Posted, Request, serve

__all__ = [
    "FakeSlack",
    "Fault",
    "Posted",
    "Request",
    "busy",
    "dropped",
    "failing",
    "hanging",
    "lost",
    "refusing",
    "saying",
    "serve",
]
