"""The only outgoing HTTP client: reads JSON, tries again where that helps, and never says what a header held.

Numbers with a point arrive as Decimal. Redirects are not followed: a key goes to no host an operator did not name.
"""

import contextlib
import json
import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Never

import httpx2
import stamina

from bot import __version__
from bot.domain.ports import NotFound, Refused, SourceError

USER_AGENT = f"Leverage/{__version__} (+https://github.com/leverage-bot/leverage)"
TIMEOUT = 15.0  # seconds for connecting, and for each piece of an answer
DEADLINE = 60.0  # seconds for one whole answer, so that a trickle ends
BODY_LIMIT = 16 * 1024 * 1024  # bytes, unpacked
ATTEMPTS = 5
LONGEST_WAIT = 60  # seconds; who asks for more is asked again at the next run
NO_CONTENT = 204
SAID = 200  # characters of a service's own words

# These log whole URLs (with cursors, which may name people) and headers, whatever level the rest of the bot logs at.
for chatty in ("httpx2", "httpcore2"):
    logging.getLogger(chatty).setLevel(logging.WARNING)


class BusyError(SourceError):
    """The service failed in a way that often passes. `wait` is how many seconds it asked for, if it said."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class HttpClient:
    """`bot.domain.ports.Http` over httpx2. One instance serves many threads; close it at the end.

    `setting` is the variable that says where the service is, for the one who has to look why it cannot be reached.
    """

    def __init__(
        self,
        transport: httpx2.BaseTransport | None = None,
        *,
        setting: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._advice = " and ".join(filter(None, ("the network or proxy", setting)))
        headers = {"user-agent": USER_AGENT, "accept": "application/json"}
        self._client = httpx2.Client(transport=transport, timeout=TIMEOUT, follow_redirects=False, headers=headers)
        self._clock = clock

    def close(self) -> None:
        self._client.close()

    def get_json(self, url: str, *, params: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
        request = self._request("GET", url, headers, params=params)
        return decode(self._read(request, headers), request.url.host)

    def post_json(self, url: str, *, body: Any, headers: Mapping[str, str]) -> Any:
        request = self._request("POST", url, headers, json=body)
        return decode(self._read(request, headers), request.url.host)

    def get_lines(self, url: str, *, headers: Mapping[str, str]) -> list[Any]:
        request = self._request("GET", url, headers)
        return decode_lines(self._read(request, headers), request.url.host)

    def _read(self, request: httpx2.Request, headers: Mapping[str, str]) -> bytes:
        """The body. stamina logs each new attempt with our error, which holds a host and a status only."""
        for attempt in stamina.retry_context(pause, ATTEMPTS, timeout=None, wait_initial=0.5, wait_max=30):
            with attempt:
                response, body = self._answer(request)
                check(response, body, headers.values())
                return b"null" if response.status_code == NO_CONTENT else body
        raise AssertionError("the last attempt returns or raises")

    def _request(self, method: str, url: str, headers: Mapping[str, str], **content: Any) -> httpx2.Request:
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            raise SourceError("a key holds characters that no HTTP header may hold", permanent=True)
        try:
            request = self._client.build_request(method, url, headers=headers, **content)
        except httpx2.InvalidURL:
            raise SourceError("the base URL is not a URL", permanent=True) from None
        if request.url.scheme not in ("http", "https") or not request.url.host:
            raise SourceError("the base URL has to begin with https:// or http:// and name a host", permanent=True)
        return request

    def _answer(self, request: httpx2.Request) -> tuple[httpx2.Response, bytes]:
        """Send once and read all of the answer. The text of httpx2's errors may quote a header, so it is left out."""
        host = request.url.host
        began = self._clock()
        try:
            with contextlib.closing(self._client.send(request, stream=True)) as response:
                return response, self._body(response, host, began)
        except httpx2.TimeoutException:
            raise BusyError(f"{host} did not answer within {TIMEOUT:.0f} seconds") from None
        except httpx2.RequestError as error:
            what = f"{host} could not be reached, or broke off ({type(error).__name__})"
            raise BusyError(f"{what}: check {self._advice}") from None

    def _body(self, response: httpx2.Response, host: str, began: float) -> bytes:
        body = bytearray()
        for piece in response.iter_bytes():
            body += piece
            if len(body) > BODY_LIMIT:
                raise SourceError(f"{host} sent more than {BODY_LIMIT // 1024**2} MiB in one answer")
            if self._clock() - began > DEADLINE:
                raise SourceError(f"{host} took longer than {DEADLINE:.0f} seconds for one answer")
        return bytes(body)


def pause(error: Exception) -> bool | float:
    """Whether to try again after this error, and after how many seconds where the service said so."""
    if not isinstance(error, BusyError):
        return False
    return True if error.wait is None else error.wait


def check(response: httpx2.Response, body: bytes, secrets: Iterable[str]) -> None:
    """Raise what a status means; do nothing for a success."""
    host, status = response.request.url.host, response.status_code
    if response.is_success:
        return
    if status in (401, 403):
        raise Refused(f"{host} refused the key ({status})")
    if status == 404:
        raise NotFound(f"{host} has no page {response.request.url.path} (404)", permanent=True)
    if status in (408, 429) or status >= 500:
        raise _busy(response, host)
    if response.has_redirect_location:
        raise SourceError(f"{host} sends requests elsewhere ({status}); check the base URL", permanent=True)
    raise SourceError(f"{host} does not accept the request ({status}){said(body, secrets)}", permanent=True)


def _busy(response: httpx2.Response, host: str) -> SourceError:
    wait = retry_after(response.headers)
    what = "asks for fewer requests" if response.status_code == 429 else "has a failure of its own"
    if wait is None or wait <= LONGEST_WAIT:
        return BusyError(f"{host} {what} ({response.status_code})", wait)
    return SourceError(f"{host} {what} ({response.status_code}) and said to come back in {_spoken(wait)}")


def _spoken(seconds: float) -> str:
    minutes = -(-int(seconds) // 60)
    return f"{minutes} minutes" if minutes < 120 else f"{-(-minutes // 60)} hours"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a Retry-After header. A date is compared with the service's own Date, so no clock of ours matters."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    until, now = _date(value), _date(headers.get("date", ""))
    return max(0.0, (until - now).total_seconds()) if until and now else None


def _date(value: str) -> datetime | None:
    """An HTTP date, which is always UTC."""
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def decode(body: bytes, host: str) -> Any:
    """JSON whose fractions are exact; NaN, Infinity and cut-off bodies are refused."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, ArithmeticError, RecursionError):
        raise SourceError(f"{host} sent an answer that is cut off or is not JSON") from None


def decode_lines(body: bytes, host: str) -> list[Any]:
    """The JSON documents of a body, one a line; a body that is one JSON list gives its items."""
    if body.lstrip().startswith(b"["):
        items = decode(body, host)
        return items if isinstance(items, list) else [items]
    return [decode(line, host) for line in body.splitlines() if line.strip()]


def _no_number(constant: str) -> Never:
    raise ValueError(constant)


_PERSON = re.compile(r"[^\s\"'<>()]+(?:@|%40)[^\s\"'<>()]+")
_TOKEN = re.compile(r"(?=[\w-]*\d)[\w-]{20,}")  # keys and ids


def said(body: bytes, secrets: Iterable[str]) -> str:
    """A service's own short message, for the one who has to mend the configuration: no secret, no person, no id."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    error = answer.get("error") if isinstance(answer, dict) else None
    text = error.get("message") if isinstance(error, dict) else error
    if not isinstance(text, str):
        return ""
    for secret in secrets:
        text = text.replace(secret, "…") if secret else text
    text = "".join(sign for sign in " ".join(text[: 10 * SAID].split()) if sign.isprintable())
    text = _TOKEN.sub("…", _PERSON.sub("…", text))
    return f": {text[:SAID]}" if text else ""
