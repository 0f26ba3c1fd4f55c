"""From arrays as files hold them to columns in GeV, mm and rad: pure functions.

Both readers call these with arrays of the events that they read, so that a column has
one definition. One number an event comes as a NumPy array, anything else as an awkward
array (n_events, var) or (n_events, var, var). Energies come in as MeV or GeV, as the
name says; every function works on any subset of events.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import awkward as ak
import numpy as np
import numpy.typing as npt

from fourlep.units import ELECTRON_MASS, MUON_MASS, MeV

#: GeV that pT divides for the radius of a shrinking isolation cone.
CONE_SCALE = 10.0
#: Identifier of each lepton in the flat ntuples (Particle Data Group numbering).
ELECTRON_ID, MUON_ID = 11, 13


def unchanged(values: Any) -> Any:
    """Leave the values as they are; the column's type is set afterwards."""
    return values


def from_mev(values: ak.Array) -> ak.Array:
    """Energies in GeV, double precision, from MeV."""
    return ak.values_astype(values, np.float64) * MeV


def is_nonzero(values: ak.Array) -> ak.Array:
    """Turn flags that are stored as characters or integers into booleans."""
    return values != 0


def muon_quality(values: ak.Array) -> ak.Array:
    """Take the low three bits, the quality; higher bits flag hit requirements."""
    return ak.values_astype(values, np.int32) & 7


def electron_mass_like(values: ak.Array) -> ak.Array:
    """Give every lepton the electron mass, GeV."""
    return ak.full_like(values, ELECTRON_MASS, dtype=np.float64)


def muon_mass_like(values: ak.Array) -> ak.Array:
    """Give every lepton the muon mass, GeV."""
    return ak.full_like(values, MUON_MASS, dtype=np.float64)


def fixed_cone(radius: float, isolation: ak.Array) -> ak.Array:
    """Give every isolation sum the same ``radius``."""
    return ak.full_like(isolation, radius, dtype=np.float64)


def shrinking_cone(largest: float, unit: float, _isolation: ak.Array, pt: ak.Array) -> ak.Array:
    """Radius of a cone that shrinks with pT: min(``largest``, 10 GeV / pT).

    Parameters
    ----------
    largest
        What ``30`` or ``20`` in the name of the isolation sum stands for: 0.3 or 0.2.
    unit
        That of ``pt``, in GeV.
    _isolation
        The sum, which has to be in the file for its cone to mean anything.
    """
    return np.minimum(largest, CONE_SCALE / (ak.values_astype(pt, np.float64) * unit))


def unsigned_number(values: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """Event numbers that a signed 32-bit branch may have wrapped: negative ones have been."""
    numbers = np.asarray(values).astype(np.int64)
    return np.where(numbers < 0, numbers & 0xFFFFFFFF, numbers).astype(np.uint64)


def nominal_weight(weights: ak.Array) -> npt.NDArray[np.float64]:
    """Take the first generator weight of each event, signed, (n_events,).

    Raises
    ------
    ValueError
        If an event has none.
    """
    if len(weights) and int(ak.min(ak.num(weights))) == 0:
        raise ValueError("a simulated event has no generator weight")
    first: npt.NDArray[np.float64] = ak.to_numpy(weights[:, :1]).astype(np.float64)
    return first.reshape(-1)


def all_weights(weights: ak.Array) -> npt.NDArray[np.float64]:
    """Make a matrix of all generator weights, signed, (n_events, n_weights).

    Raises
    ------
    ValueError
        If events differ in their number of weights.
    """
    counts = np.unique(ak.to_numpy(ak.num(weights)))
    if len(counts) > 1:
        raise ValueError(f"events differ in their number of generator weights: {counts.tolist()}")
    n_weights = int(counts[0]) if len(counts) else 0
    flat: npt.NDArray[np.float64] = ak.to_numpy(ak.flatten(weights)).astype(np.float64)
    return flat.reshape(len(weights), n_weights)


def product(*factors: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Product of one number an event each, in double precision, in the order given."""
    total = np.ones(len(factors[0]), dtype=np.float64)
    for factor in factors:
        total = total * np.asarray(factor).astype(np.float64)
    return total


def any_true(*flags: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Whether any of the flags of an event is set."""
    any_set = np.zeros(len(flags[0]), dtype=np.bool_)
    for flag in flags:
        any_set |= np.asarray(flag).astype(np.bool_)
    return any_set


def differ(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Whether two numbers of an event differ.

    The flat ntuples repeat the run number as channel number in observed data.
    """
    unequal: npt.NDArray[np.bool_] = np.not_equal(left, right)
    return unequal


def is_simulated(type_bits: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Whether bit 0 of the event type, simulation, is set."""
    flags: npt.NDArray[np.bool_] = np.not_equal(np.asarray(type_bits).astype(np.int64) & 1, 0)
    return flags


def has_several(weights: ak.Array) -> npt.NDArray[np.bool_]:
    """Whether an event has several generator weights; a single one may be anything's."""
    flags: npt.NDArray[np.bool_] = ak.to_numpy(ak.num(weights)) > 1
    return flags


def of_flavour(identifier: int, derive: Callable[..., Any]) -> Callable[..., Any]:
    """``derive`` applied to the leptons of one flavour of a mixed list, order kept."""

    def derived(lepton_id: ak.Array, *values: ak.Array) -> ak.Array:
        keep = lepton_id == identifier
        return derive(*(value[keep] for value in values))

    return derived


def z0_sin_theta_from_eta(z0: ak.Array, eta: ak.Array) -> ak.Array:
    """Longitudinal impact parameter times sin(theta) = 1 / cosh(eta), mm."""
    return ak.values_astype(z0, np.float64) / np.cosh(ak.values_astype(eta, np.float64))


def signed_significance(significance: ak.Array, d0: ak.Array) -> ak.Array:
    """Give a significance that is stored without sign the sign of d0."""
    return np.copysign(ak.values_astype(significance, np.float64), d0)


def quality_from_flags(tight: ak.Array, medium: ak.Array, loose: ak.Array) -> ak.Array:
    """Muon quality 0 Tight, 1 Medium, 2 Loose, 3 none of them, from three flags."""
    return ak.where(tight, 0, ak.where(medium, 1, ak.where(loose, 2, 3)))
