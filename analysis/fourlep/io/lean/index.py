"""Tables of baskets kept from an earlier reading: a cache, never a prerequisite.

One shard a dataset. A table is used for a file of the same UUID and size, and every
basket is verified by its own key as always; a shard that is damaged is as good as none.

A shard is a SHA-256 of the rest, then two ZSTD frames with their lengths in front: JSON
(files, names, branches) and the numbers, whose bytes are sorted by significance, since
most of them are zero.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import zstandard

from fourlep.errors import OutputError
from fourlep.io.lean.arrays import Integers
from fourlep.io.lean.layout import Form, Layout
from fourlep.io.lean.tree import Branch
from fourlep.io.lean.unsupported import UnsupportedError

_VERSION = 2
_LEVEL = 9
_DIGEST_BYTES = 32
#: A shard of ten thousand files is far below.
_MAX_SHARD_BYTES = 1 << 30


class Table(Protocol):
    """What the reader needs to know of a tree: read from the file, or from an index."""

    @property
    def title(self) -> str:
        """Name of the tree."""

    @property
    def n_entries(self) -> int:
        """Its entries."""

    @property
    def names(self) -> AbstractSet[str]:
        """Names of its branches."""

    def branch(self, name: str) -> Branch:
        """Look up a branch."""

    def branches(self, names: Sequence[str]) -> list[Branch]:
        """Look up several."""


@dataclass(frozen=True, slots=True, eq=False)
class IndexedTable:
    """The table of one file from an index.

    Parameters
    ----------
    uuid, n_bytes
        Of the file that it is for.
    title, n_entries, names
        As in `Table`.
    held
        The branches that were kept, by name.
    """

    uuid: str
    n_bytes: int
    title: str
    n_entries: int
    names: frozenset[str]
    held: Mapping[str, Branch]

    def branch(self, name: str) -> Branch:
        """Look up a branch.

        Raises
        ------
        UnsupportedError
            If it was not kept.
        """
        if name not in self.held:
            raise UnsupportedError(f"{name} is not in the index")
        return self.held[name]

    def branches(self, names: Sequence[str]) -> list[Branch]:
        """Look up several branches; errors as in `branch`."""
        return [self.branch(name) for name in names]


def kept(
    table: Table, identity: tuple[str, int], wanted: Iterable[str], asked: Iterable[str]
) -> IndexedTable:
    """Keep some branches of a file's table.

    Parameters
    ----------
    table
        The table.
    identity
        UUID and length of its file.
    wanted
        Branches to keep, those that it has and that are known.
    asked
        Branches that a reader may ask for, members of split ones among them, which a
        table does not list: whether it has them is kept of all.
    """
    branches: dict[str, Branch] = {}
    for name in wanted:
        if name in table.names:
            try:
                branches[name] = table.branch(name)
            except UnsupportedError:
                continue
    members = (name for name in asked if name in table.names)
    names = frozenset((*table.names, *members, *branches))
    return IndexedTable(*identity, table.title, table.n_entries, names, branches)


def write_shard(path: Path, tables: Mapping[str, IndexedTable]) -> None:
    """Write the tables of a dataset, by URL; the file appears when it is complete.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    names = {table.names: None for table in tables.values()}
    numbers: list[Integers] = []
    files = []
    known = list(names)
    for url, table in tables.items():
        branches = []
        for branch in table.held.values():
            numbers += _packed(branch)
            layout = branch.layout
            branches.append(
                [branch.name, layout.form.value, layout.dtype.str, len(branch.seeks),
                 branch.total_bytes]
            )  # fmt: skip
        files.append(
            {
                "url": url, "uuid": table.uuid, "size": table.n_bytes, "title": table.title,
                "entries": table.n_entries, "names": known.index(table.names),
                "branches": branches,
            }
        )  # fmt: skip
    meta = {"version": _VERSION, "names": [sorted(each) for each in known], "files": files}
    content = _frame(json.dumps(meta).encode()) + _frame(_shuffled(numbers))
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(hashlib.sha256(content).digest() + content)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OutputError(
            f"{path}: {error.strerror}", remedy="choose a folder that can be written"
        ) from error


@lru_cache(maxsize=64)
def read_shard(path: Path) -> Mapping[str, IndexedTable]:
    """Read the tables of a dataset, by URL; none where the shard is missing or damaged."""
    try:
        if path.stat().st_size > _MAX_SHARD_BYTES:
            return {}
        stored = path.read_bytes()
    except OSError:
        return {}
    digest, content = stored[:_DIGEST_BYTES], stored[_DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        return {}
    first, rest = _unframed(content)
    meta = json.loads(first)
    if meta["version"] != _VERSION:
        return {}
    return _tables(meta, _unshuffled(_unframed(rest)[0]))


def shard_path(folder: Path, dataset: str) -> Path:
    """Where the shard of a dataset is."""
    safe = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in dataset)
    return folder / f"{safe}.index"


def _tables(meta: Mapping[str, Any], numbers: Integers) -> dict[str, IndexedTable]:
    names = [frozenset(each) for each in meta["names"]]
    tables: dict[str, IndexedTable] = {}
    position = 0
    for file in meta["files"]:
        branches = {}
        for name, form, dtype, n_baskets, total_bytes in file["branches"]:
            parts = np.split(numbers[position : position + 3 * n_baskets], 3)
            position += 3 * n_baskets
            entries = np.concatenate([[0], np.cumsum(parts[0])]).astype(np.int64)
            layout = Layout(Form(form), np.dtype(dtype))
            seeks = np.cumsum(parts[1])
            branches[name] = Branch(name, layout, entries, seeks, parts[2], total_bytes)
        tables[file["url"]] = IndexedTable(
            file["uuid"], file["size"], file["title"], file["entries"],
            names[file["names"]], branches,
        )  # fmt: skip
    return tables


def _packed(branch: Branch) -> list[Integers]:
    return [np.diff(branch.entries), np.diff(branch.seeks, prepend=0), branch.sizes]


def _shuffled(numbers: list[Integers]) -> bytes:
    joined = np.concatenate(numbers) if numbers else np.zeros(0, dtype=np.int64)
    return joined.astype("<i8").view(np.uint8).reshape(-1, 8).T.tobytes()


def _unshuffled(content: bytes) -> Integers:
    by_byte = np.frombuffer(content, dtype=np.uint8).reshape(8, -1)
    return np.ascontiguousarray(by_byte.T).view("<i8").reshape(-1).astype(np.int64)


def _frame(content: bytes) -> bytes:
    packed = zstandard.ZstdCompressor(level=_LEVEL).compress(content)
    return len(packed).to_bytes(8, "little") + packed


def _unframed(content: bytes) -> tuple[bytes, bytes]:
    length = int.from_bytes(content[:8], "little")
    packed, rest = content[8 : 8 + length], content[8 + length :]
    return zstandard.ZstdDecompressor().decompress(packed), rest
