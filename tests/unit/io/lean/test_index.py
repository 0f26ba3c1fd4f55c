from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fourlep.benchmark.files import cascade
from fourlep.datasets.model import Dataset, SourceFile
from fourlep.events import Events
from fourlep.io import open_events
from fourlep.io.indexing import index_dataset
from fourlep.io.lean.index import IndexedTable, read_shard
from fourlep.io.lean.reader import LeanFile
from lean_files import WriteLean
from same_events import assert_same, joined

_COLUMNS = ["event.number", "event.generator_weight", "electron.pt", "electron.d0", "muon.d0"]
_INDEXED = [*_COLUMNS, "electron.is_loose", "muon.quality", "muon.pt"]


@pytest.fixture
def fresh() -> Iterator[None]:
    """Shards are kept in memory: forget those of other tests."""
    read_shard.cache_clear()
    yield
    read_shard.cache_clear()


def _index(path: Path, folder: Path, columns: list[str] = _INDEXED) -> IndexedTable:
    file = SourceFile(str(path))
    dataset = Dataset(name="made by hand", process="signal", role="signal", files=(file,))
    done = index_dataset(dataset, folder, columns, threads=2)
    assert (done.n_files, done.left_out) == (1, {})
    return read_shard(done.path)[str(path)]


def _events(path: Path, index: IndexedTable | None = None) -> Events | None:
    with open_events(str(path), index=index) as file:
        return joined(file.survivors(cascade(), _COLUMNS))


@pytest.mark.usefixtures("fresh")
def test_an_index_gives_the_same_tables(write_lean: WriteLean, tmp_path: Path) -> None:
    path = write_lean()
    index = _index(path, tmp_path / "index")
    with LeanFile(str(path)) as file:
        assert index.n_entries == file.n_entries
        for name, branch in index.held.items():
            real = file._tree.branch(name)
            assert (branch.layout, branch.total_bytes) == (real.layout, real.total_bytes)
            for mine, other in (
                (branch.entries, real.entries),
                (branch.seeks, real.seeks),
                (branch.sizes, real.sizes),
            ):
                np.testing.assert_array_equal(mine, other)


@pytest.mark.usefixtures("fresh")
def test_reading_with_an_index_gives_the_same_events_for_fewer_bytes(
    write_lean: WriteLean, tmp_path: Path
) -> None:
    path = write_lean()
    index = _index(path, tmp_path / "index")
    assert_same(_events(path, index), _events(path))
    with LeanFile(str(path), index=index) as short, LeanFile(str(path)) as long:
        assert short.is_indexed
        assert short.read_bytes < long.read_bytes


@pytest.mark.usefixtures("fresh")
def test_an_index_of_another_file_is_not_used(write_lean: WriteLean, tmp_path: Path) -> None:
    index = _index(write_lean(name="a.root"), tmp_path / "index")
    other = write_lean(name="b.root", share=0.5)
    with LeanFile(str(other), index=index) as file:
        assert not file.is_indexed
    assert_same(_events(other, index), _events(other))


@pytest.mark.usefixtures("fresh")
def test_an_index_that_lies_is_noticed_and_bypassed(write_lean: WriteLean, tmp_path: Path) -> None:
    path = write_lean()
    index = _index(path, tmp_path / "index")
    for branch in index.held.values():
        branch.seeks[len(branch.seeks) // 2] += 8
    assert_same(_events(path, index), _events(path))


@pytest.mark.usefixtures("fresh")
def test_a_column_that_was_not_indexed_is_read_without_it(
    write_lean: WriteLean, tmp_path: Path
) -> None:
    path = write_lean()
    index = _index(path, tmp_path / "index", ["electron.pt"])
    assert_same(_events(path, index), _events(path))


@pytest.mark.usefixtures("fresh")
def test_a_column_that_was_not_indexed_is_not_taken_for_missing(
    write_lean: WriteLean, tmp_path: Path
) -> None:
    """Whether a file has it decides what a selection leaves out."""
    path = write_lean()
    counting = ["electron.pt", "electron.is_loose", "muon.pt", "muon.quality"]
    index = _index(path, tmp_path / "index", counting)

    def found(index: IndexedTable | None) -> tuple[set[str], frozenset[str]]:
        with open_events(str(path), index=index) as file:
            events = joined(file.survivors(cascade(), ["electron.pt"], optional=["muon.d0"]))
            assert events is not None
            return set(events.muons.fields), file.columns()

    assert found(index) == found(None)
    assert "d0" in found(index)[0]


@pytest.mark.usefixtures("fresh")
def test_a_damaged_shard_is_as_good_as_none(write_lean: WriteLean, tmp_path: Path) -> None:
    path = write_lean()
    _index(path, tmp_path / "index")
    (shard,) = (tmp_path / "index").iterdir()
    copy = tmp_path / "copy.index"
    for place in (0, 40, -1):
        shutil.copy(shard, copy)
        content = bytearray(copy.read_bytes())
        content[place] ^= 1
        copy.write_bytes(content)
        read_shard.cache_clear()
        assert read_shard(copy) == {}
    copy.write_bytes(b"")
    read_shard.cache_clear()
    assert read_shard(copy) == {}


@pytest.mark.usefixtures("fresh")
def test_a_file_that_cannot_be_indexed_is_named(tmp_path: Path) -> None:
    files = (SourceFile(str(tmp_path / "none.root")),)
    dataset = Dataset(name="none", process="signal", role="signal", files=files)
    done = index_dataset(dataset, tmp_path, _INDEXED, threads=1)
    assert done.n_files == 0
    assert "no such file" in done.left_out[files[0].url]
