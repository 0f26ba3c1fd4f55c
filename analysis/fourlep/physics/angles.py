"""Angles of H -> ZZ* -> 4l, which tell the Higgs boson from the continuum.

Definitions: Bolognesi et al., Phys. Rev. D 86 (2012) 095031, arXiv:1208.4018, as
recalled. In the rest frame of the four leptons ``theta*`` is the angle of Z1 to the beam,
``Phi1`` that of the Z1 decay plane to the plane of beam and Z1, and ``Phi`` that between
the two decay planes; ``theta1`` (``theta2``) is, in the rest frame of its Z, the angle of
the negative lepton to the direction opposite to the other Z.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fourlep.physics.kinematics import Momenta
from fourlep.physics.leptons import Leptons
from fourlep.physics.pairing import Quadruplets

Floats = npt.NDArray[np.float64]

#: Direction of the beam.
_BEAM = np.array([0.0, 0.0, 1.0])


def angles(leptons: Leptons, momenta: Momenta, found: Quadruplets) -> dict[str, Floats]:
    """Angles and motion of quadruplets.

    Parameters
    ----------
    leptons, momenta
        All leptons.
    found
        The quadruplets, (n,).

    Returns
    -------
    dict
        (n,) arrays ``cos_theta_star``, ``cos_theta_1``, ``cos_theta_2``, ``phi``,
        ``phi_1`` (rad), and ``pt4l`` (GeV) and ``y4l`` of the four leptons. Where leptons
        are collinear and an angle has no meaning it is 0.
    """
    z1, z2 = (_by_charge(leptons, pair) for pair in (found.z1, found.z2))
    lab = [_four_vectors(momenta, rows) for rows in (*z1.T, *z2.T)]
    total = lab[0] + lab[1] + lab[2] + lab[3]
    first, second, third, fourth = (_boosted(vector, total) for vector in lab)
    q1, q2 = first + second, third + fourth
    plane_1 = _unit(np.cross(first[:, 1:], second[:, 1:]))
    plane_2 = _unit(np.cross(third[:, 1:], fourth[:, 1:]))
    direction = _unit(q1[:, 1:])
    plane_beam = _unit(np.cross(_BEAM, direction))
    energy, pz = total[:, 0], total[:, 3]
    return {
        "cos_theta_star": direction[:, 2],
        "cos_theta_1": _helicity(first, q1, q2),
        "cos_theta_2": _helicity(third, q2, q1),
        "phi": _signed_angle(plane_1, -plane_2, _dot(direction, np.cross(plane_1, plane_2))),
        "phi_1": _signed_angle(plane_1, plane_beam, _dot(direction, np.cross(plane_1, plane_beam))),
        "pt4l": np.hypot(total[:, 1], total[:, 2]),
        "y4l": 0.5 * np.log((energy + pz) / (energy - pz)),
    }


def _by_charge(leptons: Leptons, pair: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Rows of the negative and of the positive lepton of each pair, (n, 2)."""
    is_ordered = leptons["charge"][pair[:, 0]] < 0
    return np.where(is_ordered[:, np.newaxis], pair, pair[:, ::-1])


def _four_vectors(momenta: Momenta, rows: npt.NDArray[np.int64]) -> Floats:
    """(E, px, py, pz), (n, 4)."""
    return np.stack([c[rows] for c in (momenta.e, momenta.px, momenta.py, momenta.pz)], axis=1)


def _boosted(vectors: Floats, frame: Floats) -> Floats:
    """Four-vectors in the rest frame of ``frame``."""
    mass = np.sqrt(np.maximum(frame[:, 0] ** 2 - _dot(frame[:, 1:], frame[:, 1:]), 1e-12))
    along = _dot(vectors[:, 1:], frame[:, 1:])
    energy = (vectors[:, 0] * frame[:, 0] - along) / mass
    factor = (vectors[:, 0] + energy) / (frame[:, 0] + mass)
    space = vectors[:, 1:] - factor[:, np.newaxis] * frame[:, 1:]
    return np.concatenate([energy[:, np.newaxis], space], axis=1)


def _helicity(lepton: Floats, own: Floats, other: Floats) -> Floats:
    """Cosine of a lepton's angle, in the rest frame of ``own``, to opposite of ``other``."""
    return -_dot(_unit(_boosted(lepton, own)[:, 1:]), _unit(_boosted(other, own)[:, 1:]))


def _signed_angle(first: Floats, second: Floats, sign: Floats) -> Floats:
    angle: Floats = np.arccos(np.clip(_dot(first, second), -1.0, 1.0))
    return np.where(sign < 0, -angle, angle)


def _dot(first: Floats, second: Floats) -> Floats:
    product: Floats = np.sum(first * second, axis=-1)
    return product


def _unit(vectors: Floats) -> Floats:
    """Make unit vectors; one of length zero stays zero."""
    length = np.sqrt(_dot(vectors, vectors))[..., np.newaxis]
    return vectors / np.where(length > 0.0, length, 1.0)
