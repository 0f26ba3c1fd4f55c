"""Bins that simulation can fill: those that it cannot are merged with their neighbours."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fourlep.stats.config import FitRegion
from fourlep.stats.effects import Treatment
from fourlep.stats.templates import Floats, Template


@dataclass(frozen=True, slots=True, eq=False)
class Requirement:
    """What a bin has to have.

    Something is expected in every bin: an event where nothing is would make the
    likelihood zero.

    Parameters
    ----------
    backgrounds
        Names of the background processes.
    largest_error
        Largest relative statistical error of their sum, which a bin without any of them does
        not meet; 0 for any.
    """

    backgrounds: Collection[str]
    largest_error: float

    def measured(self, templates: Mapping[str, Template]) -> Floats:
        """(3, n_bins) sums of everything, of backgrounds, and of the latter's variances."""
        everything = np.sum([template.values for template in templates.values()], axis=0)
        background, variance = np.zeros_like(everything), np.zeros_like(everything)
        for process, template in templates.items():
            if process in self.backgrounds:
                background += template.values
                variance += template.variances
        return np.stack([everything, background, variance])

    def is_met(self, sums: Floats) -> bool:
        """Whether (3, n_regions) sums of a bin are enough in every region."""
        everything, background, variance = sums
        if np.any(everything <= 0.0):
            return False
        if self.largest_error == 0.0 or not self.backgrounds:
            return True
        # No background at all has no variance either, and is not known: it is absent by chance.
        is_known = np.sqrt(variance) <= self.largest_error * background
        return bool(np.all(is_known & (background > 0.0)))


def common_binnings(
    regions: Sequence[FitRegion],
    nominals: Mapping[str, Mapping[str, Template]],
    requirement: Requirement,
    treatments: list[Treatment],
) -> dict[str, Floats]:
    """Find the edges of each region such that every bin meets a requirement.

    Regions that share a binning keep sharing it, so that channels can be added.

    Parameters
    ----------
    regions
        What is fitted.
    nominals
        Templates by region and process.
    requirement
        What a bin has to have in each region.
    treatments
        Where merging is written down.

    Returns
    -------
    (n_bins + 1,) edges by name of the region
    """
    binnings: dict[str, Floats] = {}
    groups: dict[tuple[float, ...], list[str]] = {}
    for region in regions:
        edges = next(iter(nominals[region.name].values())).edges
        groups.setdefault(tuple(edges.tolist()), []).append(region.name)
    for key, names in groups.items():
        edges = np.array(key)
        sums = np.stack([requirement.measured(nominals[name]) for name in names], axis=1)
        merged = _merged(edges, sums, requirement)
        binnings.update(dict.fromkeys(names, merged))
        if len(merged) != len(edges):
            gone = ", ".join(f"{edge:g}" for edge in edges if edge not in merged)
            treatments.append(
                Treatment("merged bins", "+".join(names), detail=f"edges removed: {gone}")
            )
    return binnings


def _merged(edges: Floats, sums: Floats, requirement: Requirement) -> Floats:
    """Close a bin, going upwards, as soon as it has enough; the rest joins the last one.

    Parameters
    ----------
    edges : (n_bins + 1,) array
    sums : (3, n_regions, n_bins) array
        As `Requirement.measured`.
    requirement
        What a bin has to have.
    """
    kept = [edges[0]]
    gathered = np.zeros(sums.shape[:2])
    for upper, added in zip(edges[1:], np.moveaxis(sums, 2, 0), strict=True):
        gathered = gathered + added
        if requirement.is_met(gathered):
            kept.append(upper)
            gathered = np.zeros_like(gathered)
    if len(kept) == 1:
        return np.array([edges[0], edges[-1]])
    kept[-1] = edges[-1]
    return np.array(kept)
