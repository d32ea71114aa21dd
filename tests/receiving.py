"""A Leverage that receives telemetry at a time of the test's choosing, without a network: the real routes, a real
database, and people who have joined."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from httpx2 import Response
from sqlalchemy import Engine
from starlette.testclient import TestClient

from bot import telemetry
from bot.app import App, DeploymentSettings
from bot.domain.privacy.gate import Rule
from bot.domain.team import Company
from bot.usecases import tokens
from bot.usecases.consent import Handles, join
from bot.usecases.measure import measure
from bot.web import edge
from tests.company import SECRET, SmallCompany

JSON, PROTOBUF = "application/json", "application/x-protobuf"


@dataclass
class Receiver:
    """`now` may be moved. Everybody joins long before it."""

    engine: Engine
    now: datetime
    company: SmallCompany
    tokens: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        company = Company((self.company.team,), Rule(), None, "USD")
        self.app = App(DeploymentSettings(_env_file=None), company, self.engine, SECRET)
        doors = telemetry.doors(self.app, lambda: self.now)
        files = {"/hook.py": telemetry.hook_file()}
        web = edge.make(None, None, lambda: True, lambda: True, ingest=doors, files=files)
        self.client = TestClient(web, raise_server_exceptions=False)

    def joins(self, name: str, at: datetime) -> str:
        """Somebody joins and gets a token; returns the person key."""
        handles = Handles(github=f"U_{name}", slack=f"S_{name}", email=f"{name}@example.com")
        zone = self.company.team.zone
        person = join(self.engine, SECRET, handles, zone, at, team=True, proved=True)
        self.company.people[name] = person
        self.tokens[name] = tokens.for_person(self.engine, person, at).token
        return person

    def fleet(self, name: str = "laptops") -> str:
        return tokens.new_fleet(self.engine, name, self.now, None).token

    def post(
        self,
        path: str,
        body: bytes,
        token: str | None,
        media: str = JSON,
        *,
        zipped: bool = False,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Response:
        sent = {"content-type": media, **({"authorization": f"Bearer {token}"} if token else {}), **headers}
        if zipped:
            body, sent["content-encoding"] = gzip.compress(body), "gzip"
        answer: Response = self.client.post(path, content=body, headers=sent)
        return answer

    def tells(self, path: str, document: Any, token: str, **how: Any) -> Response:
        return self.post(path, json.dumps(document).encode(), token, **how)

    def measure(self) -> None:
        measure(self.engine, self.app.prices)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
