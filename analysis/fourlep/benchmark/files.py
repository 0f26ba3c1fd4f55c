"""PHYSLITE files with a chosen share of four-lepton events, to measure readers on.

They have the structure and the entropy that matter for reading: all branches of the
real sample, three hundred generator weights an event, rising and falling spectra with
full mantissas. Their physics means nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fourlep.events import Cascade, Cut
from fourlep.io.tracks import ELECTRONS_KEY, GSF_TRACKS_KEY, INNER_DETECTOR_TRACKS_KEY
from fourlep.synth.physlite.layout import layout
from fourlep.synth.physlite.ragged import NO_INDEX, Ragged, links
from fourlep.synth.physlite.write import Clusters, Column, write_tree
from fourlep.synth.rootfile.codec import Compression

N_WEIGHTS = 300
_CHAIN_BRANCH = "AnalysisTrigMatch_HLT_e26_lhtight_nod0_ivarlooseAuxDyn.TrigMatchedObjects"
#: Branches that observed data lack.
_SIMULATED = ("EventInfoAuxDyn.mcChannelNumber", "EventInfoAuxDyn.mcEventWeights")
#: Loose identification and muon quality of leptons that count and that do not.
_GOOD_QUALITY, _BAD_QUALITY = 1, 3


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds.

    Parameters
    ----------
    n_events
        Its events.
    survivor_share
        Share of events with four counting leptons, 0 to 1.
    seed
        Of the random numbers.
    is_data
        Whether it has the branches of observed data: no generator weights, no truth.
    """

    n_events: int
    survivor_share: float
    seed: int
    is_data: bool = False


def cascade() -> Cascade:
    """Return the counting that exactly ``survivor_share`` of the events pass."""
    return Cascade(
        electron=(Cut("electron.is_loose", "is_true"), Cut("electron.pt", "gt", 7.0)),
        muon=(Cut("muon.quality", "le", 2.0), Cut("muon.pt", "gt", 5.0)),
        minimum=((4, 0), (0, 4), (2, 2)),
    )


def write_file(
    path: Path,
    content: Content,
    *,
    compression: Compression | None = None,
    clusters: Clusters | None = None,
) -> None:
    """Write one file.

    Parameters
    ----------
    path
        The file.
    content
        What it holds.
    compression, clusters
        As in `fourlep.synth.physlite.write.write_tree`.
    """
    whole = layout()
    write_tree(
        path,
        columns(content),
        layout=whole.of_data() if content.is_data else whole,
        compression=compression,
        clusters=clusters,
        label="SYNTHETIC: made to measure readers, no physics",
    )


def columns(content: Content) -> Mapping[str, Column]:
    """Make the branches that selections read."""
    rng = np.random.default_rng(content.seed)
    n = content.n_events
    n_electrons, n_muons, survives = _multiplicities(content, rng)
    made = {
        **_event(n, rng),
        **_electrons(n_electrons, survives, rng),
        **_muons(n_muons, survives, rng),
        **_tracks("GSFTrackParticles", n_electrons, rng),
        **_tracks("InDetTrackParticles", n_muons + rng.poisson(4.0, n), rng),
        **_tracks("CombinedMuonTrackParticles", n_muons, rng),
        **_vertices(n, rng),
        _CHAIN_BRANCH: _chain(n, rng),
    }
    if content.is_data:
        made["EventInfoAuxDyn.eventTypeBitmask"] = np.zeros(n, dtype=np.uint32)
        made = {name: values for name, values in made.items() if name not in _SIMULATED}
    return made


def _multiplicities(
    content: Content, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Electrons and muons in each event's containers, and which events survive."""
    n = content.n_events
    survives = np.zeros(n, dtype=np.bool_)
    chosen = rng.choice(n, round(content.survivor_share * n), replace=False)
    survives[chosen] = True
    pairs = np.asarray([(4, 0), (0, 4), (2, 2)])[rng.integers(0, 3, n)]
    electrons = np.where(survives, pairs[:, 0], 0) + rng.poisson(0.9, n)
    muons = np.where(survives, pairs[:, 1], 0) + rng.poisson(0.5, n)
    return electrons.astype(np.int64), muons.astype(np.int64), survives


def _counting(
    counts: npt.NDArray[np.int64],
    survives: npt.NDArray[np.bool_],
    limit: int,
    rng: np.random.Generator,
) -> npt.NDArray[np.bool_]:
    """Which leptons count: all of a survivor's, at most ``limit`` of another event's."""
    first = np.cumsum(counts) - counts
    number = np.arange(int(counts.sum())) - np.repeat(first, counts)
    allowed = (number < limit) & (rng.random(len(number)) < 0.5)
    return np.repeat(survives, counts) | allowed


def _momenta(counts: npt.NDArray[np.int64], rng: np.random.Generator) -> dict[str, Any]:
    n = int(counts.sum())
    return {
        "pt": Ragged(counts, (8000.0 + rng.exponential(18000.0, n)).astype(np.float32)),
        "eta": Ragged(counts, rng.uniform(-2.4, 2.4, n).astype(np.float32)),
        "phi": Ragged(counts, rng.uniform(-np.pi, np.pi, n).astype(np.float32)),
        "charge": Ragged(counts, rng.choice([-1.0, 1.0], n).astype(np.float32)),
        "topoetcone20": Ragged(counts, rng.normal(0.0, 800.0, n).astype(np.float32)),
    }


def _electrons(
    counts: npt.NDArray[np.int64], survives: npt.NDArray[np.bool_], rng: np.random.Generator
) -> dict[str, Column]:
    n = int(counts.sum())
    first = np.cumsum(counts) - counts
    index = np.arange(n) - np.repeat(first, counts)
    fields: dict[str, Any] = {
        **_momenta(counts, rng),
        "m": Ragged(counts, np.full(n, 0.511, dtype=np.float32)),
        "DFCommonElectronsLHLoose": Ragged(
            counts, _counting(counts, survives, 3, rng).astype(np.int8)
        ),
        "DFCommonElectronsLHLooseBL": Ragged(
            counts, _counting(counts, survives, 3, rng).astype(np.int8)
        ),
        "OQ": Ragged(counts, np.zeros(n, dtype=np.uint32)),
        "ptvarcone30_Nonprompt_All_MaxWeightTTVALooseCone_pt1000": Ragged(
            counts, rng.exponential(500.0, n).astype(np.float32)
        ),
        "trackParticleLinks": Ragged(
            counts, Ragged(np.ones(n, dtype=np.int64), links(GSF_TRACKS_KEY, index))
        ),
    }
    return {f"AnalysisElectronsAuxDyn.{name}": values for name, values in fields.items()}


def _muons(
    counts: npt.NDArray[np.int64], survives: npt.NDArray[np.bool_], rng: np.random.Generator
) -> dict[str, Column]:
    n = int(counts.sum())
    first = np.cumsum(counts) - counts
    index = np.arange(n) - np.repeat(first, counts)
    # One muon at most counts in an event that must not survive, whatever its electrons.
    quality = np.where(_counting(counts, survives, 1, rng), _GOOD_QUALITY, _BAD_QUALITY)
    hit_bits = 8 * rng.integers(0, 4, n)  # above the three bits of the enumerator
    fields: dict[str, Any] = {
        **_momenta(counts, rng),
        "muonType": Ragged(counts, np.zeros(n, dtype=np.uint16)),
        "quality": Ragged(counts, (quality + hit_bits).astype(np.uint8)),
        "ptvarcone30_Nonprompt_All_MaxWeightTTVA_pt1000": Ragged(
            counts, rng.exponential(500.0, n).astype(np.float32)
        ),
        "inDetTrackParticleLink": Ragged(counts, links(INNER_DETECTOR_TRACKS_KEY, index)),
        "combinedTrackParticleLink": Ragged(counts, links(0, np.full(n, NO_INDEX))),
    }
    return {f"AnalysisMuonsAuxDyn.{name}": values for name, values in fields.items()}


def _tracks(
    collection: str, counts: npt.NDArray[np.int64], rng: np.random.Generator
) -> dict[str, Column]:
    n = int(counts.sum())
    theta = 2.0 * np.arctan(np.exp(-rng.uniform(-2.4, 2.4, n)))
    fields: dict[str, Any] = {
        "d0": rng.normal(0.0, 0.02, n),
        "z0": rng.normal(0.0, 0.1, n),
        "vz": np.zeros(n),
        "phi": rng.uniform(-np.pi, np.pi, n),
        "theta": theta,
        "qOverP": rng.choice([-1.0, 1.0], n) * np.sin(theta) / rng.uniform(8e3, 9e4, n),
    }
    diagonal = rng.uniform(1e-4, 4e-4, 5 * n).astype(np.float32)
    return {
        **{
            f"{collection}AuxDyn.{name}": Ragged(counts, values.astype(np.float32))
            for name, values in fields.items()
        },
        f"{collection}AuxDyn.definingParametersCovMatrixDiag": Ragged(
            counts, Ragged(np.full(n, 5), diagonal)
        ),
    }


def _vertices(n: int, rng: np.random.Generator) -> dict[str, Column]:
    counts = 1 + rng.poisson(20.0, n)
    total = int(counts.sum())
    kind = np.full(total, 3, dtype=np.int16)
    kind[np.cumsum(counts) - counts] = 1
    return {
        "PrimaryVerticesAuxDyn.z": Ragged(counts, rng.normal(0.0, 0.05, total).astype(np.float32)),
        "PrimaryVerticesAuxDyn.vertexType": Ragged(counts, kind),
    }


def _event(n: int, rng: np.random.Generator) -> dict[str, Column]:
    nominal = np.where(rng.random(n) < 0.1, -1.0, 1.0) * rng.uniform(0.5, 2.0, n)
    spread = rng.normal(1.0, 0.05, (n, N_WEIGHTS)).round(4)
    spread[:, 0] = 1.0
    weights = (nominal[:, None] * spread).astype(np.float32)
    return {
        "EventInfoAuxDyn.runNumber": np.full(n, 300000, dtype=np.uint32),
        "EventInfoAuxDyn.lumiBlock": np.arange(n, dtype=np.uint32) // 1000,
        "EventInfoAuxDyn.eventNumber": np.arange(1, n + 1, dtype=np.uint64),
        "EventInfoAuxDyn.mcChannelNumber": np.full(n, 345060, dtype=np.uint32),
        "EventInfoAuxDyn.eventTypeBitmask": np.full(n, 1, dtype=np.uint32),
        "EventInfoAuxDyn.averageInteractionsPerCrossing": rng.uniform(10, 50, n).astype(np.float32),
        "EventInfoAuxDyn.beamPosSigmaX": np.full(n, 0.01, dtype=np.float32),
        "EventInfoAuxDyn.beamPosSigmaY": np.full(n, 0.01, dtype=np.float32),
        "EventInfoAuxDyn.beamPosSigmaXY": np.zeros(n, dtype=np.float32),
        "EventInfoAuxDyn.mcEventWeights": Ragged(np.full(n, N_WEIGHTS), weights.reshape(-1)),
    }


def _chain(n: int, rng: np.random.Generator) -> Ragged:
    fired = (rng.random(n) < 0.7).astype(np.int64)
    total = int(fired.sum())
    return Ragged(
        fired, Ragged(np.ones(total, dtype=np.int64), links(ELECTRONS_KEY, np.zeros(total)))
    )
