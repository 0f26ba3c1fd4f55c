"""Events to sums: select, weigh, vary and fill. Knows no file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fourlep.chunk.analysis import Analysis, Corrections
from fourlep.chunk.model import ChunkResult
from fourlep.chunk.tables import candidate_table, identities
from fourlep.chunk.variations import kinematic_variants, nominal_variant, selection_variants
from fourlep.chunk.weights import check_finite, event_weights
from fourlep.events import Events
from fourlep.physics.cutflow import Cutflow
from fourlep.physics.histograms import NOMINAL, ExactHistogram


@dataclass(frozen=True, slots=True, eq=False)
class Analysed:
    """What events gave.

    Parameters
    ----------
    sums
        Histograms, cutflow and tables; no record of what was read, and no count of all
        entries.
    selected : (n_selected,) int64
        Positions, among the events, of those that the nominal selection keeps.
    left_out
        Requirements that the input could not decide, with the reason.
    """

    sums: ChunkResult
    selected: npt.NDArray[np.int64]
    left_out: Mapping[str, str]

    @property
    def n_selected(self) -> int:
        """Events that the nominal selection keeps."""
        return len(self.selected)


def nothing(analysis: Analysis, dataset: str, *, n_all: int, is_simulation: bool) -> ChunkResult:
    """Make the sums over ``n_all`` entries of which none met the first requirement.

    Every variation is there, so that what has no events differs from what was not read.
    """
    selection = analysis.selection
    variations = analysis.variations(is_simulation=is_simulation)
    return ChunkResult(
        histograms={
            (dataset, spec.observable): ExactHistogram.empty(
                spec, selection.channels, selection.regions, variations
            )
            for spec in selection.histograms
        },
        cutflows={dataset: Cutflow.empty(selection.requirements, selection.channels, n_all)},
    )


def analyse(
    events: Events, analysis: Analysis, dataset: str, *, counts_events: bool = False
) -> Analysed:
    """Select events and sum them.

    Parameters
    ----------
    events
        All that meet ``analysis.cascade``; others may be among them.
    analysis
        What to do.
    dataset
        Name under which to sum.
    counts_events
        Whether each simulated event counts as 1.

    Raises
    ------
    CorruptFileError
        If a lepton's kinematics or a weight is NaN or infinite, or an event has more
        leptons than a collision can give.
    """
    weights = _checked_weights(events, counts_events=counts_events)
    selection, corrections = analysis.selection, _corrections(analysis, events)
    corrected = events if corrections is None else corrections.apply(events, (NOMINAL,))
    selected = selection.select(corrected, analysis.good_runs)
    candidates = selected.candidates
    variants = [nominal_variant(corrected, candidates, weights, corrections)]
    if events.is_simulation:
        variants += selection_variants(selection, variants[0])
    if corrections is not None:
        variants += kinematic_variants(events, weights, analysis, corrections)
    axes = (selection.channels, selection.regions)
    table = (
        {dataset: candidate_table(corrected, candidates, selection, variants[0].weights[0])}
        if analysis.keep_candidates
        else {}
    )
    sums = ChunkResult(
        histograms={
            (dataset, spec.observable): ExactHistogram.filled(
                spec, *axes, [variant.fill(spec) for variant in variants]
            )
            for spec in selection.histograms
        },
        cutflows={
            dataset: Cutflow.of(
                selection.requirements, selection.channels, selected.passed, weights
            )
        },
        selected={} if events.is_simulation else {dataset: identities(corrected, candidates)},
        candidates=table,
    )
    return Analysed(sums, candidates.index, selected.left_out)


def rejected(
    events: Events, analysis: Analysis, dataset: str, *, counts_events: bool = False
) -> ChunkResult:
    """Sum events that cannot meet ``analysis.cascade.pairs``: they are in the cutflow only.

    Parameters
    ----------
    events
        With the columns of `Analysis.early`.
    analysis, dataset, counts_events
        As in `analyse`.

    Raises
    ------
    CorruptFileError
        As in `analyse`.
    RuntimeError
        If the selection could keep one of them, by what was read of it.
    """
    weights = _checked_weights(events, counts_events=counts_events)
    selection, corrections = analysis.selection, _corrections(analysis, events)
    staging = selection.staging
    if staging is None:
        raise RuntimeError(f"{selection.name} rejects nothing by pairs")
    corrected = events if corrections is None else corrections.apply(events, (NOMINAL,))
    passed = selection.select(corrected, analysis.good_runs).passed
    rows = [requirement.name for requirement in selection.requirements]
    kept = passed[rows.index(staging.requirement)].any(axis=0)
    if kept.any():
        raise RuntimeError(
            f"entry {int(events.entry[np.argmax(kept)])} of {dataset} was rejected by its pairs "
            f"although {selection.name} keeps it: this is a fault of fourlep"
        )
    cutflow = Cutflow.of(selection.requirements, selection.channels, passed, weights)
    return ChunkResult(cutflows={dataset: cutflow})


def _checked_weights(events: Events, *, counts_events: bool) -> npt.NDArray[np.float64]:
    check_finite(events)
    return event_weights(events, counts_events=counts_events)


def _corrections(analysis: Analysis, events: Events) -> Corrections | None:
    return analysis.corrections if events.is_simulation else None
