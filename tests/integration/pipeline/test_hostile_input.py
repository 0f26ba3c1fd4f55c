"""Filesets and files that are nothing like what a run expects."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot

from fourlep.synth.physlite import layout, write_tree
from integration.pipeline.conftest import Answer, Command, Writer

INLINE = ("--cluster", "inline")
DATA = {"process": "data"}
ZZ = {"process": "ZZ", "xsec": 1.0, "genFiltEff": 1.0, "kFactor": 1.0, "nevts": 10}

Refused = Callable[..., Answer]


@pytest.fixture
def refused(fourlep: Command, tmp_path: Path) -> Refused:
    """Run over one file, which is refused, and give the answer."""

    def run(path: str | Path, tree: str, metadata: dict[str, Any], selection: str) -> Answer:
        source, out = tmp_path / "fileset.json", tmp_path / "out"
        source.write_text(json.dumps({"d": {"files": {str(path): tree}, "metadata": metadata}}))
        answer = fourlep("run", source, "--selection", selection, *INLINE, "--output", out)
        assert answer.status == 1
        assert "1 of 1 files missing" in answer.err
        assert not (out / "histograms.root").exists()
        return answer

    return run


def _physlite(path: Path, *, without: str = "") -> Path:
    """Ten simulated events of the real sample's layout, but for a branch."""
    columns = {"EventInfoAuxDyn.eventTypeBitmask": np.ones(10, "u4")}
    whole = layout()
    write_tree(path, columns, layout=whole.only(whole.names() - {without}))
    return path


@pytest.mark.parametrize("tree", ["", "Events"])
def test_a_root_file_of_somebody_else_is_told_with_its_trees_and_those_that_are_known(
    refused: Refused, tmp_path: Path, tree: str
) -> None:
    path = tmp_path / "nano.root"
    with uproot.recreate(path) as file:
        file.mktree("Events", {"nMuon": np.dtype("i4")})
        file["Events"].extend({"nMuon": np.arange(10, dtype="i4")})
    answer = refused(path, tree, DATA, "fourlepton")
    assert f"{path}: " in answer.err
    assert "of a known format" in answer.err or "of no known format" in answer.err
    assert "trees there: Events" in answer.err
    assert "CollectionTree (PHYSLITE trees)" in answer.err


def test_a_root_file_without_any_tree_is_told_so(refused: Refused, tmp_path: Path) -> None:
    path = tmp_path / "histograms.root"
    with uproot.recreate(path) as file:
        file["h"] = np.histogram(np.arange(5))
    assert "trees there: none" in refused(path, "", DATA, "fourlepton").err


@pytest.mark.parametrize("selection", ["fourlepton", "scipy2024"])
def test_physlite_whose_electrons_have_no_charge_names_column_branch_and_file(
    refused: Refused, tmp_path: Path, selection: str
) -> None:
    path = _physlite(tmp_path / "SYNTHETIC.root", without="AnalysisElectronsAuxDyn.charge")
    answer = refused(path, "CollectionTree", ZZ, selection)
    assert f"MissingColumnError: local: {path}: missing" in answer.err
    assert "electron.charge: no branch (AnalysisElectronsAuxDyn.charge or " in answer.err
    assert "electron.pt" not in answer.err


def test_the_same_file_with_its_charges_is_not_refused(fourlep: Command, tmp_path: Path) -> None:
    path = _physlite(tmp_path / "SYNTHETIC.root")
    source, out = tmp_path / "fileset.json", tmp_path / "out"
    source.write_text(json.dumps({"d": {"files": {str(path): ""}, "metadata": ZZ}}))
    answer = fourlep("run", source, "--selection", "scipy2024", *INLINE, "--output", out)
    assert answer.status == 0, answer.err


def test_simulation_that_is_called_data_is_refused(refused: Refused, tmp_path: Path) -> None:
    path = _physlite(tmp_path / "SYNTHETIC.root")
    answer = refused(path, "CollectionTree", DATA, "fourlepton")
    assert f"{path} holds simulation, but dataset 'd' is data" in answer.err
    assert "correct the process" in answer.err


def test_data_that_is_called_simulation_is_refused(refused: Refused, ntuple: Writer) -> None:
    answer = refused(ntuple("data.root"), "mini", ZZ, "demonstrator2020")
    assert "holds data, but dataset 'd' is simulation" in answer.err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{}", "fileset 'f' has no datasets"),
        ('[{"files": {}}]', "fileset 'f' is no JSON object: [{'files': {}}]"),
        ('"data.root"', "fileset 'f' is no JSON object"),
        ('{"d": {"files": {}, "metadata": {"process": "data"}}}', "dataset 'd': no files"),
        ('{"d": []}', "dataset 'd'"),
        ("", "f.json cannot be read"),
        ("{'d': 1}", "f.json cannot be read"),
    ],
    ids=["empty", "list", "text", "no files", "list as dataset", "nothing", "no JSON"],
)
def test_a_file_that_is_no_fileset_is_refused_with_the_form_of_one(
    fourlep: Command, tmp_path: Path, content: str, message: str
) -> None:
    (tmp_path / "f.json").write_text(content)
    answer = fourlep("run", tmp_path / "f.json", *INLINE, "--output", tmp_path / "out")
    assert answer.status == 1
    assert message in answer.err
    assert "->" in answer.err
    assert not (tmp_path / "out").exists()


def test_who_gives_a_root_file_as_fileset_is_told_how_to_write_one(
    fourlep: Command, ntuple: Writer, tmp_path: Path
) -> None:
    path = ntuple("data.root")
    answer = fourlep("run", path, *INLINE, "--output", tmp_path / "out")
    assert answer.status == 1
    assert f"{path} is a ROOT file, not a fileset" in answer.err
    written = answer.err[answer.err.index("{") : answer.err.rindex("}") + 1]
    (tmp_path / "mine.json").write_text(written)
    again = fourlep(
        "run", tmp_path / "mine.json", "--selection", "demonstrator2020", *INLINE,
        "--output", tmp_path / "out",
    )  # fmt: skip
    assert again.status == 0, again.err


def test_an_output_directory_that_is_a_file_is_wrong_usage_and_left_alone(
    fourlep: Command, ntuple: Writer, fileset: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    answer = fourlep(
        "run", fileset([ntuple("d.root")]), *INLINE, "--output", tmp_path / "thesis.tex"
    )
    assert answer.status == 2
    assert "is a file" in answer.err
    assert (tmp_path / "thesis.tex").read_text() == "precious"


@pytest.mark.parametrize("wrong", [("--cluster", "here"), ("--workers", "many")])
def test_a_wrong_cluster_is_refused_before_anything_is_made(
    fourlep: Command,
    ntuple: Writer,
    fileset: Callable[..., Path],
    tmp_path: Path,
    wrong: tuple[str, str],
) -> None:
    source = fileset([ntuple("d.root")])
    answer = fourlep("run", source, *wrong, "--output", tmp_path / "out")
    assert answer.status == 2
    assert f"{wrong[1]!r} is no" in answer.err
    assert not (tmp_path / "out").exists()


def test_a_directory_whose_run_never_began_keeps_the_fileset_of_the_one_that_did(
    fourlep: Command, ntuple: Writer, fileset: Callable[..., Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "fileset.json").write_text(fileset([ntuple("killed.root")]).read_text())
    source = fileset([ntuple("d.root")])
    answer = fourlep("run", source, "--selection", "demonstrator2020", *INLINE, "--output", out)
    assert answer.status == 0, answer.err
    kept = (out / "fileset.json").read_text()
    assert "d.root" in kept
    assert "killed.root" not in kept


@pytest.mark.parametrize("url", ["root://host:port//a.root", "http://[::1/a.root"])
def test_what_is_no_address_is_refused_before_anything_is_opened(
    fourlep: Command, fileset: Callable[..., Path], tmp_path: Path, url: str
) -> None:
    answer = fourlep("run", fileset([url]), *INLINE, "--output", tmp_path / "out")
    assert answer.status == 2
    assert f"{url!r} is no address of a file server" in answer.err


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("ZZ", "a;1"), "'a;1' has a semicolon in its name"),
        (("ZZ", "ZZ_m4lUP"), "'ZZ_m4lUP' is named like variation m4lUP of 'ZZ'"),
    ],
)
def test_processes_whose_histograms_would_replace_others_are_refused_before_the_run(
    fourlep: Command, ntuple: Writer, tmp_path: Path, names: tuple[str, str], told: str
) -> None:
    content = {
        name: {
            "files": {ntuple(f"{number}.root", is_data=False): "mini"},
            "metadata": {**ZZ, "process": name},
        }
        for number, name in enumerate(names)
    }
    source, out = tmp_path / "fileset.json", tmp_path / "out"
    source.write_text(json.dumps(content))
    options = ("--selection", "demonstrator2020", *INLINE, "--output", out)
    answer = fourlep("run", source, *options)
    assert answer.status == 1
    assert told in answer.err
    assert not out.exists()
