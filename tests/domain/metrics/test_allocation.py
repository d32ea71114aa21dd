from hypothesis import given
from hypothesis import strategies as st

from bot.domain.metrics.allocation import allocate_person_day


def test_what_cannot_be_shared_goes_to_the_lowest_number_then_to_the_lowest_id() -> None:
    assert allocate_person_day(11, {"a": 12, "b": 7, "c": 9}) == {"a": 3, "b": 5, "c": 3}
    assert allocate_person_day(5, {"b": 7, "a": 7}) == {"a": 3, "b": 2}


def test_nothing_is_allocated_on_a_day_without_pull_requests() -> None:
    assert allocate_person_day(11, {}) == {}


@given(st.integers(-(10**12), 10**12), st.dictionaries(st.text(), st.integers(1, 10**6), min_size=1))
def test_all_of_a_day_is_given_out(micro: int, numbers: dict[str, int]) -> None:
    shares = allocate_person_day(micro, numbers)
    assert sum(shares.values()) == micro
    assert shares.keys() == numbers.keys()
