"""What the branches hold that nobody gave values for: zeros and empty vectors.

A vector of a collection that was given gets as many zeros as the collection has
elements, because readers take the offsets of a collection from any of its branches.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fourlep.synth.physlite.encode import (
    Encoded,
    constant,
    containers,
    encode,
    sizes_of_split,
)
from fourlep.synth.physlite.layout import BranchLayout
from fourlep.synth.physlite.ragged import LINK, Ragged

#: Vectors there belong to the event, not to a collection of objects.
EVENT = "EventInfo"
#: An empty ``vector``: byte count, version, length.
_EMPTY_VECTOR = bytes.fromhex("40000006000900000000")
#: No strings, in a split member.
_EMPTY_STRINGS = bytes.fromhex("400000020009")


class Filler:
    """Makes the content of branches without values, each kind once.

    Parameters
    ----------
    n_entries
        Entries of the tree.
    counts
        Elements an event by collection, for the collections that were given.
    checksums
        Of each class.
    """

    def __init__(
        self,
        n_entries: int,
        counts: Mapping[str, npt.NDArray[Any]],
        checksums: Mapping[str, int],
    ) -> None:
        self._n_entries = n_entries
        self._counts = counts
        self._checksums = checksums
        self._made: dict[tuple[str, str], Encoded] = {}

    def fill(self, branch: BranchLayout) -> Encoded | None:
        """Return the content of a branch; None where its sub-branches hold everything."""
        if branch.value == "none":
            return None
        collection = branch.collection if branch.collection in self._counts else ""
        key = (branch.value, collection)
        if key not in self._made:
            self._made[key] = (
                self._of_collection(branch.value, self._counts[collection])
                if collection
                else self._empty(branch.value)
            )
        return self._made[key]

    def _empty(self, value: str) -> Encoded:
        kind, _, hexadecimal = value.partition(":")
        if kind == "objects":
            return containers(bytes.fromhex(hexadecimal), np.zeros(self._n_entries, np.int64))
        is_number = value[0] not in "*[" and kind not in ("object", "count")
        if kind == "object":
            entry = bytes.fromhex(hexadecimal)
        elif value.startswith("*"):
            entry = _EMPTY_VECTOR
        elif value == "[string":
            entry = _EMPTY_STRINGS
        elif value == "count":
            entry = bytes(4)
        else:
            entry = bytes(np.dtype(value).itemsize) if is_number else b""
        return constant(entry, self._n_entries, has_offsets=not is_number)

    def _of_collection(self, value: str, counts: npt.NDArray[Any]) -> Encoded:
        kind, _, hexadecimal = value.partition(":")
        if kind == "objects":
            return containers(bytes.fromhex(hexadecimal), counts)
        if value == "count":
            return sizes_of_split(counts)
        if value == "[string" or not value.startswith(("*", "[")):
            return self._empty(value)
        return encode(value, _zeros(value, counts), self._checksums)


def _zeros(value: str, counts: npt.NDArray[Any]) -> Ragged:
    """As many zeros, empty vectors or links to nothing as the collection has elements."""
    total = int(np.sum(counts))
    depth = len(value) - len(value.lstrip("*"))
    item = value.lstrip("*[")
    if depth > 1:
        inner: npt.NDArray[Any] | Ragged = np.zeros(0, dtype=_item_type(item))
        for _ in range(depth - 2):
            inner = Ragged(np.zeros(0, dtype=np.int64), inner)
        return Ragged(counts, Ragged(np.zeros(total, dtype=np.int64), inner))
    return Ragged(counts, np.zeros(total, dtype=_item_type(item)))


def _item_type(item: str) -> np.dtype[Any]:
    if item.startswith("ElementLink<"):
        return LINK
    return np.dtype("u1") if item == "string" else np.dtype(item)
