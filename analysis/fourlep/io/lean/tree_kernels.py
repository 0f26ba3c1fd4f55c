"""Kernels that hop through a streamed tree: a thousand branches take a tenth of a millisecond.

A record that contradicts itself raises ValueError; every position is checked against its
end first. Layouts are those of `fourlep.io.lean.streamed`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fourlep.io.lean.arrays import Integers
from fourlep.io.lean.bytes_kernels import BYTE_COUNT, signed32, unsigned16, unsigned32
from fourlep.io.lean.compiled import compiled

NEW_CLASS = 0xFFFF_FFFF
CLASS_REFERENCE = 0x8000_0000

_BRANCH_VERSIONS = (12, 13)
_ELEMENT_VERSIONS = (9, 10)
#: From a branch object to its name: a TBranch begins with counts and versions of itself
#: and of its TNamed, and a TObject; a TBranchElement has one more count and version.
_BRANCH_NAME, _ELEMENT_NAME = 22, 28

#: A string of this length or more has its length in four bytes behind this one.
LONG_STRING = 255
#: Checksum, version, id, type and streamer type of a TBranchElement.
_LAYOUT_BYTES = 18

#: Added to a class version that is not known; versions are two bytes.
UNKNOWN = 1 << 16
#: What `wrong` finds.
EMBEDDED, ORDER, OUTSIDE, LONG = range(1, 5)


class Numbers(NamedTuple):
    """The members of a branch that matter.

    Parameters
    ----------
    version
        0, or `UNKNOWN` and the class version: then nothing else is of use.
    is_element
        1 for a TBranchElement, else 0.
    element, sub_branches, leaves, table
        Positions: of its own members behind those of TBranch, and of three arrays.
    after_element
        Position behind the members of a TBranchElement that tell its layout.
    offset_bytes, io_features, capacity, n_baskets, n_entries, total_bytes
        fEntryOffsetLen, bits of fIOFeatures, fMaxBaskets, fWriteBasket, fEntries and
        fTotBytes.
    """

    version: int
    is_element: int
    element: int
    after_element: int
    sub_branches: int
    leaves: int
    table: int
    offset_bytes: int
    io_features: int
    capacity: int
    n_baskets: int
    n_entries: int
    total_bytes: int


class BasketTables(NamedTuple):
    """Tables of baskets of several branches, end to end.

    Parameters
    ----------
    bounds : (n_branches + 1,) int64
        First basket of each branch, and the number of baskets.
    entries : (n_baskets + n_branches,) int64
        First entries; one more than baskets for each branch.
    seeks, sizes : (n_baskets,) int64
        Positions and lengths of the records.
    faults : (n_branches,) int64
        What `wrong` finds.
    """

    bounds: Integers
    entries: Integers
    seeks: Integers
    sizes: Integers
    faults: Integers


@compiled
def signed64(record: Any, position: Any) -> Any:
    """Read eight bytes, which the caller has checked."""
    return unsigned32(record, position) << 32 | unsigned32(record, position + 4)


@compiled
def need(record: Any, position: Any, n_bytes: Any) -> None:
    """Raise where ``n_bytes`` from ``position`` are not all there."""
    if position < 0 or n_bytes < 0 or position + n_bytes > len(record):
        raise ValueError("an object reaches beyond the record")


@compiled
def hop(record: Any, position: Any) -> Any:
    """Find the position after an object that begins with its byte count."""
    need(record, position, 4)
    count = unsigned32(record, position)
    if count & BYTE_COUNT == 0:
        raise ValueError("an object without byte count")
    end = position + 4 + (count & ~BYTE_COUNT)
    if end > len(record):
        raise ValueError("an object reaches beyond the record")
    return end


@compiled
def behind_tag(record: Any, position: Any) -> Any:
    """Find the position after a class tag."""
    need(record, position, 4)
    tag = unsigned32(record, position)
    if tag == NEW_CLASS:
        end = position + 4
        while end < len(record) and record[end] != 0:
            end += 1
        if end == len(record):
            raise ValueError("a class name reaches beyond the record")
        return end + 1
    if tag & CLASS_REFERENCE == 0:
        raise ValueError("an object reference where a branch should be")
    return position + 4


@compiled
def behind_strings(record: Any, position: Any, n: int) -> Any:
    """Find the position after ``n`` strings."""
    for _ in range(n):
        need(record, position, 5)
        length, front = np.int64(record[position]), 1
        if length == LONG_STRING:
            length, front = unsigned32(record, position + 1), 5
        position += front + length
    return position


@compiled
def branch_places(record: Any, position: int, begin: Integers, name: Integers) -> Any:
    """Hop along the branches of an array.

    Parameters
    ----------
    record : (n_bytes,) uint8
        The tree.
    position
        Of the first branch's byte count.
    begin, name : (n,) int64
        Filled with the positions of the object behind its tag, and of its name.

    Returns
    -------
    int
        0, or `UNKNOWN` and the class version.
    """
    for k in range(len(begin)):
        end = hop(record, position)
        begin[k] = behind_tag(record, position + 4)
        need(record, begin[k], 6)
        version = unsigned16(record, begin[k] + 4)
        if version in _ELEMENT_VERSIONS:
            name[k] = begin[k] + _ELEMENT_NAME
        elif version in _BRANCH_VERSIONS:
            name[k] = begin[k] + _BRANCH_NAME
        else:
            return UNKNOWN + version
        need(record, name[k], 1)
        need(record, name[k] + 1, np.int64(record[name[k]]))
        position = end
    return 0


@compiled
def gather(record: Any, begin: Integers, lengths: Integers, out: Any) -> None:
    """Copy pieces of the record end to end."""
    done = 0
    for k in range(len(begin)):
        need(record, begin[k], lengths[k])
        need(out, done, lengths[k])
        for at in range(lengths[k]):
            out[done + at] = record[begin[k] + at]
        done += lengths[k]


@compiled
def numbers(record: Any, begin: int) -> Numbers:
    """Read the members of the branch object at ``begin``."""
    need(record, begin, 12)
    version = unsigned16(record, begin + 4)
    is_element = 1 if version in _ELEMENT_VERSIONS else 0
    position, element, after = begin + 6, 0, 0
    if is_element == 1:
        element = hop(record, position)
        after = behind_strings(record, element, 3) + _LAYOUT_BYTES
        need(record, element, after - element)
        position += 6
    need(record, position - 6, 6)
    version = unsigned16(record, position - 2)
    is_known = version in _BRANCH_VERSIONS
    if not is_known or unsigned32(record, position - 6) & BYTE_COUNT == 0:
        return Numbers(UNKNOWN + version, is_element, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    position = hop(record, hop(record, position))  # TNamed, TAttFill
    need(record, position, 24)
    offset_bytes, n_baskets = signed32(record, position + 8), signed32(record, position + 12)
    position += 24
    io_features: Any = np.int64(0)
    if version >= 13:
        position = hop(record, position)
        io_features = np.int64(record[position - 1])
    need(record, position, 44)
    capacity = unsigned32(record, position + 4)
    n_entries, total_bytes = signed64(record, position + 12), signed64(record, position + 28)
    sub_branches = position + 44
    leaves = hop(record, sub_branches)
    table = hop(record, hop(record, leaves))  # the leaves, and the embedded baskets
    return Numbers(
        0,
        is_element,
        element,
        after,
        sub_branches,
        leaves,
        table,
        offset_bytes,
        io_features,
        capacity,
        n_baskets,
        n_entries,
        total_bytes,
    )


@compiled
def read_table(record: Any, found: Numbers, entries: Any, seeks: Any, sizes: Any) -> None:
    """Read the table of a branch's baskets on disk.

    Parameters
    ----------
    entries : (n_baskets + 1,) int64
        Filled with first entries; the last is that of the basket that was never written,
        or the number of entries where the table is full.
    seeks, sizes : (n_baskets,) int64
        Filled.
    """
    n, capacity = found.n_baskets, found.capacity
    if n != len(seeks) or n != len(sizes) or n + 1 != len(entries):
        raise ValueError("room for another number of baskets")
    position = found.table + 1  # each array has a byte in front
    need(record, position, 12 * capacity + 2 + 8 * n)
    entry = position + 4 * capacity + 1
    seek = entry + 8 * capacity + 1
    for k in range(n):
        sizes[k] = signed32(record, position + 4 * k)
        entries[k] = signed64(record, entry + 8 * k)
        seeks[k] = signed64(record, seek + 8 * k)
    entries[n] = found.n_entries if n == capacity else signed64(record, entry + 8 * n)


@compiled
def wrong(entries: Any, seeks: Any, sizes: Any, limits: tuple[int, int, int]) -> int:
    """Find what contradicts itself in a table of baskets.

    Parameters
    ----------
    limits
        Entries of the tree, bytes of the file, and of the longest basket.

    Returns
    -------
    int
        0, or the first fault of `EMBEDDED`, `ORDER`, `OUTSIDE` and `LONG`.
    """
    n_entries, n_bytes, longest = limits
    is_embedded = entries[-1] != n_entries
    is_ordered = entries[0] == 0
    is_inside = True
    is_short = True
    for k in range(len(seeks)):
        is_embedded = is_embedded or seeks[k] <= 0
        is_ordered = is_ordered and entries[k] <= entries[k + 1]
        is_inside = is_inside and 0 < sizes[k] <= n_bytes - seeks[k]
        is_short = is_short and sizes[k] <= longest
    if is_embedded:
        return EMBEDDED
    if not is_ordered:
        return ORDER
    if not is_inside:
        return OUTSIDE
    return 0 if is_short else LONG


@compiled
def many_numbers(record: Any, begin: Integers, out: Any) -> None:
    """Read the members of several branch objects.

    Parameters
    ----------
    begin : (n,) int64
        Where they begin.
    out : (n, number of members) int64
        Filled with `Numbers`.
    """
    for k in range(len(begin)):
        found = numbers(record, begin[k])
        m = 0
        for member in found:
            out[k, m] = member
            m += 1  # noqa: SIM113  # numba cannot enumerate a tuple


@compiled
def read_tables(record: Any, begin: Integers, tables: BasketTables, limits: Any) -> None:
    """Read the tables of several branches, and find what is wrong with each.

    Parameters
    ----------
    begin : (n,) int64
        Where the branch objects begin.
    tables
        Filled.
    limits
        As in `wrong`.
    """
    for k in range(len(begin)):
        first, after = tables.bounds[k], tables.bounds[k + 1]
        entries = tables.entries[first + k : after + k + 1]
        seeks, sizes = tables.seeks[first:after], tables.sizes[first:after]
        read_table(record, numbers(record, begin[k]), entries, seeks, sizes)
        tables.faults[k] = wrong(entries, seeks, sizes, limits)
