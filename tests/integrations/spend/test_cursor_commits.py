"""Cursor's commits, tied to the conversations that went into them, where the plan has AI code tracking.

Monday has two commits of chi's, 9f1c... and 77aa..., Tuesday one of eli's, 5d0e...: 2 + 1 = 3, the count they tell.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from bot.domain.model import AccountDay, SessionCommit
from integrations.spend.cursor.commits import MISSES, MOST
from tests.integrations.spend.contract import Answer, billed, decode, given, outcome, sample
from tests.integrations.spend.test_cursor import CASE, CHI, COUPON, ELI, MONDAY, TUESDAY, recorded

COMMITS = "/analytics/ai-code/commits"
RETRY, BACKOFF, OTHER = (
    "9f1c2ab7d4e85f60a1b2c3d4e5f60718293a4b5c",
    "77aa0c1de2f3b4a5968778695a4b3c2d1e0f9a8b",
    "5d0e9b8c7a6f5e4d3c2b1a0f9e8d7c6b5a493827",
)
Detail = Callable[[str], httpx2.Response]


def known(_sha: str) -> httpx2.Response:
    return httpx2.Response(200, content=sample("cursor/ai_code_commit_detail.json"))


def page(number: int) -> Any:
    return decode(sample(f"cursor/ai_code_commits.page{number}.json"))


def with_commits(detail: Detail = known, listed: list[dict[str, Any]] | None = None) -> Answer:
    """The captured pages, of two commits each; or these commits in one page."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == COMMITS and listed is None:
            return httpx2.Response(200, json=page(int(request.url.params["page"])))
        if request.url.path == COMMITS:
            return httpx2.Response(200, json={"items": listed, "totalCount": len(listed or ()), "page": 1})
        if request.url.path.startswith(f"{COMMITS}/"):
            return detail(request.url.path.removeprefix(f"{COMMITS}/"))
        return recorded(request)

    return answer


def commit(number: int, at: str) -> dict[str, Any]:
    return {"commitHash": f"{number:040x}", "userEmail": "chi@example.com", "commitTs": at}


def shas(days: list[AccountDay]) -> list[set[str]]:
    return [{one.sha for one in day.commits} for day in days]


def test_commits_are_tied_to_conversations_and_nothing_else_of_them_is_kept():
    monday, tuesday = given(CASE, with_commits())
    assert set(monday.commits) == {SessionCommit(CHI, RETRY, (COUPON,)), SessionCommit(CHI, BACKOFF, (COUPON,))}
    assert tuesday.commits == (SessionCommit(ELI, OTHER, (COUPON,)),)  # of the second page
    said = repr((monday, tuesday))
    unwanted = ("Retry coupon calls", "exponential", "retry.py", "feat/coupon-retry", "fix: backoff", "company/repo")
    assert [text for text in unwanted if text in said] == []


def test_the_captured_commits_come_to_what_they_say():
    pages = [page(1), page(2)]
    assert sum(len(page["items"]) for page in pages) == 3 == pages[0]["totalCount"]
    # 120 + 14 + 40 = 174 lines; lines are never a number of ours
    assert sum(item["totalLinesAdded"] for page in pages for item in page["items"]) == 174
    (documented,) = decode(sample("cursor/ai_code_commits.documented.json"))["items"]
    # 50 + 40 + 30 = 120
    assert documented["tabLinesAdded"] + documented["composerLinesAdded"] + documented["nonAiLinesAdded"] == 120
    (change,) = decode(sample("cursor/ai_code_changes.json"))["items"]
    # 12 + 6 = 18, of an accepted suggestion without a commit and without a conversation: there is nothing to tie
    assert sum(file["linesAdded"] for file in change["metadata"]) == 18 == change["totalLinesAdded"]
    assert not {"commitHash", "conversationId"} & change.keys()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_plan_without_ai_code_tracking_has_its_bill_and_no_commits(status):
    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, content=b"{}") if request.url.path == COMMITS else recorded(request)

    assert outcome(CASE, answer) == (list(given(CASE)), None)


@pytest.mark.parametrize("response", [httpx2.Response(503), httpx2.Response(200, json={"items": 3})])
def test_commits_that_cannot_be_listed_for_the_moment_are_an_error_after_the_whole_bill(response):
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == COMMITS:
            return httpx2.Response(response.status_code, content=response.content)
        return recorded(request)

    days, error = outcome(CASE, answer)
    assert days == list(given(CASE))
    assert str(error).startswith("Cursor: all spend was read, but not which commits it went into: ")
    assert error is not None
    assert not error.permanent


def test_a_commit_that_cursor_does_not_know_takes_no_other_with_it():
    days, error = outcome(CASE, with_commits(lambda sha: httpx2.Response(404) if sha == BACKOFF else known(sha)))
    assert error is None
    assert shas(days) == [{RETRY}, {OTHER}]
    assert [day.rejected for day in days] == [{}, {}]


def test_a_plan_that_lists_commits_without_details_is_not_asked_for_each():
    asked: list[str] = []

    def nothing(sha: str) -> httpx2.Response:
        asked.append(sha)
        return httpx2.Response(404)

    listed = [commit(number, "2026-11-02T10:00:00Z") for number in range(50)]
    days, error = outcome(CASE, with_commits(nothing, listed))
    assert (len(asked), error) == (MISSES, None)
    assert days == list(given(CASE))


def test_where_cursor_has_had_enough_of_questions_the_bill_is_whole_and_what_is_missing_is_counted():
    def enough(sha: str) -> httpx2.Response:
        content = sample("cursor/error_429.json")
        return known(sha) if sha == OTHER else httpx2.Response(429, content=content)

    # eli's commit is the newest and answered, then come chi's two
    days, error = outcome(CASE, with_commits(enough))
    assert error is None
    assert billed(days) == CASE.billed
    assert shas(days) == [set(), {OTHER}]
    assert [day.rejected for day in days] == [{"commit_unread": 2}, {}]


def test_of_many_commits_the_newest_are_asked_for_and_the_days_take_turns():
    asked: list[str] = []

    def noting(sha: str) -> httpx2.Response:
        asked.append(sha)
        return known(sha)

    mondays = [commit(number, f"2026-11-02T{number // 60:02}:{number % 60:02}:00Z") for number in range(MOST)]
    tuesdays = [commit(MOST + number, f"2026-11-03T10:0{number}:00Z") for number in range(2)]
    list(given(CASE, with_commits(noting, mondays + tuesdays)))
    # 200 + 2 are told, 200 asked for: all but numbers 0 and 1. Tuesday's 201 and Monday's 199, then 200 and 198, ...
    assert [int(sha, 16) for sha in asked[:5]] == [201, 199, 200, 198, 197]
    assert Counter(asked) == Counter(f"{number:040x}" for number in range(2, 202))


def test_a_commit_on_two_branches_is_one_and_those_of_other_days_and_of_nobody_are_none():
    odd = [
        commit(1, "2026-11-02T10:00:00+00:00"),
        commit(1, "2026-11-02T10:00:00+00:00"),
        commit(2, "2026-11-03T01:00:00+02:00"),  # 23:00 UTC on Monday
        commit(3, "2026-11-04T00:00:00Z"),
        commit(4, "2026-11-01T23:59:59Z"),
        commit(5, "2026-11-02T10:00:00Z") | {"userEmail": " "},
        commit(6, "2026-11-02T10:00:00Z") | {"commitHash": "../../teams/members"},
        commit(7, "2026-11-02T10:00:00Z") | {"commitTs": None},
    ]
    days, error = outcome(CASE, with_commits(listed=odd))
    assert error is None
    assert [[int(one.sha, 16) for one in day.commits] for day in days] == [[2, 1], []]
    assert [day.day for day in days] == [MONDAY, TUESDAY]
