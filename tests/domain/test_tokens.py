"""Tokens of agents' machines: only the right one proves anything, and at most two are valid."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain import tokens
from bot.domain.tokens import Token

NOW = datetime(2026, 5, 20, 10, tzinfo=UTC)


def stored(text: str, **more: object) -> Token:
    return Token(tokens.id_of(text), tokens.hash_of(text), None, "laptops", NOW, **more)  # type: ignore[arg-type]


def test_a_token_is_random_and_its_id_tells_nothing_of_the_rest():
    first, second = tokens.make(), tokens.make()
    assert first != second
    assert len(first) == len("lev_") + 64
    assert tokens.id_of(first) == first[4:12]


def test_only_the_token_itself_proves_anything():
    text = tokens.make()
    other = text[:-1] + ("0" if text[-1] != "0" else "1")
    assert tokens.proves(text, stored(text))
    assert not tokens.proves(other, stored(text))
    assert not tokens.proves(text, None)
    assert not tokens.proves(tokens.hash_of(text), stored(text))


def test_a_stored_token_shows_neither_hash_nor_person():
    one = Token("abcdef01", "the hash", "the person", None, NOW)
    assert "the hash" not in repr(one)
    assert "the person" not in repr(one)


@pytest.mark.parametrize(
    ("header", "is_one"),
    [
        ("Bearer {}", True),
        ("bearer {}", True),
        ("Bearer%20{}", True),
        (" Bearer   {} ", True),
        ("{}", False),
        ("Basic {}", False),
        ("Bearer {}0", False),
        ("Bearer x{}", False),
        ("Bearer", False),
        ("", False),
        (None, False),
    ],
)
def test_a_token_is_read_from_its_header_only_in_its_own_form(header, is_one):
    text = tokens.make()
    assert tokens.presented(header and header.format(text)) == (text if is_one else None)


def test_a_token_ends_when_it_is_revoked_or_expires():
    text = tokens.make()
    assert stored(text).is_valid(NOW)
    assert not stored(text, revoked_at=NOW).is_valid(NOW)
    ends = stored(text, expires_at=NOW + timedelta(days=1))
    assert [ends.is_valid(NOW + timedelta(hours=hours)) for hours in (23, 24)] == [True, False]


def test_of_one_owner_the_oldest_end_so_that_two_are_valid():
    ages = [NOW + timedelta(minutes=minutes) for minutes in range(4)]
    known = [Token(str(number), "", None, "x", at) for number, at in enumerate(ages)]
    ended = Token("ended", "", None, "x", NOW, revoked_at=NOW)
    assert [one.id for one in tokens.superseded([*known, ended], NOW)] == ["0", "1", "2"]
    assert tokens.superseded([known[0], ended], NOW) == []
