"""Building the catalogue: the packaged one is what the script makes; the official way."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from fourlep.datasets.catalogue import Catalogue, read_catalogue

SCRIPTS = Path(__file__).resolve().parents[3] / "analysis" / "scripts"
ORIGIN = "root://eospublic.cern.ch//eos/opendata/atlas/rucio"
MC = "mc20_13TeV.{0}.Sample{0}.deriv.DAOD_PHYSLITE.e1_s3681_r13167_p6026"
DSIDS = (345060, 346228, 700792, 700793, 700794)


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module


def same(left: Catalogue, right: Catalogue) -> bool:
    columns = ("dataset", "run", "task", "number", "n_events", "n_bytes", "adler32", "path")
    return (
        left.entries == right.entries
        and left.good_runs == right.good_runs
        and left.amendments == right.amendments
        and all(np.array_equal(getattr(left.files, c), getattr(right.files, c)) for c in columns)
    )


def test_packaged_release_is_what_the_script_makes_of_the_facts(
    script: Callable[[str], ModuleType], shared_data: Path
) -> None:
    built = script("catalogue_facts").release_from_facts(shared_data / "release2024")
    assert same(built, read_catalogue("release2024"))


def test_packaged_demonstrator_is_what_the_script_makes_of_the_facts(
    script: Callable[[str], ModuleType], shared_data: Path
) -> None:
    built = script("catalogue_facts").demo2020_from_facts(shared_data / "ntuple2020")
    assert same(built, read_catalogue("demo2020"))


def test_totals_that_differ_from_the_record_stop_the_script(
    script: Callable[[str], ModuleType],
) -> None:
    catalogue = read_catalogue()
    totals = {"files": 70_611, "events": 9_058_437_931, "bytes": 71_749_688_366_060}
    check = script("build_catalogue").check_totals
    check(catalogue, totals)
    with pytest.raises(SystemExit, match="totals differ"):
        check(catalogue, totals | {"events": 9_058_437_932})


def recorded() -> dict[str, Any]:
    """What the official sources answer, in their own form, for seven files."""
    index = "https://opendata.cern.ch/eos/opendata/atlas/rucio"
    answers: dict[str, Any] = {
        f"https://opendata.cern.ch/api/records/{record}": {"metadata": {"files": []}}
        for record in (80000, 80001, *range(80010, 80019))
    }

    def listed(record: int, name: str, files: list[dict[str, Any]]) -> None:
        scope = name.split("TeV_", maxsplit=1)[0] + "TeV"
        path = f"{scope}/file-indexes/{name}_file_index"
        entries = answers[f"https://opendata.cern.ch/api/records/{record}"]["metadata"]["files"]
        entries += [{"uri": f"{ORIGIN}/{path}.{kind}", "type": kind} for kind in ("json", "txt")]
        answers[f"{index}/{path}.json"] = files

    for record, year, run in ((80000, 15, 276262), (80001, 16, 297730)):
        uri = f"{ORIGIN}/data{year}_13TeV/DAOD_PHYSLITE.370000{year}._000001.pool.root.1"
        listed(
            record,
            f"data{year}_13TeV_Run_00{run}",
            [{"uri": uri, "size": 9, "checksum": "adler32:00000001", "filename": "f"}],
        )
    mapping: dict[str, Any] = {}
    for number, dsid in enumerate(DSIDS):
        name = f"DAOD_PHYSLITE.3819{number:04d}._000002.pool.root.1"
        uri = f"{ORIGIN}/mc20_13TeV/{name}".replace(".ch//", ".ch:1094//")
        entry = {"uri": uri, "size": 100 + number, "checksum": "adler32:0208935d"}
        listed(80012, f"mc20_13TeV_MC_Sample{dsid}", [entry])
        mapping[MC.format(dsid)] = {name: {"events": 10 + number}}
    base = "https://raw.githubusercontent.com/cernopendata/data-curation/master/atlas-2024-odfr/"
    for version in (
        *("v0_p6026_2024-04-16", "v1_p6026_2024-04-23"),
        *("v0_p6026_2024-04-30", "v0_p6026_2024-05-13"),
    ):
        answers[f"{base}mc_file_mapping_OpenData_{version}.json"] = {
            "file_locations": mapping if version.startswith("v1") else {}
        }
    return answers


def metadata() -> list[dict[str, Any]]:
    return [
        {
            "dataset_number": str(dsid),
            "physics_short": f"Sample{dsid}",
            "cross_section_pb": 2.0,
            "genFiltEff": 0.25,
            "kFactor": 1.5,
            "nEvents": 5.0,
            "sumOfWeights": 7.0,
            "process": None,
            "generator": "Sherpa",
        }
        for dsid in (*DSIDS, 999999)
    ]


def test_official_sources_join_to_a_catalogue(
    script: Callable[[str], ModuleType], shared_data: Path
) -> None:
    answers = recorded()
    build = script("catalogue_official").release_from_official
    catalogue = build(shared_data / "release2024", answers.__getitem__, metadata())
    datasets = {dataset.name: dataset for dataset in catalogue.datasets()}
    assert set(datasets) == {"data15", "data16", *(f"{d}.Sample{d}" for d in DSIDS)}
    (data,) = datasets["data15"].files
    assert data.run == 276262
    assert data.url == f"{ORIGIN}/data15_13TeV/DAOD_PHYSLITE.37000015._000001.pool.root.1"
    (file,) = datasets["346228.Sample346228"].files
    assert file.url == f"{ORIGIN}/mc20_13TeV/DAOD_PHYSLITE.38190001._000002.pool.root.1"
    assert (file.n_events, file.n_bytes, file.adler32) == (11, 101, "0208935d")
    weights = datasets["346228.Sample346228"].normalisation
    assert weights is not None
    assert (weights.cross_section_pb, weights.filter_efficiency, weights.k_factor) == (2, 0.25, 1.5)


def test_official_sources_and_facts_agree_on_the_form(
    script: Callable[[str], ModuleType], shared_data: Path
) -> None:
    answers = json.loads(json.dumps(recorded()))
    build = script("catalogue_official").release_from_official
    official = build(shared_data / "release2024", answers.__getitem__, metadata())
    packaged = read_catalogue()
    assert official.good_runs == packaged.good_runs
    assert official.records == packaged.records
    templates = {entry.template for entry in packaged.entries}
    assert {entry.template for entry in official.entries} == templates
    assert [a.id for a in official.amendments] == [a.id for a in packaged.amendments]
