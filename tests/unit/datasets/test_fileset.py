"""Filesets by name, directory and JSON, and their totals."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pytest

from fourlep.datasets.fileset import BUILT_IN, load_fileset
from fourlep.datasets.model import Fileset
from fourlep.errors import DatasetError


@pytest.fixture(scope="module")
def hzz4l() -> Fileset:
    return load_fileset("release2024-hzz4l")


def simulated_events(fileset: Fileset) -> int:
    return sum(d.n_events or 0 for d in fileset.datasets if not d.is_data)


def test_four_lepton_fileset_has_the_files_and_events_of_atlas_example(hzz4l: Fileset) -> None:
    simulated = [dataset for dataset in hzz4l.datasets if not dataset.is_data]
    assert len(simulated) == 24
    assert sum(len(dataset.files) for dataset in simulated) == 1790
    assert simulated_events(hzz4l) == 257_020_000
    assert sum(f.n_bytes or 0 for d in simulated for f in d.files) == 3_191_939_544_107


def test_four_lepton_fileset_skips_files_of_bad_runs_and_says_so(hzz4l: Fileset) -> None:
    data = {d.name: d for d in hzz4l.datasets if d.is_data}
    assert {name: len(d.files) for name, d in data.items()} == {"data15": 7216, "data16": 43502}
    assert hzz4l.good_runs is not None
    assert all(f.run in hzz4l.good_runs.blocks for d in data.values() for f in d.files)
    assert "4,902 data files of 100 runs outside the good-run list: skipped" in hzz4l.notes


def test_four_lepton_fileset_keeps_production_modes_apart(hzz4l: Fileset) -> None:
    roles: dict[str, set[str]] = {}
    for dataset in hzz4l.datasets:
        roles.setdefault(dataset.role, set()).add(dataset.process)
    assert roles == {
        "data": {"data"},
        "signal": {"ggF", "VBF", "WH", "ZH", "ttH"},
        "background": {"ZZ", "Zjets", "ttbar", "ttV", "VVV"},
    }


def test_luminosity_is_that_of_the_newer_tag_with_its_source(hzz4l: Fileset) -> None:
    assert hzz4l.luminosity_ifb == pytest.approx(3.24454 + 33.4022)
    assert "mc20a" in hzz4l.luminosity_source


def test_whole_release_has_every_file_and_keeps_the_bad_runs() -> None:
    fileset = load_fileset("release2024")
    assert fileset.n_files == 70_611
    assert len({d.name for d in fileset.datasets}) == len(fileset.datasets) == 375
    assert {d.role for d in fileset.datasets} == {"data", "signal", "background", "other"}


def test_a_fileset_of_simulation_alone_says_nothing_of_good_runs() -> None:
    fileset = load_fileset("release2024-signal")
    assert fileset.good_runs is None
    assert not [note for note in fileset.notes if "good-run" in note]


def test_expected_gluon_fusion_events_by_hand(hzz4l: Fileset) -> None:
    (ggf,) = (d for d in hzz4l.datasets if d.process == "ggF")
    assert ggf.normalisation is not None
    expected = 28.3e3 * 1.24e-4 * 1.45 * 36.64674
    found = ggf.normalisation.per_weight(hzz4l.luminosity_ifb) * 45231011.19517517
    assert found == pytest.approx(expected, rel=1e-12)


def test_vbf_expectation_is_amended_and_can_be_taken_as_published() -> None:
    def expected(fileset: Fileset) -> float:
        (vbf,) = (d for d in fileset.datasets if d.process == "VBF")
        assert vbf.normalisation is not None
        return vbf.normalisation.per_weight(10.0) * vbf.normalisation.sum_of_weights

    amended = load_fileset("release2024-signal")
    published = load_fileset("release2024-signal", without_corrections=("vbf-filter",))
    assert expected(amended) == pytest.approx(3747.4 * 1.245e-4 * 10.0)
    assert expected(published) == pytest.approx(3747.4 * 1.551e-8 * 10.0)
    assert any(note.startswith("vbf-filter:") for note in amended.notes)
    assert not any("vbf-filter" in note for note in published.notes)


def test_a_catalogue_in_a_directory_is_corrected_as_one_of_the_package(tmp_path: Path) -> None:
    packaged = resources.files("fourlep.datasets") / "data" / "release2024.parquet"
    (tmp_path / "catalogue.parquet").write_bytes(packaged.read_bytes())
    built_in, copied = load_fileset("release2024-signal"), load_fileset(tmp_path)
    for dataset in built_in.datasets:
        assert copied.dataset(dataset.name).normalisation == dataset.normalisation


def test_better_gluon_fusion_cross_section_is_on_request() -> None:
    fileset = load_fileset("release2024-signal", with_corrections=("ggf-yr4",))
    (ggf,) = (d for d in fileset.datasets if d.process == "ggF")
    assert ggf.normalisation is not None
    assert ggf.normalisation.cross_section_pb * ggf.normalisation.k_factor == pytest.approx(48.58)


def test_demo2020_has_the_published_normalisation(shared_data: Path) -> None:
    published = json.loads((shared_data / "ntuple2020" / "sample_info_2020.json").read_text())
    fileset = load_fileset("demo2020")
    assert fileset.luminosity_ifb == 10.0
    simulated = [d for d in fileset.datasets if not d.is_data]
    assert {d.dsid for d in simulated} == {
        *(345060, 344235, 341964, 341947, 363490, 361106, 361107, 410000)
    }
    for dataset in simulated:
        sample = published[dataset.name]
        assert dataset.normalisation is not None
        assert dataset.dsid == sample["DSID"]
        assert dataset.normalisation.per_weight(10.0) == pytest.approx(
            sample["xsec"] * 1e4 / (sample["sumw"] * sample["red_eff"]), rel=1e-12
        )


def test_demo2020_data_are_taken_from_a_local_directory(shared_data: Path) -> None:
    fileset = load_fileset("demo2020", data_dir=shared_data / "ntuple2020", processes=("data",))
    (data,) = fileset.datasets
    assert data.n_events == 832
    assert all(Path(file.url).is_file() for file in data.files)
    assert all(Path(file.url).stat().st_size == file.n_bytes for file in data.files)


def test_files_that_are_not_in_the_directory_are_counted_and_named(tmp_path: Path) -> None:
    (tmp_path / "data_A.4lep.root").touch()
    with pytest.raises(DatasetError, match=r"11 of 12 files .* data_B\.4lep\.root among them"):
        load_fileset("demo2020", data_dir=tmp_path)


def write_fileset(path: Path, *urls: str) -> Path:
    """Write one dataset of observed data for each address."""
    metadata = {"process": "data"}
    content = {f"d{k}": {"files": {url: ""}, "metadata": metadata} for k, url in enumerate(urls)}
    path.write_text(json.dumps(content))
    return path


def make_files(folder: Path, *names: str) -> Path:
    """Make empty files with their folders."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_files_of_one_name_are_told_by_their_folders(tmp_path: Path) -> None:
    urls = ("root://h//store/2015/f.root", "http://h/2016/f.root?token=s%2Fx", "root://h//g.root")
    source = write_fileset(tmp_path / "f.json", *urls)
    folder = make_files(tmp_path / "d", "2015/f.root", "2016/f.root", "old/2014/f.root", "g.root")
    taken = [file.url for d in load_fileset(source, data_dir=folder).datasets for file in d.files]
    assert taken == [str(folder / name) for name in ("2015/f.root", "2016/f.root", "g.root")]


def test_a_name_that_is_in_several_folders_is_refused(tmp_path: Path) -> None:
    source = write_fileset(tmp_path / "f.json", "root://h//store/f.root")
    folder = make_files(tmp_path / "d", "f.root", "old/f.root")
    with pytest.raises(DatasetError, match=r"f\.root is in several folders: .*d/f\.root and .*old"):
        load_fileset(source, data_dir=folder)


def test_a_link_to_a_file_is_no_other_file(tmp_path: Path) -> None:
    source = write_fileset(tmp_path / "f.json", "root://h//store/f.root")
    folder = make_files(tmp_path / "d", "a/f.root")
    (folder / "f.root").symlink_to("a/f.root")
    (data,) = load_fileset(source, data_dir=folder).datasets
    assert Path(data.files[0].url).samefile(folder / "a/f.root")


def test_links_to_folders_are_followed_and_not_in_a_circle(tmp_path: Path) -> None:
    source = write_fileset(tmp_path / "f.json", "root://h//store/f.root")
    disk = make_files(tmp_path / "disk", "4lep/f.root")
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "release").symlink_to(disk)
    (disk / "back").symlink_to(folder)
    (data,) = load_fileset(source, data_dir=folder).datasets
    assert data.files[0].url == str(folder / "release" / "4lep" / "f.root")


def test_one_file_does_not_stand_for_two(tmp_path: Path) -> None:
    source = write_fileset(tmp_path / "f.json", "root://h//A/f.root", "root://h//B/f.root")
    folder = make_files(tmp_path / "d", "f.root")
    with pytest.raises(DatasetError, match=r"//A/f\.root and .*//B/f\.root, and only .*d/f\.root"):
        load_fileset(source, data_dir=folder)


@pytest.mark.parametrize("url", ["/data/lat\udce9.root", "root://h//a\ud800.root"])
def test_a_name_that_nothing_can_write_down_is_refused(tmp_path: Path, url: str) -> None:
    source = write_fileset(tmp_path / "f.json", url)
    with pytest.raises(DatasetError, match=r"\\ud.* is no UTF-8"):
        load_fileset(source)


def test_directory_of_files_must_exist(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is no directory"):
        load_fileset("demo2020", data_dir=tmp_path / "absent")


def test_unknown_process_is_refused_with_those_there_are() -> None:
    with pytest.raises(DatasetError, match="no process 'ggf'") as error:
        load_fileset("release2024-signal", processes=("ggf",))
    assert "ggF, VBF" in error.value.remedy


@pytest.mark.parametrize("luminosity", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_luminosity_is_refused(luminosity: float) -> None:
    with pytest.raises(DatasetError, match="is impossible"):
        load_fileset("release2024-signal", luminosity_ifb=luminosity)


def test_chosen_luminosity_is_named_as_such() -> None:
    fileset = load_fileset("release2024-signal", luminosity_ifb=100.0)
    assert (fileset.luminosity_ifb, fileset.luminosity_source) == (100.0, "chosen by the user")


def test_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(DatasetError, match="no fileset 'nothing'") as error:
        load_fileset("nothing")
    assert all(name in error.value.remedy for name in BUILT_IN)


@pytest.mark.parametrize("option", ["without_corrections", "with_corrections"])
def test_corrections_of_a_json_fileset_do_not_exist(tmp_path: Path, option: str) -> None:
    path = tmp_path / "mine.json"
    path.write_text('{"d": {"files": {"a.root": "t"}, "metadata": {"process": "data"}}}')
    with pytest.raises(DatasetError, match="no correction 'vbf-filter'"):
        load_fileset(path, **{option: ("vbf-filter",)})


def test_relative_paths_become_absolute_and_addresses_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files = {"a.root": "t", "root://h//b.root": "t"}
    Path("mine.json").write_text(
        json.dumps({"d": {"files": files, "metadata": {"process": "data"}}})
    )
    (dataset,) = load_fileset("mine.json").datasets
    assert [f.url for f in dataset.files] == [str(tmp_path / "a.root"), "root://h//b.root"]


def test_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(b"\xff{")
    with pytest.raises(DatasetError, match="cannot be read"):
        load_fileset(path)
