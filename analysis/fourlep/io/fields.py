"""Fields of an RNTuple under the names that a tree's branches have."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

import awkward as ak

#: What is inside the fields of links.
_LINK_MEMBERS = frozenset({"m_persKey", "m_persIndex"})


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

    @property
    def names(self) -> AbstractSet[str]:
        """Every name that there is."""
        records = self._ntuple.field_records
        names = set()
        for number, record in enumerate(records):
            top = number
            while records[top].parent_field_id != top:
                top = records[top].parent_field_id
            if top == number:
                names.add(record.field_name)
            elif record.field_name in _LINK_MEMBERS:
                names.add(f"{records[top].field_name}.{record.field_name}")
        return frozenset(names)

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

    def _steps(self, name: str) -> tuple[str, str]:
        """Name of the top field, and of what is meant in it, "" for all of it."""
        if name in self._top:
            return name, ""
        top, _, member = name.rpartition(".")
        return top, member
