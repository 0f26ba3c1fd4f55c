"""Values of branches for chosen entries, out of inflated baskets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import awkward as ak
import numpy as np
import numpy.typing as npt

from fourlep.errors import CorruptFileError
from fourlep.io.lean import bytes_kernels as kernels
from fourlep.io.lean.arrays import Inflated, Integers, Spans
from fourlep.io.lean.layout import Form, Layout
from fourlep.io.lean.tree import Branch
from fourlep.io.lean.unsupported import UnsupportedError


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


def values(branch: Branch, inflated: Inflated, entries: Integers, url: str) -> Values:
    """Take the values of entries out of baskets that hold them.

    Parameters
    ----------
    branch
        The branch.
    inflated
        Baskets of it, among them those of all ``entries``.
    entries : (n,) int64
        Ascending entry numbers.
    url
        Of the file, for messages.

    Raises
    ------
    CorruptFileError
        If the bytes contradict the format.
    UnsupportedError
        If links are streamed in a way that is not known.
    """
    reader = _Reader(branch, inflated, url)
    basket = np.searchsorted(inflated.first, entries, side="right") - 1
    local = entries - inflated.first[basket]
    item = branch.layout.dtype.itemsize
    if branch.layout.form is Form.SCALAR:
        spans = Spans.empty(len(entries))
        spans.position[:] = inflated.begin[basket] + local * item
        spans.length[:] = 1
        return Values((), (reader.numbers(spans),))
    spans = reader.spans(basket, local)
    match branch.layout.form:
        case Form.COUNTED:
            reader.checked(kernels.counted_lengths(spans, item))
            return Values((spans.length,), (reader.numbers(spans),))
        case Form.VECTOR:
            reader.checked(kernels.vector_lengths(inflated.data, spans, item))
            return Values((spans.length,), (reader.numbers(spans),))
        case Form.NESTED:
            inner = reader.inner(spans, item)
            return Values((spans.length, inner.length), (reader.numbers(inner),))
        case Form.LINKS:
            inner = reader.inner(spans, kernels.LINK_BYTES)
            return Values((spans.length, inner.length), reader.links(inner))


class _Reader:
    """Calls the kernels on one branch's baskets and says what is wrong."""

    def __init__(self, branch: Branch, inflated: Inflated, url: str) -> None:
        self._branch = branch
        self._inflated = inflated
        self._url = url

    def spans(self, basket: Integers, local: Integers) -> Spans:
        """Find where entries are."""
        spans = Spans.empty(len(basket))
        self.checked(kernels.locate(self._inflated, basket, local, spans))
        return spans

    def inner(self, spans: Spans, item: int) -> Spans:
        """Find where the items of inner vectors are; fills the outer lengths."""
        data = self._inflated.data
        inner = Spans.empty(self.checked(kernels.outer_lengths(data, spans)))
        self.checked(kernels.inner_lengths(data, spans, item, inner))
        return inner

    def numbers(self, spans: Spans) -> npt.NDArray[Any]:
        """Numbers of the branch's type, in the machine's byte order."""
        dtype = self._branch.layout.dtype
        out = np.empty(int(spans.length.sum()) * dtype.itemsize, dtype=np.uint8)
        self.checked(kernels.copy_numbers(self._inflated.data, spans, dtype.itemsize, out))
        return out.view(dtype)

    def links(self, spans: Spans) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
        """Keys and indices of links."""
        n_links = int(spans.length.sum())
        key, index = np.empty(n_links, dtype=np.uint32), np.empty(n_links, dtype=np.uint32)
        self.checked(kernels.copy_links(self._inflated.data, spans, key, index))
        return key, index

    def checked(self, status: int) -> int:
        """Return the kernel's result, if it is one."""
        if status == kernels.UNKNOWN:
            raise UnsupportedError(f"{self._branch.name}: links of another class version")
        if status < 0:
            raise CorruptFileError(
                f"{self._url}: baskets of {self._branch.name} hold entries that contradict "
                "their own lengths",
                url=self._url,
                remedy="the file is damaged where it was read: read it from another place",
            )
        return status
