"""Hand-made leptons and events for the tests of corrections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import awkward as ak
import numpy as np

from fourlep.events import Events

Kinematics = Sequence[Sequence[tuple[float, float]]]


def leptons(listed: Kinematics) -> ak.Array:
    """Records from (pt, eta) of each event."""
    counts = [len(event) for event in listed]
    flat = np.array([pair for event in listed for pair in event], dtype=float).reshape(-1, 2)
    size = len(flat)
    columns = {
        "pt": flat[:, 0],
        "eta": flat[:, 1],
        "phi": np.linspace(-3.0, 3.0, size),
        "mass": np.full(size, 0.1),
        "charge": np.where(np.arange(size) % 2, 1, -1),
    }
    jagged = {name: ak.unflatten(values, counts) for name, values in columns.items()}
    return ak.zip(jagged, with_name="Momentum4D")


def events(electrons: Kinematics, muons: Kinematics | None = None, **event: Any) -> Events:
    """Simulated events; further event columns by keyword."""
    size = len(electrons)
    return Events(
        entry=np.arange(size),
        event={
            "run": np.full(size, 284500),
            "number": np.arange(1, size + 1, dtype=np.uint64),
            "dsid": np.full(size, 345060),
            **{name: np.asarray(values) for name, values in event.items()},
        },
        electrons=leptons(electrons),
        muons=leptons(muons or [[]] * size),
        is_simulation=True,
    )


def flat(values: ak.Array) -> list[float]:
    return [float(value) for value in ak.flatten(values, axis=None)]
