"""Branches of a tree, and fields of an RNTuple under the names that branches have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import awkward as ak
import numpy as np

from fourlep.io.links import read_links

#: What is inside the fields of links.
_LINK_MEMBERS = frozenset({"m_persKey", "m_persIndex"})


class Branches:
    """The branches of a tree, and what they are split into.

    Parameters
    ----------
    tree
        As uproot gives it.
    """

    def __init__(self, tree: Any) -> None:
        self._tree = tree
        self.names: AbstractSet[str] = frozenset(tree.keys(recursive=True, full_paths=False))
        self.n_entries = int(tree.num_entries)

    def __getitem__(self, name: str) -> Any:
        """Find the branch called ``name``, as uproot gives it."""
        return self._tree[name]

    def array(self, name: str, start: int, stop: int) -> ak.Array:
        """Read a branch for the entries ``start`` to ``stop``."""
        branch = self[name]
        links = read_links(branch, start, stop)
        return branch.array(entry_start=start, entry_stop=stop) if links is None else links

    def stored_together(self, name: str) -> int:
        """Entries of the longest basket of a branch, which is inflated as a whole."""
        return int(np.diff(self[name].entry_offsets).max(initial=0))


class Fields:
    """The top fields of an RNTuple, and ``FIELD.member`` of the links in them.

    The names of fields may have dots of their own: whoever writes a skim of a tree with
    uproot keeps the names of its branches. uproot takes such dots for steps into a field,
    so that these fields are asked of the RNTuple, and not of themselves.

    Parameters
    ----------
    ntuple
        As uproot gives it.
    """

    def __init__(self, ntuple: Any) -> None:
        self._ntuple = ntuple
        self._top = {field.name: field for field in ntuple.fields}
        self.names: AbstractSet[str] = frozenset(_names(ntuple.field_records))
        self.n_entries = int(ntuple.num_entries)

    def __getitem__(self, name: str) -> Any:
        """Find the field called ``name``, as uproot gives it."""
        top, member = self._steps(name)
        return self._top[top][member] if member else self._top[top]

    def array(self, name: str, start: int, stop: int) -> ak.Array:
        """Read a field for the entries ``start`` to ``stop``."""
        top, member = self._steps(name)
        if "." not in top:
            return self[name].array(entry_start=start, entry_stop=stop)
        held = self._ntuple.arrays(
            filter_field=lambda field: field.path == top, entry_start=start, entry_stop=stop
        )
        return held[top, member] if member else held[top]

    def stored_together(self, _name: str) -> int:
        """Entries of the longest cluster, which is inflated as a whole."""
        return max((int(each.num_entries) for each in self._ntuple.cluster_summaries), default=0)

    def _steps(self, name: str) -> tuple[str, str]:
        """Name of the top field, and of what is meant in it, "" for all of it."""
        if name in self._top:
            return name, ""
        top, _, member = name.rpartition(".")
        return top, member


def _names(records: Sequence[Any]) -> Iterator[str]:
    for number, record in enumerate(records):
        top = number
        while records[top].parent_field_id != top:
            top = records[top].parent_field_id
        if top == number:
            yield record.field_name
        elif record.field_name in _LINK_MEMBERS:
            yield f"{records[top].field_name}.{record.field_name}"
