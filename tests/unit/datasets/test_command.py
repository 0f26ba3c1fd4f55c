"""``fourlep datasets`` as a user meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fourlep.cli import main
from fourlep.datasets.fileset import BUILT_IN, load_fileset


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["datasets", *arguments])
    return int(stop.value.code or 0)


def test_list_names_every_built_in_fileset(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("\t")[0] for line in lines[1:]] == list(BUILT_IN)
    assert lines[1].split("\t")[-2:] == ["70,611", "1,980,433,720"]


def test_list_as_json_states_luminosity_with_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", "--json") == 0
    content = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert content["demo2020"]["luminosity_ifb"] == 10.0
    assert all(entry["luminosity_source"] for entry in content.values())


def test_show_prints_datasets_and_keeps_remarks_apart(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", "release2024-signal") == 0
    captured = capsys.readouterr()
    rows = [line.split("\t") for line in captured.out.splitlines()]
    assert len(rows) == 1 + 8
    assert {len(row) for row in rows} == {10}
    assert "note: vbf-filter" in captured.err


def test_show_one_dataset_gives_files_and_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", "demo2020", "--dataset", "data") == 0
    out = capsys.readouterr().out
    assert out.count("data: file: root://eospublic.cern.ch//eos/opendata/atlas/") == 4
    assert "data: source: CERN Open Data portal, record 15005" in out


def test_show_as_json_has_the_source_of_each_number(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", "release2024-signal", "--json", "--no-correction", "vbf-filter") == 0
    content = json.loads(capsys.readouterr().out)
    assert len(content["datasets"]) == 8
    assert all(dataset["sources"] for dataset in content["datasets"])
    assert content["datasets"][1]["normalisation"]["filter_efficiency"] == 1.551e-08


def test_fileset_is_coffea_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "f.json"
    assert run("fileset", "demo2020", "--process", "Signal", "--output", str(path)) == 0
    assert run("fileset", "demo2020", "--process", "Signal") == 0
    assert json.loads(capsys.readouterr().out) == json.loads(path.read_text())
    assert [d.name for d in load_fileset(path).datasets] == [
        *("ggH125_ZZ4lep", "VBFH125_ZZ4lep", "WH125_ZZ4lep", "ZH125_ZZ4lep")
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("show", "nothing"), 1, "no fileset 'nothing'"),
        (("show", "demo2020", "--dataset", "x"), 1, "no dataset 'x'"),
        (("show", "demo2020", "--no-correction", "x"), 1, "no correction 'x'"),
        (("fileset", "demo2020", "--output", "/absent/f.json"), 1, "cannot write /absent/f.json"),
        (("show",), 2, "Missing argument 'FILESET'"),
        (("fileset", "demo2020", "--colour", "red"), 2, "No such option"),
    ],
)
def test_wrong_use_is_told_on_standard_error(
    arguments: tuple[str, ...], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err


def test_help_does_not_load_the_catalogue() -> None:
    code = (
        "import sys\nfrom fourlep.cli import main\n"
        "try: main(['datasets', '--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'numpy', 'pyarrow', 'rich'} & set(sys.modules), 'heavy imports'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
