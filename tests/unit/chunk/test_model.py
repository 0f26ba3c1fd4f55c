"""Chunks and their results."""

import pickle

import numpy as np
import pytest

from fourlep.chunk.analysis import Analysis
from fourlep.chunk.model import Chunk, ChunkResult, FileRecord
from fourlep.chunk.sums import nothing
from fourlep.errors import DatasetError
from fourlep.physics.registry import selection


def _result(key: str, dataset: str = "ggF") -> ChunkResult:
    record = FileRecord(key, dataset, 10, 10, 1, 100, 1.0, 0.5)
    empty = nothing(Analysis(selection("fourlepton")), dataset, n_all=10, is_simulation=True)
    return empty + ChunkResult(
        records={key: record},
        selected={dataset: np.array([[1, 2]], dtype=np.uint64)},
        candidates={dataset: {"m4l": np.array([125.0])}},
    )


def test_a_whole_file_is_named_by_its_url_and_a_part_by_its_entries() -> None:
    assert Chunk("ggF", "a.root").key == "a.root"
    assert Chunk("ggF", "a.root", start=5, stop=9).key == "a.root:5-9"


def test_a_result_holds_the_chunks_that_it_sums() -> None:
    assert (_result("a") + _result("b")).held == {"a", "b"}


def test_a_chunk_counted_twice_is_an_error() -> None:
    with pytest.raises(DatasetError, match="would be counted twice, a among them"):
        _result("a") + (_result("b") + _result("a"))


def test_nothing_is_neutral() -> None:
    result = _result("a")
    total = result + ChunkResult()
    assert total.cutflows == result.cutflows
    assert total.histograms == result.histograms
    assert total.records == result.records


def test_results_of_one_dataset_are_summed_and_of_others_kept_apart() -> None:
    total = _result("a") + _result("b") + _result("c", "ZZ")
    assert total.cutflows["ggF"].n_all == 20
    assert total.cutflows["ZZ"].n_all == 10
    assert len(total.selected["ggF"]) == 2
    assert total.candidates["ggF"]["m4l"].tolist() == [125.0, 125.0]


def test_adding_is_independent_of_order() -> None:
    a, b, c = _result("a"), _result("b"), _result("c", "ZZ")
    one, other = (a + b) + c, c + (b + a)
    assert one.cutflows == other.cutflows
    assert one.histograms == other.histograms
    assert one.held == other.held


def test_a_result_can_travel() -> None:
    result = _result("a")
    received = pickle.loads(pickle.dumps(result))
    assert received.histograms == result.histograms
    assert received.records == result.records
