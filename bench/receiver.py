"""A Leverage that receives telemetry, for the bench: a database of its own, one person who has joined, the real door.

`python -m bench.receiver URL PORT` serves that door over HTTP until it is stopped.
"""

import sys
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import uvicorn
from sqlalchemy import Engine

from bench.teams import NOW, SECRET, Size, teams
from bot import telemetry
from bot.app import App, DeploymentSettings
from bot.domain.privacy.gate import Rule
from bot.domain.team import Company
from bot.store.db import connect
from bot.usecases import tokens
from bot.usecases.consent import Handles, join
from bot.web import edge
from bot.web.pools import Door, Reply
from integrations.otlp import Media

PATH = "/v1/logs"
JOINED = datetime(2026, 1, 5, 9, tzinfo=NOW.tzinfo)


class Refused(Exception):
    """The door did not take what the bench sent: no time means anything then."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Somebody who has joined, with the text of a valid token."""

    person: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}", "content-type": Media.PROTOBUF}


def joins(engine: Engine, name: str = "bench") -> Sender:
    """Somebody joins, and sends as a managed machine does: the rate of a person's own token is one body a second."""
    handles = Handles(github=f"U_{name}", slack=f"S_{name}", email=address(name))
    person = join(engine, SECRET, handles, ZoneInfo("UTC"), JOINED, team=True, proved=True)
    return Sender(person, tokens.new_fleet(engine, name, JOINED, None).token)


def address(name: str = "bench") -> str:
    return f"{name}@example.com"


def app_on(engine: Engine) -> App:
    company = Company(tuple(teams(Size(people=12))), Rule(), None, "USD")
    return App(DeploymentSettings(_env_file=None), company, engine, SECRET)


def post(door: Door, headers: dict[str, str], body: bytes) -> Reply:
    """One request as the edge makes it, without a network: the door, then the face. Raises Refused."""
    face = door(headers)
    reply = face if isinstance(face, Reply) else face(headers, body)
    if reply.status != 200 or reply.text:
        raise Refused(f"the door answered {reply.status} where it should have taken all")
    return reply


def main() -> None:
    url, port = sys.argv[1:]
    doors = telemetry.doors(app_on(connect(url)), lambda: NOW)
    web = edge.make(None, None, lambda: True, lambda: True, ingest=doors)
    uvicorn.run(web, port=int(port), log_level="error", access_log=False)


if __name__ == "__main__":
    main()
