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
def scan_lengths(held: Inflated, start: int, item: int, leptons: Leptons) -> int:
    """Walk the first column of a collection, for the numbers of leptons alone.

    Most events have too few leptons to matter, whatever these are like.

    Parameters
    ----------
    held
        Consecutive baskets.
    start
        First entry of the window; entries outside of it are walked over.
    item
        Bytes of a number.
    leptons
        Offsets are filled, every lepton counts as passing.

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
            n_bytes = HEADER_BYTES + length * item
            if n_bytes > end - here or unsigned32(data, here) != BYTE_COUNT + n_bytes - 4:
                return DAMAGED
            entry = held.first[b] + i - start
            if 0 <= entry < n:
                if entry != done or n_leptons + length > len(leptons.flags):
                    return DAMAGED
                if i == 0 or entry == 0:
                    leptons.where[b] = here
                leptons.offsets[entry] = n_leptons
                leptons.passing[entry] = length
                n_leptons += length
                done += 1
            here += n_bytes
        if here != end:
            return DAMAGED
    leptons.offsets[n] = n_leptons
    return n_leptons if done == n else DAMAGED


@compiled
def judge(data: Any, here: int, cut: NumberCut, leptons: Leptons, entry: int) -> None:
    """Apply a cut to the leptons of an entry that passed every cut up to now.

    The caller has checked that the numbers from ``here`` are there.
    """
    first = leptons.offsets[entry]
    number = 0
    for k in range(leptons.offsets[entry + 1] - first):
        if leptons.flags[first + k] != 0:
            raw = raw_number(data, here + k * cut.item, cut.item)
            keep = passes(decoded(raw, cut.code), cut)
            leptons.flags[first + k] = keep
            number += keep
    leptons.passing[entry] = number


@compiled
def scan_next(held: Inflated, start: int, cut: NumberCut, leptons: Leptons, alive: Any) -> int:
    """Apply a cut to a column of a collection, for the events that are still alive.

    Every vector of the baskets is walked and compared with the first column.

    Parameters
    ----------
    held
        Baskets, those of every event that is alive among them.
    start
        First entry of the window.
    cut
        Applied to each number.
    leptons
        From `scan_lengths`; flags and numbers of alive events are updated.
    alive : (n_alive,) int64
        Events that still matter, counted from ``start``, ascending.

    Returns
    -------
    int
        0, or `DAMAGED`; an event with other numbers of leptons in two columns is
        damaged, too.
    """
    n, data = len(leptons.passing), held.data
    m = 0
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
            entry = held.first[b] + i - start
            if 0 <= entry < n:
                if length != leptons.offsets[entry + 1] - leptons.offsets[entry]:
                    return DAMAGED
                while m < len(alive) and alive[m] < entry:
                    m += 1
                if m < len(alive) and alive[m] == entry:
                    judge(data, here + HEADER_BYTES, cut, leptons, entry)
            here += n_bytes
        if here != end:
            return DAMAGED
    return 0


@compiled
def scan_first(held: Inflated, start: int, cut: NumberCut, leptons: Leptons, alive: Any) -> int:
    """Apply the cut on the first column, for the events that are still alive.

    Parameters
    ----------
    held, start
        As `scan_lengths` walked them.
    cut, leptons, alive
        As in `scan_next`.

    Returns
    -------
    int
        0, or `DAMAGED`.
    """
    b = 0
    for m in range(len(alive)):
        entry = alive[m]
        while b + 1 < len(held.first) and held.first[b + 1] - start <= entry:
            b += 1
        first = max(0, held.first[b] - start)
        before = leptons.offsets[entry] - leptons.offsets[first]
        here = leptons.where[b] + HEADER_BYTES * (entry - first + 1) + before * cut.item
        length = leptons.offsets[entry + 1] - leptons.offsets[entry]
        if here < 0 or here + length * cut.item > held.border[b]:
            return DAMAGED
        judge(held.data, here, cut, leptons, entry)
    return 0
