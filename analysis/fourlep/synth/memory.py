"""Columns of PHYSLITE as `Events`, without a file between: for studies of many samples.

Values pass through the types of the branches and through the rules of `fourlep.io`, so
that the events are those that a reader would give.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import awkward as ak
import numpy as np
import numpy.typing as npt

from fourlep.events import Events
from fourlep.io.assemble import assemble
from fourlep.io.branches import TTREE
from fourlep.io.request import Request
from fourlep.synth.columns import Columns
from fourlep.synth.physlite import Ragged, layout


def events_of(columns: Columns, required: Sequence[str], optional: Sequence[str] = ()) -> Events:
    """Make `Events` of columns that could be written.

    Parameters
    ----------
    columns
        By branch.
    required, optional
        Canonical columns wanted, as of a file.

    Raises
    ------
    MissingColumnError
        If a required one cannot be made.
    """
    types = _types()
    raw: dict[str, Any] = {}
    for name, column in columns.items():
        if types[name] == "count" and isinstance(column, Ragged):
            raw.update(_members(name, column, types))
        else:
            raw[name] = _as_read(column, types[name].lstrip("*"))
    is_simulation = "EventInfoAuxDyn.mcEventWeights" in columns
    request = Request.resolve(
        "columns in memory",
        TTREE,
        raw.keys(),
        required,
        optional,
        is_simulation=is_simulation,
    )
    n_events = len(columns["EventInfoAuxDyn.runNumber"])
    return assemble(request, raw, np.arange(n_events))


@cache
def _types() -> dict[str, str]:
    """Say what each branch holds, by name."""
    return {part.name: part.value for branch in layout().branches for part in branch.walk()}


def _members(name: str, column: Ragged, types: dict[str, str]) -> dict[str, Any]:
    """Members of a split vector, by the names of its sub-branches."""
    if isinstance(column.content, Ragged):
        raise TypeError(f"{name} takes links(keys, indices)")
    return {
        f"{name}.{member}": _as_read(
            Ragged(column.counts, column.content[member]), types[f"{name}.{member}"][1:]
        )
        for member in ("m_persKey", "m_persIndex")
    }


def _as_read(column: npt.NDArray[Any] | Ragged, item: str) -> Any:
    """Make the array that a reader has of a branch of ``item``."""
    if isinstance(column, Ragged):
        return ak.unflatten(_as_read(column.content, item), column.counts)
    if column.dtype.names is None:
        return column.astype(item)
    return ak.zip({name: column[name].astype(np.uint32) for name in column.dtype.names})
