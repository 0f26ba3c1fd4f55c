"""What the kernels take: named tuples of arrays and numbers, which numba knows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


class Tables(NamedTuple):
    """Baskets of several branches, one row each, branch by branch.

    Parameters
    ----------
    bounds : (n_branches + 1,) int64
        First row of each branch, and the number of rows.
    first, after : (n_rows,) int64
        First entry of each basket and one past its last.
    seek, size : (n_rows,) int64
        Where each basket's record begins in the file, and its length.
    """

    bounds: Integers
    first: Integers
    after: Integers
    seek: Integers
    size: Integers


class Inflated(NamedTuple):
    """Inflated baskets of one branch, end to end.

    Parameters
    ----------
    data : (n_bytes,) uint8
        The baskets without their keys.
    begin, border, end : (n_baskets,) int64
        Where in ``data`` each basket's entries begin and end, and where the basket ends:
        between border and end is the table of entry offsets.
    first, n_entries : (n_baskets,) int64
        First entry of each basket, and its number of entries.
    key_bytes : (n_baskets,) int64
        Length of the key, which stored entry offsets include.
    """

    data: npt.NDArray[np.uint8]
    begin: Integers
    border: Integers
    end: Integers
    first: Integers
    n_entries: Integers
    key_bytes: Integers


class Spans(NamedTuple):
    """Where runs of items are in the data of inflated baskets.

    Parameters
    ----------
    position, after : (n,) int64
        First byte and one past the last.
    length : (n,) int64
        Number of items.
    """

    position: Integers
    after: Integers
    length: Integers

    @classmethod
    def empty(cls, n: int) -> Spans:
        """Spans to be filled."""
        return cls(*(np.zeros(n, dtype=np.int64) for _ in range(3)))


class NumberCut(NamedTuple):
    """A cut on numbers as they stand in the file.

    Parameters
    ----------
    item, code
        Bytes and code (`NUMBER_CODES`) of a number.
    bits, scale
        Integers are masked with ``bits`` unless 0; then every number is multiplied.
    operator, threshold
        Code of the operator (`OPERATOR_CODES`), and what it compares with.
    """

    item: int
    code: int
    bits: int
    scale: float
    operator: int
    threshold: float


class Leptons(NamedTuple):
    """One flavour's leptons in a window of entries.

    Parameters
    ----------
    offsets : (n + 1,) int64
        Number of leptons before each entry.
    flags : (n_leptons at least,) uint8
        1 for each lepton that passes every cut up to now.
    passing : (n,) int32
        How many those are, by entry.
    where : (n_baskets,) int64
        Where the first of a basket's entries in the window begins, in the first column.
    """

    offsets: Integers
    flags: npt.NDArray[np.uint8]
    passing: npt.NDArray[np.int32]
    where: Integers


#: Codes of the number types, as in `scan_kernels.decoded`.
NUMBER_CODES = {"u1": 0, "b1": 0, "i1": 1, "f4": 2, "u2": 3, "i2": 4, "u4": 5, "i4": 6, "f8": 7}
#: Codes of the operators of `fourlep.events.Cut`, as in `scan_kernels.passes`.
OPERATOR_CODES = {
    name: code
    for code, name in enumerate(("gt", "ge", "lt", "le", "abs_lt", "abs_le", "eq", "is_true"))
}


def code_of(dtype: np.dtype[Any]) -> int | None:
    """Code of a number type; None for one that the kernels do not compare."""
    return NUMBER_CODES.get(f"{dtype.kind}{dtype.itemsize}")
