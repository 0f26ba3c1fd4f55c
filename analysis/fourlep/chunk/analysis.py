"""What is done to every chunk: selection, corrections, good runs and what to keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fourlep.datasets.good_runs import GoodRuns
from fourlep.events import Cascade, Events
from fourlep.io.source import ReaderChoice
from fourlep.physics.histograms import NOMINAL
from fourlep.physics.selection import Selection


class Corrections(Protocol):
    """Calibration of simulated events and its systematic variations."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Canonical columns that it reads where the file has them."""

    @property
    def kinematic_variations(self) -> tuple[str, ...]:
        """Variations that change leptons: events are selected again."""

    @property
    def weight_variations(self) -> tuple[str, ...]:
        """Variations that change weights alone."""

    @property
    def largest_pt_change(self) -> float:
        """Largest relative change of pT, nominal correction included, 0 to 1."""

    def apply(self, events: Events, variations: tuple[str, ...]) -> Events:
        """Correct the leptons of events, once for each variation.

        Parameters
        ----------
        events
            As read.
        variations
            ``nominal`` or of ``kinematic_variations``.

        Returns
        -------
        (n_variations * n_events) Events
            All events of the first variation, then all of the next.
        """

    def weights(self, events: Events, variations: tuple[str, ...]) -> npt.NDArray[np.float64]:
        """Compute factors on the generator weight.

        Parameters
        ----------
        events
            Selected events, whose electrons and muons are the four of the candidate,
            corrected as in one kinematic variation or nominally.
        variations
            ``nominal`` or of ``weight_variations``.

        Returns
        -------
        (n_variations, n_events) float64
        """


@dataclass(frozen=True, slots=True)
class Analysis:
    """What is done to every chunk; picklable, so that it travels to workers.

    Parameters
    ----------
    selection
        The selection.
    good_runs
        Good-run list for data, None to take every luminosity block.
    corrections
        Calibration and variations of simulation, None for none.
    reader
        Which reader to use.
    keep_candidates
        Whether results hold a table of the selected events.
    timeout_s
        How long a server may take to answer.
    """

    selection: Selection
    good_runs: GoodRuns | None = None
    corrections: Corrections | None = None
    reader: ReaderChoice = "auto"
    keep_candidates: bool = False
    timeout_s: float = 60.0

    @property
    def cascade(self) -> Cascade:
        """What a reader may skip by: loose enough for every variation of pT."""
        if self.corrections is None:
            return self.selection.cascade
        return self.selection.cascade.loosened(self.corrections.largest_pt_change)

    @property
    def optional(self) -> tuple[str, ...]:
        """Columns that are read where the file has them."""
        columns = (*self.selection.optional, "event.scale_factor")
        more = () if self.corrections is None else self.corrections.columns
        return tuple(dict.fromkeys((*columns, *more)))

    def columns(self, *, needs_weights: bool) -> tuple[str, ...]:
        """Columns that a file must have; the generator weight where weights count."""
        weight = ("event.generator_weight",) if needs_weights else ()
        return (*self.selection.required, *weight)

    def early(self, *, needs_weights: bool) -> tuple[str, ...]:
        """Columns that `fourlep.chunk.sums.rejected` needs; none where nothing is staged."""
        staging = self.selection.staging
        if staging is None:
            return ()
        columns = (*staging.columns, *self.columns(needs_weights=needs_weights))
        return tuple(dict.fromkeys((*columns, "event.scale_factor")))

    def variations(self, *, is_simulation: bool) -> tuple[str, ...]:
        """Every variation that a chunk fills, ``nominal`` first; data has only that."""
        if not is_simulation:
            return (NOMINAL,)
        own = (NOMINAL, *self.selection.variations)
        if self.corrections is None:
            return own
        return (*own, *self.corrections.kinematic_variations, *self.corrections.weight_variations)
