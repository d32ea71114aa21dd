"""A handle's hash finds the same account again, and nothing else."""

import hashlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.handles import HandleKind, check_value, keyed_hash

SECRET, OTHER = b"the key of this deployment", b"the key of another"
EMAIL = "Ann.Example@example.com"
words = st.text(min_size=1, max_size=30)


def email(name: str, secret: bytes = SECRET) -> str:
    return keyed_hash(secret, HandleKind.EMAIL, name)


@pytest.mark.parametrize(
    "spelling",
    ["ann.example@example.com", " Ann.Example@example.com\n", "ANN.EXAMPLE@EXAMPLE.COM", "Ａnn.example@example.com"],
)
def test_an_address_is_the_same_however_it_is_typed(spelling):
    assert email(spelling) == email(EMAIL)


@pytest.mark.parametrize("other", ["ann.example@example.org", "annexample@example.com", "ann.example", ""])
def test_another_address_is_another_hash(other):
    assert email(other) != email(EMAIL)


def test_the_same_name_of_another_kind_is_another_hash():
    assert len({keyed_hash(SECRET, kind, "ann") for kind in HandleKind}) == len(HandleKind)


@pytest.mark.parametrize("kind", [HandleKind.GITHUB, HandleKind.PROVIDER, HandleKind.SLACK])
def test_ids_that_differ_by_case_are_different_accounts(kind):
    """GitHub's node ids are base64 of a number: `U_kgDOAAbCdA` and `U_kgDOAABcdA` are two people."""
    assert keyed_hash(SECRET, kind, "U_kgDOAAbCdA") != keyed_hash(SECRET, kind, "U_kgDOAABcdA")


@given(words, st.sampled_from(HandleKind))
def test_without_the_secret_nobody_can_make_the_hash(name, kind):
    plain = f"{kind}:{name}".encode()
    ours = keyed_hash(SECRET, kind, name)
    assert ours != keyed_hash(OTHER, kind, name)
    assert ours not in {hashlib.sha256(text).hexdigest() for text in (plain, name.encode(), SECRET + plain)}


@given(words, st.sampled_from(HandleKind))
def test_a_hash_is_64_hex_digits_and_always_the_same(name, kind):
    ours = keyed_hash(SECRET, kind, name)
    assert len(ours) == 64
    assert set(ours) <= set("0123456789abcdef")
    assert ours == keyed_hash(SECRET, kind, name)


@given(words)
def test_spaces_and_case_around_an_address_do_not_matter_however_odd_it_is(name):
    assert email(name) == email(f"  {name}\t")


def test_the_check_value_tells_secrets_apart_and_is_nobodys_handle():
    assert check_value(SECRET) == check_value(SECRET) != check_value(OTHER)
    names = ("", "check", ":check", "email:check")
    assert check_value(SECRET) not in {keyed_hash(SECRET, *one) for one in itertools.product(HandleKind, names)}
