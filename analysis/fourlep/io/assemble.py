"""From arrays of branches to `Events`: the last step of every reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import awkward as ak
import numpy as np
import numpy.typing as npt
import vector

from fourlep.errors import CorruptFileError
from fourlep.events import COLUMNS, Events, is_trigger_column
from fourlep.io.branches import Source
from fourlep.io.request import Request
from fourlep.io.translation import told

_OF_EVENTS = ("event.", "trigger.")
_FOUR_MOMENTUM = frozenset({"pt", "eta", "phi", "mass"})


def assemble(request: Request, raw: Mapping[str, Any], entry: npt.NDArray[np.int64]) -> Events:
    """Derive the columns of ``request`` and put them together.

    Parameters
    ----------
    request
        What was asked for, resolved.
    raw
        Arrays by branch, one item an event, as the file holds them.
    entry : (n_events,)
        Entry number of each event.

    Raises
    ------
    CorruptFileError
        If branches contradict each other, or hold what the format rules out.
    """
    try:
        _check_lengths(raw, len(entry))
        columns = {
            column: _derived(column, source, raw, len(entry))
            for column, source in request.sources.items()
        }
        return Events(
            entry=entry,
            event=_collection(columns, "event"),
            electrons=_leptons(_collection(columns, "electron"), len(entry)),
            muons=_leptons(_collection(columns, "muon"), len(entry)),
            triggers=_collection(columns, "trigger"),
            is_simulation=request.is_simulation,
            absent=request.absent,
        )
    except (ValueError, IndexError, TypeError) as error:
        raise CorruptFileError(
            f"{request.url}: the branches contradict each other: {told(error)}",
            url=request.url,
            remedy="fetch the file again; if it is whole, its format is not one of those known",
        ) from error


def _check_lengths(raw: Mapping[str, Any], n_events: int) -> None:
    for branch, array in raw.items():
        if len(array) != n_events:
            raise ValueError(f"{branch} has {len(array)} entries for {n_events} events")


def _derived(column: str, source: Source, raw: Mapping[str, Any], n_events: int) -> Any:
    dtype = np.dtype("?" if is_trigger_column(column) else COLUMNS[column].dtype)
    if source.derive is None:
        return np.full(n_events, source.constant, dtype=dtype)
    values = source.derive(*(raw[branch] for branch in source.branches))
    _check_shape(column, values)
    if column.startswith(_OF_EVENTS):
        return ak.to_numpy(values).astype(dtype)
    return ak.values_astype(values, dtype)


def _check_shape(column: str, values: Any) -> None:
    """Refuse lists where one number is due, the other way round, and letters."""
    is_single = column.startswith(_OF_EVENTS) and column != "event.generator_weights"
    found = str(ak.type(values))
    if values.ndim != (1 if is_single else 2) or "string" in found:
        due = "one number an event" if is_single else "a list of numbers an event"
        raise ValueError(f"{column} is {due} and not {found}")


def _collection(columns: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {
        column.partition(".")[2]: values
        for column, values in columns.items()
        if column.partition(".")[0] == name
    }


def _leptons(fields: Mapping[str, ak.Array], n_events: int) -> ak.Array:
    if not fields:
        nothing = ak.contents.RecordArray([], [], length=0)
        offsets = ak.index.Index64(np.zeros(n_events + 1, dtype=np.int64))
        return ak.Array(ak.contents.ListOffsetArray(offsets, nothing))
    if fields.keys() >= _FOUR_MOMENTUM:
        return ak.zip(
            fields, with_name="Momentum4D", behavior=vector.backends.awkward.behavior, depth_limit=2
        )
    return ak.zip(fields, depth_limit=2)
