"""Rejects events by their kinematics, before anything else of them is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fourlep.events import COLUMNS, Cascade, Cut, PairCut
from fourlep.io import derive
from fourlep.io.branches import Source
from fourlep.io.lean.arrays import Integers
from fourlep.io.lean.pair_kernel import Flat, can_pair
from fourlep.io.lean.values import Values
from fourlep.units import ELECTRON_MASS, MUON_MASS, MeV

_KINEMATICS = ("pt", "eta", "phi", "mass", "charge")
#: Functions of `fourlep.io.derive` on flat numbers; a column of another one is not read here.
_FLAT: Mapping[Callable[..., Any] | None, Callable[[npt.NDArray[Any]], npt.NDArray[Any]]] = {
    derive.unchanged: lambda raw: raw,
    derive.from_mev: lambda raw: raw.astype(np.float64) * MeV,
    derive.is_nonzero: lambda raw: raw != 0,
    derive.muon_quality: lambda raw: raw.astype(np.int32) & 7,
    derive.electron_mass_like: lambda raw: np.full(len(raw), ELECTRON_MASS),
    derive.muon_mass_like: lambda raw: np.full(len(raw), MUON_MASS),
}


@dataclass(frozen=True, slots=True)
class PairTest:
    """A `PairCut` in terms of one file.

    Parameters
    ----------
    cut
        What pairs must meet.
    counting
        Cuts that a lepton must pass to count, by flavour.
    sources
        How the file gives the columns.
    """

    cut: PairCut
    counting: Mapping[str, tuple[Cut, ...]]
    sources: Mapping[str, Source]

    @classmethod
    def plan(cls, cascade: Cascade, sources: Mapping[str, Source]) -> PairTest | None:
        """Prepare the test; None where there is no cut, or columns are made in other ways."""
        if cascade.pairs is None:
            return None
        cuts = {"electron": cascade.electron, "muon": cascade.muon}
        needed = [f"{flavour}.{name}" for flavour in cuts for name in _KINEMATICS]
        known = [cut.column for each in cuts.values() for cut in each if cut.column in sources]
        for column in (*needed, *known):
            source = sources.get(column)
            if source is None or source.derive not in _FLAT or len(source.branches) != 1:
                return None
        return cls(cascade.pairs, cuts, sources)

    def passes(self, values: Mapping[str, Values], n_events: int) -> npt.NDArray[np.bool_]:
        """Find the events whose leptons can meet the cut, (n_events,).

        Parameters
        ----------
        values
            By branch.
        """
        flavours = [self._counted(flavour, values) for flavour in self.counting]
        if not all(flavours):  # whoever makes columns of it says what is wrong
            return np.ones(n_events, dtype=np.bool_)
        (electron_event, electrons), (muon_event, muons) = (each for each in flavours if each)
        event = np.concatenate([electron_event, muon_event])
        order = np.argsort(event, kind="stable")
        flat = [np.concatenate(pair)[order] for pair in zip(electrons, muons, strict=True)]
        first = np.zeros(n_events + 1, dtype=np.int64)
        np.cumsum(np.bincount(event, minlength=n_events), out=first[1:])
        is_muon = (order >= len(electron_event)).astype(np.uint8)
        pt, eta, phi, mass, charge = flat
        kept = np.zeros(n_events, dtype=np.bool_)
        leptons = Flat(first, pt, eta, phi, mass, charge.astype(np.int64), is_muon)
        can_pair(leptons, np.asarray(self.cut.thresholds), kept)
        return kept

    def _counted(
        self, flavour: str, values: Mapping[str, Values]
    ) -> tuple[Integers, list[npt.NDArray[np.float64]]] | None:
        """Event and kinematics of the leptons that count; None where lengths differ."""
        lengths = values[self.sources[f"{flavour}.pt"].branches[0]].lengths
        cuts = [cut for cut in self.counting[flavour] if cut.column in self.sources]
        columns = (*(f"{flavour}.{name}" for name in _KINEMATICS), *(cut.column for cut in cuts))
        for column in columns:
            found = values[self.sources[column].branches[0]].lengths
            if len(found) != 1 or not np.array_equal(found[0], lengths[0]):
                return None
        counts = np.ones(int(lengths[0].sum()), dtype=np.bool_)
        for cut in cuts:
            counts &= np.asarray(cut.passes(self._column(cut.column, values)))
        kinematics = [
            self._column(f"{flavour}.{name}", values)[counts].astype(np.float64)
            for name in _KINEMATICS
        ]
        return np.repeat(np.arange(len(lengths[0])), lengths[0])[counts], kinematics

    def _column(self, name: str, values: Mapping[str, Values]) -> npt.NDArray[Any]:
        source = self.sources[name]
        raw = values[source.branches[0]].content[0]
        return _FLAT[source.derive](raw).astype(COLUMNS[name].dtype)
