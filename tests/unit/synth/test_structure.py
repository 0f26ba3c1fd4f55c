"""A stand-in file and the real sample, branch by branch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot

from fourlep.io.branches import FORMATS
from fourlep.synth import make_file
from fourlep.synth.physlite import Ragged, layout, write_tree

#: What depends on the number of events and baskets, not on the type of a branch.
SIZES = {
    "fBasketBytes", "fBasketEntry", "fBasketSeek", "fBasketSize", "fBaskets", "fBranches",
    "fEntries", "fEntryNumber", "fEntryOffsetLen", "fLeaves", "fMaxBaskets", "fMaximum",
    "fTotBytes", "fWriteBasket", "fZipBytes",
}  # fmt: skip
ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def every_branch(tree: Any) -> Iterator[Any]:
    for branch in tree.branches:
        yield branch
        yield from every_branch(branch)


def members(item: Any) -> dict[str, str]:
    return {k: ADDRESS.sub("", str(v)) for k, v in item.all_members.items() if k not in SIZES}


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("structure") / "SYNTHETIC.root"
    make_file(path, events=300, four_leptons=0.2)
    return path


@pytest.fixture(scope="module")
def sample(shared_data: Path) -> Path:
    return shared_data / "physlite" / "PHYSLITE_example.root"


def test_all_branches_are_there_in_the_same_order(stand_in: Path, sample: Path) -> None:
    with uproot.open(stand_in) as ours, uproot.open(sample) as real:
        names = [b.name for b in every_branch(ours["CollectionTree"])]
        assert names == [b.name for b in every_branch(real["CollectionTree"])]
    assert len(names) == 1494


def test_types_titles_and_interpretations_are_those_of_the_sample(
    stand_in: Path, sample: Path
) -> None:
    with uproot.open(stand_in) as ours, uproot.open(sample) as real:
        pairs = zip(
            every_branch(ours["CollectionTree"]), every_branch(real["CollectionTree"]), strict=True
        )
        for mine, theirs in pairs:
            assert mine.classname == theirs.classname, mine.name
            assert mine.typename == theirs.typename, mine.name
            assert mine.title == theirs.title, mine.name
            assert ADDRESS.sub("", repr(mine.interpretation)) == ADDRESS.sub(
                "", repr(theirs.interpretation)
            ), mine.name
            assert members(mine) == members(theirs), mine.name
            leaf, other = mine.member("fLeaves")[0], theirs.member("fLeaves")[0]
            assert leaf.classname == other.classname, mine.name
            assert members(leaf) == members(other), mine.name


def test_class_descriptions_are_those_of_the_sample(stand_in: Path, sample: Path) -> None:
    def described(path: Path) -> dict[tuple[str, int], list[tuple[str, str, str]]]:
        with uproot.open(path) as file:
            return {
                (name, version): [
                    (e.classname, str(e.name), str(e.typename)) for e in info.elements
                ]
                for name, versions in file.file.streamers.items()
                for version, info in versions.items()
            }

    assert described(stand_in) == described(sample)


@pytest.mark.slow
def test_whatever_uproot_reads_of_the_sample_it_reads_of_the_stand_in(
    stand_in: Path, sample: Path
) -> None:
    def readable(path: Path) -> set[str]:
        found = set()
        with uproot.open(path) as file:
            for branch in every_branch(file["CollectionTree"]):
                if "Unknown" in type(branch.interpretation).__name__ or not branch.num_baskets:
                    continue
                try:
                    branch.array(entry_stop=5)
                except (ValueError, NotImplementedError, uproot.DeserializationError):
                    continue
                found.add(branch.name)
        return found

    assert readable(stand_in) == readable(sample)


def test_data_files_lack_what_only_simulation_has() -> None:
    names = {branch.name for branch in layout().of_data().branches}
    assert len(names) > 1000
    assert "EventInfoAuxDyn.mcEventWeights" not in names
    assert not [name for name in names if "Truth" in name]
    assert "AnalysisElectronsAuxDyn.pt" in names


def test_a_ntuple_of_2020_has_the_structure_of_the_real_ones(
    tmp_path: Path, shared_data: Path
) -> None:
    path = tmp_path / "SYNTHETIC.root"
    columns = {"lep_pt": Ragged(np.array([1]), np.array([5e4])), "lep_n": np.array([1])}
    write_tree(path, columns, layout=layout("ntuple2020"), tree="mini", title="mini")
    with (
        uproot.open(path) as ours,
        uproot.open(shared_data / "ntuple2020" / "data_D.4lep.root") as real,
    ):
        for mine, theirs in zip(ours["mini"].branches, real["mini"].branches, strict=True):
            assert members(mine) == members(theirs), mine.name
            assert repr(mine.interpretation) == repr(theirs.interpretation)
            mine.array()


@pytest.mark.parametrize("name", ["physlite", "ntuple2020"])
def test_the_layout_has_a_branch_for_every_column_that_is_read(name: str) -> None:
    have = layout(name).names()
    rules = {**FORMATS[name].rules, **FORMATS[name].simulation}
    # The real files lack these themselves.
    absent = {"event.lumi_block"} if name == "ntuple2020" else set()
    for column, alternatives in rules.items():
        if column in absent:
            continue
        assert any(all(set(slot) & have for slot in rule.needs) for rule in alternatives), column
