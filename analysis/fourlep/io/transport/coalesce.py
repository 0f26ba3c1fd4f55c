"""Neighbouring ranges read as one: fewer requests, a few bytes more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fourlep.io.transport.source import ByteSource, Range

Integers = npt.NDArray[np.int64]

#: Bytes that two ranges may be apart to be read together. Vector reads carry a thousand
#: ranges in one request, so the gap only has to outweigh a range's own bookkeeping.
DEFAULT_GAP_BYTES = 2048


@dataclass(frozen=True, slots=True, eq=False)
class Coalesced:
    """Ranges to read, and where in them, end to end, the wanted ones begin.

    Parameters
    ----------
    reads
        What to ask of the transport, by ascending offset, not overlapping.
    place : (n,) int64
        Offset of each wanted range within all that is read.
    """

    reads: tuple[Range, ...]
    place: Integers


def coalesce(offset: Integers, length: Integers, gap_bytes: int = DEFAULT_GAP_BYTES) -> Coalesced:
    """Join ranges that overlap or are at most ``gap_bytes`` apart.

    Parameters
    ----------
    offset, length : (n,) int64
        The ranges, by ascending offset.

    Examples
    --------
    >>> found = coalesce(np.array([0, 12, 100]), np.array([10, 8, 10]), gap_bytes=4)
    >>> found.reads, found.place.tolist()
    (((0, 20), (100, 10)), [0, 12, 20])
    """
    end = np.maximum.accumulate(offset + length)
    is_first = np.ones(len(offset), dtype=np.bool_)
    is_first[1:] = offset[1:] > end[:-1] + gap_bytes
    first = np.flatnonzero(is_first)
    begin = offset[first]
    size = end[np.append(first[1:], len(offset)) - 1] - begin if len(first) else begin
    before = np.cumsum(size) - size
    read = np.cumsum(is_first) - 1
    place = before[read] + offset - begin[read]
    return Coalesced(tuple(zip(begin.tolist(), size.tolist(), strict=True)), place)


def read_coalesced(
    source: ByteSource,
    ranges: tuple[Integers, Integers],
    gap_bytes: int,
    room: Callable[[int], npt.NDArray[np.uint8]],
) -> tuple[npt.NDArray[np.uint8], Integers]:
    """Read ranges in few requests.

    Parameters
    ----------
    source
        Where to read.
    ranges, gap_bytes
        As in `coalesce`.
    room
        Gives room for so many bytes.

    Returns
    -------
    (n_bytes,) uint8, (n,) int64
        Everything that came, and where each range begins in it.
    """
    plan = coalesce(*ranges, gap_bytes)
    data = room(sum(length for _, length in plan.reads))
    source.read_into(plan.reads, data.data)
    return data, plan.place
