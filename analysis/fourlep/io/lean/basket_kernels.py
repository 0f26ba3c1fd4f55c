"""Kernels that verify the keys of baskets and inflate what is behind them.

A basket's record is a key, and blocks of compressed bytes or the bytes themselves. Every
position is checked against the end of the record before it is used.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fourlep.io.lean.arrays import Integers
from fourlep.io.lean.bytes_kernels import signed32, unsigned16, unsigned32
from fourlep.io.lean.compiled import compiled, inlined
from fourlep.io.lean.native import Native, call_c

#: Longest inflated basket: ROOT's own limit is 1 GiB, PHYSLITE's have 128 KiB; a basket
#: above this is refused, so that a damaged length cannot exhaust the memory.
MAX_BASKET_BYTES = 64 << 20

#: What `verify` finds; 0 is a good key.
CUT, ANOTHER, LENGTHS, GENERATED, COUNT, UNFILLED, TABLE = range(1, 8)
#: What `inflate_blocks` leaves to Python, which knows further codecs and what to say.
LEFT = 8

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


class Rows(NamedTuple):
    """Baskets to be looked at, one row each.

    Parameters
    ----------
    place : (n,) int64
        Where the record begins in the fetched bytes.
    size, seek, n_entries : (n,) int64
        Its length, its place in the file and its number of entries, by the tree.
    name_begin, name_end : (n,) int64
        Place of the three names that its key must have.
    entry_bytes : (n,) int64
        Length of an entry, 0 where entries differ and a table of them must be there.
    """

    place: Integers
    size: Integers
    seek: Integers
    n_entries: Integers
    name_begin: Integers
    name_end: Integers
    entry_bytes: Integers


class Keys(NamedTuple):
    """What the keys say.

    Parameters
    ----------
    status : (n,) int64
        0, or what is wrong.
    key_bytes, object_bytes, border, n_entries : (n,) int64
        Lengths of the key and of what is inflated, end of the entries in it, number of
        entries.
    """

    status: Integers
    key_bytes: Integers
    object_bytes: Integers
    border: Integers
    n_entries: Integers

    @classmethod
    def empty(cls, n: int) -> Keys:
        """Keys to be filled."""
        return cls(*(np.zeros(n, dtype=np.int64) for _ in range(5)))


@inlined
def little24(data: Any, position: Any) -> Any:
    """Read three bytes, the least first."""
    first = np.uintp(position)
    return (
        np.int64(data[first])
        | np.int64(data[first + np.uintp(1)]) << 8
        | np.int64(data[first + np.uintp(2)]) << 16
    )


class Target(NamedTuple):
    """Where baskets are inflated to.

    Parameters
    ----------
    begin : (n,) int64
        Place of each basket.
    data : (n_bytes,) uint8
        All of them.
    """

    begin: Integers
    data: npt.NDArray[np.uint8]


@compiled
def verify(raw: Any, rows: Rows, names: Any, keys: Keys) -> None:
    """Compare keys with what the tree says.

    Parameters
    ----------
    raw : (n_bytes,) uint8
        Fetched bytes.
    names : (n_bytes,) uint8
        Names that `Rows` point into.
    keys
        Filled.
    """
    for r in range(len(rows.place)):
        begin, size = rows.place[r], rows.size[r]
        n_names = rows.name_end[r] - rows.name_begin[r]
        keys.status[r] = CUT
        if begin < 0 or size < _SMALL_FRONT or begin + size > len(raw):
            continue
        is_big = unsigned16(raw, begin + 4) > _BIG_VERSION
        front = _BIG_FRONT if is_big else _SMALL_FRONT
        n_key = front + n_names + _BACK_BYTES
        if size < n_key:
            continue
        keys.status[r] = ANOTHER
        seek = signed32(raw, begin + 18)
        if is_big:
            seek = seek << 32 | unsigned32(raw, begin + 22)
        if signed32(raw, begin) != size or seek != rows.seek[r]:
            continue
        if not same(raw, begin + front, names, rows.name_begin[r], n_names):
            continue
        keys.status[r] = LENGTHS
        n_object = signed32(raw, begin + 6)
        if unsigned16(raw, begin + 14) != n_key or not 0 <= n_object <= MAX_BASKET_BYTES:
            continue
        keys.key_bytes[r], keys.object_bytes[r] = n_key, n_object
        back = begin + n_key - _BACK_BYTES
        keys.n_entries[r] = signed32(raw, back + 10)
        keys.border[r] = signed32(raw, back + 14) - n_key
        is_generated = raw[back + 18] >= _GENERATED_FLAG
        keys.status[r] = GENERATED if is_generated else content_status(rows, keys, r)


@compiled
def same(raw: Any, begin: int, names: Any, first: int, n: int) -> bool:
    """Whether the bytes at ``begin`` are the names; the caller has checked both ends."""
    n_equal = 0
    while n_equal < n and raw[begin + n_equal] == names[first + n_equal]:
        n_equal += 1
    return n_equal == n


@compiled
def content_status(rows: Rows, keys: Keys, r: int) -> int:
    """What is wrong with the entries that a key promises."""
    n_object, border, n = keys.object_bytes[r], keys.border[r], keys.n_entries[r]
    if n != rows.n_entries[r] or not 0 <= border <= n_object:
        return COUNT
    if rows.entry_bytes[r] > 0:
        return 0 if border == n * rows.entry_bytes[r] else UNFILLED
    return TABLE if n_object - border < 4 * (n + 2) else 0


@compiled
def inflate_blocks(raw: Any, rows: Rows, keys: Keys, target: Target, using: Native) -> None:
    """Inflate verified baskets.

    Parameters
    ----------
    raw, rows, keys
        As `verify` left them; ``keys.status`` is `LEFT` for a basket that this did not
        inflate.
    target
        Filled.
    using
        Libraries.
    """
    for r in range(len(rows.place)):
        here = rows.place[r] + keys.key_bytes[r]
        end = rows.place[r] + rows.size[r]
        to, n = target.begin[r], keys.object_bytes[r]
        if to < 0 or n < 0 or to + n > len(target.data) or here < 0 or end > len(raw):
            keys.status[r] = LEFT
        elif end - here == n:  # stored as it is
            for k in range(n):  # as a slice it would take seconds to compile
                target.data[to + k] = raw[here + k]
        elif inflated((raw, here, end), (target.data, to, n), using) != n:
            keys.status[r] = LEFT


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


def as_bytes(data: bytes) -> npt.NDArray[np.uint8]:
    """View bytes as the kernels take them: one type, whoever made the buffer."""
    view = np.frombuffer(data, dtype=np.uint8)
    view.flags.writeable = False
    return view
