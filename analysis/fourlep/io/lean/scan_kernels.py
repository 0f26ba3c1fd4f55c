"""Kernels that count leptons straight in the inflated baskets of a column.

The vectors are walked one after the other, without offsets and without an array made of
them; every header is checked on the way. Flags of the single leptons are kept between
the columns of a collection, so that a lepton counts when it passes every cut.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fourlep.io.lean.arrays import Inflated, Leptons, NumberCut
from fourlep.io.lean.bytes_kernels import DAMAGED, HEADER_BYTES, unsigned32, vector_length
from fourlep.io.lean.compiled import compiled


@compiled
def number_at(data: Any, position: Any, code: Any) -> Any:
    """Read the big-endian number at ``position``, which the caller has checked."""
    number = np.float64(0.0)
    if code == 0:
        number = np.float64(data[position])
    elif code == 1:
        number = np.float64(np.int8(data[position]))
    elif code == 2:
        number = np.float64(np.uint32(unsigned32(data, position)).view(np.float32))
    elif code <= 4:
        pair = (np.int64(data[position]) << 8) | np.int64(data[position + 1])
        number = np.float64(pair) if code == 3 else np.float64(np.int16(pair))
    elif code == 5:
        number = np.float64(unsigned32(data, position))
    elif code == 6:
        number = np.float64(np.int32(unsigned32(data, position)))
    else:
        high = np.uint64(unsigned32(data, position))
        low = np.uint64(unsigned32(data, position + 4))
        number = np.uint64((high << np.uint64(32)) | low).view(np.float64)
    return number


@compiled
def passes(number: Any, operator: Any, threshold: Any) -> Any:
    """Whether a number passes; NaN passes as it does in `fourlep.events.Cut`."""
    kept = False
    if operator == 0:
        kept = number > threshold
    elif operator == 1:
        kept = number >= threshold
    elif operator == 2:
        kept = number < threshold
    elif operator == 3:
        kept = number <= threshold
    elif operator == 4:
        kept = abs(number) < threshold
    elif operator == 5:
        kept = abs(number) <= threshold
    elif operator == 6:
        kept = number == threshold
    else:
        kept = number != 0.0
    return kept


@compiled
def _keeps(data: Any, position: Any, cut: NumberCut) -> Any:
    number = number_at(data, position, cut.code)
    if cut.bits != 0:
        number = np.float64(np.int64(number) & cut.bits)
    return passes(number * cut.scale, cut.operator, cut.threshold)


@compiled
def scan_first(held: Inflated, start: int, cut: NumberCut, leptons: Leptons) -> int:
    """Walk the first column of a collection.

    Parameters
    ----------
    held
        Consecutive baskets.
    start
        First entry of the window; entries outside of it are walked over.
    cut
        Applied to each number.
    leptons
        Filled.

    Returns
    -------
    int
        Leptons in the window, or `DAMAGED`.
    """
    n = len(leptons.passing)
    n_leptons = 0
    done = 0
    for b in range(len(held.begin)):
        here, end = held.begin[b], held.border[b]
        for i in range(held.n_entries[b]):
            length = vector_length(held.data, here, end, cut.item)
            if length < 0:
                return DAMAGED
            here += HEADER_BYTES
            entry = held.first[b] + i - start
            if 0 <= entry < n:
                if entry != done or n_leptons + length > len(leptons.flags):
                    return DAMAGED
                leptons.offsets[entry] = n_leptons
                number = 0
                for k in range(length):
                    keep = _keeps(held.data, here + k * cut.item, cut)
                    leptons.flags[n_leptons + k] = keep
                    number += keep
                leptons.passing[entry] = number
                n_leptons += length
                done += 1
            here += length * cut.item
        if here != end:
            return DAMAGED
    if done != n:
        return DAMAGED
    leptons.offsets[n] = n_leptons
    return n_leptons


@compiled
def scan_next(held: Inflated, start: int, cut: NumberCut, leptons: Leptons, alive: Any) -> int:
    """Walk a further column of a collection, for the events that are still alive.

    Parameters
    ----------
    held
        Baskets, those of every event that is alive among them.
    start, cut
        As in `scan_first`.
    leptons
        From `scan_first`; flags and numbers of alive events are updated.
    alive : (n,) bool
        Events that still matter.

    Returns
    -------
    int
        0, or `DAMAGED`; an event with other numbers of leptons in two columns is
        damaged, too.
    """
    n = len(leptons.passing)
    for b in range(len(held.begin)):
        here, end = held.begin[b], held.border[b]
        for i in range(held.n_entries[b]):
            length = vector_length(held.data, here, end, cut.item)
            if length < 0:
                return DAMAGED
            here += HEADER_BYTES
            entry = held.first[b] + i - start
            if 0 <= entry < n:
                first = leptons.offsets[entry]
                if length != leptons.offsets[entry + 1] - first:
                    return DAMAGED
                if alive[entry]:
                    number = 0
                    for k in range(length):
                        if leptons.flags[first + k] != 0:
                            keep = _keeps(held.data, here + k * cut.item, cut)
                            leptons.flags[first + k] = keep
                            number += keep
                    leptons.passing[entry] = number
            here += length * cut.item
        if here != end:
            return DAMAGED
    return 0
