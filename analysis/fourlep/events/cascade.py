"""A counting requirement that lets a reader skip events before reading them whole.

A selection declares a `Cascade`: cuts on single columns of electrons and muons, and how
many of each must be left. It must be implied by the selection (never reject an event
that the selection keeps); the reader may use it to avoid reading further columns, and
the selection decides every event again. The cuts stand in the order in which a reader
should try them: cheapest and most selective first.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, replace
from typing import Literal

import awkward as ak
import numpy as np
import numpy.typing as npt

from fourlep.events.model import Events
from fourlep.events.pairs import PairCut

_COMPARE = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
    "eq": operator.eq,
}

Operator = Literal["gt", "ge", "lt", "le", "abs_lt", "abs_le", "eq", "is_true"]


@dataclass(frozen=True, slots=True)
class Cut:
    """One requirement on one column of a lepton collection.

    Parameters
    ----------
    column
        Canonical name, ``electron.pt``.
    operator
        ``gt ge lt le eq`` compare with ``value``; ``abs_lt abs_le`` compare the absolute
        value; ``is_true`` ignores ``value``.
    value
        Threshold in the unit of the column.
    """

    column: str
    operator: Operator
    value: float = 0.0

    def passes(self, values: ak.Array) -> ak.Array:
        """The mask of what the cut keeps, of the same layout as ``values``. NaN fails."""
        if self.operator == "is_true":
            return values != 0
        measured = abs(values) if self.operator.startswith("abs_") else values
        return _COMPARE[self.operator.removeprefix("abs_")](measured, self.value)


@dataclass(frozen=True, slots=True)
class Cascade:
    """Keep an event when any of ``minimum`` (electrons, muons) is reached.

    Parameters
    ----------
    electron, muon
        Cuts that a lepton must pass to count, cheapest and most selective first.
    minimum
        Pairs (electrons, muons): an event is kept when for any pair it has at least
        that many of each.
    pairs
        What the counted leptons of a kept event must be able to form for the selection to
        keep it; None where the selection asks for no pairs. It is no part of counting.

    Examples
    --------
    >>> Cascade(electron=(Cut("electron.pt", "gt", 7.0),), muon=(), minimum=((4, 0),)).columns
    ('electron.pt',)
    """

    electron: tuple[Cut, ...]
    muon: tuple[Cut, ...]
    minimum: tuple[tuple[int, int], ...]
    pairs: PairCut | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Canonical columns in the order of the cuts, electrons first, without repeats."""
        return tuple(dict.fromkeys(cut.column for cut in (*self.electron, *self.muon)))

    def loosened(self, pt_fraction: float) -> Cascade:
        """Lower every pT threshold by a fraction, and widen ``pairs``, for variations of pT.

        Parameters
        ----------
        pt_fraction
            Largest relative change of pT that a variation can make, 0 to 1.
        """

        def lower(cut: Cut) -> Cut:
            if cut.column.endswith(".pt") and cut.operator in ("gt", "ge"):
                return replace(cut, value=cut.value * (1.0 - pt_fraction))
            return cut

        return replace(
            self,
            electron=tuple(lower(cut) for cut in self.electron),
            muon=tuple(lower(cut) for cut in self.muon),
            pairs=None if self.pairs is None else self.pairs.loosened(pt_fraction),
        )

    def keeps(self, events: Events) -> npt.NDArray[np.bool_]:
        """The mask of events kept, (n_events,); the plain definition of the requirement.

        A cut on a column that the events do not have is passed by every lepton.
        """
        n_electrons = _count(events, events.electrons, self.electron)
        n_muons = _count(events, events.muons, self.muon)
        kept = np.zeros(len(events), dtype=np.bool_)
        for electrons, muons in self.minimum:
            kept |= (n_electrons >= electrons) & (n_muons >= muons)
        return kept


def _count(events: Events, leptons: ak.Array, cuts: tuple[Cut, ...]) -> npt.NDArray[np.int64]:
    fields = ak.fields(leptons)
    if not fields:
        return np.zeros(len(events), dtype=np.int64)
    counts = ak.ones_like(leptons[fields[0]], dtype=np.bool_)
    for cut in cuts:
        if events.has(cut.column):
            counts = counts & cut.passes(leptons[cut.column.partition(".")[2]])
    return np.asarray(ak.sum(counts, axis=1), dtype=np.int64)
