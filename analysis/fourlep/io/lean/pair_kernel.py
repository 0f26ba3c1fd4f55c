"""Whether an event's leptons can make two pairs: see `fourlep.events.PairCut`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fourlep.io.lean.compiled import compiled, inlined

#: Leptons of an event that are tried; one with more is not rejected.
MAX_LEPTONS = 16


class Flat(NamedTuple):
    """Counted leptons of both flavours, by event.

    Parameters
    ----------
    first : (n_events + 1,) int64
        Number of leptons before each event.
    pt, eta, phi, mass : (n,) float64
        GeV and rad.
    charge : (n,) int64
        In units of e.
    is_muon : (n,) uint8
        Flavour.
    """

    first: npt.NDArray[np.int64]
    pt: npt.NDArray[np.float64]
    eta: npt.NDArray[np.float64]
    phi: npt.NDArray[np.float64]
    mass: npt.NDArray[np.float64]
    charge: npt.NDArray[np.int64]
    is_muon: npt.NDArray[np.uint8]


@inlined
def pair_mass(flat: Flat, i: Any, j: Any) -> Any:
    """Mass of two leptons, GeV."""
    px = flat.pt[i] * np.cos(flat.phi[i]) + flat.pt[j] * np.cos(flat.phi[j])
    py = flat.pt[i] * np.sin(flat.phi[i]) + flat.pt[j] * np.sin(flat.phi[j])
    pz = flat.pt[i] * np.sinh(flat.eta[i]) + flat.pt[j] * np.sinh(flat.eta[j])
    energy = np.hypot(flat.pt[i] * np.cosh(flat.eta[i]), flat.mass[i]) + np.hypot(
        flat.pt[j] * np.cosh(flat.eta[j]), flat.mass[j]
    )
    return np.sqrt(max(0.0, energy**2 - px**2 - py**2 - pz**2))


@compiled
def has_pt(flat: Flat, leptons: Any, thresholds: Any) -> bool:
    """Whether the pT of four leptons, by falling pT, are above the first thresholds."""
    pt = np.zeros(4)
    for k in range(4):
        pt[k] = -flat.pt[leptons[k]]
    pt.sort()
    passes = True
    for k in range(4):
        passes = passes and -pt[k] > thresholds[k]
    return passes


@compiled
def can_pair(flat: Flat, thresholds: Any, out: Any) -> None:
    """Decide events.

    Parameters
    ----------
    flat
        Leptons.
    thresholds : (8,) float64
        `fourlep.events.PairCut.thresholds`.
    out : (n_events,) bool
        Filled. Kinematics that are no numbers are rejected here; whoever makes columns
        of them says what is wrong.
    """
    most = MAX_LEPTONS * MAX_LEPTONS // 2
    mass, one, two = np.zeros(most), np.zeros(most, np.int64), np.zeros(most, np.int64)
    for event in range(len(out)):
        begin, end = flat.first[event], flat.first[event + 1]
        if end - begin > MAX_LEPTONS:
            out[event] = True
            continue
        n_pairs = 0
        for i in range(begin, end):
            for j in range(i + 1, end):
                if flat.is_muon[i] == flat.is_muon[j] and flat.charge[i] == -flat.charge[j]:
                    mass[n_pairs] = pair_mass(flat, i, j)
                    one[n_pairs], two[n_pairs] = i, j
                    n_pairs += 1
        kept = False
        for a in range(n_pairs):
            if not thresholds[4] < mass[a] < thresholds[5]:
                continue
            for b in range(n_pairs):
                is_disjoint = (
                    one[a] != one[b] and one[a] != two[b] and two[a] != one[b] and two[a] != two[b]
                )
                if is_disjoint and thresholds[6] < mass[b] < thresholds[7]:
                    kept = kept or has_pt(flat, (one[a], two[a], one[b], two[b]), thresholds)
        out[event] = kept
