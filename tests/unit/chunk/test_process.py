"""One chunk of a real or hand-written file in, one result out."""

import itertools
from functools import reduce
from operator import add
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from fourlep.chunk.model import Chunk, ChunkResult
from fourlep.chunk.process import Analysis, process
from fourlep.config.environment import index_dir
from fourlep.datasets.good_runs import GoodRuns
from fourlep.errors import ConfigError, CorruptFileError, DatasetError, MissingColumnError
from fourlep.io import open_events
from fourlep.physics.registry import selection
from fourlep.synth.survivors import make_file

DEMONSTRATOR = Analysis(selection("demonstrator2020"))
FULL = Analysis(selection("fourlepton"))
#: Files of the 2020 release and their entries.
REAL = {"A": 39, "B": 156, "C": 237, "D": 400}


def write_mini(path: Path, pt_mev: list[list[float]], *, is_data: bool = True) -> Path:
    """Write a 2020 ntuple of electrons of alternating charge, in the transverse plane."""
    pt = ak.values_astype(ak.Array(pt_mev), np.float32)
    n = len(pt)
    index = ak.local_index(pt)
    run = 300000
    branches = {
        "runNumber": np.full(n, run, dtype=np.int32),
        "eventNumber": np.arange(n, dtype=np.int32),
        "channelNumber": np.full(n, run if is_data else 345060, dtype=np.int32),
        "mcWeight": np.full(n, 0.0 if is_data else -2.0, dtype=np.float32),
        **{
            f"scaleFactor_{name}": np.full(n, 1.0, dtype=np.float32)
            for name in ("ELE", "MUON", "LepTRIGGER", "PILEUP")
        },
        "trigE": np.full(n, True),
        "trigM": np.full(n, False),
        "lep_type": ak.values_astype(ak.full_like(index, 11), np.uint32),
        "lep_pt": pt,
        "lep_eta": ak.values_astype(index * 0.0, np.float32),
        "lep_phi": ak.values_astype(index * 1.5, np.float32),
        "lep_charge": ak.values_astype(1 - 2 * (index % 2), np.int32),
        "lep_trackd0pvunbiased": ak.values_astype(index * 0.0, np.float32),
    }
    with uproot.recreate(path) as file:
        file.mktree("mini", {key: ak.type(value[:]).content for key, value in branches.items()})
        file["mini"].extend(branches)
    return path


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """600 synthetic PHYSLITE events, of which a fifth have four leptons."""
    path = tmp_path_factory.mktemp("physlite") / "SYNTHETIC.root"
    make_file(path, events=600, four_leptons=0.2)
    return path


def _same(one: ChunkResult, other: ChunkResult) -> bool:
    return one.histograms == other.histograms and one.cutflows == other.cutflows


# Real data.


@pytest.fixture
def real(shared_data: Path) -> list[Chunk]:
    return [
        Chunk("data", str(shared_data / "ntuple2020" / f"data_{period}.4lep.root"), n_events=n)
        for period, n in REAL.items()
    ]


def test_all_832_events_of_the_real_data_are_accounted_for(real: list[Chunk]) -> None:
    total = reduce(add, (process(chunk, DEMONSTRATOR) for chunk in real))
    counts = {row.name: row.counts["total"] for row in total.cutflows["data"].rows()}
    assert counts["all"] == counts["counting"] == 832
    assert [record.n_events for record in total.records.values()] == list(REAL.values())


def _read_by_hand(chunk: Chunk) -> list[tuple[list[int], list[int], float]]:
    """Types, charges and m4l of each event, in plain Python from uproot's arrays."""
    names = [f"lep_{name}" for name in ("type", "charge", "pt", "eta", "phi", "E")]
    arrays = uproot.open(chunk.url)["mini"].arrays(names)
    events = []
    for event in arrays.to_list():
        total = np.zeros(4)
        columns = (event[f"lep_{name}"] for name in ("pt", "eta", "phi", "E"))
        for pt, eta, phi, energy in zip(*columns, strict=True):
            total += [energy, pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)]
        mass = np.sqrt(max(total[0] ** 2 - np.sum(total[1:] ** 2), 0.0)) / 1000.0
        events.append((event["lep_type"], event["lep_charge"], mass))
    return events


def test_the_demonstrator_on_real_data_is_what_plain_python_finds(real: list[Chunk]) -> None:
    total = reduce(add, (process(chunk, DEMONSTRATOR) for chunk in real))
    events = [event for chunk in real for event in _read_by_hand(chunk)]
    kept = [
        mass
        for types, charges, mass in events
        if len(types) == 4 and sum(charges) == 0 and sum(types) in (44, 48, 52)
    ]
    histogram = total.histograms["data", "m4l"]
    expected, _ = np.histogram(kept, bins=histogram.spec.edges)
    assert histogram.to_arrays("4l", "all").counts[1:-1].tolist() == expected.tolist()
    assert total.cutflows["data"].rows()[-1].counts["total"] == len(kept) == 506


@pytest.mark.parametrize("analysis", [DEMONSTRATOR, FULL], ids=lambda a: a.selection.name)
def test_cutting_real_files_changes_no_bit(real: list[Chunk], analysis: Analysis) -> None:
    chunk = real[-1]
    edges = [0, 1, 57, 200, 399, 400]
    parts = [
        process(Chunk("data", chunk.url, start=start, stop=stop), analysis)
        for start, stop in itertools.pairwise(edges)
    ]
    assert _same(reduce(add, reversed(parts)), process(chunk, analysis))


def test_the_order_of_real_files_changes_no_bit(real: list[Chunk]) -> None:
    results = [process(chunk, FULL) for chunk in real]
    assert _same(reduce(add, results), reduce(add, reversed(results)))


def test_what_the_2020_ntuples_lack_is_recorded_by_name(real: list[Chunk]) -> None:
    record = process(real[0], FULL).records[real[0].key]
    assert {"identification", "object_quality", "muon_type"} <= set(record.left_out)
    assert "2020 ntuples have no such quantity" in record.left_out["object_quality"]
    assert "electron.object_quality" in record.absent


def test_the_real_physlite_sample_is_processed_whole(shared_data: Path) -> None:
    url = str(shared_data / "physlite" / "PHYSLITE_example.root")
    result = process(Chunk("Zee", url, n_events=100, is_data=False), FULL)
    assert result.cutflows["Zee"].n_all == 100
    record = result.records[url]
    assert (record.n_events, record.n_good, record.left_out) == (100, 100, {})
    assert len(record.uuid) == 36
    assert record.read_bytes > 0
    assert record.wall_s > 0
    assert record.cpu_s > 0


# The stand-in.


@pytest.mark.parametrize("reader", ["lean", "uproot"])
def test_cutting_a_physlite_file_changes_no_bit(stand_in: Path, reader: str) -> None:
    analysis = Analysis(selection("fourlepton"), reader=reader)  # type: ignore[arg-type]
    whole = process(Chunk("mc", str(stand_in)), analysis)
    parts = [
        process(Chunk("mc", str(stand_in), start=start, stop=stop), analysis)
        for start, stop in ((17, 600), (0, 17))
    ]
    assert whole.cutflows["mc"].rows()[-1].counts["total"] > 20
    assert _same(reduce(add, parts), whole)


def test_both_readers_give_the_same_bits(stand_in: Path) -> None:
    chunk = Chunk("mc", str(stand_in))
    lean, uproot_ = (
        process(chunk, Analysis(selection("fourlepton"), reader=reader))
        for reader in ("lean", "uproot")
    )
    assert lean.records[chunk.key].reader == "lean"
    assert uproot_.records[chunk.key].reader == "uproot"
    assert _same(lean, uproot_)


# Chunks and catalogue.


def test_a_file_may_be_read_from_elsewhere(tmp_path: Path) -> None:
    place = write_mini(tmp_path / "cache.root", [[50e3, 40e3, 30e3, 20e3]])
    result = process(Chunk("data", "root://origin//a.root"), DEMONSTRATOR, url=str(place))
    assert result.held == {"root://origin//a.root"}


def test_a_file_shorter_than_the_catalogue_says_is_an_error(tmp_path: Path) -> None:
    path = write_mini(tmp_path / "a.root", [[50e3]])
    with pytest.raises(CorruptFileError, match="1 entries where the catalogue has 2") as caught:
        process(Chunk("data", str(path), n_events=2), DEMONSTRATOR)
    assert caught.value.url == str(path)


def test_an_empty_file_is_recorded_with_no_events(tmp_path: Path) -> None:
    path = write_mini(tmp_path / "a.root", [[50e3]])
    result = process(Chunk("data", str(path), start=1, stop=1), DEMONSTRATOR)
    assert result.cutflows["data"].n_all == 0
    assert next(iter(result.records.values())).n_events == 0


def test_a_chunk_beyond_the_end_holds_what_there_is(tmp_path: Path) -> None:
    path = write_mini(tmp_path / "a.root", [[50e3, 40e3, 30e3, 20e3]] * 3)
    result = process(Chunk("data", str(path), start=2, stop=99), DEMONSTRATOR)
    assert result.cutflows["data"].n_all == 1


@pytest.mark.parametrize("is_data", [True, False])
def test_data_declared_as_simulation_or_the_other_way_is_an_error(
    tmp_path: Path, is_data: bool
) -> None:
    path = write_mini(tmp_path / "a.root", [[50e3]], is_data=is_data)
    with pytest.raises(DatasetError, match="but dataset 'x' is"):
        process(Chunk("x", str(path), is_data=not is_data), DEMONSTRATOR)
    process(Chunk("x", str(path), is_data=is_data), DEMONSTRATOR)


def test_nan_in_a_kinematic_column_is_an_error_that_names_file_and_entry(tmp_path: Path) -> None:
    path = write_mini(tmp_path / "a.root", [[50e3] * 4, [50e3, 40e3, np.nan, 20e3]])
    with pytest.raises(
        CorruptFileError, match=r"a\.root: electron\.pt of entry 1 is NaN"
    ) as caught:
        process(Chunk("data", str(path)), DEMONSTRATOR)
    assert caught.value.url == str(path)


def test_a_column_that_the_selection_needs_and_the_file_lacks_is_an_error(tmp_path: Path) -> None:
    path = write_mini(tmp_path / "a.root", [[50e3]])
    with pytest.raises(MissingColumnError, match=r"electron\.is_loose"):
        process(Chunk("data", str(path)), Analysis(selection("scipy2024")))


@pytest.mark.parametrize(("counts_events", "weight"), [(False, -2.0), (True, 1.0)])
def test_simulation_is_weighed_as_its_normalisation_says(
    tmp_path: Path, counts_events: bool, weight: float
) -> None:
    path = write_mini(tmp_path / "a.root", [[50e3, 40e3, 30e3, 20e3]], is_data=False)
    chunk = Chunk("mc", str(path), counts_events=counts_events)
    last = process(chunk, DEMONSTRATOR).cutflows["mc"].rows()[-1]
    assert last.weighted["total"] == weight


def test_good_runs_are_counted_by_who_looked_at_every_event(tmp_path: Path) -> None:
    path = write_mini(tmp_path / "a.root", [[50e3, 40e3, 30e3, 20e3]])
    chunk = Chunk("data", str(path))
    assert process(chunk, DEMONSTRATOR).records[chunk.key].n_good == 1
    listed = Analysis(selection("demonstrator2020"), good_runs=GoodRuns({300000: ((1, 9),)}))
    record = process(chunk, listed).records[chunk.key]
    assert record.n_good is None
    assert "no such quantity" in record.left_out["good_runs"]


def test_data_lists_its_selected_events(tmp_path: Path) -> None:
    path = write_mini(tmp_path / "a.root", [[50e3], [50e3, 40e3, 30e3, 20e3]])
    result = process(Chunk("data", str(path)), DEMONSTRATOR)
    assert result.selected["data"].tolist() == [[300000, 1]]
    assert next(iter(result.records.values())).n_selected == 1


# What the catalogue says.


def test_a_file_of_another_length_than_the_catalogues_is_refused(stand_in: Path) -> None:
    size = stand_in.stat().st_size
    whole = process(Chunk("made", str(stand_in), n_bytes=size), FULL)
    assert whole.records[str(stand_in)].n_events == 600
    with pytest.raises(CorruptFileError, match=rf"{size} bytes where the catalogue has {size - 1}"):
        process(Chunk("made", str(stand_in), n_bytes=size - 1), FULL)


@pytest.mark.parametrize("reader", ["lean", "uproot"])
def test_events_of_another_run_than_the_catalogues_are_refused(stand_in: Path, reader) -> None:
    analysis = Analysis(selection("fourlepton"), reader=reader)
    with open_events(str(stand_in)) as file:
        (run,) = set(file.read(["event.run"]).event["run"].tolist())
    assert process(Chunk("made", str(stand_in), run=run), analysis).records
    with pytest.raises(CorruptFileError, match=rf"events of run {run} where the catalogue has"):
        process(Chunk("made", str(stand_in), run=run + 1), analysis)


def test_a_run_number_matters_only_where_the_catalogue_has_one(tmp_path: Path) -> None:
    data = write_mini(tmp_path / "data.root", [[30e3] * 4])
    assert process(Chunk("data", str(data), run=300000), DEMONSTRATOR).records
    with pytest.raises(CorruptFileError, match="run 300000 where the catalogue has run 300001"):
        process(Chunk("data", str(data), run=300001), DEMONSTRATOR)


def test_a_user_without_a_home_directory_can_read(
    real: list[Chunk], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    expected = process(real[0], DEMONSTRATOR)
    for name in ("FOURLEP_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert _same(process(real[0], DEMONSTRATOR), expected)
    with pytest.raises(ConfigError, match="there is no home directory"):
        index_dir()
