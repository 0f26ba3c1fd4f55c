"""Small files of each tree format, written for a test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

from fourlep.io.tracks import ELECTRONS_KEY, GSF_TRACKS_KEY
from fourlep.synth.physlite import Ragged, links, write_tree

Writer = Callable[..., Path]


@pytest.fixture
def write_mini(tmp_path: Path) -> Writer:
    """Write a 2020 ntuple; branches given by name replace or, if None, drop the defaults."""

    def write(name: str = "mini.root", *, tree: str = "mini", **changed: object) -> Path:
        pt = ak.Array([[50e3, 40e3, 30e3, 20e3], [25e3], [], [60e3, 10e3]])
        n = len(pt)
        branches: dict[str, Any] = {
            "runNumber": np.full(n, 300000, dtype=np.int32),
            "eventNumber": np.arange(n, dtype=np.int32),
            "channelNumber": np.full(n, 300000, dtype=np.int32),
            "mcWeight": np.array([-2.0, 1.0, 3.0, 0.5], dtype=np.float32),
            "scaleFactor_ELE": np.full(n, 0.5, dtype=np.float32),
            "scaleFactor_MUON": np.full(n, 2.0, dtype=np.float32),
            "scaleFactor_LepTRIGGER": np.full(n, 3.0, dtype=np.float32),
            "scaleFactor_PILEUP": np.full(n, 0.25, dtype=np.float32),
            "trigE": np.array([True, False, False, False]),
            "trigM": np.array([False, True, False, False]),
            "lep_type": ak.values_astype(
                ak.Array([[11, 13, 11, 13], [13], [], [11, 13]]), np.uint32
            ),
            "lep_pt": ak.values_astype(pt, np.float32),
            "lep_eta": ak.values_astype(pt * 1e-5, np.float32),
            "lep_phi": ak.values_astype(pt * 2e-5, np.float32),
            "lep_charge": ak.values_astype(ak.Array([[1, -1, -1, 1], [1], [], [-1, -1]]), np.int32),
            "lep_trackd0pvunbiased": ak.values_astype(pt * -1e-6, np.float32),
        }
        branches |= changed
        path = tmp_path / name
        with uproot.recreate(path) as file:
            held = {key: value for key, value in branches.items() if value is not None}
            file.mktree(tree, {key: ak.type(value[:]).content for key, value in held.items()})
            file[tree].extend(held)
        return path

    return write


@pytest.fixture
def write_physlite(tmp_path: Path) -> Writer:
    """Write a PHYSLITE tree of ``n_events`` whose electrons link to tracks and a chain."""

    def write(n_events: int, *, seed: int = 1, is_simulation: bool = True) -> Path:
        random = np.random.default_rng(seed)
        counts = random.integers(0, 6, n_events)
        n = int(counts.sum())
        within = np.arange(n) - np.repeat(np.cumsum(counts) - counts, counts)
        fires = (counts > 0) & (random.random(n_events) < 0.5)
        columns = {
            "EventInfoAuxDyn.runNumber": np.full(n_events, 300000, dtype="u4"),
            "EventInfoAuxDyn.eventNumber": np.arange(n_events, dtype="u8"),
            "EventInfoAuxDyn.eventTypeBitmask": np.full(n_events, is_simulation, "u4"),
            "EventInfoAuxDyn.mcChannelNumber": np.full(n_events, 345060 * is_simulation, "u4"),
            "EventInfoAuxDyn.mcEventWeights": Ragged(
                np.full(n_events, 3), random.normal(1.0, 2.0, 3 * n_events).astype("f4")
            ),
            "AnalysisElectronsAuxDyn.pt": Ragged(counts, random.exponential(2e4, n).astype("f4")),
            "AnalysisElectronsAuxDyn.eta": Ragged(counts, random.normal(0, 1, n).astype("f4")),
            "AnalysisElectronsAuxDyn.DFCommonElectronsLHLoose": Ragged(
                counts, random.integers(0, 2, n).astype("i1")
            ),
            "AnalysisElectronsAuxDyn.trackParticleLinks": Ragged(
                counts,
                Ragged(np.ones(n, dtype=int), links(np.full(n, GSF_TRACKS_KEY), within)),
            ),
            "GSFTrackParticlesAuxDyn.d0": Ragged(counts, np.arange(n).astype("f4")),
            "AnalysisTrigMatch_HLT_2e17_lhvloose_nod0AuxDyn.TrigMatchedObjects": Ragged(
                fires.astype(int),
                Ragged(
                    np.ones(int(fires.sum()), dtype=int),
                    links(np.full(int(fires.sum()), ELECTRONS_KEY), np.zeros(int(fires.sum()))),
                ),
            ),
        }
        path = tmp_path / f"physlite_{n_events}_{seed}_{is_simulation}.root"
        write_tree(path, columns)
        return path

    return write
