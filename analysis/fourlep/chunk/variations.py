"""Every variation of the selected events: candidates and weights, ready to be filled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import awkward as ak
import numpy as np
import numpy.typing as npt

from fourlep.chunk.analysis import Analysis, Corrections
from fourlep.events import Events
from fourlep.physics.candidates import Candidates
from fourlep.physics.histograms import NOMINAL, Fill
from fourlep.physics.selection import Selection
from fourlep.physics.specs import Spec

Floats = npt.NDArray[np.float64]

#: Events of all variations together that are selected in one pass, which bounds
#: memory and keeps arrays in the cache.
_MOST_EVENTS = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """Variations that share their candidates.

    Parameters
    ----------
    variations
        Names; several when they differ by weights alone.
    candidates
        The selected events; their ``index`` counts within the pass that selected them.
    weights : (n_variations, n) float64
        Signed weights.
    """

    variations: tuple[str, ...]
    candidates: Candidates
    weights: Floats

    def fill(self, spec: Spec) -> Fill:
        """Bin it for the histogram of ``spec``."""
        candidates = self.candidates
        return Fill(
            variations=self.variations,
            channel=candidates.channel,
            in_region=candidates.in_region,
            bins=spec.bins(candidates.observables),
            weights=self.weights,
        )


def nominal_variant(
    corrected: Events, candidates: Candidates, weights: Floats, corrections: Corrections | None
) -> Variant:
    """Weigh nominal candidates, with every variation of weights.

    Parameters
    ----------
    corrected
        Events with nominal leptons.
    candidates
        What the selection kept of them.
    weights : (n_events,)
        Weights before corrections.
    corrections
        None in data.
    """
    own = weights[candidates.index][np.newaxis]
    if corrections is None:
        return Variant((NOMINAL,), candidates, own)
    names = (NOMINAL, *corrections.weight_variations)
    factors = corrections.weights(with_candidates_only(corrected, candidates), names)
    return Variant(names, candidates, own * factors)


def selection_variants(selection: Selection, nominal: Variant) -> Iterator[Variant]:
    """Yield the variations that belong to the selection itself."""
    for name in selection.variations:
        varied = selection.vary(nominal.candidates, name)
        yield Variant((name,), varied.candidates, nominal.weights[:1] * varied.factor)


def kinematic_variants(
    events: Events, weights: Floats, analysis: Analysis, corrections: Corrections
) -> Iterator[Variant]:
    """Yield the variations that change leptons: each has candidates of its own.

    Parameters
    ----------
    events
        As read.
    weights : (n_events,)
        Weights before corrections.
    analysis, corrections
        What to do.
    """
    names = corrections.kinematic_variations
    size = max(1, _MOST_EVENTS // max(1, len(names)))
    for start in range(0, max(len(events), 1), size):
        part = slice(start, start + size)
        yield from _selected_again(events[part], weights[part], analysis, corrections)


def _selected_again(
    events: Events, weights: Floats, analysis: Analysis, corrections: Corrections
) -> Iterator[Variant]:
    """Select all kinematic variations in one pass.

    A small batch costs what calling awkward costs, so one large pass is several times
    cheaper than one for each variation.
    """
    names = corrections.kinematic_variations
    changed = corrections.apply(events, names)
    candidates = analysis.selection.select(changed, analysis.good_runs).candidates
    factors = corrections.weights(with_candidates_only(changed, candidates), (NOMINAL,))
    weighted = np.tile(weights, len(names))[candidates.index][np.newaxis] * factors
    edges = np.searchsorted(candidates.index, np.arange(len(names) + 1) * len(events))
    for name, first, last in zip(names, edges[:-1], edges[1:], strict=True):
        yield Variant((name,), candidates[first:last], weighted[:, first:last])


def with_candidates_only(events: Events, candidates: Candidates) -> Events:
    """Take the candidates' events, with no other leptons than the candidates'.

    Returns
    -------
    Events
        One for each candidate; electrons and muons by falling pT.
    """
    chosen = events[candidates.index]
    is_muon = candidates.lepton_is_muon

    def kept(leptons: ak.Array, is_kind: npt.NDArray[np.bool_]) -> ak.Array:
        index = ak.unflatten(candidates.lepton_index[is_kind], is_kind.sum(axis=1))
        return leptons[index]

    return replace(
        chosen, electrons=kept(chosen.electrons, ~is_muon), muons=kept(chosen.muons, is_muon)
    )
