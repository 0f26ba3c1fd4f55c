"""Builds the index of a dataset's files. See `fourlep.io.lean.index`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fourlep.datasets.model import Dataset
from fourlep.errors import ReadError
from fourlep.io.lean.index import IndexedTable, shard_path, write_shard
from fourlep.io.lean.reader import LeanFile
from fourlep.io.lean.unsupported import UnsupportedError


@dataclass(frozen=True, slots=True)
class Indexed:
    """What became of the files of a dataset.

    Parameters
    ----------
    dataset
        Its name.
    path
        The shard.
    n_files
        Files in it.
    left_out
        Why others are not, by URL.
    """

    dataset: str
    path: Path
    n_files: int
    left_out: Mapping[str, str]


def index_dataset(
    dataset: Dataset, folder: Path, columns: Sequence[str], threads: int, timeout_s: float = 60.0
) -> Indexed:
    """Read the tables of a dataset's files, and write its shard.

    Parameters
    ----------
    dataset
        The dataset.
    folder
        Where shards are.
    columns
        Canonical columns whose branches are kept, where a file has them.
    threads
        Files that are opened at a time.
    timeout_s
        Deadline in seconds of each opening and reading.

    Raises
    ------
    OutputError
        If the shard cannot be written.
    """
    with ThreadPoolExecutor(threads, thread_name_prefix="index") as pool:
        urls = [file.url for file in dataset.files]
        found = list(pool.map(partial(_table, columns=columns, timeout_s=timeout_s), urls))
    answers = dict(zip(urls, found, strict=True))
    tables = {url: each for url, each in answers.items() if isinstance(each, IndexedTable)}
    path = shard_path(folder, dataset.name)
    write_shard(path, tables)
    left_out = {url: each for url, each in answers.items() if isinstance(each, str)}
    return Indexed(dataset.name, path, len(tables), left_out)


def _table(url: str, columns: Sequence[str], timeout_s: float) -> IndexedTable | str:
    try:
        with LeanFile(url, timeout_s=timeout_s) as file:
            return file.indexed(columns)
    except UnsupportedError as unknown:
        return f"read by uproot: {unknown}"
    except ReadError as error:
        return error.message
