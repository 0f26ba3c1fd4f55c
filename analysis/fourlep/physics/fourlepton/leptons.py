"""Which electrons and muons of the full selection are good enough for a quadruplet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fourlep.physics.fourlepton.config import FourleptonConfig
from fourlep.physics.leptons import Collection, Leptons

# xAOD muon types.
STAND_ALONE, CALO_TAGGED, SILICON_FORWARD = 1, 3, 4

#: Columns that requirements on quadruplets read, and what a flavour without one gets: a
#: value that passes. That it is left out is reported by the selection.
_DEFAULTS = {
    "track_iso": 0.0,
    "track_cone": 0.0,
    "calo_iso": -np.inf,
    "track_pt": 0.0,
    "track_eta": 0.0,
    "track_phi": 0.0,
    "d0_significance": 0.0,
    "is_trigger_matched": True,
    "type": 0,
    "is_good": True,
}


def merged(electrons: Collection, muons: Collection, config: FourleptonConfig) -> Leptons:
    """Merge both flavours, with everything that the requirements on quadruplets read.

    Parameters
    ----------
    electrons, muons
        Leptons that pass the cuts of the cascade.
    config
        Thresholds.

    Returns
    -------
    Leptons
        ``is_good`` says of each whether it meets quality and vertex requirements. A
        requirement on a column that is not there is passed; a NaN does not pass.
    """
    flavours = (
        _described(electrons, _is_good_electron(electrons, config)),
        _described(muons, _is_good_muon(muons, config)),
    )
    return Leptons.merged(*flavours, _DEFAULTS)


def _is_good_electron(electrons: Collection, config: FourleptonConfig) -> npt.NDArray[np.bool_]:
    is_good = _below(electrons, "z0_sin_theta", config.electron.z0_sin_theta_max)
    if electrons.has("object_quality"):
        bad = np.asarray(electrons.columns["object_quality"], dtype=np.int64)
        is_good &= (bad & config.electron.bad_object_quality) == 0
    return is_good


def _is_good_muon(muons: Collection, config: FourleptonConfig) -> npt.NDArray[np.bool_]:
    is_near = _below(muons, "z0_sin_theta", config.muon.z0_sin_theta_max)
    is_near &= _below(muons, "d0", config.muon.d0_max)
    if not muons.has("type"):
        return is_near
    kind = muons.columns["type"]
    is_hard = muons.columns["pt"] > config.muon.calo_tagged_pt_min
    # A stand-alone muon has no inner track that could point to the vertex.
    return np.asarray((is_near | (kind == STAND_ALONE)) & (is_hard | (kind != CALO_TAGGED)))


def _below(leptons: Collection, name: str, limit: float) -> npt.NDArray[np.bool_]:
    if not leptons.has(name):
        return np.ones(len(leptons), dtype=np.bool_)
    return np.asarray(np.abs(leptons.columns[name]) < limit)


def _described(leptons: Collection, is_good: npt.NDArray[np.bool_]) -> Collection:
    """Add ``is_good``, and let a lepton without a track column stand for its own track."""
    own = {f"track_{name}": leptons.columns[name] for name in ("pt", "eta", "phi")}
    return replace(leptons, columns={**own, **leptons.columns, "is_good": is_good})
