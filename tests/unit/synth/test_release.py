"""Whole stand-in releases: catalogue, data, determinism, and what is refused."""

from __future__ import annotations

import collections
import os
import shutil
import zlib
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

from fourlep.datasets.fileset import load_fileset
from fourlep.datasets.model import Fileset
from fourlep.errors import ConfigError, OutputError
from fourlep.io import open_events
from fourlep.synth import Compression, Options, make_release, release
from fourlep.synth.data import choose_runs, draw
from fourlep.synth.parameters import parameters
from fourlep.synth.plan import SimulatedFile, expected_data, simulated_files

SMALL = Options(
    seed=3,
    events=400,
    files=1,
    filler=200,
    luminosity_ifb=0.4,
    processes=("ggF", "Zjets"),
    compression=Compression("zstd"),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Fileset]:
    path = tmp_path_factory.mktemp("release") / "stand-in"
    return path, make_release(path, SMALL, workers=1)


def test_the_catalogue_gives_back_what_was_made(made: tuple[Path, Fileset]) -> None:
    path, fileset = made
    read = load_fileset(path)
    assert [d.name for d in read.datasets] == [d.name for d in fileset.datasets]
    for ours, theirs in zip(fileset.datasets, read.datasets, strict=True):
        assert ours.normalisation == theirs.normalisation
        assert [f.n_events for f in ours.files] == [f.n_events for f in theirs.files]
    assert read.luminosity_ifb == 0.4
    assert read.is_synthetic
    assert not read.is_observed
    assert read.good_runs is not None


def test_everything_is_called_synthetic(made: tuple[Path, Fileset]) -> None:
    path, fileset = made
    assert all(dataset.is_synthetic for dataset in fileset.datasets)
    assert all(dataset.name.startswith("SYNTHETIC.") for dataset in fileset.datasets)
    assert "No ATLAS data" in fileset.notes[0]
    for file in path.glob("*.root"):
        assert file.name.startswith("SYNTHETIC.")
    for kind in ("mc", "data"):
        with uproot.open(next(path.glob(f"SYNTHETIC.{kind}.*.root"))) as opened:
            assert opened["CollectionTree"].title == "SYNTHETIC CollectionTree"
            assert "No ATLAS data" in opened["SYNTHETIC"].member("fTitle")


def test_events_bytes_and_checksums_are_those_of_the_files(made: tuple[Path, Fileset]) -> None:
    for dataset in made[1].datasets:
        for file in dataset.files:
            content = Path(file.url).read_bytes()
            assert len(content) == file.n_bytes
            assert f"{zlib.adler32(content):08x}" == file.adler32
            with open_events(file.url) as events:
                assert events.n_entries == file.n_events


def test_the_sum_of_weights_is_that_of_all_events(made: tuple[Path, Fileset]) -> None:
    for dataset in made[1].datasets:
        if dataset.is_data:
            continue
        total = 0.0
        for file in dataset.files:
            with open_events(file.url) as events:
                total += float(
                    events.read(["event.generator_weight"]).event["generator_weight"].sum()
                )
        assert dataset.normalisation is not None
        assert dataset.normalisation.sum_of_weights == pytest.approx(total, rel=1e-12)


def test_simulation_tells_its_dataset_and_data_tells_none(made: tuple[Path, Fileset]) -> None:
    for dataset in made[1].datasets:
        with open_events(dataset.files[0].url) as events:
            dsid = events.read(["event.dsid"]).event["dsid"]
            assert events.is_simulation != dataset.is_data
        assert set(dsid.tolist()) <= {dataset.dsid or 0}


def test_data_lie_in_and_out_of_the_good_run_list(made: tuple[Path, Fileset]) -> None:
    fileset = made[1]
    data = next(dataset for dataset in fileset.datasets if dataset.is_data)
    assert fileset.good_runs is not None
    good = total = 0
    for file in data.files:
        with open_events(file.url) as events:
            read = events.read(["event.run", "event.lumi_block", "event.number"]).event
        assert set(read["run"].tolist()) == {file.run}
        assert np.all(np.diff(read["lumi_block"]) >= 0)
        assert len(set(read["number"].tolist())) == len(read["number"])
        good += int(fileset.good_runs.keeps(read["run"], read["lumi_block"]).sum())
        total += len(read["run"])
    assert 0 < total - good < 0.2 * total
    assert data.files[-1].run not in fileset.good_runs.blocks


def test_equal_options_give_equal_bytes_in_any_number_of_processes(
    made: tuple[Path, Fileset], tmp_path: Path
) -> None:
    make_release(tmp_path / "again", SMALL, workers=2)
    files = sorted(path.name for path in made[0].glob("*.root"))
    assert files == sorted(path.name for path in (tmp_path / "again").glob("*.root"))
    for name in files:
        assert (made[0] / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_other_options_give_other_file_names() -> None:
    assert SMALL.tag == Options(**_fields(SMALL)).tag
    for change in ({"seed": 4}, {"mu": 2.0}, {"compression": Compression("zlib")}):
        assert Options(**{**_fields(SMALL), **change}).tag != SMALL.tag


def _fields(options: Options) -> dict[str, Any]:
    return {name: getattr(options, name) for name in Options.__slots__}


def test_events_are_spread_over_all_processes_and_files() -> None:
    files = simulated_files(Options(events=10_000, files=3), parameters())
    by_process = collections.Counter(file.process.name for file in files)
    assert set(by_process.values()) == {3}
    assert len(by_process) == len(parameters().process)
    assert sum(file.n_events for file in files) == pytest.approx(10_000, abs=10)
    assert (
        max(f.n_events for f in files if f.process.name == "ZZ")
        - min(f.n_events for f in files if f.process.name == "ZZ")
        <= 1
    )


def test_one_event_makes_a_file_of_each_process() -> None:
    files = simulated_files(Options(events=1, processes=("ggF",)), parameters())
    assert [(file.n_four, file.n_filler) for file in files] == [(1, 0)]


def test_the_data_have_the_expected_number_of_events_of_each_process() -> None:
    values = parameters()
    options = Options(mu=2.0, filler=0, processes=("ggF",), luminosity_ifb=100.0)
    runs = choose_runs(options)
    events = sum(part.truth.n_events for part in draw(options, values, runs))
    process = next(p for p in values.process if p.name == "ggF")
    expected = expected_data(process, options) / (1.0 - values.event.out_of_good_runs)
    assert abs(events - expected) < 4.0 * np.sqrt(expected)
    assert expected_data(process, options) == pytest.approx(2.0 * 48.58e3 * 1.24e-4 * 100.0)


def test_a_signal_strength_of_zero_leaves_no_signal() -> None:
    options = Options(mu=0.0, filler=0, processes=("ggF", "ttH"))
    parts = draw(options, parameters(), choose_runs(options))
    assert sum(part.truth.n_events for part in parts) == 0


def test_most_data_events_have_no_four_leptons(made: tuple[Path, Fileset]) -> None:
    data = next(dataset for dataset in made[1].datasets if dataset.is_data)
    with open_events(data.files[0].url) as events:
        read = events.read(["electron.pt", "muon.pt"])
    number = ak.num(read.electrons.pt) + ak.num(read.muons.pt)
    assert 0.0 < float(np.mean(number >= 4)) < 0.3


@pytest.mark.parametrize(
    "change",
    [{"events": 0}, {"files": 0}, {"mu": -1.0}, {"mu": float("nan")}, {"luminosity_ifb": 0.0},
     {"filler": -1}, {"seed": -1}],
)  # fmt: skip
def test_options_out_of_range_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="is out of range"):
        Options(**change)


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ConfigError, match="choose physlite or ntuple2020"):
        Options(file_format="aod")  # type: ignore[arg-type]  # the mistake under test


def test_an_unknown_process_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown process 'Hgg'"):
        make_release(tmp_path / "new", Options(processes=("Hgg",)))
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me", encoding="utf-8")
    with pytest.raises(OutputError, match=r"is not empty: mine\.txt"):
        make_release(tmp_path, SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_complete_release_is_not_made_again(made: tuple[Path, Fileset]) -> None:
    with pytest.raises(OutputError, match="holds a complete release already"):
        make_release(made[0], SMALL)


def test_a_file_in_the_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="is no directory"):
        make_release(tmp_path / "file", SMALL)


def test_too_little_disk_is_found_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = collections.namedtuple("usage", "total used free")  # noqa: PYI024  # as shutil's
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10, 5, 5_000_000))
    with pytest.raises(OutputError, match="needs about") as caught:
        make_release(tmp_path / "new", SMALL)
    assert "fewer --events" in caught.value.remedy
    assert list((tmp_path / "new").iterdir()) == []


def test_the_estimate_of_the_size_is_above_what_was_written(made: tuple[Path, Fileset]) -> None:
    values = parameters()
    simulated = simulated_files(SMALL, values)
    runs = choose_runs(SMALL)
    n_data = sum(part.truth.n_events for part in draw(SMALL, values, runs))
    written = sum(path.stat().st_size for path in made[0].glob("*.root"))
    estimate = release.needed_bytes(SMALL, simulated, n_data, len(runs.numbers))
    assert written < estimate < 4 * written + 40_000_000


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_an_interrupted_run_leaves_nothing_and_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    original = release.write_file

    def fail(directory: Path, task: Any, options: Options) -> Any:
        if isinstance(task, SimulatedFile) and task.process.name == "Zjets":
            raise error
        return original(directory, task, options)

    monkeypatch.setattr(release, "write_file", fail)
    with pytest.raises(type(error)):
        make_release(tmp_path / "new", SMALL, workers=1)
    assert list((tmp_path / "new").iterdir()) == []
    monkeypatch.undo()
    make_release(tmp_path / "new", SMALL, workers=1)


def test_what_a_killed_run_left_is_no_release_and_does_not_stand_in_the_way(
    tmp_path: Path,
) -> None:
    left = tmp_path / "new" / release.PARTIAL
    left.mkdir(parents=True)
    (left / "SYNTHETIC.mc.root").write_bytes(b"half a file")
    with pytest.raises(Exception, match="no catalogue"):
        load_fileset(tmp_path / "new")
    make_release(tmp_path / "new", SMALL, workers=1)
    assert not left.exists()


def test_the_catalogue_is_written_after_all_files_and_each_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    original = release.write_catalogue

    def count(directory: Path, fileset: Fileset) -> Path:
        seen.append(len(list(directory.glob("SYNTHETIC.*.root"))))
        return original(directory, fileset)

    told: list[tuple[int, int]] = []
    monkeypatch.setattr(release, "write_catalogue", count)
    fileset = make_release(
        tmp_path / "new",
        SMALL,
        workers=1,
        progress=lambda done, total, _: told.append((done, total)),
    )
    assert seen == [fileset.n_files]
    assert told == [(i, fileset.n_files) for i in range(1, fileset.n_files + 1)]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        make_release(tmp_path / "file" / "new", SMALL)


def test_ntuples_of_2020_hold_events_of_four_leptons_and_all_weights(tmp_path: Path) -> None:
    options = Options(**{**_fields(SMALL), "file_format": "ntuple2020", "luminosity_ifb": 36.0})
    fileset = make_release(tmp_path / "new", options, workers=os.cpu_count())
    ggf = fileset.dataset("SYNTHETIC.345060.ggF")
    data = fileset.dataset("SYNTHETIC.data")
    assert ggf.normalisation is not None
    assert ggf.normalisation.sum_of_weights > 28.3 * (ggf.n_events or 0)
    assert fileset.good_runs is None
    for dataset in (ggf, data):
        with open_events(dataset.files[0].url) as events:
            assert events.format == "ntuple2020"
            assert events.is_simulation != dataset.is_data
            read = events.read(["electron.pt", "muon.pt", "event.run"])
        number = ak.num(read.electrons.pt) + ak.num(read.muons.pt)
        assert ak.min(number) >= 4
        assert 7.0 < ak.min(ak.flatten(read.muons.pt)) < 12.0
