"""Vectors of vectors of links in a tree, out of the bytes that uproot has of them.

uproot takes for granted that the classes in a link have checksums, which they have where
ATLAS's software wrote them. Where ROOT alone has copied events (``hadd``, ``CopyTree``) they
have versions instead, and uproot fails or, at the end of a basket, gives other numbers.
"""

from __future__ import annotations

import re
from typing import Any

import awkward as ak
import numpy as np
import uproot

from fourlep.io.lean.arrays import Spans
from fourlep.io.lean.bytes_kernels import UNKNOWN, copy_links, inner_lengths, outer_lengths
from fourlep.io.lean.values import Values

_TYPE = re.compile(r"std::vector<std::vector<ElementLink<[\w:<> ]+>\s*>\s*>")
_AS_BYTES = uproot.AsJagged(uproot.AsDtype(np.dtype(np.uint8)))


def read_links(branch: Any, start: int, stop: int) -> ak.Array | None:
    """Read the links of the entries ``start`` to ``stop``.

    Parameters
    ----------
    branch
        As uproot gives it.

    Returns
    -------
    (n_events, var, var) array of ``m_persKey`` and ``m_persIndex``, or None
        None where the branch has none, or has them in a form that is not known here.

    Raises
    ------
    ValueError
        If the bytes contradict themselves.
    """
    if not _TYPE.fullmatch(branch.typename):
        return None
    stored = branch.array(_AS_BYTES, entry_start=start, entry_stop=stop)
    sizes = ak.to_numpy(ak.num(stored)).astype(np.int64)
    data = ak.to_numpy(ak.flatten(stored))
    ends = np.cumsum(sizes)
    outer = Spans(ends - sizes, ends, np.zeros(len(sizes), dtype=np.int64))
    inner = Spans.empty(_known(outer_lengths(data, outer), branch.name))
    n_links = inner_lengths(data, outer, 0, inner)
    if n_links == UNKNOWN:
        return None
    numbers = np.empty((2, _known(n_links, branch.name)), dtype=np.uint32)
    _known(copy_links(data, inner, numbers[0], numbers[1]), branch.name)
    return Values((outer.length, inner.length), (numbers[0], numbers[1])).array()


def _known(found: int, name: str) -> int:
    """Refuse what a kernel found wrong."""
    if found < 0:
        raise ValueError(f"{name} has entries that contradict their own lengths")
    return found
