"""Random numbers from the distributions of the stand-in.

All functions take a `numpy.random.Generator` and are vectorised; masses are GeV.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from fourlep.units import Z_MASS

Floats = npt.NDArray[np.float64]
Generator = np.random.Generator

#: m4l and the masses of both pairs, (n,) each, GeV.
MassTriple = tuple[Floats, Floats, Floats]

#: Width of the Z boson, GeV (Particle Data Group).
Z_WIDTH = 2.4955


def breit_wigner(
    rng: Generator,
    size: int,
    *,
    low: float,
    high: float,
    mass: float = Z_MASS,
    width: float = Z_WIDTH,
) -> Floats:
    """Draw masses from a relativistic Breit-Wigner of fixed width.

    The squared mass s has the density ``1 / ((s - M^2)^2 + M^2 G^2)``, of which the
    cumulative distribution is an arctangent.

    Parameters
    ----------
    rng, size
        Generator, and how many.
    low, high
        Range of the masses.
    mass, width
        M and G, the Z boson's by default.

    Returns
    -------
    (size,) float64
    """
    first, last = breit_wigner_phase(np.array([low, high]), mass=mass, width=width)
    phase = rng.uniform(first, last, size)
    square: Floats = np.sqrt(mass * mass + mass * width * np.tan(phase))
    return square


def breit_wigner_phase(m: Floats, *, mass: float = Z_MASS, width: float = Z_WIDTH) -> Floats:
    """Arctangent of ``(m^2 - M^2) / (M G)``: uniform for Breit-Wigner masses."""
    phase: Floats = np.arctan((m * m - mass * mass) / (mass * width))
    return phase


def power_law(
    rng: Generator, size: int, *, low: float, high: float | Floats, power: float
) -> Floats:
    """Draw from a density ``x^power`` between ``low`` and ``high``, which may be an array."""
    u = rng.random(size)
    n = power + 1.0
    if n == 0.0:
        drawn: Floats = low * (high / low) ** u
    else:
        drawn = (low**n + u * (np.power(high, n) - low**n)) ** (1.0 / n)
    return drawn


def polar_cosine(rng: Generator, is_longitudinal: npt.NDArray[np.bool_]) -> Floats:
    """Draw the cosine of a lepton's angle in its Z boson's frame.

    Parameters
    ----------
    rng
        Generator.
    is_longitudinal : (n,) booleans
        The density is ``3/4 (1 - c^2)`` for a longitudinal boson, else
        ``3/8 (1 + c^2)``, the mean of both transverse ones.

    Returns
    -------
    (n,) float64
    """
    u = rng.random(len(is_longitudinal))
    longitudinal = 2.0 * np.cos((np.arccos(1.0 - 2.0 * u) - 2.0 * np.pi) / 3.0)
    v = 4.0 * u - 2.0
    root = np.sqrt(v * v + 1.0)
    transverse = np.cbrt(v + root) + np.cbrt(v - root)
    drawn: Floats = np.clip(np.where(is_longitudinal, longitudinal, transverse), -1.0, 1.0)
    return drawn


def accepted(
    rng: Generator, size: int, propose: Callable[[int], tuple[MassTriple, Floats]]
) -> MassTriple:
    """Draw m4l and the masses of its pairs by acceptance and rejection.

    Parameters
    ----------
    rng
        Generator.
    size
        How many to draw.
    propose
        From a number of proposals to their masses and the probability to accept each.

    Returns
    -------
    Three (size,) float64 arrays: m4l and both pair masses.
    """
    parts: list[MassTriple] = []
    missing = size
    while missing > 0 or not parts:
        masses, probability = propose(max(4 * missing, 16))
        keep = np.flatnonzero(rng.random(len(probability)) < probability)[:missing]
        parts.append((masses[0][keep], masses[1][keep], masses[2][keep]))
        missing -= len(keep)
    m4l, first, second = (np.concatenate(column) for column in zip(*parts, strict=True))
    return m4l, first, second


def kaellen(total: Floats, first: Floats, second: Floats) -> Floats:
    """Return the squared phase-space factor ``lambda(1, m1^2/M^2, m2^2/M^2)``, 0 where closed."""
    open_ = first + second < total
    x, y = (first / total) ** 2, (second / total) ** 2
    value: Floats = np.where(open_, (1.0 - x - y) ** 2 - 4.0 * x * y, 0.0)
    return np.maximum(value, 0.0)
