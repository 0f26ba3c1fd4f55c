"""Isolation of the leptons of a quadruplet, with the quadruplet's own leptons removed.

In a boosted decay one lepton lies in the cone of another. ATLAS takes out what the other
leptons of the same quadruplet put into the cone: their tracks from the track sum, and
the electrons' energies from the calorimeter sum (a muon leaves little there).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fourlep.physics.kinematics import delta_r
from fourlep.physics.leptons import Leptons
from fourlep.physics.pairing import Quadruplets

Floats = npt.NDArray[np.float64]


def track_isolation(leptons: Leptons, quadruplets: Quadruplets) -> Floats:
    """Track isolation relative to pT.

    Parameters
    ----------
    leptons
        With ``track_iso``, the radius ``track_cone`` of its cone, and ``track_pt``,
        ``track_eta``, ``track_phi``.
    quadruplets
        Whose leptons' isolation is wanted.

    Returns
    -------
    (n, 4) float64
        ``(track_iso - sum of other leptons' track pT within the cone) / pT``, not below
        zero, in the order of ``quadruplets.lepton``.
    """
    index = quadruplets.lepton
    pt = leptons["pt"][index]
    near = _distances(leptons, index) < leptons["track_cone"][index][:, :, np.newaxis]
    inside = _others(near, leptons["track_pt"][index])
    left: Floats = np.maximum(leptons["track_iso"][index] - inside, 0.0) / pt
    return left


def calo_isolation(leptons: Leptons, quadruplets: Quadruplets, *, cone: float) -> Floats:
    """Calorimeter isolation relative to pT.

    Parameters
    ----------
    leptons
        With ``calo_iso``.
    quadruplets
        Whose leptons' isolation is wanted.
    cone
        Radius of the cone of ``calo_iso``.

    Returns
    -------
    (n, 4) float64
        ``(calo_iso - sum of other electrons' pT within the cone) / pT``, which may be
        negative: so may the pile-up-subtracted sum be.
    """
    index = quadruplets.lepton
    pt = leptons["pt"][index]
    is_near = _distances(leptons, index) < cone
    is_electron = ~leptons.is_muon[index]
    inside = _others(is_near, np.where(is_electron, pt, 0.0))
    left: Floats = (leptons["calo_iso"][index] - inside) / pt
    return left


def _distances(leptons: Leptons, index: npt.NDArray[np.int64]) -> Floats:
    """Distance of lepton i from the track of lepton j, (n, 4, 4)."""
    eta, phi = leptons["eta"][index], leptons["phi"][index]
    track_eta, track_phi = leptons["track_eta"][index], leptons["track_phi"][index]
    return delta_r(
        (eta[:, :, np.newaxis], track_eta[:, np.newaxis, :]),
        (phi[:, :, np.newaxis], track_phi[:, np.newaxis, :]),
    )


def _others(is_near: npt.NDArray[np.bool_], values: Floats) -> Floats:
    """Sum of ``values`` (n, 4) over the other leptons that are near, (n, 4)."""
    total = np.zeros(values.shape)
    for other in range(values.shape[1]):
        is_other = np.arange(values.shape[1]) != other
        total = total + np.where(is_near[:, :, other] & is_other, values[:, other, np.newaxis], 0.0)
    return total
