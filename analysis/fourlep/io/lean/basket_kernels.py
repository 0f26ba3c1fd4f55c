"""Kernels that verify the keys of baskets and inflate what is behind them.

A basket's record is a key, and blocks of compressed bytes or the bytes themselves. Every
position is checked against the end of the record before it is used.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np

from fourlep.io.lean.arrays import Bytes, Integers, Tables
from fourlep.io.lean.bytes_kernels import signed32, unsigned16, unsigned32
from fourlep.io.lean.compiled import compiled, inlined
from fourlep.io.lean.container import read_string
from fourlep.io.lean.inflate import Buffer
from fourlep.io.lean.native import Native, call_c

#: Longest inflated basket: ROOT's own limit is 1 GiB, PHYSLITE's have 128 KiB; a longer
#: one is left to uproot, so that a damaged length cannot exhaust the memory here.
MAX_BASKET_BYTES = 64 << 20

#: What `verify` finds; 0 is a good key.
CUT, ANOTHER, LENGTHS, LARGE, GENERATED, COUNT, UNFILLED, TABLE = range(1, 9)
#: What `inflate_blocks` leaves to Python, which knows further codecs and what to say.
LEFT = 9

#: From the key's start to its three names: with 32-bit and with 64-bit positions.
_SMALL_FRONT, _BIG_FRONT = 26, 34
_BIG_VERSION = 1000
#: Version, buffer size, two sizes of the offset array, end of the entries, flag.
_BACK_BYTES = 19
#: A basket's flag is this or more where its offsets are generated and not stored.
_GENERATED_FLAG = 80
_BLOCK_HEADER_BYTES = 9
#: The two letters that a block begins with, as a number.
_ZLIB, _ZSTD = 0x5A4C, 0x5A53


class Fetched(NamedTuple):
    """What one round of reading brought.

    Parameters
    ----------
    seek, place : (n,) int64
        Where records begin in the file, ascending, and in ``data``.
    data : (n_bytes,) uint8
        The bytes.
    """

    seek: Integers
    place: Integers
    data: Bytes


class Promises(NamedTuple):
    """What the tree says of the keys of some branches.

    Parameters
    ----------
    names : (n_bytes,) uint8
        Names of class, branch and tree as each branch's keys have them, end to end.
    bounds : (n_branches + 1,) int64
        Where each branch's begin, and the end.
    entry_bytes : (n_branches,) int64
        Length of an entry, 0 where entries differ and a table of them must be there.
    """

    names: Bytes
    bounds: Integers
    entry_bytes: Integers


class Rows(NamedTuple):
    """Baskets to be looked at, one row each.

    Parameters
    ----------
    place : (n,) int64
        Where the record begins in the fetched bytes.
    size, seek, first, n_entries : (n,) int64
        Its length, its place in the file, its first entry and its number of entries, by
        the tree.
    branch : (n,) int64
        Number of its branch.
    """

    place: Integers
    size: Integers
    seek: Integers
    first: Integers
    n_entries: Integers
    branch: Integers

    @classmethod
    def empty(cls, n: int) -> Rows:
        """Rows to be filled."""
        return cls(*np.empty((len(cls._fields), n), dtype=np.int64))


class Keys(NamedTuple):
    """What the keys say.

    Parameters
    ----------
    status : (n,) int64
        0, or what is wrong.
    key_bytes, object_bytes, border, n_entries : (n,) int64
        Lengths of the key and of what is inflated, end of the entries in it, number of
        entries.
    begin : (n,) int64
        Where each basket begins when all are inflated end to end.
    """

    status: Integers
    key_bytes: Integers
    object_bytes: Integers
    border: Integers
    n_entries: Integers
    begin: Integers

    @classmethod
    def empty(cls, n: int) -> Keys:
        """Keys to be filled."""
        return cls(*np.zeros((len(cls._fields), n), dtype=np.int64))


@inlined
def little24(data: Any, position: Any) -> Any:
    """Read three bytes, the least first."""
    first = np.uintp(position)
    return (
        np.int64(data[first])
        | np.int64(data[first + np.uintp(1)]) << 8
        | np.int64(data[first + np.uintp(2)]) << 16
    )


@compiled
def expected(tables: Tables, row: Integers, counts: Integers, at_hand: Fetched, rows: Rows) -> bool:
    """Look baskets up, in the tree's tables and among what was fetched.

    Parameters
    ----------
    tables
        Of a set of branches.
    row, counts
        As in `fourlep.io.lean.branch_set.Baskets`.
    at_hand
        Where to find their bytes.
    rows
        Filled, as far as baskets are at hand.

    Returns
    -------
    bool
        Whether all are.
    """
    r = 0
    n_fetched = len(at_hand.seek)
    for branch in range(len(counts)):
        for _ in range(counts[branch]):
            k = row[r]
            seek = tables.seek[k]
            low, high = 0, n_fetched
            while low < high:
                middle = (low + high) // 2
                if at_hand.seek[middle] < seek:
                    low = middle + 1
                else:
                    high = middle
            if low == n_fetched or at_hand.seek[low] != seek:
                return False
            rows.place[r], rows.size[r], rows.seek[r] = at_hand.place[low], tables.size[k], seek
            rows.first[r], rows.n_entries[r] = tables.first[k], tables.after[k] - tables.first[k]
            rows.branch[r] = branch
            r += 1
    return True


@compiled
def verify(raw: Any, rows: Rows, promises: Promises, keys: Keys) -> int:
    """Compare keys with what the tree says.

    Parameters
    ----------
    raw : (n_bytes,) uint8
        Fetched bytes.
    promises
        Of the branches that `Rows` number.
    keys
        Filled.

    Returns
    -------
    int
        Bytes of all baskets when they are inflated, or -1 where a key is wrong.
    """
    n_bytes, n_wrong = 0, 0
    for r in range(len(rows.place)):
        verify_key(raw, rows, promises, keys, r)
        keys.begin[r] = n_bytes
        n_bytes += keys.object_bytes[r]
        n_wrong += keys.status[r] != 0
    return -1 if n_wrong > 0 else n_bytes


@compiled
def verify_key(raw: Any, rows: Rows, promises: Promises, keys: Keys, r: int) -> None:
    """Compare one key."""
    begin, size, branch = rows.place[r], rows.size[r], rows.branch[r]
    first_name = promises.bounds[branch]
    n_names = promises.bounds[branch + 1] - first_name
    keys.status[r] = CUT
    if begin < 0 or size < _SMALL_FRONT or begin + size > len(raw):
        return
    is_big = unsigned16(raw, begin + 4) > _BIG_VERSION
    front = _BIG_FRONT if is_big else _SMALL_FRONT
    n_key = front + n_names + _BACK_BYTES
    if size < n_key:
        return
    keys.status[r] = ANOTHER
    seek = signed32(raw, begin + 18)
    if is_big:
        seek = seek << 32 | unsigned32(raw, begin + 22)
    if signed32(raw, begin) != size or seek != rows.seek[r]:
        return
    if not same(raw, begin + front, promises.names, first_name, n_names):
        return
    keys.status[r] = LENGTHS
    n_object = signed32(raw, begin + 6)
    if unsigned16(raw, begin + 14) != n_key or n_object < 0:
        return
    if n_object > MAX_BASKET_BYTES:
        keys.status[r] = LARGE
        return
    keys.key_bytes[r], keys.object_bytes[r] = n_key, n_object
    back = begin + n_key - _BACK_BYTES
    keys.n_entries[r] = signed32(raw, back + 10)
    keys.border[r] = signed32(raw, back + 14) - n_key
    is_generated = raw[back + 18] >= _GENERATED_FLAG
    entry_bytes = promises.entry_bytes[branch]
    keys.status[r] = GENERATED if is_generated else content_status(rows, keys, r, entry_bytes)


@compiled
def same(raw: Any, begin: int, names: Any, first: int, n: int) -> bool:
    """Whether the bytes at ``begin`` are the names; the caller has checked both ends."""
    n_equal = 0
    while n_equal < n and raw[begin + n_equal] == names[first + n_equal]:
        n_equal += 1
    return n_equal == n


@compiled
def content_status(rows: Rows, keys: Keys, r: int, entry_bytes: int) -> int:
    """What is wrong with the entries that a key promises."""
    n_object, border, n = keys.object_bytes[r], keys.border[r], keys.n_entries[r]
    if n != rows.n_entries[r] or not 0 <= border <= n_object:
        return COUNT
    if entry_bytes > 0:
        return 0 if border == n * entry_bytes else UNFILLED
    return TABLE if n_object - border < 4 * (n + 2) else 0


@compiled
def inflate_blocks(raw: Any, rows: Rows, keys: Keys, out: Any, using: Native) -> int:
    """Inflate verified baskets.

    Parameters
    ----------
    raw, rows, keys
        As `verify` left them; ``keys.status`` is `LEFT` for a basket that this did not
        inflate.
    out : (n_bytes,) uint8
        Filled.
    using
        Libraries.

    Returns
    -------
    int
        Baskets that are left.
    """
    n_left = 0
    for r in range(len(rows.place)):
        here = rows.place[r] + keys.key_bytes[r]
        end = rows.place[r] + rows.size[r]
        to, n = keys.begin[r], keys.object_bytes[r]
        keys.status[r] = LEFT
        if to < 0 or n < 0 or to + n > len(out) or here < 0 or end > len(raw):
            n_left += 1
        elif end - here == n:  # stored as it is
            for k in range(n):  # as a slice it would take seconds to compile
                out[to + k] = raw[here + k]
            keys.status[r] = 0
        elif inflated((raw, here, end), (out, to, n), using) == n:
            keys.status[r] = 0
        else:
            n_left += 1
    return n_left


@compiled
def inflated(source: Any, target: Any, using: Native) -> int:
    """Inflate the blocks of a basket; bytes written, or -1.

    Parameters
    ----------
    source
        Bytes, first and one past the last.
    target
        Bytes, first, and how many there are to be.
    using
        Libraries.
    """
    raw, here, end = source
    out, to, n = target
    written = 0
    while here < end:
        if end - here < _BLOCK_HEADER_BYTES:
            return -1
        codec = unsigned16(raw, here)
        n_from, n_to = little24(raw, here + 3), little24(raw, here + 6)
        here += _BLOCK_HEADER_BYTES
        if n_from > end - here or n_to <= 0 or n_to > n - written:
            return -1
        address, room = raw.ctypes.data + here, out.ctypes.data + to + written
        done = False
        if codec == _ZLIB and using.zlib != 0:
            arguments = (using.zlib_context, address, n_from, room, n_to, 0)
            done = call_c(using.zlib, arguments) & np.uint64(0xFFFFFFFF) == 0
        elif codec == _ZSTD and using.zstd != 0:
            done = call_c(using.zstd, (using.zstd_context, room, n_to, address, n_from)) == n_to
        if not done:
            return -1
        here += n_from
        written += n_to
    return written


def names_in(record: memoryview) -> tuple[str, ...]:
    """Names of class, branch and tree in the key that a record begins with, if it has them."""
    (version,) = struct.unpack_from(">H", record, 4)
    names, position = [], _BIG_FRONT if version > _BIG_VERSION else _SMALL_FRONT
    for _ in range(3):
        name, position = read_string(record, position)
        names.append(name)
    return tuple(names)


def as_bytes(data: Buffer) -> Bytes:
    """View bytes as the kernels take them: one type, whoever made the buffer."""
    view = np.frombuffer(data, dtype=np.uint8)
    view.flags.writeable = False
    return view
