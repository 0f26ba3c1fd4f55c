"""Values of the real files agree with uproot and coffea, element by element."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import numpy.typing as npt
import pytest
import uproot

from fourlep.events import COLUMNS, Cascade, Cut, Events
from fourlep.io import ReaderChoice, open_events
from fourlep.units import MUON_MASS

READERS = pytest.mark.parametrize("reader", ["uproot", "lean"])
NTUPLES_2020 = ("data_A", "data_B", "data_C", "data_D")


@cache
def _everything(path: Path, reader: ReaderChoice = "auto") -> Events:
    with open_events(str(path), reader=reader) as file:
        return file.read((), optional=tuple(COLUMNS))


def _branches(path: Path, tree: str, *names: str) -> list[Any]:
    with uproot.open(path) as file:
        return [file[tree][name].array() for name in names]


def _gev(stored: ak.Array) -> ak.Array:
    return ak.values_astype(stored, np.float64) * 1e-3


@pytest.fixture(scope="module")
def files_2020(shared_data: Path) -> list[Path]:
    return [shared_data / "ntuple2020" / f"{name}.4lep.root" for name in NTUPLES_2020]


@pytest.fixture(scope="module")
def file_2025(shared_data: Path) -> Path:
    (path,) = (shared_data / "ntuple2025").glob("*.root")
    return path


@pytest.fixture(scope="module")
def physlite(shared_data: Path) -> Path:
    return shared_data / "physlite" / "PHYSLITE_example.root"


@pytest.fixture(scope="module")
def rntuple(shared_data: Path) -> Path:
    return shared_data / "physlite" / "uproot-physlite-rntuple_v1-0-0-0.root"


def test_the_2020_files_hold_832_events_of_observed_data(files_2020: list[Path]) -> None:
    total = 0
    for path in files_2020:
        with open_events(str(path)) as file:
            assert (file.format, file.tree) == ("ntuple2020", "mini")
            assert not file.is_simulation
            total += file.n_entries
    assert total == 832


def test_every_lepton_of_2020_is_there_once_with_its_values(files_2020: list[Path]) -> None:
    for path in files_2020:
        events = _everything(path)
        kind, pt, charge, d0, significance = _branches(
            path,
            "mini",
            "lep_type",
            "lep_pt",
            "lep_charge",
            "lep_trackd0pvunbiased",
            "lep_tracksigd0pvunbiased",
        )
        for leptons, identifier in ((events.electrons, 11), (events.muons, 13)):
            keep = kind == identifier
            assert ak.array_equal(leptons.pt, _gev(pt[keep]))
            assert ak.array_equal(leptons.charge, charge[keep])
            assert ak.array_equal(leptons.d0, ak.values_astype(d0[keep], np.float64))
            assert ak.array_equal(
                abs(leptons.d0_significance), ak.values_astype(significance[keep], np.float64)
            )
        assert ak.sum(ak.num(events.electrons) + ak.num(events.muons)) == ak.count(pt)


def test_events_of_2020_are_triggered_and_identified(files_2020: list[Path]) -> None:
    for path in files_2020:
        events = _everything(path)
        run, number = _branches(path, "mini", "runNumber", "eventNumber")
        assert events.event["is_triggered"].all()
        assert events.event["run"].tolist() == run.tolist()
        assert (
            events.event["number"].tolist()
            == (ak.to_numpy(number).astype(np.int64) % 2**32).tolist()
        )


def test_the_2025_file_holds_3424_events_in_gev(file_2025: Path) -> None:
    events = _everything(file_2025)
    assert len(events) == 3424
    kind, pt, number = _branches(file_2025, "analysis", "lep_type", "lep_pt", "eventNumber")
    assert events.event["number"].tolist() == number.tolist()
    for leptons, identifier in ((events.electrons, 11), (events.muons, 13)):
        assert ak.array_equal(leptons.pt, ak.values_astype(pt[kind == identifier], np.float64))
    assert ak.min(events.muons.pt) >= 7.0


def test_every_event_of_2025_has_four_leptons(file_2025: Path) -> None:
    events = _everything(file_2025)
    assert set(ak.num(events.electrons) + ak.num(events.muons)) == {4}


@READERS
def test_physlite_agrees_with_uproot(physlite: Path, reader: ReaderChoice) -> None:
    events = _everything(physlite, reader)
    for lepton, container in ((events.electrons, "Electrons"), (events.muons, "Muons")):
        pt, eta, phi, charge, iso = _branches(
            physlite,
            "CollectionTree",
            *(f"Analysis{container}AuxDyn.{n}" for n in ("pt", "eta", "phi", "charge")),
            f"Analysis{container}AuxDyn.topoetcone20",
        )
        assert ak.array_equal(lepton.pt, _gev(pt))
        assert ak.array_equal(lepton.eta, ak.values_astype(eta, np.float64))
        assert ak.array_equal(lepton.phi, ak.values_astype(phi, np.float64))
        assert ak.array_equal(lepton.charge, ak.values_astype(charge, np.int32))
        assert ak.array_equal(lepton.calo_iso, _gev(iso))
    run, number, weights = _branches(
        physlite,
        "CollectionTree",
        "EventInfoAuxDyn.runNumber",
        "EventInfoAuxDyn.eventNumber",
        "EventInfoAuxDyn.mcEventWeights",
    )
    assert events.event["run"].tolist() == run.tolist() == [300000] * 100
    assert events.event["number"].tolist() == number.tolist()
    assert np.array_equal(events.event["generator_weights"], ak.to_numpy(weights))
    assert np.array_equal(events.event["generator_weight"], ak.to_numpy(weights)[:, 0])
    assert events.event["dsid"].tolist() == [700322] * 100
    assert events.is_simulation


@pytest.fixture(scope="module")
def nano(physlite: Path) -> Any:
    from coffea.nanoevents import NanoEventsFactory, PHYSLITESchema

    return NanoEventsFactory.from_root(
        {str(physlite): "CollectionTree"}, schemaclass=PHYSLITESchema, mode="eager"
    ).events()


COFFEA_COLUMNS = {
    "pt": ("pt", 1e-3),
    "eta": ("eta", 1.0),
    "phi": ("phi", 1.0),
    "charge": ("charge", 1.0),
    "calo_iso": ("topoetcone20", 1e-3),
}


@READERS
@pytest.mark.filterwarnings("ignore:.*:UserWarning")  # coffea on branches that it leaves out
@pytest.mark.parametrize("field", COFFEA_COLUMNS)
def test_physlite_leptons_agree_with_coffea(
    physlite: Path, nano: Any, reader: ReaderChoice, field: str
) -> None:
    events = _everything(physlite, reader)
    theirs, unit = COFFEA_COLUMNS[field]
    for ours, container in ((events.electrons, nano.Electrons), (events.muons, nano.Muons)):
        expected = ak.values_astype(container[theirs], np.float64) * unit
        assert np.array_equal(_flat(ours[field]), _flat(expected))
        assert ak.num(ours).tolist() == ak.num(container).tolist()


@READERS
@pytest.mark.filterwarnings("ignore:.*:UserWarning")  # as above
def test_identification_quality_and_isolation_agree_with_coffea(
    physlite: Path, nano: Any, reader: ReaderChoice
) -> None:
    events = _everything(physlite, reader)
    electrons, muons = events.electrons, events.muons
    pairs = [
        (electrons.is_loose, nano.Electrons.DFCommonElectronsLHLoose == 1),
        (electrons.is_tight, nano.Electrons.DFCommonElectronsLHTight == 1),
        (electrons.object_quality, nano.Electrons.OQ),
        (muons.quality, nano.Muons.quality & 7),
        (muons.quality_word, nano.Muons.quality),
        (muons["type"], nano.Muons.muonType),
        (muons.passes_id_cuts, nano.Muons.DFCommonMuonPassIDCuts == 1),
        (
            electrons.track_iso,
            _gev(nano.Electrons.ptvarcone30_Nonprompt_All_MaxWeightTTVALooseCone_pt1000),
        ),
        (muons.track_iso, _gev(nano.Muons.ptvarcone30_Nonprompt_All_MaxWeightTTVA_pt1000)),
    ]
    for ours, theirs in pairs:
        assert np.array_equal(_flat(ours), _flat(theirs))


@READERS
@pytest.mark.filterwarnings("ignore:.*:UserWarning")  # as above
def test_linked_tracks_agree_with_coffea(physlite: Path, nano: Any, reader: ReaderChoice) -> None:
    events = _everything(physlite, reader)
    tracks = nano.Electrons.trackParticles[:, :, 0]
    has_track = ~ak.is_none(tracks.d0, axis=1)
    assert ak.all(has_track)
    assert np.array_equal(_flat(events.electrons.d0), _flat(tracks.d0))
    assert np.array_equal(_flat(events.electrons.track_phi), _flat(tracks.phi))
    momentum = abs(1.0 / ak.values_astype(tracks.qOverP, np.float64)) * 1e-3
    theta = ak.values_astype(tracks.theta, np.float64)
    assert _flat(events.electrons.track_pt) == pytest.approx(_flat(momentum * np.sin(theta)))


def _flat(values: ak.Array) -> npt.NDArray[Any]:
    return ak.to_numpy(ak.flatten(values, axis=None))


@READERS
def test_tracks_of_real_leptons_point_where_the_leptons_point(
    physlite: Path, reader: ReaderChoice
) -> None:
    events = _everything(physlite, reader)
    for leptons in (events.electrons, events.muons):
        assert np.max(np.abs(_flat(leptons.track_eta) - _flat(leptons.eta))) < 0.05
        assert np.isfinite(_flat(leptons.d0_significance)).all()


def test_prompt_electrons_of_the_sample_come_from_its_vertex(physlite: Path) -> None:
    electrons = _everything(physlite).electrons
    hard = electrons[(electrons.pt > 25.0) & electrons.is_tight]
    assert ak.count(hard.pt) > 50
    assert np.mean(np.abs(_flat(hard.z0_sin_theta)) < 0.5) > 0.95
    assert np.mean(np.abs(_flat(hard.d0_significance)) < 5.0) > 0.95


def test_the_trigger_of_the_sample_is_that_of_its_chains(physlite: Path) -> None:
    with open_events(str(physlite)) as file:
        events = file.read(
            ["event.is_triggered", "electron.is_trigger_matched", "trigger.HLT_2e17_lhvloose_nod0"]
        )
    assert int(events.triggers["HLT_2e17_lhvloose_nod0"].sum()) == 32
    fired = events.event["is_triggered"]
    assert 66 <= int(fired.sum()) <= 79
    assert np.array_equal(ak.any(events.electrons.is_trigger_matched, axis=1), fired)


def test_the_rntuple_agrees_with_uproot(rntuple: Path) -> None:
    events = _everything(rntuple)
    assert events.is_simulation
    assert len(events) == 100
    pt, mu_eta, quality, number, weights, loose = _branches(
        rntuple,
        "EventData",
        "AnalysisElectronsAuxDyn:pt",
        "AnalysisMuonsAuxDyn:eta",
        "AnalysisMuonsAuxDyn:quality",
        "EventInfoAuxDyn:eventNumber",
        "EventInfoAuxDyn:mcEventWeights",
        "AnalysisElectronsAuxDyn:DFCommonElectronsLHLoose",
    )
    assert ak.array_equal(events.electrons.pt, _gev(pt))
    assert ak.array_equal(events.muons.eta, ak.values_astype(mu_eta, np.float64))
    assert set(_flat(quality)) == {9, 10, 11}
    assert np.array_equal(_flat(events.muons.quality_word), _flat(quality))
    assert set(_flat(events.muons.quality)) == {1, 2, 3}
    assert events.event["number"].tolist() == number.tolist()
    assert np.array_equal(events.event["generator_weight"], ak.to_numpy(weights[:, 0]))
    assert ak.array_equal(events.electrons.is_loose, loose == 1)
    assert set(_flat(events.muons.mass)) == {MUON_MASS}


def test_links_of_the_rntuple_lead_to_its_tracks(rntuple: Path) -> None:
    events = _everything(rntuple)
    link, d0 = _branches(
        rntuple,
        "EventData",
        "AnalysisMuonsAuxDyn:inDetTrackParticleLink",
        "InDetTrackParticlesAuxDyn:d0",
    )
    expected = d0[link.m_persIndex]
    assert np.array_equal(_flat(events.muons.d0), _flat(expected))


def test_what_the_rntuple_lacks_is_absent_with_the_reason(rntuple: Path) -> None:
    absent = _everything(rntuple).absent
    assert set(absent) == {
        "event.scale_factor",
        "event.is_triggered",
        "electron.is_trigger_matched",
        "muon.is_trigger_matched",
    }
    assert "AnalysisTrigMatch_HLT_" in absent["event.is_triggered"]


def test_survivors_of_real_files_are_the_events_that_pass(file_2025: Path) -> None:
    cascade = Cascade(
        (Cut("electron.is_loose", "is_true"), Cut("electron.pt", "gt", 7.0)),
        (Cut("muon.quality", "le", 2), Cut("muon.pt", "gt", 5.0)),
        ((4, 0), (0, 4), (2, 2)),
    )
    events = _everything(file_2025)
    keep = cascade.keeps(events)
    with open_events(str(file_2025)) as file:
        numbers = [part.event["number"] for part in file.survivors(cascade, ["event.number"])]
    assert 0 < keep.sum() < 3424
    assert np.concatenate(numbers).tolist() == events.event["number"][keep].tolist()


def test_files_are_known_by_their_uuid(physlite: Path, rntuple: Path) -> None:
    for path, uuid in (
        (physlite, "6a4128c4-506c-11ef-a90f-bfcc19acbeef"),
        (rntuple, "fe746fce-f44f-11ef-b842-c931b8bcbeef"),
    ):
        with open_events(str(path)) as file:
            assert file.uuid == uuid
