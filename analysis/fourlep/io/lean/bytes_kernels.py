"""Kernels that take numbers out of inflated baskets.

Every index is checked against the end of what it points into before it is used; a
kernel that meets anything else than the format promises returns a negative number.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fourlep.io.lean.arrays import Inflated, Spans
from fourlep.io.lean.compiled import compiled, inlined

#: Length of a vector's header: byte count (4), version (2), number of items (4).
HEADER_BYTES = 10
#: Of an ElementLink: key and index. In front stand the heads of two classes, each with a
#: byte count (4) and a version (2); with a checksum (4) where the version is 0, as
#: ATLAS's software writes it, and without where ROOT alone has copied the events.
_LINK_NUMBERS = 8
_SHORT_HEAD, _LONG_HEAD = 6, 10
MIN_LINK_BYTES = 2 * _SHORT_HEAD + _LINK_NUMBERS
#: What a kernel returns for bytes that contradict the format.
DAMAGED = -1
#: What it returns for a well-formed item of a kind that it does not know.
UNKNOWN = -2
#: Flag of a byte count, which every versioned object begins with.
BYTE_COUNT = 0x4000_0000


@inlined
def unsigned32(data: Any, position: Any) -> Any:
    """Read the big-endian number at ``position``, which the caller has checked.

    Unsigned positions spare the test for negative ones, which count from the end.
    """
    first = np.uintp(position)
    return np.int64(
        (np.uint32(data[first]) << np.uint32(24))
        | (np.uint32(data[first + np.uintp(1)]) << np.uint32(16))
        | (np.uint32(data[first + np.uintp(2)]) << np.uint32(8))
        | np.uint32(data[first + np.uintp(3)])
    )


@inlined
def signed32(data: Any, position: Any) -> Any:
    """Read the big-endian signed number at ``position``, which the caller has checked."""
    return np.int64(np.int32(unsigned32(data, position)))


@inlined
def unsigned16(data: Any, position: Any) -> Any:
    """Read the big-endian number of two bytes."""
    first = np.uintp(position)
    return np.int64(data[first]) << 8 | np.int64(data[first + np.uintp(1)])


@compiled
def locate(held: Inflated, basket: Any, local: Any, spans: Spans) -> int:
    """Find entries by the baskets' own tables of offsets.

    Parameters
    ----------
    basket, local : (n,) int64
        Place of each entry: number of its basket, and number within.
    spans : (n,)
        Positions are filled, lengths are not.

    Returns
    -------
    int
        0, or `DAMAGED`.
    """
    for k in range(len(basket)):
        b, i = basket[k], local[k]
        if b < 0 or b >= len(held.begin) or i < 0 or i >= held.n_entries[b]:
            return DAMAGED
        begin, border, end = held.begin[b], held.border[b], held.end[b]
        n_table = 4 * (held.n_entries[b] + 2)
        if begin < 0 or border < begin or end > len(held.data) or border + n_table > end:
            return DAMAGED
        first = begin - held.key_bytes[b] + unsigned32(held.data, border + 4 + 4 * i)
        after = border
        if i + 1 < held.n_entries[b]:
            after = begin - held.key_bytes[b] + unsigned32(held.data, border + 8 + 4 * i)
        if first < begin or after < first or after > border:
            return DAMAGED
        spans.position[k] = first
        spans.after[k] = after
    return 0


@compiled
def vector_lengths(data: Any, spans: Spans, item: int) -> int:
    """Read the headers of vectors of numbers; positions move behind them.

    Parameters
    ----------
    spans : (n,)
        From `locate`; lengths are filled.
    item
        Bytes of a number.

    Returns
    -------
    int
        Items of all vectors, or `DAMAGED`.
    """
    total = 0
    for k in range(len(spans.position)):
        begin, after = spans.position[k], spans.after[k]
        if begin < 0 or after > len(data) or after - begin < HEADER_BYTES:
            return DAMAGED
        length = unsigned32(data, begin + 6)
        n_bytes = HEADER_BYTES + length * item
        if n_bytes != after - begin or unsigned32(data, begin) != BYTE_COUNT + n_bytes - 4:
            return DAMAGED
        spans.position[k] = begin + HEADER_BYTES
        spans.length[k] = length
        total += length
    return total


@compiled
def outer_lengths(data: Any, spans: Spans) -> int:
    """Read the headers of vectors of vectors; positions move behind them.

    Returns
    -------
    int
        Inner vectors of all entries, each with four bytes at least, or `DAMAGED`.
    """
    total = 0
    for k in range(len(spans.position)):
        begin, after = spans.position[k], spans.after[k]
        if begin < 0 or after > len(data) or after - begin < HEADER_BYTES:
            return DAMAGED
        length = unsigned32(data, begin + 6)
        is_whole = unsigned32(data, begin) == BYTE_COUNT | (after - begin - 4)
        if not is_whole or 4 * length > after - begin - HEADER_BYTES:
            return DAMAGED
        spans.length[k] = length
        spans.position[k] = begin + HEADER_BYTES
        total += length
    return total


@compiled
def link_head(data: Any, here: int, end: int) -> int:
    """Length of what stands in front of the key and the index of a link.

    Returns
    -------
    int
        `DAMAGED` where less than a link is left, `UNKNOWN` where it is none that is known.
    """
    if here < 0 or end > len(data) or end - here < MIN_LINK_BYTES:
        return DAMAGED
    outer = _SHORT_HEAD if unsigned16(data, here + 4) else _LONG_HEAD
    base = _SHORT_HEAD if unsigned16(data, here + outer + 4) else _LONG_HEAD
    n_base = base + _LINK_NUMBERS
    if end - here < outer + n_base:
        return DAMAGED
    count, base_count = unsigned32(data, here), unsigned32(data, here + outer)
    if count != BYTE_COUNT | (outer + n_base - 4) or base_count != BYTE_COUNT | (n_base - 4):
        return UNKNOWN
    return outer + base


@compiled
def links_bytes(data: Any, here: int, end: int, n: int) -> int:
    """Bytes of ``n`` links, or what is wrong with one of them."""
    first = here
    for _ in range(n):
        head = link_head(data, here, end)
        if head < 0:
            return head
        here += head + _LINK_NUMBERS
    return here - first


@compiled
def inner_lengths(data: Any, spans: Spans, item: int, inner: Spans) -> int:
    """Walk vectors of vectors.

    Parameters
    ----------
    spans : (n,)
        From `outer_lengths`.
    item
        Bytes of an item; 0 for links, which say it themselves.
    inner : (sum of outer lengths,)
        Filled with where the items of each inner vector are, and their number.

    Returns
    -------
    int
        Items of all inner vectors, `DAMAGED`, or `UNKNOWN` for links that are streamed in
        another way.
    """
    total = 0
    m = 0
    for k in range(len(spans.position)):
        here, end = spans.position[k], spans.after[k]
        if here < 0 or end > len(data) or m + spans.length[k] > len(inner.length):
            return DAMAGED
        for _ in range(spans.length[k]):
            if end - here < 4:
                return DAMAGED
            n = unsigned32(data, here)
            here += 4
            n_bytes = n * item if item > 0 else links_bytes(data, here, end, n)
            if n_bytes < 0:
                return n_bytes
            if n_bytes > end - here:
                return DAMAGED
            inner.position[m] = here
            here += n_bytes
            inner.after[m] = here
            inner.length[m] = n
            total += n
            m += 1
        if here != end:
            return DAMAGED
    return total


@compiled
def counted_lengths(spans: Spans, item: int) -> int:
    """Lengths of entries without header: as many items as there are bytes for.

    Returns
    -------
    int
        Items of all entries, or `DAMAGED`.
    """
    total = 0
    for k in range(len(spans.position)):
        n_bytes = spans.after[k] - spans.position[k]
        if n_bytes < 0 or n_bytes % item != 0:
            return DAMAGED
        spans.length[k] = n_bytes // item
        total += spans.length[k]
    return total


@compiled
def copy_numbers(data: Any, spans: Spans, item: int, out: Any) -> int:
    """Copy big-endian numbers into memory in little-endian order.

    Parameters
    ----------
    spans : (n,)
        Runs of numbers.
    item
        Bytes of a number.
    out : (n_numbers * item,) uint8
        Filled.

    Returns
    -------
    int
        0, or `DAMAGED`.
    """
    written = 0
    for k in range(len(spans.position)):
        begin, n_bytes = spans.position[k], spans.length[k] * item
        if begin < 0 or n_bytes < 0 or begin + n_bytes > len(data):
            return DAMAGED
        if written + n_bytes > len(out):
            return DAMAGED
        for i in range(spans.length[k]):
            for byte in range(item):
                out[written + byte] = data[begin + i * item + item - 1 - byte]
            written += item
    return 0 if written == len(out) else DAMAGED


@compiled
def copy_links(data: Any, spans: Spans, key: Any, index: Any) -> int:
    """Read ElementLinks: key of the container and index within it.

    Parameters
    ----------
    spans : (n,)
        Runs of links.
    key, index : (n_links,) uint32
        Filled.

    Returns
    -------
    int
        0, `DAMAGED`, or `UNKNOWN` for links that are streamed in another way.
    """
    written = 0
    for k in range(len(spans.position)):
        here, length = spans.position[k], spans.length[k]
        if written + length > len(key) or written + length > len(index):
            return DAMAGED
        for _ in range(length):
            head = link_head(data, here, spans.after[k])
            if head < 0:
                return head
            key[written] = unsigned32(data, here + head)
            index[written] = unsigned32(data, here + head + 4)
            here += head + _LINK_NUMBERS
            written += 1
    return 0 if written == len(key) else DAMAGED
