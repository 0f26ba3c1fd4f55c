"""From stored arrays to columns, by hand."""

from __future__ import annotations

import awkward as ak
import numpy as np
import pytest

from fourlep.io import derive
from fourlep.units import ELECTRON_MASS, MUON_MASS


def test_energies_are_scaled_in_double_precision() -> None:
    stored = ak.Array([np.array([12345.678], dtype=np.float32), np.array([], dtype=np.float32)])
    scaled = derive.from_mev(stored)
    assert scaled[0, 0] == float(np.float32(12345.678)) * 1e-3
    assert scaled.type.content.content.primitive == "float64"


def test_muon_quality_is_the_low_three_bits() -> None:
    stored = ak.Array([np.array([8, 9, 10, 2, 19], dtype=np.uint8)])
    assert derive.muon_quality(stored).tolist() == [[0, 1, 2, 2, 3]]


def test_masses_are_those_of_the_particle_data_group() -> None:
    pt = ak.Array([[1.0, 2.0], []])
    assert derive.electron_mass_like(pt).tolist() == [[ELECTRON_MASS, ELECTRON_MASS], []]
    assert derive.muon_mass_like(pt).tolist() == [[MUON_MASS, MUON_MASS], []]


def test_a_wrapped_event_number_is_read_as_unsigned() -> None:
    stored = np.array([1, -1], dtype=np.int32)
    assert derive.unsigned_number(stored).tolist() == [1, 4294967295]


def test_an_event_number_that_has_room_is_left_as_it_is() -> None:
    stored = np.array([1, -1, 2**33 + 5], dtype=np.int64)
    assert derive.unsigned_number(stored).tolist() == [1, 4294967295, 2**33 + 5]


def test_the_nominal_weight_is_the_first_and_keeps_its_sign() -> None:
    weights = ak.Array([[-2.5, 1.0], [3.0, 7.0]])
    assert derive.nominal_weight(weights).tolist() == [-2.5, 3.0]


def test_an_event_without_generator_weight_is_an_error() -> None:
    with pytest.raises(ValueError, match="no generator weight"):
        derive.nominal_weight(ak.Array([[1.0], []]))


def test_all_weights_are_a_matrix() -> None:
    weights = derive.all_weights(ak.Array([[-2.5, 1.0], [3.0, 7.0]]))
    assert weights.tolist() == [[-2.5, 1.0], [3.0, 7.0]]


def test_numbers_of_weights_that_differ_are_an_error() -> None:
    with pytest.raises(ValueError, match="differ in their number"):
        derive.all_weights(ak.Array([[1.0], [1.0, 2.0]]))


def test_no_events_have_an_empty_matrix_of_weights() -> None:
    nothing = ak.Array([[1.0]])[:0]
    assert derive.all_weights(nothing).shape == (0, 0)
    assert derive.nominal_weight(nothing).shape == (0,)


def test_factors_are_multiplied() -> None:
    product = derive.product(np.array([2.0, 0.5]), np.array([3.0, 4.0]))
    assert product.tolist() == [6.0, 2.0]


def test_any_flag_is_enough() -> None:
    flags = derive.any_true(np.array([True, False, False]), np.array([0, 1, 0], dtype=np.int8))
    assert flags.tolist() == [True, True, False]


def test_simulation_is_bit_zero_of_the_event_type() -> None:
    bits = np.array([0, 1, 6, 3], dtype=np.uint32)
    assert derive.is_simulated(bits).tolist() == [False, True, False, True]


def test_a_single_weight_tells_nothing_and_several_tell_simulation() -> None:
    weights = ak.Array([[], [1.0], [0.5, -0.5]])
    assert derive.has_several(weights).tolist() == [False, False, True]
    assert derive.has_several(weights[:0]).tolist() == []


def test_flavours_are_split_and_keep_their_order() -> None:
    kind = ak.Array([[13, 11, 11, 13], []])
    pt = ak.Array([[4e3, 3e3, 2e3, 1e3], []])
    assert derive.of_flavour(11, derive.from_mev)(kind, pt).tolist() == [[3.0, 2.0], []]
    assert derive.of_flavour(13, derive.from_mev)(kind, pt).tolist() == [[4.0, 1.0], []]


def test_z0_is_projected_with_the_angle_of_eta() -> None:
    projected = derive.z0_sin_theta_from_eta(ak.Array([[2.0, 2.0]]), ak.Array([[0.0, 1.0]]))
    assert projected[0].tolist() == pytest.approx([2.0, 2.0 / np.cosh(1.0)])


def test_a_significance_takes_the_sign_of_d0() -> None:
    signed = derive.signed_significance(ak.Array([[3.0, 4.0]]), ak.Array([[-0.1, 0.2]]))
    assert signed.tolist() == [[-3.0, 4.0]]


def test_muon_quality_follows_the_tightest_flag() -> None:
    tight = ak.Array([[True, False, False, False]])
    medium = ak.Array([[True, True, False, False]])
    loose = ak.Array([[True, True, True, False]])
    assert derive.quality_from_flags(tight, medium, loose).tolist() == [[0, 1, 2, 3]]
