"""Positions of what matters in a streamed TTree, found by hopping over byte counts.

Layouts as streamed by ROOT 6: TTree 19 and 20, TBranch 12 and 13, TBranchElement 9 and
10; others are left to uproot. What cannot be read raises ValueError, IndexError or
struct.error: the caller knows which file it is.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from fourlep.io.lean.arrays import Bytes, Integers
from fourlep.io.lean.container import read_string
from fourlep.io.lean.tree_kernels import (
    CLASS_REFERENCE,
    LONG_STRING,
    NEW_CLASS,
    UNKNOWN,
    BasketTables,
    Numbers,
    behind_tag,
    branch_places,
    gather,
    hop,
    many_numbers,
    numbers,
    read_tables,
)
from fourlep.io.lean.unsupported import UnsupportedError

#: References count from the key's start, after an offset that ROOT keeps for null.
_REFERENCE_OFFSET = 2

_TREE_VERSIONS = (19, 20)


class BasketTable(NamedTuple):
    """The baskets of a branch that are on disk.

    Parameters
    ----------
    entries : (n + 1,) int64
        First entries, and the number of entries.
    seeks, sizes : (n,) int64
        Positions and lengths of the records.
    fault
        0, or what `fourlep.io.lean.tree_kernels.wrong` finds.
    """

    entries: Integers
    seeks: Integers
    sizes: Integers
    fault: int


class Record:
    """A streamed tree.

    Parameters
    ----------
    view : (n_bytes,) uint8
        Its bytes, read only, as kernels take them.
    """

    def __init__(self, view: Bytes) -> None:
        self.view = view
        #: The same for the functions of Python.
        self.content = view.data

    def header(self) -> tuple[int, int]:
        """Read the number of entries, and where the array of branches begins."""
        (version,) = struct.unpack_from(">H", self.content, 4)
        if version not in _TREE_VERSIONS:
            raise UnsupportedError(f"TTree version {version}")
        position = 6
        for _ in range(4):  # TNamed, TAttLine, TAttFill, TAttMarker
            position = hop(self.view, position)
        (n_entries,) = struct.unpack_from(">q", self.content, position)
        if not 0 <= n_entries < 1 << 40:
            raise ValueError("an impossible number of entries")
        position += 5 * 8 + 8 + 4 * 4
        (n_ranges,) = struct.unpack_from(">i", self.content, position)
        if n_ranges < 0:
            raise ValueError("a negative number of cluster ranges")
        position += 4 + 6 * 8 + 2 * (1 + 8 * n_ranges)
        if version >= 20:
            position = hop(self.view, position)  # TIOFeatures
        return n_entries, position

    def branches(self, position: int) -> dict[str, int]:
        """Position (of the object behind its tag) of each branch of an array, by name."""
        count, position = self._array(position)
        if not 0 <= count <= len(self.content):
            raise ValueError("an impossible number of branches")
        begin, name = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
        version = branch_places(self.view, position, begin, name)
        if version:
            raise UnsupportedError(f"a branch of version {version - UNKNOWN}")
        return dict(zip(self._names(name), begin.tolist(), strict=True))

    def _names(self, place: Integers) -> tuple[str, ...]:
        """Read names at places: files of a release have the same thousand."""
        lengths = self.view[place].astype(np.int64)
        if lengths.max(initial=0) >= LONG_STRING:
            return tuple(read_string(self.content, at)[0] for at in place.tolist())
        letters = np.empty(int(lengths.sum()), dtype=np.uint8)
        gather(self.view, place + 1, lengths, letters)
        return _split(letters.tobytes(), lengths.tobytes())

    def _array(self, position: int) -> tuple[int, int]:
        """Length of a TObjArray, and where its first object begins."""
        hop(self.view, position)
        position += 4 + 2 + 10
        position += self.content[position] + 1  # the array's own name
        (count, _) = struct.unpack_from(">ii", self.content, position)
        return count, position + 8

    def fields(self, begin: int) -> Numbers:
        """Read the members of the branch object at ``begin``."""
        found: Numbers = numbers(self.view, begin)
        if found.version:
            raise UnsupportedError(f"TBranch version {found.version - UNKNOWN}")
        return found

    def element(self, fields: Numbers) -> tuple[str, int, int]:
        """Class name, type and streamer type of a TBranchElement."""
        return _element(bytes(self.content[fields.element : fields.after_element]))

    def tables(
        self, positions: Sequence[int], limits: tuple[int, int, int]
    ) -> list[tuple[Numbers, BasketTable]]:
        """Read the members and the tables of baskets of branch objects at ``positions``.

        Parameters
        ----------
        limits
            As `fourlep.io.lean.tree_kernels.wrong` takes them.
        """
        begin = np.asarray(positions, dtype=np.int64)
        members = np.empty((len(begin), len(Numbers._fields)), dtype=np.int64)
        many_numbers(self.view, begin, members)
        found = [Numbers(*each) for each in members.tolist()]
        for each in found:
            if each.version:
                raise UnsupportedError(f"TBranch version {each.version - UNKNOWN}")
            if not 0 <= each.n_baskets <= each.capacity <= len(self.content):
                raise ValueError("an impossible number of baskets")
        bounds = np.cumsum([0, *(each.n_baskets for each in found)], dtype=np.int64)
        n, n_baskets = len(found), int(bounds[-1])
        tables = BasketTables(
            bounds, *(np.empty(k, dtype=np.int64) for k in (n_baskets + n, n_baskets, n_baskets, n))
        )
        read_tables(self.view, begin, tables, limits)
        edges, faults = bounds.tolist(), tables.faults.tolist()
        return [
            (
                each,
                BasketTable(
                    tables.entries[first + k : after + k + 1],
                    tables.seeks[first:after],
                    tables.sizes[first:after],
                    fault,
                ),
            )
            for k, (each, first, after, fault) in enumerate(
                zip(found, edges, edges[1:], faults, strict=False)
            )
        ]

    def leaf(self, position: int, key_bytes: int) -> tuple[str, bool]:
        """Class of a branch's one leaf, and whether its number is unsigned."""
        count, position = self._array(position)
        if count != 1:
            raise UnsupportedError(f"{count} leaves")
        position += 4
        class_name = self._class_name(position, key_bytes)
        position = behind_tag(self.view, position) + 6  # count and version of the class
        position = hop(self.view, position + 6)  # count and version of TLeaf; TNamed
        length, _, _, _, is_unsigned, counter = struct.unpack_from(
            ">iii??I", self.content, position
        )
        if length != 1 or counter != 0:
            raise UnsupportedError("a leaf of several numbers")
        return class_name, bool(is_unsigned)

    def _class_name(self, position: int, key_bytes: int) -> str:
        (tag,) = struct.unpack_from(">I", self.content, position)
        if tag != NEW_CLASS:
            position = (tag & ~CLASS_REFERENCE) - key_bytes - _REFERENCE_OFFSET
            if position < 0:
                raise ValueError("a reference to no class")
            (tag,) = struct.unpack_from(">I", self.content, position)
            if tag != NEW_CLASS:
                raise ValueError("a reference to no class")
        end = behind_tag(self.view, position) - 1
        return bytes(self.content[position + 4 : end]).decode()


@lru_cache(maxsize=1024)
def _element(content: bytes) -> tuple[str, int, int]:
    """Read what tells the layout of a TBranchElement: files have the same few hundred."""
    class_name, position = read_string(content, 0)
    for _ in range(2):
        _, position = read_string(content, position)
    _, _, _, branch_type, streamer_type = struct.unpack_from(">IHiii", content, position)
    return class_name, branch_type, streamer_type


@lru_cache(maxsize=64)
def _split(letters: bytes, lengths: bytes) -> tuple[str, ...]:
    """Cut names that stand end to end."""
    ends = np.cumsum(np.frombuffer(lengths, dtype=np.int64)).tolist()
    parts = (letters[begin:end] for begin, end in pairwise([0, *ends]))
    return tuple(part.decode(errors="surrogateescape") for part in parts)
