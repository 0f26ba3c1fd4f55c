"""Random numbers that belong to a lepton, not to the order in which it is read.

Smearing must give the same result however files are cut and retried. The numbers are
therefore a hash (the finaliser of SplitMix64, G. L. Steele et al., OOPSLA 2014) of run,
event number, dataset, flavour and position of the lepton in its event.
"""

from __future__ import annotations

from dataclasses import replace

import awkward as ak
import numpy as np
import numpy.typing as npt

from fourlep.corrections.flat import SEED
from fourlep.events import Events

#: Largest number that `normal` gives; beyond lies 6e-5 of a Gaussian.
LIMIT = 4.0

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)

Seeds = npt.NDArray[np.uint64]


def mixed(values: Seeds) -> Seeds:
    """Mix the bits of integers: equal in, equal out, and neighbours far apart."""
    mixed_values = values + _GOLDEN
    mixed_values = (mixed_values ^ (mixed_values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed_values = (mixed_values ^ (mixed_values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed_values ^ (mixed_values >> np.uint64(31))


def with_seeds(events: Events) -> Events:
    """Give every lepton its seed, from ``event.run``, ``number``, ``dsid`` and position.

    Collections without fields stay as they are.
    """
    seed = mixed(events.event["number"].astype(np.uint64))
    seed = mixed(seed ^ events.event["run"].astype(np.uint64))
    dsid = events.event.get("dsid")
    if dsid is not None:
        seed = mixed(seed ^ dsid.astype(np.uint64))
    return replace(
        events,
        electrons=_seeded(events.electrons, mixed(seed ^ np.uint64(11))),
        muons=_seeded(events.muons, mixed(seed ^ np.uint64(13))),
    )


def _seeded(leptons: ak.Array, event_seed: Seeds) -> ak.Array:
    if not ak.fields(leptons) or SEED in ak.fields(leptons):
        return leptons
    counts = ak.to_numpy(ak.num(leptons, axis=1))
    first = np.cumsum(counts) - counts
    position = np.arange(counts.sum()) - np.repeat(first, counts)
    seed = mixed(np.repeat(event_seed, counts) ^ mixed(position.astype(np.uint64)))
    return ak.with_field(leptons, ak.unflatten(seed, counts), SEED)


def normal(seed: Seeds) -> npt.NDArray[np.float64]:
    """Standard normal numbers, one for each seed, by Box and Muller; within +-`LIMIT`."""
    # 53 bits make a uniform number; adding a half keeps it off zero.
    first = ((mixed(seed) >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    second = (mixed(seed ^ _GOLDEN) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    values: npt.NDArray[np.float64] = np.sqrt(-2.0 * np.log(first)) * np.cos(2.0 * np.pi * second)
    return np.clip(values, -LIMIT, LIMIT)
