"""Positions of what matters in a streamed TTree, found by hopping over byte counts.

Layouts as streamed by ROOT 6: TTree 19 and 20, TBranch 12 and 13, TBranchElement 9 and
10; others are left to uproot. What cannot be read raises ValueError, IndexError or
struct.error: the caller knows which file it is.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from fourlep.io.lean.arrays import Integers
from fourlep.io.lean.container import read_string
from fourlep.io.lean.unsupported import UnsupportedError

_BYTE_COUNT = 0x4000_0000
_NEW_CLASS = 0xFFFF_FFFF
_CLASS_REFERENCE = 0x8000_0000
#: References count from the key's start, after an offset that ROOT keeps for null.
_REFERENCE_OFFSET = 2

_TREE_VERSIONS = (19, 20)
_BRANCH_VERSIONS = (12, 13)
_ELEMENT_VERSIONS = (9, 10)


def hop(record: bytes | bytearray, position: int) -> int:
    """Find the position after an object that begins with its byte count."""
    (count,) = struct.unpack_from(">I", record, position)
    if not count & _BYTE_COUNT:
        raise ValueError("an object without byte count")
    end: int = position + 4 + (count & ~_BYTE_COUNT)
    if end > len(record):
        raise ValueError("an object reaches beyond the record")
    return end


def tree_header(record: bytes | bytearray) -> tuple[int, int]:
    """Read the number of entries, and where the array of branches begins."""
    (version,) = struct.unpack_from(">H", record, 4)
    if version not in _TREE_VERSIONS:
        raise UnsupportedError(f"TTree version {version}")
    position = 6
    for _ in range(4):  # TNamed, TAttLine, TAttFill, TAttMarker
        position = hop(record, position)
    (n_entries,) = struct.unpack_from(">q", record, position)
    if not 0 <= n_entries < 1 << 40:
        raise ValueError("an impossible number of entries")
    position += 5 * 8 + 8 + 4 * 4
    (n_ranges,) = struct.unpack_from(">i", record, position)
    if n_ranges < 0:
        raise ValueError("a negative number of cluster ranges")
    position += 4 + 6 * 8 + 2 * (1 + 8 * n_ranges)
    if version >= 20:
        position = hop(record, position)  # TIOFeatures
    return n_entries, position


#: Byte count and class tag of a branch, byte count and version of its class.
_FRONT = struct.Struct(">IIIH")
#: From a branch object to its name, by version of its class: a TBranch begins with counts
#: and versions of itself and of its TNamed, and a TObject; a TBranchElement has one more
#: count and version in front.
_NAME_OFFSET = {
    **dict.fromkeys(_BRANCH_VERSIONS, struct.calcsize(">IHIHHII")),
    **dict.fromkeys(_ELEMENT_VERSIONS, struct.calcsize(">IHIHIHHII")),
}


def branches(record: bytes | bytearray, position: int) -> Iterator[tuple[str, int]]:
    """Name and position (of the object behind its tag) of each branch of an array."""
    hop(record, position)
    position += 4 + 2 + 10
    position += record[position] + 1  # the array's own name
    count, _ = struct.unpack_from(">ii", record, position)
    position += 8
    for _ in range(count):
        n_bytes, tag, _, version = _FRONT.unpack_from(record, position)
        end = position + 4 + (n_bytes & ~_BYTE_COUNT)
        if not n_bytes & _BYTE_COUNT or end > len(record):
            raise ValueError("a branch reaches beyond the record")
        begin = position + 8
        if tag == _NEW_CLASS or not tag & _CLASS_REFERENCE:
            begin = _behind_tag(record, position + 4)
            (version,) = struct.unpack_from(">H", record, begin + 4)
        name = begin + _NAME_OFFSET.get(version, 0)
        if name == begin:
            raise UnsupportedError(f"a branch of version {version}")
        length = record[name]
        if length < 255:
            yield record[name + 1 : name + 1 + length].decode(), begin
        else:
            yield read_string(record, name)[0], begin
        position = end


def _behind_tag(record: bytes | bytearray, position: int) -> int:
    (tag,) = struct.unpack_from(">I", record, position)
    if tag == _NEW_CLASS:
        return record.index(b"\0", position + 4) + 1
    if not tag & _CLASS_REFERENCE:
        raise ValueError("an object reference where a branch should be")
    return position + 4


class Fields:
    """The members of one branch that matter, by position.

    Parameters
    ----------
    record
        The tree.
    begin
        Position of the branch object.
    """

    def __init__(self, record: bytes | bytearray, begin: int) -> None:
        self._record = record
        (version,) = struct.unpack_from(">H", record, begin + 4)
        self.is_element = version in _ELEMENT_VERSIONS
        position = begin + 6
        if self.is_element:
            self._element = hop(record, position)
            position += 6
        inner, version = struct.unpack_from(">IH", record, position - 6)
        if not inner & _BYTE_COUNT or version not in _BRANCH_VERSIONS:
            raise UnsupportedError(f"TBranch version {version}")
        position = hop(record, hop(record, position))  # TNamed, TAttFill
        _, _, self.offset_bytes, self._n_baskets, _ = struct.unpack_from(">iiiiq", record, position)
        position += 24
        self.io_features = 0
        if version >= 13:
            position = hop(record, position)
            self.io_features = record[position - 1]
        _, self._capacity, _, self.n_entries, _, self.total_bytes = struct.unpack_from(
            ">iIiqqq", record, position
        )
        self.sub_branches = position + 44
        self.leaves = hop(record, self.sub_branches)
        self._embedded = hop(record, self.leaves)
        self._table = hop(record, self._embedded)

    def element(self) -> tuple[str, int, int]:
        """Class name, type and streamer type of a TBranchElement."""
        class_name, position = read_string(self._record, self._element)
        for _ in range(2):
            _, position = read_string(self._record, position)
        _, _, _, branch_type, streamer_type = struct.unpack_from(">IHiii", self._record, position)
        return class_name, branch_type, streamer_type

    def baskets(self, n_entries: int) -> tuple[Integers, Integers, Integers]:
        """First entries (n + 1), positions (n) and lengths (n) of the baskets on disk."""
        n, capacity = self._n_baskets, self._capacity
        if not 0 <= n <= capacity or capacity > len(self._record):
            raise ValueError("an impossible number of baskets")
        position = self._table + 1  # each array has a byte in front
        sizes = np.frombuffer(self._record, ">i4", n, position)
        position += 4 * capacity + 1
        last = min(n + 1, capacity)
        entries = np.frombuffer(self._record, ">i8", last, position).astype(np.int64)
        if last == n:  # the table is full: its end is the number of entries
            entries = np.append(entries, n_entries)
        position += 8 * capacity + 1
        seeks = np.frombuffer(self._record, ">i8", n, position)
        return entries, seeks.astype(np.int64), sizes.astype(np.int64)


def leaf(record: bytes | bytearray, position: int, key_bytes: int) -> tuple[str, bool]:
    """Class of a branch's one leaf, and whether its number is unsigned."""
    hop(record, position)
    position += 4 + 2 + 10
    position += record[position] + 1
    count, _ = struct.unpack_from(">ii", record, position)
    if count != 1:
        raise UnsupportedError(f"{count} leaves")
    position += 8 + 4
    class_name = _class_name(record, position, key_bytes)
    position = _behind_tag(record, position) + 6  # count and version of the class
    position = hop(record, position + 6)  # count and version of TLeaf; TNamed
    length, _, _, _, is_unsigned, counter = struct.unpack_from(">iii??I", record, position)
    if length != 1 or counter != 0:
        raise UnsupportedError("a leaf of several numbers")
    return class_name, bool(is_unsigned)


def _class_name(record: bytes | bytearray, position: int, key_bytes: int) -> str:
    (tag,) = struct.unpack_from(">I", record, position)
    if tag != _NEW_CLASS:
        position = (tag & ~_CLASS_REFERENCE) - key_bytes - _REFERENCE_OFFSET
        (tag,) = struct.unpack_from(">I", record, position)
        if position < 0 or tag != _NEW_CLASS:
            raise ValueError("a reference to no class")
    end = record.index(b"\0", position + 4)
    return record[position + 4 : end].decode()
