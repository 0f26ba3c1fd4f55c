"""Values of branches for chosen entries, out of inflated baskets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import awkward as ak
import numpy as np
import numpy.typing as npt

from fourlep.errors import CorruptFileError
from fourlep.io.lean.arrays import Inflated, Integers, Spans
from fourlep.io.lean.branch_set import FORM_CODES, Baskets, BranchSet
from fourlep.io.lean.bytes_kernels import UNKNOWN
from fourlep.io.lean.layout import Form, Layout
from fourlep.io.lean.unsupported import UnsupportedError
from fourlep.io.lean.value_kernels import Layouts, Measures, Room, fill, measure


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """Values of one branch, one item an event, as plain arrays.

    Parameters
    ----------
    lengths
        Lengths of the lists, outermost first: none for scalars, two for nested vectors.
    content
        The numbers end to end; for links the keys and the indices.
    """

    lengths: tuple[Integers, ...]
    content: tuple[npt.NDArray[Any], ...]

    @classmethod
    def empty(cls, layout: Layout) -> Values:
        """Make the values of no event."""
        depth = {Form.SCALAR: 0, Form.NESTED: 2, Form.LINKS: 2}.get(layout.form, 1)
        n_parts = 2 if layout.form is Form.LINKS else 1
        return cls(
            tuple(np.zeros(0, dtype=np.int64) for _ in range(depth)),
            tuple(np.zeros(0, dtype=layout.dtype) for _ in range(n_parts)),
        )

    @property
    def n_bytes(self) -> int:
        """Bytes in memory."""
        return sum(part.nbytes for part in (*self.lengths, *self.content))

    def take(self, keep: npt.NDArray[np.bool_]) -> Values:
        """Keep the events of a mask."""
        lengths: list[Integers] = []
        for level in self.lengths:
            lengths.append(level[keep])
            keep = np.repeat(keep, level)
        return Values(tuple(lengths), tuple(part[keep] for part in self.content))

    def array(self) -> Any:
        """Make the NumPy (scalars) or awkward array that uproot would read."""
        if not self.lengths:
            return self.content[0]
        if len(self.content) == 2:
            fields = [ak.contents.NumpyArray(part) for part in self.content]
            layout: Any = ak.contents.RecordArray(fields, ["m_persKey", "m_persIndex"])
        else:
            layout = ak.contents.NumpyArray(self.content[0])
        for lengths in reversed(self.lengths):
            offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
            np.cumsum(lengths, out=offsets[1:])
            layout = ak.contents.ListOffsetArray(ak.index.Index64(offsets), layout)
        return ak.Array(layout)


def join(parts: Sequence[Values]) -> Values:
    """Put the values of several sets of events one after the other."""
    if len(parts) == 1:
        return parts[0]
    return Values(
        tuple(np.concatenate(each) for each in zip(*(p.lengths for p in parts), strict=True)),
        tuple(np.concatenate(each) for each in zip(*(p.content for p in parts), strict=True)),
    )


def values(wanted: Baskets, inflated: Inflated, entries: Integers, url: str) -> dict[str, Values]:
    """Take the values of entries out of baskets that hold them.

    Parameters
    ----------
    wanted
        Baskets of branches, among them those of all ``entries``.
    inflated
        The same, inflated.
    entries : (n,) int64
        Ascending entry numbers.
    url
        Of the file, for messages.

    Returns
    -------
    dict of Values
        By name of branch.

    Raises
    ------
    CorruptFileError
        If the bytes contradict the format.
    UnsupportedError
        If links are streamed in a way that is not known.
    """
    branches, counts, n = wanted.branches, wanted.counts, len(entries)
    bounds = np.zeros(len(counts) + 1, dtype=np.int64)
    counts.cumsum(out=bounds[1:])
    layouts = Layouts(branches.forms, branches.items, bounds)
    found = Measures.empty(len(counts), n)
    measure(inflated, layouts, entries, found)
    _check(branches, found, url)
    is_link = branches.forms == FORM_CODES[Form.LINKS]
    # Links are two numbers each; every branch begins where any number may.
    n_bytes = (found.n_items * branches.items * (1 + is_link) + 7) & ~7
    begin = np.zeros(len(counts) + 1, dtype=np.int64)
    n_bytes.cumsum(out=begin[1:])
    inner = Spans.empty(int(found.n_inner.sum()))
    room = Room(inner, np.empty(int(begin[-1]), dtype=np.uint8), begin)
    fill(inflated, layouts, found, room)
    _check(branches, found, url)
    result: dict[str, Values] = {}
    numbers = zip(begin.tolist(), found.n_inner.tolist(), found.n_items.tolist(), strict=False)
    first_inner = 0
    for k, (branch, (first, n_inner, n_items)) in enumerate(
        zip(branches.branches, numbers, strict=True)
    ):
        dtype, form = branch.layout.dtype, branch.layout.form
        n_each = n_items * dtype.itemsize
        content = room.data[first : first + n_each].view(dtype)
        lengths = found.spans.length[k * n : (k + 1) * n]
        if form is Form.SCALAR:
            result[branch.name] = Values((), (content,))
        elif form in (Form.VECTOR, Form.COUNTED):
            result[branch.name] = Values((lengths,), (content,))
        else:
            inner_length = inner.length[first_inner : first_inner + n_inner]
            first_inner += n_inner
            both: tuple[npt.NDArray[Any], ...] = (content,)
            if form is Form.LINKS:
                both = content, room.data[first + n_each : first + 2 * n_each].view(dtype)
            result[branch.name] = Values((lengths, inner_length), both)
    return result


def _check(branches: BranchSet, found: Measures, url: str) -> None:
    """Say what is wrong with the first branch that a kernel refused."""
    if found.status.min(initial=0) >= 0:
        return
    number = int(np.argmax(found.status < 0))
    name = branches.branches[number].name
    if found.status[number] == UNKNOWN:
        raise UnsupportedError(f"{name}: links of another class version")
    raise CorruptFileError(
        f"{url}: baskets of {name} hold entries that contradict their own lengths",
        url=url,
        remedy="the file is damaged where it was read: read it from another place",
    )
