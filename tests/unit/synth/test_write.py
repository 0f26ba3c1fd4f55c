"""PHYSLITE trees from arrays: what is written is read back by uproot, bit for bit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import awkward as ak
import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import uproot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fourlep.errors import ConfigError, OutputError
from fourlep.synth.physlite import Clusters, Ragged, layout, links, write_tree
from fourlep.synth.physlite.layout import BranchLayout, Layout
from fourlep.synth.rootfile.codec import CODECS, Compression

RUN = "EventInfoAuxDyn.runNumber"
PT = "AnalysisElectronsAuxDyn.pt"
LOOSE = "AnalysisElectronsAuxDyn.DFCommonElectronsLHLoose"
TRACK = "AnalysisElectronsAuxDyn.trackParticleLinks"
INNER = "AnalysisMuonsAuxDyn.inDetTrackParticleLink"
COVARIANCE = "GSFTrackParticlesAuxDyn.definingParametersCovMatrixDiag"
WEIGHTS = "EventInfoAuxDyn.mcEventWeights"


def small(*names: str) -> Layout:
    """A layout of a few branches."""
    return layout().only(frozenset(names))


def read(path: Path, name: str, tree: str = "CollectionTree") -> ak.Array:
    with uproot.open(path) as file:
        return file[tree][name].array()


def write_and_read(path: Path, name: str, column: Any, **options: Any) -> ak.Array:
    write_tree(path, {name: column}, layout=small(name), **options)
    return read(path, name)


def test_a_vector_is_written_as_ten_header_bytes_and_big_endian_values(tmp_path: Path) -> None:
    path = tmp_path / "a.root"
    column = Ragged(np.array([2, 0]), np.array([1.0, -2.0], dtype=np.float32))
    write_tree(path, {PT: column}, layout=small(PT))
    with uproot.open(path) as file:
        basket = file["CollectionTree"][PT].basket(0)
        data, offsets = bytes(basket.data), basket.byte_offsets.tolist()
    assert data[:18] == bytes.fromhex("4000000e0009000000023f800000c0000000")
    assert data[18:] == bytes.fromhex("40000006000900000000")
    assert offsets == [0, 18, 28]


def test_links_are_written_as_in_the_real_sample(tmp_path: Path) -> None:
    # Version and checksum of ElementLink<TrackParticle> and of ElementLinkBase, key, index.
    path = tmp_path / "a.root"
    column = Ragged(np.array([1]), Ragged(np.array([1]), links([0x2E42DB0B], [7])))
    write_tree(path, {TRACK: column}, layout=small(TRACK))
    with uproot.open(path) as file:
        data = bytes(file["CollectionTree"][TRACK].basket(0).data)
    assert data.hex() == (
        "4000002600090000000100000001400000180000d31237d74000000e0000feb3df9e2e42db0b00000007"
    )


@pytest.mark.parametrize("codec", CODECS)
def test_every_codec_gives_back_every_value(tmp_path: Path, codec: Any) -> None:
    rng = np.random.default_rng(1)
    counts = rng.poisson(2.0, 1500)
    values = rng.normal(0.0, 1.0, counts.sum()).astype(np.float32)
    got = write_and_read(
        tmp_path / "a.root", PT, Ragged(counts, values), compression=Compression(codec, 1)
    )
    assert ak.num(got).tolist() == counts.tolist()
    assert ak.flatten(got).to_numpy().tobytes() == values.tobytes()


@pytest.mark.parametrize("level", [0, 10])
def test_a_level_out_of_range_is_refused(level: int) -> None:
    with pytest.raises(ConfigError, match="out of range"):
        Compression("zlib", level)


def test_an_unknown_codec_is_refused_with_the_choice() -> None:
    with pytest.raises(ConfigError, match="choose one of zlib, zstd, lz4, lzma, none"):
        Compression("brotli")  # type: ignore[arg-type]  # the mistake under test


COUNTS = hnp.arrays(np.int64, st.integers(1, 30), elements=st.integers(0, 5))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(counts=COUNTS, entries=st.integers(1, 40), basket_bytes=st.integers(1, 400))
def test_any_cut_into_baskets_gives_back_the_same_vectors(
    tmp_path: Path, counts: Any, entries: int, basket_bytes: int
) -> None:
    values = np.arange(counts.sum(), dtype=np.float32)
    got = write_and_read(
        tmp_path / "a.root",
        PT,
        Ragged(counts, values),
        clusters=Clusters(entries, basket_bytes),
        compression=Compression("none"),
    )
    assert got.to_list() == ak.unflatten(values, counts).to_list()


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(counts=COUNTS, data=st.data())
def test_vectors_of_vectors_give_back_what_was_written(
    tmp_path: Path, counts: Any, data: st.DataObject
) -> None:
    inner = data.draw(hnp.arrays(np.int64, int(counts.sum()), elements=st.integers(0, 6)))
    values = np.arange(inner.sum(), dtype=np.float32)
    got = write_and_read(tmp_path / "a.root", COVARIANCE, Ragged(counts, Ragged(inner, values)))
    assert got.to_list() == ak.unflatten(ak.unflatten(values, inner), counts).to_list()


def test_a_split_vector_of_links_goes_into_its_members(tmp_path: Path) -> None:
    path = tmp_path / "a.root"
    counts = np.array([1, 0, 2])
    column = Ragged(counts, links([5, 6, 7], [10, 20, 0xFFFFFFFF]))
    write_tree(path, {INNER: column}, layout=small(INNER))
    assert read(path, f"{INNER}/{INNER}.m_persKey").to_list() == [[5], [], [6, 7]]
    assert read(path, f"{INNER}/{INNER}.m_persIndex").to_list() == [[10], [], [20, 0xFFFFFFFF]]


@pytest.mark.parametrize(
    "counts",
    [[10_000], [0, 10_000, 0], [0] * 50, [1] * 1001],
    ids=["long", "mixed", "empty", "ones"],
)
def test_lengths_of_zero_and_of_ten_thousand_survive(tmp_path: Path, counts: list[int]) -> None:
    values = np.arange(sum(counts), dtype=np.float32)
    got = write_and_read(tmp_path / "a.root", WEIGHTS, Ragged(np.array(counts), values))
    assert ak.num(got).tolist() == counts
    assert np.array_equal(ak.flatten(got).to_numpy(), values)


def test_one_event_makes_a_file(tmp_path: Path) -> None:
    assert write_and_read(tmp_path / "a.root", RUN, np.array([284500])).to_list() == [284500]


def test_no_event_makes_a_file_without_baskets(tmp_path: Path) -> None:
    path = tmp_path / "a.root"
    write_tree(path, {RUN: np.zeros(0)}, layout=small(RUN, PT))
    with uproot.open(path) as file:
        tree = file["CollectionTree"]
        assert tree.num_entries == 0
        assert tree[PT].num_baskets == 0


def test_clusters_and_basket_sizes_can_differ_between_branches(tmp_path: Path) -> None:
    path = tmp_path / "a.root"
    counts = np.ones(100, dtype=np.int64)
    columns = {PT: Ragged(counts, np.zeros(100)), LOOSE: Ragged(counts, np.ones(100))}
    write_tree(
        path,
        columns,
        layout=small(PT, LOOSE),
        clusters=Clusters(40),
        branch_clusters={LOOSE: Clusters(7)},
    )
    with uproot.open(path) as file:
        tree = file["CollectionTree"]
        assert tree[PT].entry_offsets == [0, 40, 80, 100]
        assert tree[LOOSE].entry_offsets == [*range(0, 100, 7), 100]


def test_baskets_stay_within_their_size_and_their_cluster(tmp_path: Path) -> None:
    path = tmp_path / "a.root"
    size = 2500
    columns = {WEIGHTS: Ragged(np.full(size, 300), np.zeros(size * 300))}
    write_tree(path, columns, layout=small(WEIGHTS))
    with uproot.open(path) as file:
        branch = file["CollectionTree"][WEIGHTS]
        starts = branch.entry_offsets
        sizes = [branch.basket(i).uncompressed_bytes for i in range(branch.num_baskets)]
    assert {1000, 2000} <= set(starts)
    assert 100 < max(np.diff(starts)) <= 108
    assert max(sizes) <= 128 * 1024 + 16


def test_branches_without_values_get_the_lengths_of_their_collection(tmp_path: Path) -> None:
    path = tmp_path / "a.root"
    counts = np.array([3, 0, 1])
    eta = "AnalysisElectronsAuxDyn.eta"
    write_tree(path, {PT: Ragged(counts, np.ones(4))}, layout=small(PT, eta, TRACK, WEIGHTS))
    assert read(path, eta).to_list() == [[0.0] * 3, [], [0.0]]
    assert ak.num(read(path, TRACK)).tolist() == [3, 0, 1]
    assert read(path, WEIGHTS).to_list() == [[], [], []]


def test_the_form_of_files_beyond_two_gigabytes_reads_the_same(tmp_path: Path) -> None:
    column = Ragged(np.array([1, 2]), np.array([1.0, 2.0, 3.0]))
    got = write_and_read(tmp_path / "a.root", PT, column, is_big=True)
    assert got.to_list() == [[1.0], [2.0, 3.0]]


def test_equal_content_gives_equal_bytes_and_other_content_another_uuid(tmp_path: Path) -> None:
    def made(name: str, value: int) -> tuple[bytes, str]:
        path = tmp_path / name / "a.root"
        path.parent.mkdir()
        uuid = write_tree(path, {RUN: np.array([value])}, layout=small(RUN))
        return path.read_bytes(), str(uuid)

    first, again, other = made("1", 1), made("2", 1), made("3", 2)
    assert first == again
    assert first[1] != other[1]


def test_the_uuid_is_what_a_reader_sees(tmp_path: Path) -> None:
    path = tmp_path / "a.root"
    uuid = write_tree(path, {RUN: np.array([1])}, layout=small(RUN))
    with uproot.open(path) as file:
        assert file.file.uuid == uuid


def test_the_label_stands_beside_the_tree(tmp_path: Path) -> None:
    path = tmp_path / "a.root"
    write_tree(path, {RUN: np.array([1])}, layout=small(RUN), label="no data", title="SYNTHETIC")
    with uproot.open(path) as file:
        assert file["SYNTHETIC"].member("fTitle") == "no data"
        assert file["CollectionTree"].title == "SYNTHETIC"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({RUN: Ragged(np.array([1]), np.array([1]))}, "one number an event"),
        ({PT: np.array([1.0])}, "takes lists"),
        ({TRACK: Ragged(np.array([1]), np.array([1.0]))}, "Ragged of Ragged"),
        ({COVARIANCE: Ragged(np.array([1]), links([1], [1]))}, "Ragged of Ragged"),
        ({INNER: Ragged(np.array([1]), np.array([1.0]))}, "takes links"),
    ],
)
def test_a_column_of_the_wrong_form_is_refused(
    tmp_path: Path, columns: dict[str, Any], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        write_tree(tmp_path / "a.root", columns, layout=small(*columns))
    assert list(tmp_path.iterdir()) == []


def test_columns_of_unequal_length_are_refused(tmp_path: Path) -> None:
    columns = {RUN: np.array([1, 2]), PT: Ragged(np.array([1]), np.array([1.0]))}
    with pytest.raises(ValueError, match=r"differ in length: \[1, 2\]"):
        write_tree(tmp_path / "a.root", columns, layout=small(*columns))


def test_a_column_without_a_branch_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such branches in the layout: NoBranch"):
        write_tree(tmp_path / "a.root", {"NoBranch": np.array([1])}, layout=small(RUN))


def test_counts_that_do_not_fit_the_content_are_refused() -> None:
    with pytest.raises(ValueError, match="counts sum to 3, but 2 elements follow"):
        Ragged(np.array([1, 2]), np.array([1.0, 2.0]))


def test_a_failure_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match="No space left on device") as caught:
        write_tree(tmp_path / "a.root", {RUN: np.array([1])}, layout=small(RUN))
    assert "free some space" in caught.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        write_tree(tmp_path / "no" / "a.root", {RUN: np.array([1])}, layout=small(RUN))


def test_a_branch_knows_its_collection() -> None:
    kind = layout().branches[0].kind
    names = ["AnalysisElectronsAuxDyn.pt", "AnalysisElectronsAux.", "AnalysisElectrons"]
    assert {BranchLayout(name, kind).collection for name in names} == {"AnalysisElectrons"}
