"""Selected events as tables: to find duplicates, and to learn from."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fourlep.events import Events
from fourlep.physics.candidates import Candidates
from fourlep.physics.selection import Selection


def identities(events: Events, candidates: Candidates) -> npt.NDArray[np.uint64]:
    """Run and event number of each candidate, (n, 2)."""
    chosen = candidates.index
    columns = (events.event["run"][chosen], events.event["number"][chosen])
    return np.stack([column.astype(np.uint64) for column in columns], axis=1)


def candidate_table(
    events: Events,
    candidates: Candidates,
    selection: Selection,
    weights: npt.NDArray[np.float64],
) -> dict[str, npt.NDArray[Any]]:
    """One row a candidate, in columns.

    Parameters
    ----------
    events
        What was selected from.
    candidates
        The candidates.
    selection
        For the names of channels and regions.
    weights : (n,)
        Nominal weights, before normalisation.

    Returns
    -------
    dict
        (n,) arrays: ``run``, ``event``, ``entry``, ``channel``, ``in_REGION``, ``weight``,
        and every observable; ``lepton_pt_1`` to ``lepton_pt_4`` for one of four values.
    """
    chosen = candidates.index
    table: dict[str, npt.NDArray[Any]] = {
        "run": events.event["run"][chosen],
        "event": events.event["number"][chosen],
        "entry": events.entry[chosen],
        "channel": np.asarray(selection.channels)[candidates.channel],
        "weight": weights,
    }
    for number, region in enumerate(selection.regions):
        table[f"in_{region}"] = candidates.in_region[:, number]
    for name, values in candidates.observables.items():
        if values.ndim == 1:
            table[name] = values
        else:
            table.update({f"{name}_{k + 1}": values[:, k] for k in range(values.shape[1])})
    return table
