"""Vectors an event, as counts and contents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

#: A persistent reference to an element of a collection: the collection's key, and which.
LINK = np.dtype([("m_persKey", ">u4"), ("m_persIndex", ">u4")])
#: The index of a link to nothing.
NO_INDEX = 0xFFFFFFFF


@dataclass(frozen=True, slots=True, eq=False)
class Ragged:
    """A list of lists.

    Parameters
    ----------
    counts : (n,) integers
        Length of each list.
    content : (sum of counts,) array, or `Ragged` of that length
        The lists one after another.

    Raises
    ------
    ValueError
        If counts and content do not fit.
    """

    counts: npt.NDArray[Any]
    content: npt.NDArray[Any] | Ragged

    def __post_init__(self) -> None:
        if int(np.sum(self.counts)) != len(self.content):
            raise ValueError(
                f"counts sum to {int(np.sum(self.counts))}, but {len(self.content)} elements follow"
            )

    def __len__(self) -> int:
        return len(self.counts)

    def __getitem__(self, part: slice) -> Ragged:
        """Select a contiguous part of the lists."""
        start, stop, _ = part.indices(len(self))
        first = int(np.sum(self.counts[:start]))
        last = first + int(np.sum(self.counts[start:stop]))
        return Ragged(self.counts[start:stop], self.content[first:last])


def links(keys: npt.ArrayLike, indices: npt.ArrayLike) -> npt.NDArray[Any]:
    """Element links from collection keys and indices of equal length, (n,) `LINK`."""
    index = np.asarray(indices)
    made = np.zeros(len(index), dtype=LINK)
    made["m_persKey"] = keys
    made["m_persIndex"] = index
    return made
