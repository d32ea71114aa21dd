"""What every source of spend is asked to keep, whoever its provider is: the captured answers of one source, and ways to
make a provider misbehave."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx2
import stamina

from bot.domain.model import AccountDay
from bot.domain.ports import Access, Prices, SourceError
from integrations._http import ATTEMPTS, HttpClient
from integrations.prices import ListPrices
from integrations.spend import sources

SAMPLES = Path(__file__).parents[2] / "samples" / "providers"

Answer = Callable[[httpx2.Request], httpx2.Response]
Change = Callable[[Any], Any]
MOST_REQUESTS = 3_000


@dataclass(frozen=True)
class Case:
    """A source in an invented week, as `test_<source>.py` describes it in its `CASE`.

    `answer` serves captured answers. `billed` and `listed` are the sums of each day by hand, from the samples: the bill
    (None where the source tells of no money), and the list amounts of all rows. `money`, `counts`, `labels` and
    `nullable` are keys of its JSON: amounts that have to be read, counters, values of open lists, and what may be null
    without changing a sum. `more` makes an answer promise a further page, by the number of the request; None says that
    a source answers in one piece.
    """

    source: str
    settings: Mapping[str, str]
    since: date
    until: date
    now: datetime
    answer: Answer
    billed: Mapping[date, int | None]
    listed: Mapping[date, int]
    money: frozenset[str] = frozenset()
    counts: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    nullable: frozenset[str] = frozenset()
    more: Callable[[Any, int], Any] | None = None
    prices: Prices = field(default_factory=ListPrices)


def cases() -> dict[str, Case]:
    """The case of each source in the registry: one that has none fails here."""
    return {name: import_module(f"tests.integrations.spend.test_{name}").CASE for name in sources()}


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def given(case: Case, answer: Answer | None = None, prices: Prices | None = None) -> Iterator[AccountDay]:
    """The days that a source gives, without pauses between attempts."""
    http = HttpClient(httpx2.MockTransport(answer or case.answer))
    access = Access(http, case.settings, prices or case.prices)
    with stamina.set_testing(True, attempts=ATTEMPTS):
        yield from sources()[case.source].fetch(access, case.since, case.until, case.now)


def billed(days: Iterable[AccountDay]) -> dict[date, int | None]:
    """The bill of each day over all its accounts; None where no account tells of money."""
    sums: dict[date, int | None] = {}
    for day in days:
        known = sums.get(day.day)
        sums[day.day] = known if day.billed_micro is None else (known or 0) + day.billed_micro
    return sums


def listed(days: Iterable[AccountDay]) -> dict[date, int]:
    """The list amounts of all rows of each day."""
    sums: dict[date, int] = {}
    for day in days:
        sums[day.day] = sums.get(day.day, 0) + sum(row.list_micro or 0 for row in day.rows)
    return sums


def outcome(case: Case, answer: Answer | None = None) -> tuple[list[AccountDay], SourceError | None]:
    """The days that came before an error, and the error, if there was one."""
    days: list[AccountDay] = []
    try:
        for day in given(case, answer):
            days.append(day)
    except SourceError as error:
        return days, error
    return days, None


def changing(case: Case, change: Callable[[Any, int], Any]) -> Answer:
    """The case's answers, each JSON body (or line of JSON) changed on the way; `change` gets the request's number."""
    asked = iter(range(10 * MOST_REQUESTS))

    def answer(request: httpx2.Request) -> httpx2.Response:
        number, response = next(asked), case.answer(request)
        if not response.is_success or not response.content:
            return response
        try:
            body = encode(change(decode(response.content), number))
        except ValueError:  # a file of many lines
            body = b"\n".join(encode(change(decode(line), number)) for line in response.content.splitlines() if line)
        return httpx2.Response(response.status_code, content=body, headers=_without_length(response.headers))

    return answer


def _without_length(headers: httpx2.Headers) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in ("content-length", "content-encoding")}


def decode(body: bytes) -> Any:
    return json.loads(body, parse_float=Decimal)


def encode(body: Any) -> bytes:
    """JSON with every digit of a Decimal."""
    return _text(body).encode()


def _text(body: Any) -> str:
    match body:
        case dict():
            return "{" + ", ".join(f"{json.dumps(key)}: {_text(value)}" for key, value in body.items()) + "}"
        case list():
            return "[" + ", ".join(map(_text, body)) + "]"
        case Decimal():
            return str(body)
    return json.dumps(body)


def everywhere(change: Change) -> Change:
    """A change that is made to each JSON object of a body, from the inside out."""

    def walk(body: Any) -> Any:
        if isinstance(body, dict):
            return change({key: walk(value) for key, value in body.items()})
        return [walk(item) for item in body] if isinstance(body, list) else body

    return walk


def setting(keys: frozenset[str], value: Callable[[Any], Any]) -> Change:
    """Put another value wherever one of these keys holds a plain value."""

    def change(body: dict[str, Any]) -> dict[str, Any]:
        return {
            key: value(old) if key in keys and not isinstance(old, dict | list) and old is not None else old
            for key, old in body.items()
        }

    return everywhere(change)
