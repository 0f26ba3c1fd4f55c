"""Decay angles."""

import math

import numpy as np
import pytest
import vector
from hypothesis import given, settings
from hypothesis import strategies as st

from fourlep.physics.angles import angles
from fourlep.physics.kinematics import Momenta
from fourlep.physics.leptons import Collection, Leptons
from fourlep.physics.pairing import quadruplets
from hand_made import Electron, Muon, events_of

_UNIT = st.floats(-0.98, 0.98)
_ANGLE = st.floats(-3.1, 3.1)


def _angles(vectors: list[vector.VectorObject4D]) -> dict[str, float]:
    """Angles of e-, e+, mu-, mu+ with these momenta."""
    kinds = [(Electron, -1), (Electron, 1), (Muon, -1), (Muon, 1)]
    leptons = [
        kind(v.pt, v.phi, charge, eta=v.eta, mass=max(v.mass, 0.0))
        for v, (kind, charge) in zip(vectors, kinds, strict=True)
    ]
    made = events_of(leptons)
    merged = Leptons.merged(Collection.of(made.electrons), Collection.of(made.muons))
    momenta: Momenta = merged.momenta()
    found = quadruplets(merged, momenta)
    return {name: float(values[0]) for name, values in angles(merged, momenta, found).items()}


def _decay(
    cos_star: float, cos_1: float, cos_2: float, phi_1: float, phi: float
) -> list[vector.VectorObject4D]:
    """A Higgs boson at rest, built from its angles: two-body decays rotated and boosted."""
    m_h, m_1, m_2 = 125.0, 91.0, 28.0
    momentum = math.sqrt((m_h**2 - (m_1 + m_2) ** 2) * (m_h**2 - (m_1 - m_2) ** 2)) / (2 * m_h)

    def pair(mass: float, cosine: float, azimuth: float, sign: float) -> list:
        half, sine = mass / 2, math.sqrt(1 - cosine**2)
        energy = math.hypot(momentum, mass)
        pair = []
        for direction in (1.0, -1.0):
            x, y = sine * math.cos(azimuth), sine * math.sin(azimuth)
            one = vector.obj(
                px=direction * half * x,
                py=direction * half * y,
                pz=direction * half * cosine * sign,
                E=half,
            )
            pair.append(one.boostZ(sign * momentum / energy))
        return pair

    leptons = [*pair(m_1, cos_1, 0.0, 1.0), *pair(m_2, cos_2, phi, -1.0)]
    # Z1 now flies along +z with its leptons in the x-z plane: turn it about itself by
    # Phi1, counted from where the negative lepton leans away from the beam, then by theta*.
    return [v.rotateZ(math.pi - phi_1).rotateY(math.acos(cos_star)) for v in leptons]


@settings(max_examples=50)
@given(_UNIT, _UNIT, _UNIT, _ANGLE, _ANGLE)
def test_a_decay_built_from_its_angles_gives_them_back(
    cos_star: float, cos_1: float, cos_2: float, phi_1: float, phi: float
) -> None:
    found = _angles(_decay(cos_star, cos_1, cos_2, phi_1, phi))
    assert found["cos_theta_star"] == pytest.approx(cos_star, abs=1e-6)
    assert found["cos_theta_1"] == pytest.approx(cos_1, abs=1e-6)
    assert found["cos_theta_2"] == pytest.approx(cos_2, abs=1e-6)
    assert found["pt4l"] == pytest.approx(0.0, abs=1e-6)
    assert found["y4l"] == pytest.approx(0.0, abs=1e-6)


@settings(max_examples=50)
@given(_UNIT, _UNIT, _UNIT, _ANGLE, _ANGLE)
def test_the_planes_are_apart_by_their_angles(
    cos_star: float, cos_1: float, cos_2: float, phi_1: float, phi: float
) -> None:
    found = _angles(_decay(cos_star, cos_1, cos_2, phi_1, phi))
    assert math.cos(found["phi"]) == pytest.approx(math.cos(phi), abs=1e-5)
    assert math.cos(found["phi_1"]) == pytest.approx(math.cos(phi_1), abs=1e-5)


@settings(max_examples=50)
@given(st.floats(-0.9, 0.9), _ANGLE)
def test_a_boost_along_the_beam_and_a_turn_about_it_change_no_angle(
    speed: float, turn: float
) -> None:
    decay = _decay(0.3, -0.4, 0.6, 1.0, -2.0)
    there = _angles(decay)
    moved = _angles([v.boostZ(speed).rotateZ(turn) for v in decay])
    for name in ("cos_theta_star", "cos_theta_1", "cos_theta_2", "phi", "phi_1"):
        assert moved[name] == pytest.approx(there[name], abs=1e-6)
    assert moved["y4l"] == pytest.approx(math.atanh(speed), abs=1e-6)


@settings(max_examples=50)
@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_no_boost_changes_the_helicity_angles(x: float, y: float, z: float) -> None:
    decay = _decay(0.3, -0.4, 0.6, 1.0, -2.0)
    there = _angles(decay)
    moved = _angles([v.boost(vector.obj(x=x, y=y, z=z)) for v in decay])
    for name in ("cos_theta_1", "cos_theta_2", "phi"):
        assert moved[name] == pytest.approx(there[name], abs=1e-6)


def test_collinear_leptons_have_angles_that_are_numbers() -> None:
    along = [vector.obj(pt=pt, eta=0.0, phi=0.0, mass=0.1) for pt in (40.0, 30.0, 20.0, 10.0)]
    assert all(np.isfinite(value) for value in _angles(along).values())
