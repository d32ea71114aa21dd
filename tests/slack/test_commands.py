"""`/leverage` as people use it: signed requests through the real handler, on a real database."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import perf_counter

import pytest
from slack_bolt import BoltRequest

from bot.slack.app import make_app, socket_mode
from bot.usecases.receive import sender
from tests import slack_rules
from tests.company import SmallCompany
from tests.fake_slack.people import People
from tests.people import dump
from tests.slack.desk import SIGNING_SECRET, Desk, signed

EVERYBODY = "ann bo cy di ed"


@pytest.fixture
def company(engine) -> SmallCompany:
    """Ann and Bo joined in week 20, Cy did not. Ann spent 12.34 dollars on 6 May, Bo 777 dollars."""
    company = SmallCompany(engine, EVERYBODY)
    company.joins("ann bo", at="2026-05-13")
    company.spends("2026-05-06", ann=12.34, bo=777)
    company.pull(1, "ann", commits={"ann": "2026-05-06"}, merged="2026-05-07")
    company.pull(2, "bo", commits={"bo": "2026-05-06"}, merged="2026-05-08")
    return company


@pytest.fixture
def desk(company) -> Desk:
    return Desk(company)


def test_everybody_sees_the_own_numbers_and_nobody_elses(desk):
    ann, bo = desk.command("ann", "me").text, desk.command("bo", "me").text
    assert "$12.34 in the last four full weeks" in ann
    assert "acme/api #1, merged 7 May" in ann
    assert "777" not in ann
    assert "#2" not in ann
    assert "$777.00 in the last four full weeks" in bo
    assert "12.34" not in bo
    assert "#1" not in bo


def test_every_answer_is_ephemeral_and_taken_by_slack(desk):
    for name in ("ann", "bo", "cy"):
        for text in ("me", "help", "", "tell me about bo", "leave", "leave"):
            answer = desk.command(name, text)
            assert answer.status == 200
            assert answer.json["response_type"] == "ephemeral"
            slack_rules.accept(answer.text, answer.json["blocks"])


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("me bo", {}),
        ("me <@S_bo>", {}),
        ("me S_bo --user S_bo", {}),
        ("ME", {"user_name": "bo", "text_user": "S_bo"}),
        ("me", {"user": "S_bo", "user[id]": "S_bo", "actor_user_id": "S_bo", "enterprise_user_id": "S_bo"}),
        ("me", {"channel_name": "directmessage", "channel_id": "S_bo", "team_domain": "bo"}),
        ("me", {"response_url": "https://evil.example/bo", "trigger_id": "S_bo"}),
    ],
)
def test_no_argument_and_no_other_field_changes_whose_numbers_are_read(desk, text, more):
    answer = desk.command("ann", text, **more)
    assert "$12.34" in answer.text
    assert "777" not in answer.content


def test_a_second_user_id_in_the_form_is_not_mixed_with_the_first(desk):
    """Whoever can sign is Slack, which sends one; of two the same one counts in every place."""
    body = desk.command_body("ann", "me") + b"&user_id=S_cy"
    assert "have not joined" in desk.send(body).text


def test_who_has_not_joined_is_told_how_and_what_it_gives(desk):
    answer = desk.command("cy", "me")
    assert "You have not joined" in answer.text
    assert "/leverage join" in answer.text
    assert "$" not in answer.text


def test_who_joined_today_is_told_when_the_first_numbers_come(desk):
    desk.company.joins("di", at="2026-05-20")
    answer = desk.command("di", "me")
    assert "You joined on 20 May" in answer.text
    assert "within a day" in answer.text


def test_a_command_asks_slack_nothing(desk):
    desk.command("ann", "me")
    desk.command("ann", "help")
    desk.command("ann", "leave")
    assert desk.people.calls == []


def test_forty_at_once_are_answered_while_others_write(company):
    desk = Desk(company)
    bodies = [desk.command_body("ann" if number % 2 else "bo", "me") for number in range(40)]

    def ask(body: bytes) -> tuple[float, str]:
        started = perf_counter()
        text = desk.send(body).text
        return perf_counter() - started, text

    with ThreadPoolExecutor(33) as pool:
        writing = pool.submit(lambda: [company.spends(f"2026-04-{day}", ann=1, bo=1) for day in range(10, 20)])
        answers = list(pool.map(ask, bodies))
        writing.result()
    assert max(seconds for seconds, _ in answers) < 2.5
    for number, (_, text) in enumerate(answers):
        assert ("777" in text) is (number % 2 == 0)


def test_help_is_the_answer_to_everything_else(desk):
    assert desk.command("ann", "help").json == desk.command("ann", "whatever that is").json
    assert "/leverage leave" in desk.command("ann", "").text


# Tokens of agents


def token_in(text: str) -> str:
    return re.search(r"lev_[0-9a-f]{64}", text)[0]  # type: ignore[index]


def test_a_token_is_shown_once_taken_by_slack_and_kept_as_a_hash(desk, engine):
    answer = desk.command("ann", "token")
    assert answer.json["response_type"] == "ephemeral"
    slack_rules.accept(answer.text, answer.json["blocks"])
    token = token_in(answer.text)
    known = sender(engine, f"Bearer {token}", desk.at)
    assert known is not None
    assert known.person == desk.company.people["ann"]
    (row,) = dump(engine, "ingest_tokens")
    assert token not in str(row)
    assert row["hash"] not in answer.text
    assert token not in desk.command("ann", "me").text


def test_two_tokens_are_valid_and_a_third_ends_the_oldest(desk, engine):
    tokens = []
    for number in range(3):
        desk.at += timedelta(minutes=number)
        tokens.append(token_in(desk.command("ann", "token").text))
    valid = [sender(engine, f"Bearer {one}", desk.at) is not None for one in tokens]
    assert valid == [False, True, True]
    assert "oldest token has ended" in desk.command("ann", "token").text


def test_ending_tokens_ends_all_of_ones_own_and_nobody_elses(desk, engine):
    anns, bos = token_in(desk.command("ann", "token").text), token_in(desk.command("bo", "token").text)
    assert "Your token has ended" in desk.command("ann", "token end").text
    assert sender(engine, f"Bearer {anns}", desk.at) is None
    assert sender(engine, f"Bearer {bos}", desk.at) is not None
    assert "nothing to end" in desk.command("ann", "token end").text


def test_who_has_not_joined_gets_no_token(desk, engine):
    assert "/leverage join" in desk.command("cy", "token").text
    assert "nothing to end" in desk.command("cy", "token end").text
    assert dump(engine, "ingest_tokens") == []


def test_a_token_does_not_outlive_leaving(desk, engine):
    token = token_in(desk.command("ann", "token").text)
    desk.command("ann", "leave")
    assert sender(engine, f"Bearer {token}", desk.at) is None
    assert dump(engine, "ingest_tokens") == []


# Leaving


def test_leaving_deletes_everything_at_once_and_says_so(desk, engine):
    answer = desk.command("ann", "leave")
    assert "deleted" in answer.text
    ann = desk.company.people["ann"]
    for table in ("people", "spend", "person_days", "open_work", "bookings", "attributions"):
        assert all(row["person_key"] != ann for row in dump(engine, table))
    assert "have not joined" in desk.command("ann", "me").text
    assert "$777.00" in desk.command("bo", "me").text


def test_leaving_withdraws_every_switch(desk, engine):
    desk.command("ann", "leave")
    ann = desk.company.people["ann"]
    last = {row["scope"]: bool(row["granted"]) for row in dump(engine, "consents") if row["person_key"] == ann}
    granted = [row for row in dump(engine, "consents") if row["person_key"] == ann and row["granted"]]
    withdrawn = [row for row in dump(engine, "consents") if row["person_key"] == ann and not row["granted"]]
    assert last.keys() == {"collect", "team"}
    assert len(granted) == len(withdrawn) == 2


def test_leaving_twice_is_no_error(desk):
    desk.command("ann", "leave")
    assert "nothing to withdraw" in desk.command("ann", "leave").text


def test_nobody_can_make_somebody_else_leave(desk):
    for text, more in [("leave bo", {}), ("leave <@S_bo>", {"user_name": "bo", "user": "S_bo"})]:
        desk.command("cy", text, **more)
    assert "$777.00" in desk.command("bo", "me").text


# The window


def test_join_opens_one_window_and_answers_with_nothing(desk):
    answer = desk.command("cy", "join")
    assert (answer.status, answer.content) == (200, "")
    assert [method for method, _ in desk.people.calls] == ["views.open"]


@pytest.mark.parametrize("trouble", ["expired_trigger_id", "internal_error", TimeoutError(), ConnectionResetError()])
def test_a_window_that_does_not_open_is_told(company, trouble):
    people = People("cy")
    people.broken["views.open"] = trouble
    answer = Desk(company, people).command("cy", "join")
    assert answer.status == 200
    assert "did not let the window open" in answer.text


# Socket Mode


def test_over_socket_mode_the_same_is_answered(desk):
    app = make_app(desk.place, None)
    asked = {"command": "/leverage", "text": "me", "user_id": "S_ann", "trigger_id": "1", "team_id": "T_ACME"}
    answer = app.dispatch(BoltRequest(mode="socket_mode", body=asked))
    assert answer.status == 200
    assert "$12.34" in answer.body
    assert "777" not in answer.body


def test_without_a_signing_secret_nothing_is_taken_over_http(desk):
    app = make_app(desk.place, None)
    for secret in ("", "None", SIGNING_SECRET):
        body = desk.command_body("ann", "me")
        request = BoltRequest(body=body.decode(), headers=dict(signed(body, desk.at, secret=secret)))
        assert app.dispatch(request).status == 401


def test_bolt_checks_the_signature_too(desk):
    """The guard stands in front of it; by itself it refuses as well."""
    app = make_app(desk.place, SIGNING_SECRET)
    body = desk.command_body("ann", "me")
    for headers, status in [(signed(body, desk.at), 200), (signed(body, desk.at, secret="another"), 401), ({}, 401)]:
        assert app.dispatch(BoltRequest(body=body.decode(), headers=dict(headers))).status == status


def test_socket_mode_is_made_without_asking_anybody(desk):
    handler = socket_mode(make_app(desk.place, None), "xapp-of-these-tests-only")
    handler.close()
    assert desk.people.calls == []
