"""Sums that do not depend on the order of their terms."""

import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourlep.exact import ExactSums

_FLOATS = st.lists(
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e250, max_value=1e250),
    max_size=30,
)


def _sum(values: list[float]) -> ExactSums:
    return ExactSums.of((1,), [0] * len(values), values)


def test_a_small_term_survives_two_large_ones_that_cancel() -> None:
    assert _sum([1e16, 1.0, -1e16]).to_float()[0] == 1.0


def test_terms_go_to_the_element_that_they_name() -> None:
    sums = ExactSums.of((2, 2), [3, 0, 3], [1.5, -2.0, 0.25])
    assert sums.to_float().tolist() == [[-2.0, 0.0], [0.0, 1.75]]


@given(_FLOATS)
def test_the_sum_is_the_exact_one_rounded_once(values: list[float]) -> None:
    exact = sum((Fraction(value) for value in values), Fraction(0))
    assert _sum(values).to_float()[0] == exact.numerator / exact.denominator


@given(_FLOATS)
def test_the_sum_agrees_with_the_standard_library(values: list[float]) -> None:
    assert _sum(values).to_float()[0] == math.fsum(values)


@given(_FLOATS, st.integers(0, 30), st.randoms(use_true_random=False))
def test_partition_and_order_change_no_bit(values: list[float], cut: int, random) -> None:
    whole = _sum(values)
    random.shuffle(values)
    assert _sum(values[:cut]) + _sum(values[cut:]) == whole


@given(_FLOATS, _FLOATS, _FLOATS)
def test_adding_is_associative_and_commutative(
    a: list[float], b: list[float], c: list[float]
) -> None:
    x, y, z = _sum(a), _sum(b), _sum(c)
    assert (x + y) + z == x + (y + z)
    assert x + y == y + x


def test_zeros_are_neutral() -> None:
    sums = _sum([0.1, -7.0])
    assert sums + ExactSums.zeros((1,)) == sums


def test_sums_that_differ_in_the_last_bit_are_unequal() -> None:
    assert _sum([1.0]) != _sum([np.nextafter(1.0, 2.0)])


def test_a_sum_is_unequal_to_something_else() -> None:
    assert _sum([1.0]) != 1.0


def test_negative_results_are_rounded_correctly() -> None:
    assert _sum([-1e-300, -1e300]).to_float()[0] == -1e300


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_cannot_be_summed(bad: float) -> None:
    with pytest.raises(ValueError, match="NaN or infinite"):
        _sum([1.0, bad])


def test_index_and_values_must_be_equally_long() -> None:
    with pytest.raises(ValueError, match="equally long"):
        ExactSums.of((1,), [0, 0], [1.0])


def test_sums_of_different_shape_cannot_be_added() -> None:
    with pytest.raises(ValueError, match="cannot add sums of shapes"):
        ExactSums.zeros((1,)) + ExactSums.zeros((2,))


@given(_FLOATS)
def test_storing_keeps_every_bit(values: list[float]) -> None:
    sums = _sum(values)
    assert ExactSums.from_arrays(*sums.to_arrays()) == sums
    assert pickle.loads(pickle.dumps(sums)) == sums


def test_elements_can_be_taken_out() -> None:
    sums = ExactSums.of((3,), [0, 1, 2], [1.0, 2.0, 3.0])
    assert sums[1:].to_float().tolist() == [2.0, 3.0]


def test_a_million_additions_do_not_overflow() -> None:
    total = ExactSums.zeros((1,))
    step = ExactSums.of((1,), np.zeros(1000, dtype=int), np.full(1000, 0.1))
    for _ in range(1000):
        total = total + step
    assert total.to_float()[0] == float(Fraction(0.1) * 1_000_000)


def test_doubling_a_hundred_times_does_not_overflow() -> None:
    total = _sum([0.1, -0.3])
    for _ in range(100):
        total = total + total
    exact = (Fraction(0.1) - Fraction(0.3)) * 2**100
    assert total.to_float()[0] == exact.numerator / exact.denominator
