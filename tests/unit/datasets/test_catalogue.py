"""The catalogue of the release against its facts, and a stand-in's round trip."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fourlep.datasets.amendment import Amendment, chosen
from fourlep.datasets.catalogue import Catalogue, read_catalogue, write_catalogue
from fourlep.datasets.good_runs import GoodRuns
from fourlep.datasets.model import Dataset, Fileset, Normalisation, SourceFile
from fourlep.errors import DatasetError, OutputError


@pytest.fixture(scope="module")
def release() -> Catalogue:
    return read_catalogue()


@pytest.fixture(scope="module")
def facts(shared_data: Path) -> Path:
    return shared_data / "release2024"


def stand_in(directory: Path) -> Fileset:
    files = []
    for name, size in (("a{1}.root", 3), ("b.root", 4)):
        path = directory / "mc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
        files.append(SourceFile(str(path), "CollectionTree", n_events=size, n_bytes=size))
    return Fileset(
        name="stand-in",
        datasets=(
            Dataset("data", "data", "data", (replace(files[0], run=7),), is_synthetic=True),
            Dataset(
                *("ggF-1", "ggF", "signal"),
                (replace(files[1], adler32="0000000a"),),
                Normalisation(2.0, 0.5, 1.1, -3.0, corrections=("none",)),
                dsid=345060,
                is_synthetic=True,
            ),
        ),
        luminosity_ifb=36.6,
        luminosity_source="by hand",
        good_runs=GoodRuns({7: ((1, 2),)}, "by hand"),
        notes=("synthetic",),
        metadata={"seed": "1"},
    )


def test_totals_are_those_of_the_release_record(release: Catalogue, facts: Path) -> None:
    totals = json.loads((facts / "release_facts.json").read_text())["totals"]
    assert len(release.files) == totals["files"] == 70_611
    data = [record for name, record in release.records.items() if "data" in name]
    simulated = np.array([entry.role != "data" for entry in release.entries])[release.files.dataset]
    for quantity, column in (
        ("events", release.files.n_events),
        ("bytes", release.files.n_bytes),
    ):
        total = int(column[simulated].sum()) + sum(record[quantity] for record in data)
        assert total == totals[quantity]


def test_each_record_adds_up_to_the_totals(release: Catalogue, facts: Path) -> None:
    totals = json.loads((facts / "release_facts.json").read_text())["totals"]
    for quantity in ("files", "events", "bytes"):
        assert sum(r[quantity] for r in release.records.values()) == totals[quantity]


def test_data_files_do_not_pretend_to_know_their_events(release: Catalogue) -> None:
    (data15, _) = release.datasets(roles=("data",))
    assert data15.n_events is None
    assert {file.n_bytes for file in data15.files} == {None}


def test_every_file_is_there_once_under_its_public_address(release: Catalogue, facts: Path) -> None:
    published = set()
    for name in ("data2024_urls.csv.gz", "mc2024_files.csv.gz"):
        text = gzip.decompress((facts / name).read_bytes()).decode()
        published |= {row["url"] for row in csv.DictReader(text.splitlines())}
    listed = [file.url for dataset in release.datasets() for file in dataset.files]
    assert len(listed) == len(set(listed)) == 70_611
    assert set(listed) == published


def test_size_events_and_checksum_of_a_file_are_the_published_ones(release: Catalogue) -> None:
    (dataset,) = (d for d in release.datasets() if d.dsid == 301204)
    (file,) = dataset.files
    assert file == SourceFile(
        url="root://eospublic.cern.ch//eos/opendata/atlas/rucio/mc20_13TeV/"
        "DAOD_PHYSLITE.38191625._000002.pool.root.1",
        tree="CollectionTree",
        n_events=20000,
        n_bytes=271761441,
        adler32="0208935d",
    )
    assert dataset.normalisation == Normalisation(0.001762, 1.0, 1.0, 20000.0)


def test_all_simulated_datasets_have_a_normalisation_and_a_source(release: Catalogue) -> None:
    simulated = [entry for entry in release.entries if entry.role != "data"]
    assert len(simulated) == 373
    assert all(entry.normalisation and entry.normalisation.per_weight(1) > 0 for entry in simulated)
    assert all(release.sources[key] for entry in release.entries for key in entry.sources)
    assert all(entry.sources for entry in release.entries)


def test_a_hundred_runs_and_4902_files_are_outside_the_good_run_list(release: Catalogue) -> None:
    bad = ~release.is_good_run()
    assert int(bad.sum()) == 4902
    assert len(np.unique(release.files.run[bad])) == 100


def test_loading_takes_less_than_a_tenth_of_a_second() -> None:
    code = (
        "import time, numpy, pyarrow.parquet\n"
        "from fourlep.datasets import catalogue, catalogue_format\n"
        "start = time.process_time()\n"
        "catalogue.read_catalogue()\n"
        "print(time.process_time() - start)\n"
        "import sys; assert 'pandas' not in sys.modules"
    )
    times = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        for _ in range(3)
    ]
    assert min(times) < 0.1


def test_vbf_filter_efficiency_is_amended_with_the_root_of_the_published(
    release: Catalogue,
) -> None:
    (amendment,) = (a for a in release.amendments if a.id == "vbf-filter")
    assert amendment.published == 1.551e-08
    assert amendment.value == pytest.approx(1.2454e-4, rel=1e-3)
    assert amendment.is_default


def test_ztautau_sums_are_scaled_to_the_released_events(release: Catalogue) -> None:
    (amendment,) = (a for a in release.amendments if a.id == "ztautau-700794")
    assert amendment.value == pytest.approx(721456451073821.5 * 137272900 / 50055000, rel=1e-12)


def test_an_applied_amendment_is_written_down() -> None:
    amendment = Amendment("id", 1, "k_factor", 1.0, 2.0, "because")
    amended = amendment.applied(Normalisation(1.0, 1.0, 1.0, 1.0))
    assert amended.k_factor == 2.0
    assert amended.corrections == ("id: k_factor 1 -> 2 (because)",)


def test_amendments_are_chosen_by_id() -> None:
    default, other = (Amendment(i, 1, "k_factor", 1, 2, "", i == "a") for i in "ab")
    assert chosen((default, other)) == (default,)
    assert chosen((default, other), without=("a",), with_=("b",)) == (other,)
    with pytest.raises(DatasetError, match="no correction 'c'"):
        chosen((default, other), without=("c",))


def test_stand_in_catalogue_survives_writing_moving_and_reading(tmp_path: Path) -> None:
    fileset = stand_in(tmp_path / "made")
    write_catalogue(tmp_path / "made", fileset)
    moved = tmp_path / "moved {here}"
    shutil.move(tmp_path / "made", moved)
    expected = json.loads(json.dumps([f.url for d in fileset.datasets for f in d.files]))
    loaded = read_catalogue(moved).fileset()
    found = [f.url for d in loaded.datasets for f in d.files]
    assert found == [url.replace(str(tmp_path / "made"), str(moved)) for url in expected]
    assert all(Path(url).is_file() for url in found)
    assert replace(loaded, datasets=()) == replace(fileset, datasets=())
    for before, after in zip(fileset.datasets, loaded.datasets, strict=True):
        assert replace(after, files=()) == replace(before, files=())
        assert [replace(f, url="") for f in after.files] == [
            replace(f, url="") for f in before.files
        ]


def test_catalogue_lists_only_files_of_its_own_directory(tmp_path: Path) -> None:
    fileset = stand_in(tmp_path / "a")
    with pytest.raises(DatasetError, match="is no file below"):
        write_catalogue(tmp_path / "b", fileset)
    (tmp_path / "a" / "mc" / "b.root").unlink()
    with pytest.raises(DatasetError, match="is no file below"):
        write_catalogue(tmp_path / "a", fileset)


def test_a_dataset_has_one_kind_of_tree(tmp_path: Path) -> None:
    fileset = stand_in(tmp_path)
    data = fileset.datasets[0]
    mixed = replace(data, files=(*data.files, replace(fileset.datasets[1].files[0], tree="mini")))
    with pytest.raises(DatasetError, match="different trees: CollectionTree, mini"):
        write_catalogue(tmp_path, replace(fileset, datasets=(mixed,)))


def test_failed_writing_leaves_nothing(tmp_path: Path) -> None:
    fileset = stand_in(tmp_path)
    (tmp_path / "catalogue.parquet").mkdir()
    with pytest.raises(OutputError, match="cannot write the catalogue"):
        write_catalogue(tmp_path, fileset)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["catalogue.parquet", "mc"]


def test_directory_without_catalogue_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no catalogue at"):
        read_catalogue(tmp_path)


@pytest.mark.parametrize("damage", ["truncate", "garbage", "other"])
def test_damaged_catalogue_is_refused(tmp_path: Path, damage: str) -> None:
    path = write_catalogue(tmp_path, stand_in(tmp_path))
    if damage == "truncate":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "garbage":
        path.write_bytes(b"not parquet at all")
    else:
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table({"x": [1]}), path)
    with pytest.raises(DatasetError, match="cannot be read"):
        read_catalogue(tmp_path)


def test_catalogue_of_another_version_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("fourlep.datasets.catalogue_format._VERSION", 99)
        write_catalogue(tmp_path, stand_in(tmp_path))
    with pytest.raises(DatasetError, match="has version 99"):
        read_catalogue(tmp_path)
