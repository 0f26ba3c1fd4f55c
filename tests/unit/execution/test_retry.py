from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourlep.errors import (
    CorruptFileError,
    ForbiddenFileError,
    MissingColumnError,
    MissingFileError,
    ReadError,
    TransientReadError,
)
from fourlep.execution.retry import Refusal, RetryPolicy, judge

PLACE_ERRORS = [MissingFileError, CorruptFileError, ForbiddenFileError]


def refused(endpoint: str, kind: type[ReadError]) -> Refusal:
    return Refusal(endpoint, kind("no", url="u"))


@pytest.mark.parametrize("kind", PLACE_ERRORS)
def test_one_place_of_two_is_not_believed(kind: type[ReadError]) -> None:
    assert not judge([refused("a", kind)], 2).is_permanent


@pytest.mark.parametrize("kind", PLACE_ERRORS)
def test_two_places_that_agree_are_believed(kind: type[ReadError]) -> None:
    assert judge([refused("a", kind), refused("b", kind)], 2).is_permanent


def test_the_same_place_twice_is_not_two_places() -> None:
    assert not judge([refused("a", MissingFileError)] * 2, 2).is_permanent


def test_the_only_place_is_believed_when_it_repeats_itself() -> None:
    assert not judge([refused("a", MissingFileError)], 1).is_permanent
    assert judge([refused("a", MissingFileError)] * 2, 1).is_permanent


def test_two_places_that_disagree_are_not_believed() -> None:
    refusals = [refused("a", CorruptFileError), refused("b", MissingFileError)]
    assert not judge(refusals, 2).is_permanent


def test_a_local_file_system_is_believed_at_once() -> None:
    assert judge([refused("local", MissingFileError)], 1).is_permanent


def test_a_transient_error_is_never_permanent() -> None:
    assert not judge([refused("a", TransientReadError)] * 9, 1).is_permanent


def test_a_missing_column_is_permanent_at_once() -> None:
    assert judge([refused("a", MissingColumnError)], 2).is_permanent


def test_a_program_error_is_permanent_and_shows_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        _ = 1 // 0
    failure = judge([Refusal("a", caught.value)], 2)
    assert failure.is_permanent
    assert failure.kind == "ZeroDivisionError"
    assert "test_a_program_error_is_permanent" in failure.message


def test_each_thing_said_is_said_once() -> None:
    failure = judge([refused("a", MissingFileError)] * 3 + [refused("b", MissingFileError)], 2)
    assert failure.message == "a: no\nb: no"


@given(st.text(), st.integers(1, 10_000))
def test_pauses_grow_within_their_bounds(key: str, attempt: int) -> None:
    policy = RetryPolicy(pause_s=0.5, max_pause_s=8.0)
    longest = min(0.5 * 2.0 ** (min(attempt, 40) - 1), 8.0)
    assert 0.5 * longest <= policy.pause(key, attempt) <= longest


def test_pauses_differ_between_items() -> None:
    policy = RetryPolicy()
    assert len({policy.pause(f"key-{i}", 3) for i in range(100)}) > 90


def test_the_deadline_grows_with_the_size_of_the_file() -> None:
    policy = RetryPolicy(deadline_s=10.0, min_bytes_per_s=1e6)
    assert policy.deadline(-1) == 10.0
    assert policy.deadline(5_000_000) == 15.0
