"""Leptons of many events as flat arrays: what tools compute on.

One batch of events meets dozens of variations; flattening it once is what makes them
cheap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import awkward as ak
import numpy as np
import numpy.typing as npt

from fourlep.errors import ConfigError

#: Field of a lepton that holds its seed (`fourlep.corrections.noise`).
SEED = "seed"

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FlatLeptons:
    """Electrons, or muons, of many events.

    Parameters
    ----------
    counts : (n_events,) int64
        Leptons of each event.
    inputs
        (n_leptons,) float64 by name: what payloads take, and ``mass`` and ``charge``
        where they were read.
    seeds : (n_leptons,) uint64
        None where there are none.
    """

    counts: npt.NDArray[np.int64]
    inputs: Mapping[str, Floats]
    seeds: npt.NDArray[np.uint64] | None = None

    @classmethod
    def of(cls, leptons: ak.Array) -> FlatLeptons:
        """Flatten jagged records; a collection without fields has no leptons.

        Parameters
        ----------
        leptons : (n_events, var) records
            With ``pt`` (GeV), ``eta`` and ``phi``.
        """
        names = ak.fields(leptons)
        if not names:
            nothing = np.zeros(0)
            inputs = dict.fromkeys(("pt", "eta", "phi", "abs_eta"), nothing)
            return cls(np.zeros(len(leptons), dtype=np.int64), inputs)
        counts = np.asarray(ak.num(leptons, axis=1), dtype=np.int64)
        records = ak.flatten(leptons, axis=1)
        flat = {
            name: np.asarray(records[name], dtype=np.float64)
            for name in ("pt", "eta", "phi", "mass", "charge")
            if name in names
        }
        flat["abs_eta"] = np.abs(flat["eta"])
        seeds = np.asarray(records[SEED], dtype=np.uint64) if SEED in names else None
        return cls(counts, flat, seeds)

    def __len__(self) -> int:
        return len(self.inputs["pt"])

    def needed_seeds(self) -> npt.NDArray[np.uint64]:
        """Get the seeds.

        Raises
        ------
        ConfigError
            If there are none.
        """
        if self.seeds is None:
            raise ConfigError(
                "leptons that are to be smeared have no seed",
                remedy="make the seeds with fourlep.corrections.noise.with_seeds(events)",
            )
        return self.seeds

    def products(self, values: Floats) -> Floats:
        """Multiply (n_leptons,) values over the leptons of each event.

        Returns
        -------
        (n_events,)
            1 for an event without leptons.
        """
        products = np.ones(len(self.counts))
        has_any = self.counts > 0
        first = np.cumsum(self.counts) - self.counts
        if has_any.any():
            products[has_any] = np.multiply.reduceat(values, first[has_any])
        return products

    def jagged(self, values: npt.NDArray[Any]) -> ak.Array:
        """Give (n_leptons,) values the shape of the events, (n_events, var)."""
        return ak.unflatten(values, self.counts)
