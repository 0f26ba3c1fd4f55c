"""Several branches of a file together: their tables of baskets laid end to end.

What is done for each of eighty branches in Python takes longer than inflating what a rare
survivor needs of them; on one table for all of them it is one kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fourlep.io.lean.arrays import Integers, Tables
from fourlep.io.lean.compiled import compiled
from fourlep.io.lean.layout import Form
from fourlep.io.lean.tree import Branch

#: Codes of the forms, for kernels.
FORM_CODES = {form: code for code, form in enumerate(Form)}


@dataclass(frozen=True, eq=False)
class BranchSet:
    """Branches that are read together.

    Parameters
    ----------
    branches
        The branches, each once.
    """

    branches: tuple[Branch, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple([branch.name for branch in self.branches])

    @cached_property
    def tables(self) -> Tables:
        """All their baskets."""
        return Tables(
            np.cumsum([0, *(len(branch.seeks) for branch in self.branches)], dtype=np.int64),
            _joined([branch.entries[:-1] for branch in self.branches]),
            _joined([branch.entries[1:] for branch in self.branches]),
            _joined([branch.seeks for branch in self.branches]),
            _joined([branch.sizes for branch in self.branches]),
        )

    @cached_property
    def forms(self) -> Integers:
        """Code of each branch's form (`FORM_CODES`), (n_branches,)."""
        return np.array([FORM_CODES[branch.layout.form] for branch in self.branches], np.int64)

    @cached_property
    def items(self) -> Integers:
        """Bytes of each branch's numbers, (n_branches,)."""
        return np.array([branch.layout.dtype.itemsize for branch in self.branches], np.int64)

    @cached_property
    def entry_bytes(self) -> Integers:
        """Bytes of each branch's entries, 0 where they differ, (n_branches,)."""
        is_scalar = self.forms == FORM_CODES[Form.SCALAR]
        return np.asarray(np.where(is_scalar, self.items, 0))

    @cached_property
    def basket_bytes(self) -> npt.NDArray[np.float64]:
        """Mean inflated length of each branch's baskets, (n_branches,)."""
        return np.array([branch.basket_bytes for branch in self.branches])

    def baskets(self, entries: Integers) -> Baskets:
        """Find the baskets that hold any of ascending ``entries``."""
        tables = self.tables
        most = min(len(tables.first), len(entries) * len(self.branches))
        rows = np.empty(most, dtype=np.int64)
        counts = np.zeros(len(self.branches), dtype=np.int64)
        return Baskets(self, rows[: holding(tables, entries, rows, counts)], counts)

    def baskets_between(self, start: int, stop: int) -> Baskets:
        """Find the baskets that hold any of the entries ``start`` to ``stop``."""
        first, after, bounds = self.tables.first, self.tables.after, self.tables.bounds
        rows = np.flatnonzero(np.minimum(after, stop) > np.maximum(first, start))
        return Baskets(self, rows, np.diff(np.searchsorted(rows, bounds)))


@dataclass(frozen=True, slots=True, eq=False)
class Baskets:
    """Some baskets of a set of branches.

    Parameters
    ----------
    branches
        The set.
    row : (n,) int64
        Their rows in its tables, ascending.
    counts : (n_branches,) int64
        How many are of each branch.
    """

    branches: BranchSet
    row: Integers
    counts: Integers

    @property
    def seek(self) -> Integers:
        """Where each record begins in the file, (n,)."""
        return self.branches.tables.seek[self.row]

    @property
    def size(self) -> Integers:
        """Length of each record, (n,)."""
        return self.branches.tables.size[self.row]

    @property
    def cost(self) -> float:
        """Inflated bytes, about."""
        return float(self.counts @ self.branches.basket_bytes)

    def branch_of(self, place: int) -> Branch:
        """Branch of the basket at a place of ``row``."""
        bounds = self.branches.tables.bounds
        number = int(np.searchsorted(bounds, self.row[place], side="right")) - 1
        return self.branches.branches[number]


@compiled
def holding(tables: Tables, entries: Integers, rows: Integers, counts: Integers) -> int:
    """Find the baskets that hold entries.

    Parameters
    ----------
    tables
        Where to look. Baskets of a branch follow one another without gaps.
    entries : (n,) int64
        Ascending.
    rows : (n_branches * n or number of rows at least,) int64
        Filled with rows of ``tables``, ascending.
    counts : (n_branches,) int64
        Filled with how many are of each branch.

    Returns
    -------
    int
        How many there are.
    """
    found = 0
    for branch in range(len(counts)):
        before = found
        row, end = tables.bounds[branch], tables.bounds[branch + 1]
        k = 0
        while k < len(entries) and row < end:
            last = end  # the first row from here that ends behind the entry
            while row < last:
                middle = (row + last) // 2
                if tables.after[middle] > entries[k]:
                    last = middle
                else:
                    row = middle + 1
            if row < end and found < len(rows):
                rows[found] = row
                found += 1
                while k < len(entries) and entries[k] < tables.after[row]:
                    k += 1
                row += 1
        counts[branch] = found - before
    return found


def _joined(parts: Sequence[Integers]) -> Integers:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
