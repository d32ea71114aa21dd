"""Another LEVERAGE_SECRET_KEY is noticed before it silently matches nobody."""

import pytest

from bot.store.db import transaction
from bot.store.errors import StoreError, WrongSecret
from bot.store.secrets import check
from tests.people import dump

OURS, OTHER = b"the key that we made", b"the key of somebody else"


def test_the_key_of_the_first_time_is_the_right_one_ever_after(engine):
    for _ in range(2):
        with transaction(engine) as session:
            check(session, OURS)
    assert len(dump(engine, "meta")) == 1


@pytest.mark.parametrize("other", [OTHER, b"", OURS + b"\n"])
def test_another_key_is_refused_and_changes_nothing(engine, other):
    with transaction(engine) as session:
        check(session, OURS)
    before = dump(engine, "meta")
    with pytest.raises(WrongSecret, match="LEVERAGE_SECRET_KEY") as caught, transaction(engine) as session:
        check(session, other)
    assert isinstance(caught.value, StoreError)
    assert dump(engine, "meta") == before


def test_neither_the_database_nor_the_message_holds_the_key(engine):
    with transaction(engine) as session:
        check(session, OURS)
    with pytest.raises(WrongSecret) as caught, transaction(engine) as session:
        check(session, OTHER)
    said = f"{caught.value!r} {dump(engine, 'meta')}"
    assert "somebody else" not in said
    assert "that we made" not in said
