"""Neighbouring ranges read as one: fewer requests, a few bytes more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fourlep.io.transport.source import ByteSource, Range

#: Bytes that two ranges may be apart to be read together. Vector reads carry a thousand
#: ranges in one request, so the gap only has to outweigh a range's own bookkeeping.
DEFAULT_GAP_BYTES = 2048


@dataclass(frozen=True, slots=True)
class Coalesced:
    """Ranges to read, and where in them the wanted ones are.

    Parameters
    ----------
    reads
        What to ask of the transport, by ascending offset, not overlapping.
    places
        For each wanted range: number of the read, and the offset within it.
    """

    reads: tuple[Range, ...]
    places: tuple[tuple[int, int], ...]


def coalesce(wanted: Sequence[Range], gap_bytes: int = DEFAULT_GAP_BYTES) -> Coalesced:
    """Join ranges that overlap or are at most ``gap_bytes`` apart.

    Examples
    --------
    >>> coalesce([(0, 10), (100, 10), (12, 8)], gap_bytes=4)
    Coalesced(reads=((0, 20), (100, 10)), places=((0, 0), (1, 0), (0, 12)))
    """
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    reads: list[Range] = []
    places: list[tuple[int, int]] = [(0, 0)] * len(wanted)
    begin, end = 0, -1
    for position in order:
        offset, length = wanted[position]
        if reads and offset <= end + gap_bytes:
            end = max(end, offset + length)
            reads[-1] = (begin, end - begin)
        else:
            begin, end = offset, offset + length
            reads.append((offset, length))
        places[position] = (len(reads) - 1, offset - begin)
    return Coalesced(tuple(reads), tuple(places))


def read_coalesced(
    source: ByteSource, wanted: Sequence[Range], gap_bytes: int = DEFAULT_GAP_BYTES
) -> list[memoryview]:
    """Read ``wanted`` in few requests; the parts, in its order, share memory."""
    plan = coalesce(wanted, gap_bytes)
    data = [memoryview(part) for part in source.read_ranges(plan.reads)]
    return [
        data[number][begin : begin + length]
        for (number, begin), (_, length) in zip(plan.places, wanted, strict=True)
    ]
