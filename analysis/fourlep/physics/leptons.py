"""Leptons of many events in flat columns, in an order that their input order cannot change.

Selections work on flat arrays: survivors are few, and array operations on jagged
columns would cost more than the physics.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import awkward as ak
import numpy as np
import numpy.typing as npt

from fourlep.events import Cut
from fourlep.physics.kinematics import Momenta

#: What every lepton has.
KINEMATICS = ("pt", "eta", "phi", "mass", "charge")


@dataclass(frozen=True, slots=True, eq=False)
class Collection:
    """The electrons, or the muons, of many events.

    Parameters
    ----------
    n_events
        Number of events.
    event : (n,) int64
        Event of each lepton, ascending.
    index : (n,) int64
        Position of each lepton within its event's collection.
    columns
        (n,) arrays by field.
    """

    n_events: int
    event: npt.NDArray[np.int64]
    index: npt.NDArray[np.int64]
    columns: Mapping[str, npt.NDArray[Any]]

    @classmethod
    def of(cls, leptons: ak.Array) -> Collection:
        """Flatten jagged records.

        Parameters
        ----------
        leptons : (n_events, var) records
            `Events.electrons` or `Events.muons`; without fields there are no leptons.
        """
        n_events = len(leptons)
        if not ak.fields(leptons):
            nothing = np.zeros(0, dtype=np.int64)
            return cls(n_events, nothing, nothing, {name: np.zeros(0) for name in KINEMATICS})
        counts = np.asarray(ak.num(leptons, axis=1), dtype=np.int64)
        records = ak.flatten(leptons, axis=1)
        first = np.cumsum(counts) - counts
        event = np.repeat(np.arange(n_events, dtype=np.int64), counts)
        index = np.arange(len(event), dtype=np.int64) - first[event]
        columns = {
            name: np.ascontiguousarray(ak.to_numpy(records[name], allow_missing=False))
            for name in ak.fields(leptons)
        }
        return cls(n_events, event, index, columns)

    def __len__(self) -> int:
        return len(self.event)

    def __getitem__(self, keep: npt.NDArray[np.bool_]) -> Collection:
        """Keep the leptons of a mask."""
        columns = {name: values[keep] for name, values in self.columns.items()}
        return Collection(self.n_events, self.event[keep], self.index[keep], columns)

    def has(self, name: str) -> bool:
        """Whether there is a column ``name``."""
        return name in self.columns

    def passing(self, cuts: Iterable[Cut]) -> Collection:
        """Keep the leptons that pass every cut.

        A cut on a column that the events do not have is passed, as in `Cascade.keeps`.
        """
        mask = np.ones(len(self), dtype=np.bool_)
        for cut in cuts:
            name = cut.column.partition(".")[2]
            if self.has(name):
                mask &= np.asarray(cut.passes(self.columns[name]))
        return self[mask]

    def per_event(self) -> npt.NDArray[np.int64]:
        """Leptons in each event, (n_events,)."""
        return np.bincount(self.event, minlength=self.n_events).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Leptons:
    """Electrons and muons together, by event and then falling pT.

    Equal pT is decided by eta, phi and charge, so that the order within an event depends
    on the leptons and not on how the file lists them.

    Parameters
    ----------
    n_events
        Number of events.
    event, index : (n,) int64
        Event, and position within the event's own collection.
    is_muon : (n,) booleans
        Flavour.
    columns
        (n,) arrays by field.
    """

    n_events: int
    event: npt.NDArray[np.int64]
    index: npt.NDArray[np.int64]
    is_muon: npt.NDArray[np.bool_]
    columns: Mapping[str, npt.NDArray[Any]]

    @classmethod
    def merged(
        cls,
        electrons: Collection,
        muons: Collection | None = None,
        defaults: Mapping[str, float] | None = None,
    ) -> Leptons:
        """Merge two collections of the same events.

        Parameters
        ----------
        electrons, muons
            The leptons to take; None for no muons.
        defaults
            Further columns to keep, with the value for a flavour that lacks one.
        """
        flavours = (electrons,) if muons is None else (electrons, muons)
        columns = {name: np.concatenate([f.columns[name] for f in flavours]) for name in KINEMATICS}
        for name, default in (defaults or {}).items():
            columns[name] = np.concatenate(
                [f.columns[name] if f.has(name) else np.full(len(f), default) for f in flavours]
            )
        event = np.concatenate([f.event for f in flavours])
        index = np.concatenate([f.index for f in flavours])
        is_muon = np.arange(len(event)) >= len(electrons)
        order = np.lexsort(
            (
                is_muon,
                columns["charge"],
                columns["phi"],
                columns["eta"],
                -columns["pt"],
                event,
            )
        )
        return cls(
            electrons.n_events,
            event[order],
            index[order],
            is_muon[order],
            {name: values[order] for name, values in columns.items()},
        )

    def __len__(self) -> int:
        return len(self.event)

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """Get the column ``name``."""
        return self.columns[name]

    def momenta(self) -> Momenta:
        """Four-momenta in the same order."""
        return Momenta.of(self["pt"], self["eta"], self["phi"], self["mass"])

    def per_event(
        self, values: npt.NDArray[np.int64] | npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.int64]:
        """Sum integers, or count a mask, over the leptons of each event, (n_events,)."""
        total = np.bincount(self.event, weights=values, minlength=self.n_events)
        return total.astype(np.int64)
