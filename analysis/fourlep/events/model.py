"""Columns and events, the same for every input format.

A column has a canonical name, ``event.run`` or ``electron.pt``; `COLUMNS` is the list.
Energies are GeV, lengths mm, angles rad. Only `fourlep.io` knows what a file calls them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import awkward as ak
import numpy as np
import numpy.typing as npt

Collection = Literal["event", "electron", "muon"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the event model.

    Parameters
    ----------
    name
        Canonical name, ``collection.field``.
    dtype
        NumPy type in memory.
    unit
        "GeV", "mm", "rad" or "" for numbers without one.
    meaning
        One line for the reference documentation.
    """

    name: str
    dtype: str
    unit: str
    meaning: str

    @property
    def collection(self) -> str:
        """``event``, ``electron`` or ``muon``."""
        return self.name.partition(".")[0]

    @property
    def field(self) -> str:
        """The name within its collection."""
        return self.name.partition(".")[2]


def _lepton(flavour: str) -> tuple[Column, ...]:
    return (
        Column(f"{flavour}.pt", "f8", "GeV", "transverse momentum"),
        Column(f"{flavour}.eta", "f8", "", "pseudorapidity"),
        Column(f"{flavour}.phi", "f8", "rad", "azimuth"),
        Column(f"{flavour}.mass", "f8", "GeV", "mass; the PDG value where the file has none"),
        Column(f"{flavour}.charge", "i4", "", "charge in units of e"),
        Column(f"{flavour}.track_iso", "f8", "GeV", "pT sum of tracks in the isolation cone"),
        Column(f"{flavour}.track_cone", "f8", "", "radius of that cone"),
        Column(f"{flavour}.calo_iso", "f8", "GeV", "topocluster ET in a cone of 0.2"),
        Column(f"{flavour}.track_pt", "f8", "GeV", "pT of the linked track"),
        Column(f"{flavour}.track_eta", "f8", "", "pseudorapidity of the linked track"),
        Column(f"{flavour}.track_phi", "f8", "rad", "azimuth of the linked track"),
        Column(f"{flavour}.d0", "f8", "mm", "transverse impact parameter to the beam line"),
        Column(f"{flavour}.d0_significance", "f8", "", "d0 over its uncertainty, signed"),
        Column(f"{flavour}.z0_sin_theta", "f8", "mm", "longitudinal impact parameter, projected"),
        Column(f"{flavour}.is_trigger_matched", "?", "", "matched to a fired lepton trigger"),
    )


COLUMNS: Mapping[str, Column] = {
    column.name: column
    for column in (
        Column("event.run", "i8", "", "run number (0 or 284500-310000 in simulation)"),
        Column("event.lumi_block", "i8", "", "luminosity block"),
        Column("event.number", "u8", "", "event number"),
        Column("event.dsid", "i8", "", "dataset identifier of simulation, 0 in data"),
        Column("event.generator_weight", "f8", "", "nominal generator weight, signed; 1 in data"),
        Column(
            "event.generator_weights",
            "f8",
            "",
            "all generator weights (n_events, n_weights), signed",
        ),
        Column(
            "event.scale_factor",
            "f8",
            "",
            "product of the efficiency corrections that the file has",
        ),
        Column("event.pileup", "f8", "", "average interactions per crossing"),
        Column("event.is_triggered", "?", "", "a single- or multi-lepton trigger fired"),
        *_lepton("electron"),
        Column("electron.is_loose", "?", "", "likelihood identification, Loose"),
        Column("electron.is_loose_blayer", "?", "", "Loose with a hit in the innermost layer"),
        Column("electron.is_medium", "?", "", "likelihood identification, Medium"),
        Column("electron.is_tight", "?", "", "likelihood identification, Tight"),
        Column("electron.object_quality", "u4", "", "calorimeter object-quality bits"),
        *_lepton("muon"),
        Column("muon.quality", "i4", "", "0 Tight, 1 Medium, 2 Loose, 3 VeryLoose"),
        Column("muon.quality_word", "i4", "", "quality as stored, with flags in higher bits"),
        Column(
            "muon.type", "i4", "", "xAOD muon type: 0 combined ... 4 silicon-associated forward"
        ),
        Column("muon.passes_preselection", "?", "", "derivation's muon preselection"),
        Column("muon.passes_id_cuts", "?", "", "inner-detector hit requirements"),
    )
}

#: Columns of single trigger chains are named ``trigger.HLT_...``: one boolean an event.
_TRIGGER_PREFIX = "trigger."


def trigger_column(chain: str) -> str:
    """Canonical column of a trigger chain.

    Examples
    --------
    >>> trigger_column("HLT_2mu14")
    'trigger.HLT_2mu14'
    """
    return _TRIGGER_PREFIX + chain


def is_trigger_column(name: str) -> bool:
    """Whether ``name`` is the column of a single trigger chain."""
    return name.startswith(_TRIGGER_PREFIX)


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """Events of one file, or a part of them, in columns.

    Parameters
    ----------
    entry : (n_events,) int64
        Number of each event within its tree, ascending.
    event
        Arrays by field of the ``event`` collection: (n_events,), and
        ``generator_weights`` (n_events, n_weights).
    electrons, muons : (n_events, var) records
        Fields as in `COLUMNS`, behaving as `vector` ``Momentum4D`` when ``pt``, ``eta``,
        ``phi`` and ``mass`` are there.
    triggers
        (n_events,) booleans by chain.
    absent
        Columns that were asked for and that the input does not have, with the reason.
        They are in no array: a selection that uses one leaves the requirement out by
        name, or refuses.
    is_simulation
        Whether the events are simulated.
    """

    entry: npt.NDArray[np.int64]
    event: Mapping[str, npt.NDArray[Any]]
    electrons: ak.Array
    muons: ak.Array
    is_simulation: bool
    triggers: Mapping[str, npt.NDArray[np.bool_]] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.entry)

    def __getitem__(self, keep: npt.NDArray[np.bool_] | npt.NDArray[np.int64] | slice) -> Events:
        """The events that ``keep`` (mask, indices or slice) names."""
        return Events(
            entry=self.entry[keep],
            event={name: values[keep] for name, values in self.event.items()},
            electrons=self.electrons[keep],
            muons=self.muons[keep],
            is_simulation=self.is_simulation,
            triggers={name: values[keep] for name, values in self.triggers.items()},
            absent=self.absent,
        )

    def has(self, column: str) -> bool:
        """Whether ``column`` (canonical name) was read."""
        collection, _, name = column.partition(".")
        if collection == "trigger":
            return name in self.triggers
        if collection == "event":
            return name in self.event
        return name in ak.fields(self.electrons if collection == "electron" else self.muons)
