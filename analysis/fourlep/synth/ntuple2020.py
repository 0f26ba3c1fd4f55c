"""Reconstructed events as the 2020 ntuples: tree ``mini``, skim "at least four leptons".

Leptons of both flavours stand in one list by falling pT; energies are MeV. Correction
factors are 1: the stand-in's data and simulation have one detector.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fourlep.synth.detector import Ints, Leptons, cone_sums
from fourlep.synth.physlite import Ragged, layout, write_tree
from fourlep.synth.rootfile.codec import Compression
from fourlep.synth.sample import LABEL, Sample
from fourlep.synth.sampling import Generator
from fourlep.synth.trigger import CHAINS, Fired, fire
from fourlep.units import GeV, MeV

TREE = "mini"
TITLE = "SYNTHETIC mini"

_TO_MEV = GeV / MeV
#: Leptons of the ntuples are above this, GeV.
_PT_MIN = 7.0
_FACTORS = ("PILEUP", "ELE", "MUON", "PHOTON", "TAU", "BTAG", "LepTRIGGER", "PhotonTRIGGER")
_NUMBER_BITS = 0x7FFFFFFF


def write_ntuple(path: Path, rng: Generator, sample: Sample, *, compression: Compression) -> int:
    """Write the events of a sample that have at least four leptons.

    Parameters
    ----------
    path
        The file; it appears when it is complete.
    rng
        Decides which triggers fired.
    sample
        What to write.
    compression
        Of the file.

    Returns
    -------
    int
        Events written.
    """
    leptons = sample.leptons[sample.leptons.pt > _PT_MIN]
    fired = fire(rng, leptons, sample.n_events)
    kept = np.flatnonzero(leptons.counts(sample.n_events) >= 4)
    columns = _event(sample, fired, kept) | _leptons(leptons, fired, sample.n_events, kept)
    write_tree(
        path,
        columns,
        layout=layout("ntuple2020"),
        compression=compression,
        title=TITLE,
        label=LABEL,
        tree=TREE,
    )
    return len(kept)


def _event(
    sample: Sample, fired: dict[str, Fired], kept: Ints
) -> dict[str, npt.NDArray[Any] | Ragged]:
    around = sample.conditions
    run = around.run[kept]
    made: dict[str, npt.NDArray[Any] | Ragged] = {
        "runNumber": run,
        "eventNumber": around.number[kept] & _NUMBER_BITS,
        "channelNumber": run if sample.weights is None else np.full(len(kept), around.dsid),
        "mcWeight": np.zeros(len(kept)) if sample.weights is None else sample.weights[kept],
        "trigE": _has_fired(fired, sample.n_events, of_muons=False)[kept],
        "trigM": _has_fired(fired, sample.n_events, of_muons=True)[kept],
    }
    made.update({f"scaleFactor_{name}": np.ones(len(kept)) for name in _FACTORS})
    return made


def _has_fired(fired: dict[str, Fired], n_events: int, *, of_muons: bool) -> npt.NDArray[np.bool_]:
    """Whether any chain with a leg of the flavour fired in each event."""
    any_fired = np.zeros(n_events, dtype=np.bool_)
    for chain, of in fired.items():
        if any(leg.is_muon == of_muons for leg in CHAINS[chain]):
            any_fired[of.event] = True
    return any_fired


def _leptons(
    leptons: Leptons, fired: dict[str, Fired], n_events: int, kept: Ints
) -> dict[str, npt.NDArray[Any] | Ragged]:
    is_matched = np.zeros(len(leptons), dtype=np.bool_)
    for of in fired.values():
        is_matched[of.lepton.reshape(-1)] = True
    is_tight = np.where(leptons.is_muon, leptons.identification == 0, leptons.identification == 3)
    track_iso = leptons.track_iso + cone_sums(leptons, n_events)
    columns = {
        "pt": leptons.pt * _TO_MEV,
        "eta": leptons.eta,
        "phi": leptons.phi,
        "E": leptons.pt * np.cosh(leptons.eta) * _TO_MEV,
        "z0": leptons.z0,
        "charge": leptons.charge,
        "type": np.where(leptons.is_muon, 13, 11),
        "isTightID": is_tight,
        "truthMatched": leptons.origin == 0,
        "trigMatched": is_matched,
        "ptcone30": track_iso * _TO_MEV,
        "etcone20": leptons.calo_iso * _TO_MEV,
        "trackd0pvunbiased": leptons.d0,
        "tracksigd0pvunbiased": np.abs(leptons.d0) / leptons.d0_sigma,
        "pt_syst": leptons.pt * _TO_MEV * 1.01,
    }
    in_kept = np.isin(leptons.event, kept)
    counts = leptons.counts(n_events)[kept]
    return {
        "lep_n": counts,
        **{f"lep_{name}": Ragged(counts, values[in_kept]) for name, values in columns.items()},
    }
