"""Weights of events, and the check that their numbers are numbers."""

from __future__ import annotations

import awkward as ak
import numpy as np
import numpy.typing as npt

from fourlep.errors import CorruptFileError
from fourlep.events import Events

Floats = npt.NDArray[np.float64]


def check_finite(events: Events) -> None:
    """Refuse leptons whose kinematics are no numbers.

    Raises
    ------
    CorruptFileError
        Naming the column and the first entry concerned.
    """
    for flavour, leptons in (("electron", events.electrons), ("muon", events.muons)):
        for name in {"pt", "eta", "phi", "mass"} & set(ak.fields(leptons)):
            finite = ak.to_numpy(ak.all(np.isfinite(leptons[name]), axis=1))
            if not finite.all():
                entry = int(events.entry[np.argmin(finite)])
                raise CorruptFileError(f"{flavour}.{name} of entry {entry} is NaN or infinite")


def event_weights(events: Events, *, counts_events: bool = False) -> Floats:
    """Signed weight of each event before corrections, (n_events,).

    1 in data; in simulation the generator weight, or 1 where events count as such, times
    the file's own scale factor where it has one.

    Parameters
    ----------
    events
        With ``generator_weight`` in simulation, unless events count.
    counts_events
        As `Normalisation.counts_events`.

    Raises
    ------
    CorruptFileError
        If a weight is NaN or infinite.
    """
    weights = np.ones(len(events))
    if events.is_simulation:
        if not counts_events:
            weights = weights * events.event["generator_weight"]
        weights = weights * events.event.get("scale_factor", 1.0)
    finite = np.isfinite(weights)
    if not finite.all():
        entry = int(events.entry[np.argmin(finite)])
        raise CorruptFileError(f"the weight of entry {entry} is NaN or infinite")
    return weights
