"""Kernels that count leptons straight in the inflated baskets of a column.

The vectors are walked one after the other, without offsets and without an array made of
them; every header is checked on the way. Flags of the single leptons are kept between
the columns of a collection, so that a lepton counts when it passes every cut.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fourlep.io.lean.arrays import Inflated, Leptons, NumberCut
from fourlep.io.lean.bytes_kernels import BYTE_COUNT, DAMAGED, HEADER_BYTES, unsigned32
from fourlep.io.lean.compiled import compiled, inlined


@inlined
def raw_number(data: Any, position: Any, item: Any) -> Any:
    """Read ``item`` bytes, most significant first; the caller has checked them."""
    raw = np.uint64(0)
    for byte in range(item):
        raw = (raw << np.uint64(8)) | np.uint64(data[np.uintp(position + byte)])
    return raw


@inlined
def decoded(raw: Any, code: Any) -> Any:
    """Turn bits into the number that they mean, by `fourlep.io.lean.arrays.NUMBER_CODES`."""
    number = np.float64(raw)
    if code == 1:
        number = np.float64(np.int8(raw))
    elif code == 2:
        number = np.float64(np.uint32(raw).view(np.float32))
    elif code == 4:
        number = np.float64(np.int16(raw))
    elif code == 6:
        number = np.float64(np.int32(raw))
    elif code == 7:
        number = np.uint64(raw).view(np.float64)
    return number


@inlined
def passes(number: Any, cut: NumberCut) -> Any:
    """Whether a number passes; NaN does where it does in `fourlep.events.Cut`."""
    if cut.bits != 0:
        number = np.float64(np.int64(number) & cut.bits)
    number = number * cut.scale
    kept = False
    if cut.operator == 0:
        kept = number > cut.threshold
    elif cut.operator == 1:
        kept = number >= cut.threshold
    elif cut.operator == 2:
        kept = number < cut.threshold
    elif cut.operator == 3:
        kept = number <= cut.threshold
    elif cut.operator == 4:
        kept = abs(number) < cut.threshold
    elif cut.operator == 5:
        kept = abs(number) <= cut.threshold
    elif cut.operator == 6:
        kept = number == cut.threshold
    else:
        kept = number != 0.0
    return kept


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
    n, data = len(leptons.passing), held.data
    n_leptons = 0
    done = 0
    for b in range(len(held.begin)):
        here, end = held.begin[b], held.border[b]
        if here < 0 or end > len(data):
            return DAMAGED
        for i in range(held.n_entries[b]):
            if end - here < HEADER_BYTES:
                return DAMAGED
            length = unsigned32(data, here + 6)
            n_bytes = HEADER_BYTES + length * cut.item
            if n_bytes > end - here or unsigned32(data, here) != BYTE_COUNT + n_bytes - 4:
                return DAMAGED
            here += HEADER_BYTES
            entry = held.first[b] + i - start
            if 0 <= entry < n:
                if entry != done or n_leptons + length > len(leptons.flags):
                    return DAMAGED
                leptons.offsets[entry] = n_leptons
                number = 0
                for k in range(length):
                    raw = raw_number(data, here + k * cut.item, cut.item)
                    keep = passes(decoded(raw, cut.code), cut)
                    leptons.flags[n_leptons + k] = keep
                    number += keep
                leptons.passing[entry] = number
                n_leptons += length
                done += 1
            here += length * cut.item
        if here != end:
            return DAMAGED
    leptons.offsets[n] = n_leptons
    return n_leptons if done == n else DAMAGED


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
    n, data = len(leptons.passing), held.data
    for b in range(len(held.begin)):
        here, end = held.begin[b], held.border[b]
        if here < 0 or end > len(data):
            return DAMAGED
        for i in range(held.n_entries[b]):
            if end - here < HEADER_BYTES:
                return DAMAGED
            length = unsigned32(data, here + 6)
            n_bytes = HEADER_BYTES + length * cut.item
            if n_bytes > end - here or unsigned32(data, here) != BYTE_COUNT + n_bytes - 4:
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
                            raw = raw_number(data, here + k * cut.item, cut.item)
                            keep = passes(decoded(raw, cut.code), cut)
                            leptons.flags[first + k] = keep
                            number += keep
                    leptons.passing[entry] = number
            here += length * cut.item
        if here != end:
            return DAMAGED
    return 0


@compiled
def drop(alive: Any, minimum: Any, electrons: Any, muons: Any) -> None:
    """Clear the events that reach none of several pairs of numbers.

    Parameters
    ----------
    alive : (n,) bool
        Cleared in place.
    minimum : (n_pairs, 2) int64
        Electrons and muons.
    electrons, muons : (n,) int32, or (0,)
        Leptons of each event that pass; an empty array is enough for every number.
    """
    for event in range(len(alive)):
        reached = False
        for pair in range(len(minimum)):
            enough = len(electrons) == 0 or electrons[event] >= minimum[pair, 0]
            enough = enough and (len(muons) == 0 or muons[event] >= minimum[pair, 1])
            reached = reached or enough
        alive[event] = alive[event] and reached
