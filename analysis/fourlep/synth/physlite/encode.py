"""Arrays to the bytes that a basket holds, by the grammar of `layout`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fourlep.synth.physlite.ragged import LINK, Ragged

Bytes = npt.NDArray[np.uint8]
Offsets = npt.NDArray[np.int64]

#: A vector's entry: byte count and version (6 bytes), then its length (4 bytes).
_HEADER_BYTES = 10
_STL_VERSION = 9
_BYTE_COUNT = 0x40000000


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """Entries as bytes.

    Parameters
    ----------
    data : (n_bytes,) uint8
        All entries one after another.
    offsets : (n_entries + 1,) int64
        Where each begins.
    width
        Bytes of an entry where that is fixed and baskets have no entry offsets, else 0.
    is_uniform
        Whether all entries are the same bytes.
    """

    data: Bytes
    offsets: Offsets
    width: int = 0
    is_uniform: bool = False

    def part(self, start: int, stop: int) -> tuple[Bytes, Offsets]:
        """Bytes of entries ``start`` to ``stop``, and offsets from the first of them."""
        first, last = self.offsets[start], self.offsets[stop]
        return self.data[first:last], self.offsets[start : stop + 1] - first


def encode(value: str, column: npt.NDArray[Any] | Ragged, checksums: Mapping[str, int]) -> Encoded:
    """Encode a column.

    Parameters
    ----------
    value
        What the branch holds, in the grammar of `layout`.
    column : (n_entries,) array or `Ragged`
        Numbers for a plain branch, lists for a vector or the members of a split one.
    checksums
        Of each class, for links.

    Raises
    ------
    TypeError
        If the column does not have the branch's form.
    """
    depth = len(value) - len(value.lstrip("*"))
    if depth == 0 and not value.startswith("["):
        return _scalars(value, column)
    if not isinstance(column, Ragged):
        raise TypeError(f"a branch of {value} takes lists (Ragged), not one number an event")
    if value.startswith("["):
        flat = _big_endian(value[1:], _flat(column))
        return Encoded(flat, _ends(column.counts * np.dtype(value[1:]).itemsize))
    item = value[depth:]
    body, sizes = _items(item, column.content, depth - 1, checksums)
    return _with_headers(column.counts, body, sizes)


def constant(entry: bytes, n_entries: int, *, has_offsets: bool = True) -> Encoded:
    """Repeat the same bytes for every entry."""
    data = np.frombuffer(entry * n_entries, dtype=np.uint8)
    offsets = np.arange(n_entries + 1, dtype=np.int64) * len(entry)
    return Encoded(data, offsets, 0 if has_offsets else len(entry), is_uniform=True)


def sizes_of_split(counts: npt.NDArray[Any]) -> Encoded:
    """Encode the sizes of a split vector, which its own branch holds."""
    return Encoded(_big_endian("i4", counts), _ends(np.full(len(counts), 4)))


def containers(inner: bytes, counts: npt.NDArray[Any]) -> Encoded:
    """Encode container objects: byte count, version and class, number of elements."""
    entry = np.frombuffer(_u4(_BYTE_COUNT | (len(inner) + 4)) + inner + b"\0" * 4, np.uint8)
    table = np.tile(entry, (len(counts), 1))
    table[:, -4:] = _as_bytes(np.asarray(counts, dtype=">u4"))
    return Encoded(table.reshape(-1), _ends(np.full(len(counts), len(entry))))


def _scalars(value: str, column: npt.NDArray[Any] | Ragged) -> Encoded:
    if isinstance(column, Ragged):
        raise TypeError(f"a branch of {value} takes one number an event, not lists")
    width = np.dtype(value).itemsize
    return Encoded(_big_endian(value, column), _ends(np.full(len(column), width)), width)


def _items(
    item: str, content: npt.NDArray[Any] | Ragged, depth: int, checksums: Mapping[str, int]
) -> tuple[Bytes, Offsets]:
    """Encode all elements of a vector; return also the size of each."""
    if depth == 0:
        flat = _flat_items(item, content, checksums)
        width = flat.shape[1]
        return flat.reshape(-1), np.full(len(flat), width, dtype=np.int64)
    if not isinstance(content, Ragged):
        raise TypeError(f"a vector of vectors of {item} takes a Ragged of Ragged")
    inner, sizes = _items(item, content.content, depth - 1, checksums)
    summed = _group(sizes, content.counts)
    lengths = _as_bytes(np.asarray(content.counts, dtype=">u4"))
    return _interleave(lengths, inner, summed), summed + 4


def _flat_items(
    item: str, content: npt.NDArray[Any] | Ragged, checksums: Mapping[str, int]
) -> Bytes:
    """Each element's bytes, (n, width)."""
    if isinstance(content, Ragged):
        raise TypeError(f"too many levels of lists for a vector of {item}")
    if item == "string":
        if len(content):
            raise TypeError("vectors of strings are written empty only")
        return np.zeros((0, 1), dtype=np.uint8)
    if not item.startswith("ElementLink<"):
        return _as_bytes(np.asarray(content).astype(np.dtype(item).newbyteorder(">")))
    if content.dtype != LINK:
        raise TypeError(f"a vector of {item} takes links(keys, indices)")
    head = b"".join(
        (
            _u4(_BYTE_COUNT | 24) + b"\0\0" + _u4(checksums[item]),
            _u4(_BYTE_COUNT | 14) + b"\0\0" + _u4(checksums["ElementLinkBase"]),
        )
    )
    table = np.empty((len(content), len(head) + 8), dtype=np.uint8)
    table[:, : len(head)] = np.frombuffer(head, dtype=np.uint8)
    table[:, len(head) :] = _as_bytes(np.ascontiguousarray(content))
    return table


def _with_headers(counts: npt.NDArray[Any], body: Bytes, item_sizes: Offsets) -> Encoded:
    """Put a vector's header before the elements of each entry."""
    sizes = _group(item_sizes, counts)
    header = np.empty((len(counts), _HEADER_BYTES), dtype=np.uint8)
    header[:, :4] = _as_bytes((sizes + 6 + _BYTE_COUNT).astype(">u4"))
    header[:, 4:6] = (0, _STL_VERSION)
    header[:, 6:] = _as_bytes(np.asarray(counts, dtype=">u4"))
    return Encoded(_interleave(header, body, sizes), _ends(sizes + _HEADER_BYTES))


def _interleave(heads: Bytes, body: Bytes, body_sizes: Offsets) -> Bytes:
    """Put row i of ``heads`` before the next ``body_sizes[i]`` bytes of ``body``."""
    width = heads.shape[1]
    starts = _ends(body_sizes + width)
    made = np.empty(int(starts[-1]), dtype=np.uint8)
    where = starts[:-1, None] + np.arange(width)
    is_body = np.ones(len(made), dtype=np.bool_)
    is_body[where.reshape(-1)] = False
    made[where.reshape(-1)] = heads.reshape(-1)
    made[is_body] = body
    return made


def _group(sizes: Offsets, counts: npt.NDArray[Any]) -> Offsets:
    """Sum consecutive ``sizes``, ``counts[i]`` of them each."""
    ends = _ends(sizes)
    edges = _ends(counts)
    return ends[edges[1:]] - ends[edges[:-1]]


def _ends(sizes: npt.NDArray[Any]) -> Offsets:
    made = np.zeros(len(sizes) + 1, dtype=np.int64)
    np.cumsum(sizes, out=made[1:])
    return made


def _flat(column: Ragged) -> npt.NDArray[Any]:
    if isinstance(column.content, Ragged):
        raise TypeError("the members of a split vector are numbers")
    return column.content


def _big_endian(value: str, numbers: npt.NDArray[Any]) -> Bytes:
    return _as_bytes(np.asarray(numbers).astype(np.dtype(value).newbyteorder(">"))).reshape(-1)


def _as_bytes(numbers: npt.NDArray[Any]) -> Bytes:
    """(n,) numbers as (n, itemsize) bytes."""
    return np.ascontiguousarray(numbers).view(np.uint8).reshape(len(numbers), numbers.itemsize)


def _u4(number: int) -> bytes:
    return number.to_bytes(4, "big")
