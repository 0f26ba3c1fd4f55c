"""Momenta, masses and distances."""

import math

import numpy as np
import pytest
import vector
from hypothesis import given
from hypothesis import strategies as st

from fourlep.physics.kinematics import Momenta, delta_phi, delta_r

_PT, _ETA, _PHI = st.floats(1.0, 500.0), st.floats(-2.7, 2.7), st.floats(-3.14, 3.14)
_FOUR = st.lists(st.tuples(_PT, _ETA, _PHI), min_size=4, max_size=4)
_ALL = np.arange(4)[np.newaxis]


def _momenta(leptons: list[tuple[float, float, float]], mass: float = 0.105) -> Momenta:
    pt, eta, phi = (np.array(values) for values in zip(*leptons, strict=True))
    return Momenta.of(pt, eta, phi, np.full(len(pt), mass))


def _mass(leptons: list[tuple[float, float, float]]) -> float:
    return float(_momenta(leptons).sums(_ALL).mass[0])


def test_two_massless_leptons_back_to_back_have_twice_the_pt_as_mass() -> None:
    momenta = _momenta([(45.594, 0.0, 0.0), (45.594, 0.0, math.pi)], mass=0.0)
    assert momenta.sums(np.array([[0, 1]])).mass[0] == pytest.approx(91.188, rel=1e-14)


def test_a_lepton_has_its_own_mass() -> None:
    assert _momenta([(5.0, 1.0, 2.0)]).mass[0] == pytest.approx(0.105, rel=1e-9)


def test_a_square_below_zero_by_rounding_counts_as_zero() -> None:
    one = np.array([1.0])
    assert Momenta(one, 0 * one, 0 * one, np.array([1.0 - 1e-16])).mass[0] == 0.0


@given(_FOUR)
def test_masses_agree_with_vector(leptons: list) -> None:
    total = sum(
        (vector.obj(pt=pt, eta=eta, phi=phi, mass=0.105) for pt, eta, phi in leptons),
        vector.obj(px=0.0, py=0.0, pz=0.0, E=0.0),
    )
    # Where masses are small against energies, squares cancel.
    assert _mass(leptons) == pytest.approx(total.mass, rel=1e-6, abs=1e-4)


@given(_FOUR, _PHI)
def test_rotation_about_the_beam_leaves_the_mass(leptons: list, angle: float) -> None:
    rotated = [(pt, eta, phi + angle) for pt, eta, phi in leptons]
    assert _mass(rotated) == pytest.approx(_mass(leptons), rel=1e-9, abs=1e-4)


@given(_FOUR, st.floats(-0.95, 0.95), st.floats(-0.95, 0.95), st.floats(-0.95, 0.95))
def test_a_boost_leaves_the_mass(leptons: list, x: float, y: float, z: float) -> None:
    speed = max(math.sqrt(x * x + y * y + z * z), 1.0) * 1.1
    vectors = [
        vector.obj(pt=pt, eta=eta, phi=phi, mass=0.105).boost(
            vector.obj(x=x / speed, y=y / speed, z=z / speed)
        )
        for pt, eta, phi in leptons
    ]
    moved = Momenta(*(np.array([getattr(v, c) for v in vectors]) for c in ("px", "py", "pz", "E")))
    assert moved.sums(_ALL).mass[0] == pytest.approx(_mass(leptons), rel=1e-7, abs=1e-3)


def test_azimuths_differ_by_at_most_pi() -> None:
    first, second = np.array([3.0, 0.5, 7.0]), np.array([-3.0, 0.25, 0.0])
    np.testing.assert_allclose(delta_phi(first, second), [2 * math.pi - 6, 0.25, 7 - 2 * math.pi])


@given(_ETA, _PHI, _ETA, _PHI)
def test_distance_is_symmetric_to_the_last_bit(e1: float, p1: float, e2: float, p2: float) -> None:
    a, b, c, d = (np.array([value]) for value in (e1, p1, e2, p2))
    assert delta_r((a, c), (b, d))[0] == delta_r((c, a), (d, b))[0]
