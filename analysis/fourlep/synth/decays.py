"""Kinematics of X -> Z1 Z2 -> 4 leptons; four-vectors are (n, 4) arrays of E, px, py, pz.

Leptons are massless here. Interference of identical leptons and correlations between the
decay planes are left out; the polar angles follow the bosons' polarisation.
"""

from __future__ import annotations

import numpy as np

from fourlep.synth.parameters import ContinuumParameters, HiggsParameters
from fourlep.synth.sampling import (
    Floats,
    Generator,
    MassTriple,
    accepted,
    breit_wigner,
    breit_wigner_phase,
    kaellen,
    polar_cosine,
    power_law,
)
from fourlep.units import Z_MASS

#: No pair of the continuum is heavier, GeV.
_PAIR_MAX = 115.0
#: The Higgs boson's mass is drawn within this of its pole, GeV.
_HIGGS_WINDOW = 1.0


def higgs_masses(rng: Generator, size: int, higgs: HiggsParameters) -> MassTriple:
    """Draw m4l and the pair masses of H -> Z* Z* -> 4l, the heavier pair first.

    The density of the pairs is ``sqrt(l) (l + 12 x y)`` times a Breit-Wigner in each squared
    mass, with l the Kaellen function of x = m1^2/M^2 and y = m2^2/M^2 (A. Djouadi,
    Phys. Rept. 457 (2008) 1, section 2.2.2); that of M is a Breit-Wigner.
    """
    low, half = higgs.pair_mass_min, 0.5 * (higgs.mass + _HIGGS_WINDOW)
    tallest = float(np.max(_breit_wigner_slope(np.linspace(low, half, 400))))

    def propose(number: int) -> tuple[MassTriple, Floats]:
        m4l = breit_wigner(
            rng,
            number,
            low=higgs.mass - _HIGGS_WINDOW,
            high=higgs.mass + _HIGGS_WINDOW,
            mass=higgs.mass,
            width=higgs.width,
        )
        heavy = breit_wigner(rng, number, low=low, high=higgs.mass)
        light = rng.uniform(low, half, number)
        factor = kaellen(m4l, heavy, light)
        matrix = np.sqrt(factor) * (factor + 12.0 * (heavy * light / m4l**2) ** 2)
        density = _breit_wigner_slope(light) / tallest
        return (m4l, heavy, light), np.where(light <= heavy, density * matrix, 0.0)

    return accepted(rng, size, propose)


def _breit_wigner_slope(m: Floats) -> Floats:
    """Density of a Z boson's mass, not normalised."""
    return m / (1.0 + np.tan(breit_wigner_phase(m)) ** 2)


def continuum_masses(
    rng: Generator, size: int, component: ContinuumParameters, low: float
) -> MassTriple:
    """Draw m4l and the pair masses of one component of the continuum.

    Each mass has a spectrum of its own; the phase space of X -> Z1 Z2 ties them together,
    so that the threshold of two Z bosons comes out by itself.
    """

    def pair(total: Floats, z: float, power: float) -> Floats:
        size = len(total)
        high = np.minimum(total - low, _PAIR_MAX)
        continuous = power_law(rng, size, low=low, high=high, power=power)
        resonant = breit_wigner(rng, size, low=low, high=_PAIR_MAX)
        return np.where(rng.random(size) < z, resonant, continuous)

    def propose(number: int) -> tuple[MassTriple, Floats]:
        m4l = _continuum_m4l(rng, number, component)
        first = pair(m4l, component.z_first, component.power_first)
        second = pair(m4l, component.z_second, component.power_second)
        return (m4l, first, second), np.sqrt(kaellen(m4l, first, second))

    return accepted(rng, size, propose)


def _continuum_m4l(rng: Generator, size: int, component: ContinuumParameters) -> Floats:
    low, high = component.mass_min, component.mass_max
    if component.resonance:
        return breit_wigner(rng, size, low=low, high=high)
    return power_law(rng, size, low=low, high=high, power=component.mass_power)


def longitudinal_share(m4l: Floats, first: Floats, second: Floats) -> Floats:
    """Probability that both bosons of a scalar's decay are longitudinal.

    With amplitudes 1 for each of two transverse states and
    ``(M^2 - m1^2 - m2^2) / (2 m1 m2)`` for the longitudinal one.
    """
    amplitude = (m4l**2 - first**2 - second**2) / (2.0 * first * second)
    return amplitude**2 / (2.0 + amplitude**2)


def boson(
    rng: Generator, mass: Floats, *, pt_mean: float, pt_shape: float, rapidity_width: float
) -> Floats:
    """Draw four-vectors of a boson: gamma-distributed pT, normal rapidity, flat azimuth."""
    size = len(mass)
    pt = rng.gamma(pt_shape, pt_mean / pt_shape, size)
    rapidity = rng.normal(0.0, rapidity_width, size)
    phi = rng.uniform(-np.pi, np.pi, size)
    transverse = np.hypot(mass, pt)
    return np.stack(
        [
            transverse * np.cosh(rapidity),
            pt * np.cos(phi),
            pt * np.sin(phi),
            transverse * np.sinh(rapidity),
        ],
        axis=1,
    )


def boosted(vectors: Floats, frame: Floats) -> Floats:
    """Boost four-vectors from the rest frame of ``frame`` to where ``frame`` is given."""
    mass = invariant_mass(frame)
    gamma = frame[:, 0] / mass
    beta_gamma = frame[:, 1:] / mass[:, None]
    along = np.sum(beta_gamma * vectors[:, 1:], axis=1)
    energy = gamma * vectors[:, 0] + along
    shift = along / (gamma + 1.0) + vectors[:, 0]
    return np.column_stack([energy, vectors[:, 1:] + shift[:, None] * beta_gamma])


def invariant_mass(vectors: Floats) -> Floats:
    """Mass of each four-vector, 0 where rounding makes it imaginary."""
    square = vectors[:, 0] ** 2 - np.sum(vectors[:, 1:] ** 2, axis=1)
    mass: Floats = np.sqrt(np.maximum(square, 0.0))
    return mass


def four_leptons(
    rng: Generator,
    parent: Floats,
    first: Floats,
    second: Floats,
    is_longitudinal: np.typing.NDArray[np.bool_],
) -> list[Floats]:
    """Decay X -> Z1 Z2 -> 4 leptons.

    Parameters
    ----------
    rng
        Generator.
    parent : (n, 4)
        X.
    first, second : (n,)
        Masses of Z1 and Z2, GeV.
    is_longitudinal : (n,) booleans
        Whether both are longitudinal.

    Returns
    -------
    Four (n, 4) arrays: negative and positive lepton of Z1, then of Z2.
    """
    total = invariant_mass(parent)
    axis = _isotropic(rng, len(parent))
    momentum = 0.5 * total * np.sqrt(kaellen(total, first, second))
    made: list[Floats] = []
    for mass, sign in ((first, 1.0), (second, -1.0)):
        direction = sign * axis
        pair = np.column_stack([np.hypot(mass, momentum), momentum[:, None] * direction])
        cosine = polar_cosine(rng, is_longitudinal)
        unit = _at_angle(rng, direction, cosine)
        for side in (1.0, -1.0):
            lepton = 0.5 * mass[:, None] * np.column_stack([np.ones(len(mass)), side * unit])
            made.append(boosted(boosted(lepton, pair), parent))
    return made


def two_leptons(rng: Generator, parent: Floats) -> list[Floats]:
    """Decay a Z boson to two leptons, isotropically."""
    unit = _isotropic(rng, len(parent))
    half = 0.5 * invariant_mass(parent)[:, None]
    return [
        boosted(half * np.column_stack([np.ones(len(parent)), side * unit]), parent)
        for side in (1.0, -1.0)
    ]


def z_masses(rng: Generator, size: int) -> Floats:
    """Masses of Z bosons that decay to two leptons, 40 to 140 GeV."""
    return breit_wigner(rng, size, low=40.0, high=Z_MASS + 50.0)


def _isotropic(rng: Generator, size: int) -> Floats:
    cosine = rng.uniform(-1.0, 1.0, size)
    phi = rng.uniform(-np.pi, np.pi, size)
    sine = np.sqrt(1.0 - cosine**2)
    return np.stack([sine * np.cos(phi), sine * np.sin(phi), cosine], axis=1)


def _at_angle(rng: Generator, axis: Floats, cosine: Floats) -> Floats:
    """Make unit vectors at a polar angle to ``axis``, at a random azimuth around it."""
    helper = np.where(np.abs(axis[:, [2]]) < 0.9, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
    across = np.cross(axis, helper)
    across /= np.linalg.norm(across, axis=1)[:, None]
    upward = np.cross(axis, across)
    phi = rng.uniform(-np.pi, np.pi, len(axis))
    sine = np.sqrt(np.maximum(0.0, 1.0 - cosine**2))
    made: Floats = (
        cosine[:, None] * axis
        + (sine * np.cos(phi))[:, None] * across
        + (sine * np.sin(phi))[:, None] * upward
    )
    return made
