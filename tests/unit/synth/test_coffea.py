"""coffea reads stand-in files with its own PHYSLITE schema, links included."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot
from coffea.nanoevents import NanoEventsFactory, PHYSLITESchema

from fourlep.synth import make_file

pytestmark = pytest.mark.filterwarnings(
    # coffea's schema says so of branches that it leaves out, also in the real sample
    "ignore:Found duplicate branch:UserWarning",
    "ignore:Skipping:UserWarning",
    "ignore:.*doesn't have a.*:UserWarning",
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("coffea") / "SYNTHETIC.root"
    make_file(made, events=400, four_leptons=0.8)
    return made


@pytest.mark.parametrize("mode", ["virtual", "eager"])
def test_leptons_are_those_that_uproot_reads(path: Path, mode: str) -> None:
    events = NanoEventsFactory.from_root(
        {str(path): "CollectionTree"}, schemaclass=PHYSLITESchema, mode=mode
    ).events()
    with uproot.open(path) as file:
        tree = file["CollectionTree"]
        for collection in ("Electrons", "Muons"):
            for name in ("pt", "charge", "topoetcone20"):
                ours = tree[f"Analysis{collection}AuxDyn.{name}"].array()
                theirs = events[collection][name]
                assert ak.num(ours).tolist() == ak.num(theirs).tolist()
                assert np.array_equal(ak.flatten(ours).to_numpy(), ak.flatten(theirs).to_numpy()), (
                    name
                )


def test_links_lead_to_the_leptons_own_tracks(path: Path) -> None:
    events = NanoEventsFactory.from_root(
        {str(path): "CollectionTree"}, schemaclass=PHYSLITESchema
    ).events()
    electrons = events.Electrons
    tracks = electrons.trackParticles[:, :, 0]
    track_pt = np.abs(np.sin(tracks.theta) / tracks.qOverP)
    ratio = np.asarray(ak.drop_none(ak.flatten(track_pt / electrons.pt)))
    turned = np.asarray(ak.drop_none(ak.flatten(tracks.phi - electrons.phi)))
    assert len(ratio) == ak.sum(ak.num(electrons.pt)) > 500
    assert np.median(ratio) == pytest.approx(1.0, abs=0.02)
    assert np.all(np.abs(np.sin(turned)) < 0.01)


def test_generator_weights_are_all_there(path: Path) -> None:
    events = NanoEventsFactory.from_root(
        {str(path): "CollectionTree"}, schemaclass=PHYSLITESchema
    ).events()
    assert set(ak.num(events.EventInfo.mcEventWeights).tolist()) == {300}
