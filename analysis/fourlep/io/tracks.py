"""Quantities of the tracks that electrons and muons link to.

A link is a pair (key of the container, index within the event's part of it). The keys
are hashes of container names and types, hence the same in every file; these are those of
the real sample. A lepton whose link is empty or leads elsewhere has NaN, which fails
every cut.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import awkward as ak
import numpy as np
import numpy.typing as npt

from fourlep.units import MeV

#: Keys of the containers that links lead to.
GSF_TRACKS_KEY = 0x2E42DB0B
INNER_DETECTOR_TRACKS_KEY = 0x1D3890DB
COMBINED_MUON_TRACKS_KEY = 0x340D9196
ELECTRONS_KEY = 0x3902FEC0
MUONS_KEY = 0x3A6B126F

#: From values of lepton-shaped track parameters and event numbers to a column.
Quantity = Callable[..., Any]


def pick(values: ak.Array, index: ak.Array, is_valid: ak.Array) -> ak.Array:
    """Find the value that each lepton links to, NaN where the link is not valid.

    Parameters
    ----------
    values : (n_events, var) numbers, or (n_events, var, var) of which the first counts
        One item for each track.
    index, is_valid : (n_events, var)
        One item for each lepton. An index beyond the event's tracks is not valid.
    """
    if values.ndim == 3:
        values = ak.fill_none(ak.firsts(values, axis=-1), np.nan)
    n_tracks = ak.to_numpy(ak.num(values))
    n_leptons = ak.to_numpy(ak.num(index))
    flat_index = ak.to_numpy(ak.flatten(index)).astype(np.int64)
    inside = ak.to_numpy(ak.flatten(is_valid)) & (flat_index < np.repeat(n_tracks, n_leptons))
    first = np.repeat(np.cumsum(n_tracks) - n_tracks, n_leptons)
    picked = np.full(len(flat_index), np.nan)
    picked[inside] = ak.to_numpy(ak.flatten(values))[(first + flat_index)[inside]]
    return ak.unflatten(picked, n_leptons)


def of_electron(quantity: Quantity, n_parameters: int, *arrays: ak.Array) -> ak.Array:
    """Derive a quantity of the first, best matching, track of each electron.

    Parameters
    ----------
    quantity
        Takes ``n_parameters`` lepton-shaped arrays and what follows.
    arrays
        Links (n_events, n_electrons, n_links), then the parameters of all tracks, then
        what else the quantity takes.
    """
    links, *rest = arrays
    key = ak.fill_none(ak.firsts(links["m_persKey"], axis=-1), 0)
    index = ak.fill_none(ak.firsts(links["m_persIndex"], axis=-1), 0)
    is_valid = key == GSF_TRACKS_KEY
    parameters = [pick(values, index, is_valid) for values in rest[:n_parameters]]
    return quantity(*parameters, *rest[n_parameters:])


def of_muon(quantity: Quantity, n_parameters: int, *arrays: ak.Array) -> ak.Array:
    """Derive a quantity of each muon's inner-detector track, else of its combined track.

    Parameters
    ----------
    quantity
        Takes ``n_parameters`` lepton-shaped arrays and what follows.
    arrays
        Key, index and track parameters of the inner-detector track, the same of the
        combined track, then what else the quantity takes.
    """
    half = 2 + n_parameters
    inner = _linked(INNER_DETECTOR_TRACKS_KEY, *arrays[:half])
    combined = _linked(COMBINED_MUON_TRACKS_KEY, *arrays[half : 2 * half])
    has_inner = arrays[0] == INNER_DETECTOR_TRACKS_KEY
    parameters = [ak.where(has_inner, *pair) for pair in zip(inner, combined, strict=True)]
    return quantity(*parameters, *arrays[2 * half :])


def _linked(container: int, key: ak.Array, index: ak.Array, *values: ak.Array) -> list[ak.Array]:
    return [pick(value, index, key == container) for value in values]


def same(value: ak.Array) -> ak.Array:
    """Leave a track parameter as it is."""
    return value


def d0_significance(
    d0: ak.Array,
    variance: ak.Array,
    phi: ak.Array,
    *beam_sigmas: npt.NDArray[np.float32],
) -> ak.Array:
    """Signed d0 over its uncertainty, the size of the beam spot included.

    Parameters
    ----------
    d0, variance, phi : (n_events, n_leptons)
        mm, mm^2 and rad, of the track.
    beam_sigmas : three of (n_events,)
        sx and sy in mm and the covariance sxy in mm^2 of the beam position.

    Notes
    -----
    The variance is that of the track fit plus that of the beam position seen along d0,
    ``sin(phi)^2 sx^2 + cos(phi)^2 sy^2 - 2 sin(phi) cos(phi) sxy``, the definition of
    ATLAS's track helpers (xAODTracking). NaN where the sum is not positive.
    """
    sin, cos = np.sin(phi), np.cos(phi)
    sx, sy, sxy = (s.astype(np.float64) for s in beam_sigmas)
    total = variance + sin * sin * sx**2 + cos * cos * sy**2 - 2.0 * sin * cos * sxy
    return d0 / np.sqrt(ak.where(total > 0.0, total, np.nan))


def z0_sin_theta(
    z0: ak.Array,
    vz: ak.Array,
    theta: ak.Array,
    vertex_z: ak.Array,
    vertex_type: ak.Array,
) -> ak.Array:
    """Distance along the beam to the primary vertex, times sin(theta), mm.

    ``z0`` is relative to ``vz``, vertices are absolute. NaN where the event has no
    vertex of the primary type.
    """
    primary = ak.firsts(vertex_z[vertex_type == 1])
    reference = ak.to_numpy(ak.fill_none(primary, np.nan)).astype(np.float64)
    return (z0 + vz - reference) * np.sin(theta)


def pt(q_over_p: ak.Array, theta: ak.Array) -> ak.Array:
    """Transverse momentum, GeV, from charge over momentum in 1/MeV."""
    return np.abs(1.0 / ak.where(q_over_p == 0.0, np.nan, q_over_p)) * np.sin(theta) * MeV


def eta(theta: ak.Array) -> ak.Array:
    """Pseudorapidity from the polar angle."""
    return -np.log(np.tan(theta / 2.0))
