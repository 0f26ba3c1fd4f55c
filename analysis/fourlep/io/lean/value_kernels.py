"""Two kernels that take the numbers of chosen entries out of a round's baskets.

The first finds and measures, so that room can be made; the second copies. Both go
through the branches one after the other with the kernels of `bytes_kernels`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fourlep.io.lean.arrays import Inflated, Integers, Spans
from fourlep.io.lean.branch_set import FORM_CODES
from fourlep.io.lean.bytes_kernels import (
    DAMAGED,
    MIN_LINK_BYTES,
    copy_links,
    copy_numbers,
    counted_lengths,
    inner_lengths,
    locate,
    outer_lengths,
    vector_lengths,
)
from fourlep.io.lean.compiled import compiled
from fourlep.io.lean.layout import Form

_SCALAR, _COUNTED = FORM_CODES[Form.SCALAR], FORM_CODES[Form.COUNTED]
_VECTOR, _LINKS = FORM_CODES[Form.VECTOR], FORM_CODES[Form.LINKS]


class Layouts(NamedTuple):
    """How branches are laid out, and which baskets are theirs.

    Parameters
    ----------
    form : (n_branches,) int64
        Codes of `fourlep.io.lean.branch_set.FORM_CODES`.
    item : (n_branches,) int64
        Bytes of a number.
    bounds : (n_branches + 1,) int64
        First basket of each branch, and the number of baskets.
    """

    form: Integers
    item: Integers
    bounds: Integers


class Measures(NamedTuple):
    """What the first kernel finds, by branch.

    Parameters
    ----------
    spans : (n_branches * n,)
        Where each entry's items are; for nested vectors where the inner vectors are.
    n_inner : (n_branches,) int64
        Inner vectors of all entries.
    n_items : (n_branches,) int64
        Numbers, or links, of all entries: at most so many where vectors are nested,
        until the second kernel has counted them.
    status : (n_branches,) int64
        0 or more, or what `bytes_kernels` returned.
    """

    spans: Spans
    n_inner: Integers
    n_items: Integers
    status: Integers

    @classmethod
    def empty(cls, n_branches: int, n_entries: int) -> Measures:
        """Measures to be filled."""
        inner, items, status = (np.zeros(n_branches, dtype=np.int64) for _ in range(3))
        return cls(Spans.empty(n_branches * n_entries), inner, items, status)


class Room(NamedTuple):
    """Where the second kernel writes.

    Parameters
    ----------
    inner
        Inner vectors, branch by branch.
    data : (n_bytes,) uint8
        Numbers in the machine's order; for links the keys and behind them the indices.
    begin : (n_branches + 1,) int64
        First byte of each branch, and the number of bytes.
    """

    inner: Spans
    data: npt.NDArray[np.uint8]
    begin: Integers


@compiled
def cut_spans(spans: Spans, begin: int, end: int) -> Spans:
    """Take the spans from ``begin`` to ``end``."""
    return Spans(spans.position[begin:end], spans.after[begin:end], spans.length[begin:end])


@compiled
def cut_baskets(held: Inflated, begin: int, end: int) -> Inflated:
    """Take the baskets from ``begin`` to ``end``."""
    return Inflated(
        held.data,
        held.begin[begin:end],
        held.border[begin:end],
        held.end[begin:end],
        held.first[begin:end],
        held.n_entries[begin:end],
        held.key_bytes[begin:end],
    )


@compiled
def place(held: Inflated, entries: Any, basket: Any, local: Any) -> int:
    """Find the basket of each ascending entry, and the entry's number in it."""
    b = 0
    for k in range(len(entries)):
        while b + 1 < len(held.first) and held.first[b + 1] <= entries[k]:
            b += 1
        if b >= len(held.first):
            return DAMAGED
        basket[k], local[k] = b, entries[k] - held.first[b]
        if local[k] < 0 or local[k] >= held.n_entries[b]:
            return DAMAGED
    return 0


@compiled
def scalar_spans(held: Inflated, basket: Any, local: Any, spans: Spans, item: int) -> int:
    """Find the numbers of a branch with one an entry."""
    for k in range(len(basket)):
        begin = held.begin[basket[k]] + local[k] * item
        if begin < 0 or begin + item > held.border[basket[k]]:
            return DAMAGED
        spans.position[k], spans.after[k], spans.length[k] = begin, begin + item, 1
    return len(basket)


@compiled
def measure(held: Inflated, layouts: Layouts, entries: Any, found: Measures) -> None:
    """Find where the entries of each branch are, and how much room they take.

    Parameters
    ----------
    held
        Baskets of all branches, among them those of all ``entries``.
    layouts
        Of the branches.
    entries : (n,) int64
        Ascending.
    found
        Filled.
    """
    n = len(entries)
    basket, local = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for k in range(len(layouts.form)):
        own = cut_baskets(held, layouts.bounds[k], layouts.bounds[k + 1])
        spans = cut_spans(found.spans, k * n, (k + 1) * n)
        form, item = layouts.form[k], layouts.item[k]
        status = place(own, entries, basket, local)
        if status >= 0 and form == _SCALAR:
            status = scalar_spans(own, basket, local, spans, item)
            found.n_items[k] = status
        elif status >= 0:
            status = locate(own, basket, local, spans)
            if status >= 0 and form == _COUNTED:
                status = counted_lengths(spans, item)
                found.n_items[k] = status
            elif status >= 0 and form == _VECTOR:
                status = vector_lengths(held.data, spans, item)
                found.n_items[k] = status
            elif status >= 0:
                status = outer_lengths(held.data, spans)
                found.n_inner[k] = status
                n_bytes = -4 * status
                for i in range(n):
                    n_bytes += spans.after[i] - spans.position[i]
                found.n_items[k] = n_bytes // (MIN_LINK_BYTES if form == _LINKS else item)
        found.status[k] = status


@compiled
def fill(held: Inflated, layouts: Layouts, found: Measures, room: Room) -> None:
    """Copy the numbers of each branch.

    Parameters
    ----------
    held, layouts
        As in `measure`.
    found
        As `measure` left it; numbers of items and status are brought up to date.
    room
        Filled.
    """
    n = len(found.spans.position) // max(1, len(layouts.form))
    done = 0
    for k in range(len(layouts.form)):
        spans = cut_spans(found.spans, k * n, (k + 1) * n)
        form, item = layouts.form[k], layouts.item[k]
        status, n_items = 0, found.n_items[k]
        if form not in (_SCALAR, _VECTOR, _COUNTED):
            inner = cut_spans(room.inner, done, done + found.n_inner[k])
            done += found.n_inner[k]
            n_each = 0 if form == _LINKS else item
            status = inner_lengths(held.data, spans, n_each, inner)
            n_items = status
            spans = inner
        out = room.data[room.begin[k] : room.begin[k + 1]]
        if status >= 0 and n_items * item * (2 if form == _LINKS else 1) > len(out):
            status = DAMAGED
        if status >= 0 and form == _LINKS:
            numbers = out[: 8 * n_items].view(np.uint32)
            status = copy_links(held.data, spans, numbers[:n_items], numbers[n_items:])
        elif status >= 0:
            status = copy_numbers(held.data, spans, item, out[: n_items * item])
        found.n_items[k] = n_items
        found.status[k] = status
