"""Reconstructed events as the columns of PHYSLITE.

Links lead where they lead in the real sample: electrons to GSF tracks, muons to
inner-detector and combined tracks, matched trigger objects to both. Tracks stand in an
order of their own, so that a reader that ignores links is found out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fourlep.synth.conditions import Conditions
from fourlep.synth.detector import (
    COMBINED,
    STAND_ALONE,
    Ints,
    Leptons,
    cone_sums,
    joined,
    sorted_within,
)
from fourlep.synth.parameters import Parameters
from fourlep.synth.physlite import Ragged, links
from fourlep.synth.physlite.ragged import NO_INDEX
from fourlep.synth.sampling import Floats, Generator
from fourlep.synth.trigger import Fired
from fourlep.units import GeV, MeV

#: Keys of the collections that links lead to, as in the real sample.
GSF_TRACKS = 0x2E42DB0B
INNER_TRACKS = 0x1D3890DB
COMBINED_TRACKS = 0x340D9196
ELECTRONS = 0x3902FEC0
MUONS = 0x3A6B126F

_TO_MEV = GeV / MeV
#: Set in the quality byte of every muon of the real sample, above the three bits of the
#: enumerator.
_QUALITY_BIT = 8
_ELECTRON_MASS_MEV = 0.511
#: Relative track pT resolution, and angular ones, for the covariance that files state.
_TRACK_ERRORS = (4e-4, 4e-4, 0.02)
_PRIMARY, _PILEUP, _NONE = 1, 3, 0

Columns = dict[str, npt.NDArray[Any] | Ragged]


def event_columns(
    conditions: Conditions, weights: npt.NDArray[np.float32] | None, parameters: Parameters
) -> Columns:
    """Columns of the event; ``weights`` (n_events, n_weights) is None in data."""
    size, width = len(conditions.run), parameters.event.beam_width
    info = {
        "runNumber": conditions.run,
        "lumiBlock": conditions.lumi_block,
        "eventNumber": conditions.number,
        "averageInteractionsPerCrossing": conditions.pileup,
        "actualInteractionsPerCrossing": conditions.pileup,
        "eventTypeBitmask": np.full(size, int(weights is not None)),
        "beamPosSigmaX": np.full(size, width),
        "beamPosSigmaY": np.full(size, width),
        "beamPosSigmaXY": np.zeros(size),
        "beamPosSigmaZ": np.full(size, parameters.event.vertex_z_width),
    }
    made: Columns = {f"EventInfoAuxDyn.{name}": values for name, values in info.items()}
    if weights is not None:
        counts = np.full(size, weights.shape[1])
        made["EventInfoAuxDyn.mcChannelNumber"] = np.full(size, conditions.dsid)
        made["EventInfoAuxDyn.mcEventWeights"] = Ragged(counts, weights.reshape(-1))
    return made


def vertex_columns(rng: Generator, conditions: Conditions, parameters: Parameters) -> Columns:
    """Primary vertices: the hard one, those of pile-up, and a last one of no type."""
    counts = conditions.n_vertices + 1
    total = int(np.sum(counts))
    last = np.cumsum(counts) - 1
    first = last - counts + 1
    z = rng.normal(0.0, parameters.event.vertex_z_width, total)
    kind = np.full(total, _PILEUP)
    z[first], kind[first], kind[last] = conditions.vertex_z, _PRIMARY, _NONE
    x = rng.normal(0.0, parameters.event.beam_width, total)
    y = rng.normal(0.0, parameters.event.beam_width, total)
    columns = {"x": x, "y": y, "z": z, "vertexType": kind}
    return {
        f"PrimaryVerticesAuxDyn.{name}": Ragged(counts, values) for name, values in columns.items()
    }


def lepton_columns(
    rng: Generator, leptons: Leptons, conditions: Conditions, parameters: Parameters
) -> Columns:
    """Columns of electrons, muons and their tracks."""
    n_events = len(conditions.run)
    track_iso = leptons.track_iso + cone_sums(leptons, n_events)
    return {
        **_electrons(leptons, track_iso, n_events),
        **_muons(leptons, track_iso, n_events),
        **_tracks(rng, leptons, conditions, parameters),
    }


def trigger_columns(fired: dict[str, Fired], leptons: Leptons, n_events: int) -> Columns:
    """List the matched combinations of every chain."""
    position = _within_flavour(leptons, n_events)
    key = np.where(leptons.is_muon, MUONS, ELECTRONS)
    made: Columns = {}
    for chain, of in fired.items():
        flat = of.lepton.reshape(-1)
        made[f"AnalysisTrigMatch_{chain}AuxDyn.TrigMatchedObjects"] = Ragged(
            np.bincount(of.event, minlength=n_events),
            Ragged(np.full(len(of.event), of.n_legs), links(key[flat], position[flat])),
        )
    return made


def _kinematics(of: Leptons, counts: Ints, track_iso: Floats, collection: str) -> Columns:
    cone = "LooseCone" if collection == "AnalysisElectrons" else ""
    columns = {
        "pt": of.pt * _TO_MEV,
        "eta": of.eta,
        "phi": of.phi,
        "charge": of.charge,
        "topoetcone20": of.calo_iso * _TO_MEV,
        "neflowisol20": of.neutral_iso * _TO_MEV,
        f"ptvarcone30_Nonprompt_All_MaxWeightTTVA{cone}_pt1000": track_iso * _TO_MEV,
        f"ptvarcone30_Nonprompt_All_MaxWeightTTVA{cone}_pt500": 1.1 * track_iso * _TO_MEV,
    }
    return {f"{collection}AuxDyn.{name}": Ragged(counts, v) for name, v in columns.items()}


def _electrons(leptons: Leptons, track_iso: Floats, n_events: int) -> Columns:
    of = leptons[~leptons.is_muon]
    counts = of.counts(n_events)
    level = of.identification
    flags = {
        "DFCommonElectronsLHVeryLoose": level >= 1,
        "DFCommonElectronsLHLoose": level >= 1,
        "DFCommonElectronsLHLooseBL": level >= 1,
        "DFCommonElectronsLHMedium": level >= 2,
        "DFCommonElectronsLHTight": level >= 3,
        "m": np.full(len(of), _ELECTRON_MASS_MEV),
        "author": np.ones(len(of)),
        "OQ": np.zeros(len(of)),
    }
    track = _track_positions(of, n_events)
    return {
        **_kinematics(of, counts, track_iso[~leptons.is_muon], "AnalysisElectrons"),
        **{f"AnalysisElectronsAuxDyn.{name}": Ragged(counts, v) for name, v in flags.items()},
        "AnalysisElectronsAuxDyn.trackParticleLinks": Ragged(
            counts, Ragged(np.ones(len(of), dtype=np.int64), links(GSF_TRACKS, track))
        ),
    }


def _muons(leptons: Leptons, track_iso: Floats, n_events: int) -> Columns:
    of = leptons[leptons.is_muon]
    counts = of.counts(n_events)
    has_inner = of.muon_type != STAND_ALONE
    is_combined = of.muon_type == COMBINED
    flags = {
        "muonType": of.muon_type,
        "quality": of.identification | _QUALITY_BIT,
        "author": np.ones(len(of)),
        "DFCommonMuonPassPreselection": np.ones(len(of)),
        "DFCommonMuonPassIDCuts": has_inner,
    }
    inner = _inner_positions(leptons, n_events)[leptons.is_muon]
    combined = np.full(len(of), NO_INDEX)
    combined[is_combined] = _track_positions(of[is_combined], n_events)
    return {
        **_kinematics(of, counts, track_iso[leptons.is_muon], "AnalysisMuons"),
        **{f"AnalysisMuonsAuxDyn.{name}": Ragged(counts, v) for name, v in flags.items()},
        "AnalysisMuonsAuxDyn.inDetTrackParticleLink": Ragged(
            counts, _links_or_none(INNER_TRACKS, inner, has_inner)
        ),
        "AnalysisMuonsAuxDyn.combinedTrackParticleLink": Ragged(
            counts, _links_or_none(COMBINED_TRACKS, combined, is_combined)
        ),
    }


def _tracks(
    rng: Generator, leptons: Leptons, conditions: Conditions, parameters: Parameters
) -> Columns:
    """GSF, combined and inner-detector tracks, each collection in its own order."""
    n_events = len(conditions.run)
    has_inner = ~(leptons.is_muon & (leptons.muon_type == STAND_ALONE))
    is_combined = leptons.is_muon & (leptons.muon_type == COMBINED)
    inner = leptons[has_inner]
    soft = _soft_tracks(rng, inner, n_events, parameters)
    return {
        **_track_columns(leptons[~leptons.is_muon], conditions, "GSFTrackParticles"),
        **_track_columns(leptons[is_combined], conditions, "CombinedMuonTrackParticles"),
        **_track_columns(inner, conditions, "InDetTrackParticles", soft),
    }


def _soft_tracks(
    rng: Generator, inner: Leptons, n_events: int, parameters: Parameters
) -> Leptons | None:
    """Further tracks of the event; they stand after the leptons'."""
    number = rng.poisson(parameters.event.soft_tracks, n_events)
    if not len(inner):
        return None
    event = np.repeat(np.arange(n_events), number)
    model = inner[rng.integers(0, len(inner), len(event))]
    soft = {
        "event": event,
        "pt": np.zeros(len(event)),  # below every lepton: they stand after them
        "track_pt": 0.5 + rng.exponential(1.5, len(event)),
        "track_eta": rng.uniform(-2.5, 2.5, len(event)),
        "track_phi": rng.uniform(-np.pi, np.pi, len(event)),
    }
    return Leptons(**{name: soft.get(name, getattr(model, name)) for name in Leptons.__slots__})


def _track_columns(
    of: Leptons, conditions: Conditions, collection: str, soft: Leptons | None = None
) -> Columns:
    n_events = len(conditions.run)
    everything = of if soft is None else joined([of, soft])
    is_soft = everything.pt == 0.0
    ordered = everything[np.lexsort((everything.track_phi, is_soft, everything.event))]
    counts = ordered.counts(n_events)
    theta = 2.0 * np.arctan(np.exp(-ordered.track_eta))
    curvature = ordered.charge * np.sin(theta) / (ordered.track_pt * _TO_MEV)
    columns = {
        "d0": ordered.d0,
        "z0": ordered.z0 + conditions.vertex_z[ordered.event],
        "vz": np.zeros(len(ordered)),
        "phi": ordered.track_phi,
        "theta": theta,
        "qOverP": curvature,
    }
    errors = np.stack(
        [
            ordered.d0_sigma,
            ordered.z0_sigma,
            *(np.full(len(ordered), error) for error in _TRACK_ERRORS[:2]),
            _TRACK_ERRORS[2] * np.abs(curvature),
        ],
        axis=1,
    )
    matrices = {
        "definingParametersCovMatrixDiag": errors**2,
        "definingParametersCovMatrixOffDiag": np.zeros((len(ordered), 10)),
    }
    return {
        **{f"{collection}AuxDyn.{name}": Ragged(counts, v) for name, v in columns.items()},
        **{
            f"{collection}AuxDyn.{name}": Ragged(
                counts, Ragged(np.full(len(ordered), values.shape[1]), values.reshape(-1))
            )
            for name, values in matrices.items()
        },
    }


def _track_positions(of: Leptons, n_events: int) -> Ints:
    """Where each lepton's track stands in a collection that is sorted by azimuth."""
    order = sorted_within(of.event, of.track_phi)
    position = np.empty(len(of), dtype=np.int64)
    position[order] = of.position(n_events)
    return position


def _inner_positions(leptons: Leptons, n_events: int) -> Ints:
    """Where each lepton's inner-detector track stands; `NO_INDEX` for none."""
    has_inner = ~(leptons.is_muon & (leptons.muon_type == STAND_ALONE))
    position = np.full(len(leptons), NO_INDEX)
    position[has_inner] = _track_positions(leptons[has_inner], n_events)
    return position


def _within_flavour(leptons: Leptons, n_events: int) -> Ints:
    """Index of each lepton among the event's leptons of its flavour."""
    position = np.empty(len(leptons), dtype=np.int64)
    for flavour in (False, True):
        here = leptons.is_muon == flavour
        position[here] = leptons[here].position(n_events)
    return position


def _links_or_none(key: int, index: Ints, exists: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    return links(np.where(exists, key, 0), np.where(exists, index, NO_INDEX))
