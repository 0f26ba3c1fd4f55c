"""Skims that somebody wrote as RNTuples, with the names of what they were made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

from fourlep.errors import CorruptFileError
from fourlep.io.fields import Fields
from fourlep.io.uproot_reader import UprootFile

Writer = Callable[..., Path]
FIELDS = (
    *("runNumber", "eventNumber", "eventTypeBitmask", "mcEventWeights"),
    *("pt", "trackParticleLinks", "d0", "TrigMatchedObjects"),
)
COLUMNS = ("event.number", "electron.pt", "electron.d0", "electron.is_trigger_matched")


def skim(path: Path, tree: str, arrays: Mapping[str, Any]) -> Path:
    """Write arrays as uproot does when nothing else is said."""
    with uproot.recreate(path) as file:
        file[tree] = arrays
        assert file.classnames() == {f"{tree};1": "ROOT::RNTuple"}
    return path


@pytest.mark.parametrize("tree", ["CollectionTree", "EventData", "skim"])
@pytest.mark.parametrize("store", ["AuxDyn.", "AuxDyn:"])
def test_a_skim_of_physlite_gives_what_the_tree_gives(
    write_physlite: Writer, tmp_path: Path, tree: str, store: str
) -> None:
    path = str(write_physlite(30))
    with uproot.open({path: "CollectionTree"}) as opened:
        names = opened.keys(filter_name=[f"*AuxDyn.{field}" for field in FIELDS])
        arrays = {name.replace("AuxDyn.", store): opened[name].array() for name in names}
    with UprootFile(path) as whole, UprootFile(str(skim(tmp_path / "s.root", tree, arrays))) as own:
        assert own.is_simulation
        assert own.columns() >= {*COLUMNS, "event.generator_weights"}
        expected, found = whole.read(COLUMNS, 3, 20), own.read(COLUMNS, 3, 20)
    assert found.event["number"].tolist() == expected.event["number"].tolist()
    assert ak.array_equal(found.electrons, expected.electrons, equal_nan=True)


def test_a_skim_of_an_ntuple_gives_what_the_tree_gives(write_mini: Writer, tmp_path: Path) -> None:
    path = str(write_mini())
    with uproot.open({path: "mini"}) as opened:
        arrays = {name: opened[name].array() for name in opened.keys(recursive=False)}
    with UprootFile(str(skim(tmp_path / "s.root", "mini", arrays))) as file:
        assert file.format == "ntuple2020"
        events = file.read(["electron.pt", "muon.pt"])
    assert events.electrons.pt.tolist() == [[50.0, 30.0], [], [], [60.0]]
    assert events.muons.pt.tolist() == [[40.0, 20.0], [25.0], [], [10.0]]


@pytest.mark.parametrize(("branch", "lost"), [("mcWeight", 3.0), ("lep_pt", 1e4)])
def test_a_skim_with_missing_values_is_refused_and_one_that_has_only_room_for_them_is_read(
    write_mini: Writer, tmp_path: Path, branch: str, lost: float
) -> None:
    path = str(write_mini(runNumber=np.full(4, 284500, dtype=np.int32)))
    with uproot.open({path: "mini"}) as opened:
        arrays = {name: opened[name].array() for name in opened.keys(recursive=False)}
    columns = ["event.generator_weight", "electron.pt"]
    room = {**arrays, branch: ak.mask(arrays[branch], arrays[branch] != 7.0)}
    with UprootFile(str(skim(tmp_path / "room.root", "mini", room))) as file:
        assert file.read(columns).event["generator_weight"].tolist() == [-2.0, 1.0, 3.0, 0.5]
    missing = {**arrays, branch: ak.mask(arrays[branch], arrays[branch] != lost)}
    with (
        UprootFile(str(skim(tmp_path / "missing.root", "mini", missing))) as file,
        pytest.raises(CorruptFileError, match=f"{branch} has missing values"),
    ):
        file.read(columns)


@pytest.mark.parametrize("name", ["MuonsAuxDyn.link", "MuonsAuxDyn:link"])
def test_members_of_links_are_found_in_fields_with_dots_and_without(
    tmp_path: Path, name: str
) -> None:
    links = ak.zip({"m_persKey": [[7], [8, 9]], "m_persIndex": [[0], [2, 1]]})
    path = skim(tmp_path / "s.root", "skim", {name: links, "x.m_persKey": np.arange(2)})
    with uproot.open(path) as opened:
        fields = Fields(opened["skim"])
        assert fields.names == {name, f"{name}.m_persKey", f"{name}.m_persIndex", "x.m_persKey"}
        assert fields.array(f"{name}.m_persKey", 1, 2).tolist() == [[8, 9]]
        assert fields.array("x.m_persKey", 0, 2).tolist() == [0, 1]
        assert fields[f"{name}.m_persIndex"].typename == "std::int64_t"
