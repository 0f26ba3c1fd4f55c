"""Trigger chains: which fired in an event, and on which leptons.

One menu for all data, that of 2016; thresholds are the chains' own with the usual offline
margins, efficiencies are flat above them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fourlep.synth.detector import STAND_ALONE, Ints, Leptons, Mask
from fourlep.synth.sampling import Generator


@dataclass(frozen=True, slots=True)
class Leg:
    """One lepton of a chain.

    Parameters
    ----------
    is_muon
        Else an electron.
    pt_min
        Offline threshold, GeV.
    identification
        Electrons: at least this level.
    efficiency
        Above threshold; muons have 0.8 of it in the barrel.
    """

    is_muon: bool
    pt_min: float
    identification: int
    efficiency: float


#: Chains by name: one or two legs.
CHAINS: Mapping[str, tuple[Leg, ...]] = {
    "HLT_e26_lhtight_nod0_ivarloose": (Leg(False, 27.0, 3, 0.92),),
    "HLT_mu26_ivarmedium": (Leg(True, 27.3, 0, 0.88),),
    "HLT_2e17_lhvloose_nod0": (Leg(False, 18.0, 1, 0.96), Leg(False, 18.0, 1, 0.96)),
    "HLT_2mu14": (Leg(True, 14.7, 0, 0.88), Leg(True, 14.7, 0, 0.88)),
    "HLT_mu22_mu8noL1": (Leg(True, 23.0, 0, 0.88), Leg(True, 8.5, 0, 0.97)),
    "HLT_e17_lhloose_nod0_mu14": (Leg(False, 18.0, 1, 0.95), Leg(True, 14.7, 0, 0.88)),
}


@dataclass(frozen=True, slots=True, eq=False)
class Fired:
    """Matched combinations of one chain.

    Parameters
    ----------
    n_legs
        Leptons of a combination.
    event : (n,) int64
        Event of each combination, ascending.
    lepton : (n, n_legs) int64
        Which leptons.
    """

    n_legs: int
    event: Ints
    lepton: Ints


def fire(rng: Generator, leptons: Leptons, n_events: int) -> dict[str, Fired]:
    """Decide which chains fire on which leptons.

    A chain with one leg has a combination for each lepton that fires it; one with two
    legs has one, of the leading leptons that fire the first and then the second.
    """
    made = {}
    for name, legs in CHAINS.items():
        passing = [_passes(rng, leptons, leg) for leg in legs]
        if len(legs) == 1:
            chosen = np.flatnonzero(passing[0])
            made[name] = Fired(1, leptons.event[chosen], chosen[:, None])
        else:
            made[name] = _pairs(leptons, passing[0], passing[1], n_events)
    return made


def _passes(rng: Generator, leptons: Leptons, leg: Leg) -> Mask:
    barrel = leg.is_muon & (np.abs(leptons.eta) < 1.05)
    efficiency = np.where(barrel, 0.8 * leg.efficiency, leg.efficiency)
    right = (leptons.is_muon == leg.is_muon) & (leptons.pt > leg.pt_min)
    if leg.is_muon:
        right &= (np.abs(leptons.eta) < 2.4) & (leptons.muon_type != STAND_ALONE)
    else:
        right &= leptons.identification >= leg.identification
    passing: Mask = right & (rng.random(len(leptons)) < efficiency)
    return passing


def _pairs(leptons: Leptons, first: Mask, second: Mask, n_events: int) -> Fired:
    none = len(leptons)
    one = _leading(leptons, first, n_events)
    rest = second & (np.arange(none) != one[leptons.event])
    two = _leading(leptons, rest, n_events)
    event = np.flatnonzero((one < none) & (two < none))
    return Fired(2, event, np.stack([one[event], two[event]], axis=1))


def _leading(leptons: Leptons, mask: Mask, n_events: int) -> Ints:
    """Find the first lepton of each event in ``mask``; the number of leptons where none is."""
    chosen = np.full(n_events, len(leptons), dtype=np.int64)
    where = np.flatnonzero(mask)[::-1]
    chosen[leptons.event[where]] = where
    return chosen
