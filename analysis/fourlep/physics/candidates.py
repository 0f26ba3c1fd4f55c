"""Selected events of four leptons, one row each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fourlep.physics.kinematics import Momenta
from fourlep.physics.leptons import Leptons


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Selected events, one row each.

    Parameters
    ----------
    index : (n,) int64
        Position within the events that were selected from, ascending.
    channel : (n,) int64
        Position within the selection's channels.
    in_region : (n, n_regions) booleans
        Regions, which may overlap.
    observables
        By name: (n,) float64, or (n, 4) for one value a lepton; GeV and rad.
    lepton_index, lepton_is_muon : (n, 4)
        The leptons: position within the event's electrons or muons. The order is that of
        the (n, 4) observables.
    """

    index: npt.NDArray[np.int64]
    channel: npt.NDArray[np.int64]
    in_region: npt.NDArray[np.bool_]
    observables: Mapping[str, npt.NDArray[np.float64]]
    lepton_index: npt.NDArray[np.int64]
    lepton_is_muon: npt.NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        leptons: Leptons,
        momenta: Momenta,
        lepton: npt.NDArray[np.int64],
        *,
        index: npt.NDArray[np.int64],
        channel: npt.NDArray[np.int64],
        in_region: npt.NDArray[np.bool_] | None = None,
    ) -> Candidates:
        """Make candidates with m4l and the leptons' kinematics as observables.

        Parameters
        ----------
        leptons, momenta
            All leptons.
        lepton : (n, 4) int64
            Rows of each candidate's leptons, ascending: by falling pT.
        index, channel, in_region
            As in the class; ``in_region`` by default only the region of everything.
        """
        everywhere = np.ones((len(index), 1), dtype=np.bool_)
        return cls(
            index=index,
            channel=channel.astype(np.int64),
            in_region=everywhere if in_region is None else in_region,
            observables={
                "m4l": momenta.sums(lepton).mass,
                "lepton_pt": leptons["pt"][lepton],
                "lepton_eta": leptons["eta"][lepton],
                "lepton_phi": leptons["phi"][lepton],
            },
            lepton_index=leptons.index[lepton],
            lepton_is_muon=leptons.is_muon[lepton],
        )

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, rows: slice) -> Candidates:
        """Take some rows; ``index`` is not renumbered."""
        return Candidates(
            self.index[rows],
            self.channel[rows],
            self.in_region[rows],
            {name: values[rows] for name, values in self.observables.items()},
            self.lepton_index[rows],
            self.lepton_is_muon[rows],
        )

    def with_observables(self, changed: Mapping[str, npt.NDArray[np.float64]]) -> Candidates:
        """Replace some observables."""
        return replace(self, observables={**self.observables, **changed})
