"""The part of Slack's Web API that commands use, without a socket: who people are, and which windows were opened."""

from typing import Any

from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

WORKSPACE = "T_ACME"
TOKEN = "xoxb-of-these-tests-only"


def member(name: str, **changes: Any) -> dict[str, Any]:
    """A full member with a confirmed address, as `users.info` tells it; `changes` make another one of them."""
    user = {
        "id": f"S_{name}",
        "team_id": WORKSPACE,
        "name": name,
        "deleted": False,
        "is_bot": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_email_confirmed": True,
        "profile": {"email": f"{name}@example.com", "real_name": name.title()},
    }
    return {**user, **changes}


class People(WebClient):
    """A client whose Slack knows these people. `broken` says how a method fails: an error code, or an exception."""

    def __init__(self, *names: str) -> None:
        super().__init__(TOKEN, retry_handlers=[])
        self.users = {f"S_{name}": member(name) for name in names}
        self.broken: dict[str, str | Exception] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.views: list[dict[str, Any]] = []

    def api_call(self, api_method: str, **request: Any) -> SlackResponse:
        given = {**(request.get("params") or {}), **(request.get("json") or {})}
        self.calls.append((api_method, given))
        trouble = self.broken.get(api_method)
        if isinstance(trouble, Exception):
            raise trouble
        body = {"ok": False, "error": trouble} if trouble else self._answer(api_method, given)
        response = SlackResponse(
            client=self,
            http_verb="POST",
            api_url=api_method,
            req_args={},
            data=body,
            headers={},
            status_code=200,
        )
        response.validate()
        return response

    def called(self, method: str) -> int:
        return sum(name == method for name, _ in self.calls)

    def _answer(self, method: str, given: dict[str, Any]) -> dict[str, Any]:
        match method:
            case "auth.test":
                return {"ok": True, "team_id": WORKSPACE, "user_id": "S_BOT"}
            case "users.info":
                user = self.users.get(given["user"])
                return {"ok": True, "user": user} if user else {"ok": False, "error": "user_not_found"}
            case "views.open" if given.get("trigger_id"):
                self.views.append(given["view"])
                return {"ok": True, "view": {"id": "V_1"}}
            case _:
                return {"ok": False, "error": "invalid_arguments"}
