"""What ``fourlep show`` prints, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fourlep.cli import main


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["show", *arguments])
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


@pytest.fixture
def physlite(shared_data: Path) -> str:
    return str(shared_data / "physlite" / "PHYSLITE_example.root")


@pytest.fixture
def ntuple(shared_data: Path) -> str:
    return str(shared_data / "ntuple2020" / "data_D.4lep.root")


def test_a_file_is_described_in_plain_text_away_from_a_terminal(
    physlite: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = _run(capsys, physlite)
    assert status == 0
    assert err == ""
    assert "format\tphyslite (PHYSLITE trees)" in out
    assert "CollectionTree\tTTree\t100" in out
    assert (
        "electron.pt\tf8\tGeV\tAnalysisElectronsAuxDyn.pt (std::vector<float>)\tMeV to GeV" in out
    )
    assert "for 155 trigger chains" in out
    assert "event.scale_factor\tPHYSLITE holds no efficiency scale factors" in out
    assert "a pile-up weight in it is not applied" in out


def test_what_selections_miss_is_told(ntuple: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = _run(capsys, ntuple)
    assert status == 0
    lines = {line.split("\t")[0]: line.split("\t") for line in out.splitlines()}
    assert lines["scipy2024"][1:3] == ["no", "electron.is_loose, muon.quality"]
    assert lines["demonstrator2020"][1:3] == ["yes", ""]
    assert "muon.quality" in lines["fourlepton"][3]


def test_json_holds_the_same_and_more(physlite: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = _run(capsys, physlite, "--json")
    found = json.loads(out)
    assert status == 0
    assert (found["tree"], found["n_entries"], found["is_simulation"]) == (
        "CollectionTree",
        100,
        True,
    )
    columns = {column["name"]: column for column in found["columns"]}
    assert columns["muon.track_pt"]["branches"]["InDetTrackParticlesAuxDyn.qOverP"] == (
        "std::vector<float>"
    )
    assert "trigger.HLT_mu50" in columns
    assert found["selections"]["scipy2024"] == {"required": [], "optional": []}


def test_trees_are_shown_where_none_is_known(
    ntuple: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = _run(capsys, ntuple, "--tree", "nominal")
    assert status == 1
    assert "mini\tTTree\t400" in out
    assert "no tree 'nominal'; trees there: mini" in err


def test_a_file_that_is_not_there_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = _run(capsys, str(tmp_path / "absent.root"))
    assert (status, out) == (1, "")
    assert "no such file" in err
    assert "\n  -> " in err


def test_a_file_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = _run(capsys)
    assert status == 2
    assert "FILE" in err
