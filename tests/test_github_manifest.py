"""The manifest makes an App that may do what the code does, and nothing else; the README's way from it to `.env` works.

GitHub's page between the two (choosing a name, pressing a button) is GitHub's own.
"""

import json
import re
import stat
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route

from bot.settings import Settings
from bot.usecases.intake import WORKED_OFF
from bot.web import edge
from bot.web.pools import Reply
from integrations.outcomes.github import check, comments, installations

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "github-app-manifest.json"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n"

KNOWN = {
    *("url", "description", "public", "hook_attributes", "redirect_url", "default_permissions", "default_events"),
    *("name", "callback_urls", "setup_url", "setup_on_update", "request_oauth_on_install"),
}
"""What docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest names."""


@pytest.fixture(scope="module")
def manifest() -> Any:
    return json.loads(FILE.read_text("utf-8"))


def test_it_says_nothing_that_github_does_not_know(manifest):
    assert manifest.keys() <= KNOWN
    assert manifest["hook_attributes"].keys() == {"url", "active"}


def asked_for() -> dict[str, str]:
    """The permissions that tokens are asked for anywhere in the code, each at the highest level."""
    found: dict[str, str] = {}
    for permissions in (installations.READ, comments.WRITE, check.MEMBERS):
        for name, level in permissions.items():
            found[name] = max(level, found.get(name, level))  # "read" comes before "write"
    return found


def test_every_permission_is_used_and_every_one_that_is_used_is_there(manifest):
    assert manifest["default_permissions"] == asked_for()


def test_nothing_that_could_read_code_is_asked_for(manifest):
    assert not {"contents", "issues", "checks", "actions", "administration"} & manifest["default_permissions"].keys()


def test_only_events_that_are_worked_off_are_asked_for(manifest):
    assert {f"github/{event}" for event in manifest["default_events"]} == WORKED_OFF


def test_webhooks_go_where_they_are_taken(manifest):
    hook = manifest["hook_attributes"]
    web = edge.make(None, lambda headers, body: Reply(202), lambda: True, lambda: True)
    (taken,) = [route for route in web.routes if isinstance(route, Route) and "POST" in (route.methods or ())]
    assert hook == {"url": f"https://example.com{taken.path}", "active": True}


def test_only_the_company_itself_can_install_it(manifest):
    assert manifest["public"] is False


# The README's way


def scripts() -> list[str]:
    """The two programs of the README: the page with the manifest, and what its code is exchanged for."""
    return re.findall(r"<<'END' >>? \S+\n(.*?)\nEND\n", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)


def run(script: str, folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-", *arguments], input=script, cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


class Form(HTMLParser):
    """A page's form: where it goes, and its one value."""

    action = value = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        self.action = values.get("action") or self.action
        self.value = values.get("value") or self.value


def test_the_page_of_the_readme_sends_the_manifest_with_the_own_address(manifest):
    page, _ = scripts()
    form = Form()
    form.feed(run(page, ROOT, "leverage.acme.example", "acme"))
    assert form.action == "https://github.com/organizations/acme/settings/apps/new"
    hook = {"url": "https://leverage.acme.example/github/webhooks", "active": True}
    assert json.loads(form.value) == manifest | {"hook_attributes": hook}


def test_what_github_gives_for_the_code_becomes_settings(tmp_path):
    _, exchange = scripts()
    answer = tmp_path / "app-manifests" / "a-code" / "conversions"
    answer.parent.mkdir(parents=True)
    answer.write_text(json.dumps({"id": 123456, "pem": PEM, "webhook_secret": "a-webhook-secret", "slug": "leverage"}))
    written = run(exchange.replace("https://api.github.com", tmp_path.as_uri()), tmp_path, "a-code")
    assert stat.S_IMODE((tmp_path / "github-app.pem").stat().st_mode) == 0o600
    (tmp_path / ".env").write_text(written.replace("=github-app", f"={tmp_path}/github-app"))
    found = Settings(_env_file=tmp_path / ".env")
    assert found.github_app() == ("123456", PEM)
    assert found.required("GITHUB_WEBHOOK_SECRET") == "a-webhook-secret"
