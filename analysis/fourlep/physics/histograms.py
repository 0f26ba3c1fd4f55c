"""Histograms whose sums are exact, so that adding them in any order gives the same bits.

An `ExactHistogram` counts one observable by variation, channel, region and bin, with
under- and overflow: raw counts, sums of weights and of squared weights. Only occupied
cells are kept. It is what chunks fill and tasks add; `ExactHistogram.to_hist` gives
`hist.Hist` for everything after the last sum.

Each histogram that is added contributes to a variation its varied content, or its
nominal one if it has no such variation: what a chunk does not know does not change it.
The sum is then right whatever the order, and no variation loses events.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fourlep.exact import ExactSums
from fourlep.physics.specs import HistogramSpec, PlaneSpec, Spec, weighted_hist

if TYPE_CHECKING:
    import hist

#: The variation that varies nothing.
NOMINAL = "nominal"

#: The channel that is the sum of all channels.
ALL_CHANNELS = "4l"


__all__ = [
    "ALL_CHANNELS",
    "NOMINAL",
    "Bins",
    "ExactHistogram",
    "Fill",
    "HistogramSpec",
    "PlaneSpec",
    "Spec",
    "weighted_hist",
]


@dataclass(frozen=True, slots=True, eq=False)
class Fill:
    """What to fill for variations that share their candidates.

    Parameters
    ----------
    variations
        Names; several when they differ by weights alone.
    channel : (n,) integers
        Channel of each candidate.
    in_region : (n, n_regions) booleans
        Regions of each candidate.
    bins : (n,) or (n, k) integers
        Bin by `HistogramSpec.bins`, once or k times a candidate.
    weights : (n_variations, n) floats
        Signed weights by variation.
    """

    variations: tuple[str, ...]
    channel: npt.NDArray[np.int64]
    in_region: npt.NDArray[np.bool_]
    bins: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Entries:
    """What one fill adds: distinct cells, and the cell (by position) and weight of each entry."""

    cells: npt.NDArray[np.int64]
    position: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """The bins of one channel, region and variation.

    Parameters
    ----------
    counts, sum_w, sum_w2 : (n_cells,)
        Raw entries, sums of weights and of squared weights; underflow first, overflow
        last. Of a plane in C order: reshape them to ``spec.shape``.
    """

    counts: npt.NDArray[np.int64]
    sum_w: npt.NDArray[np.float64]
    sum_w2: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ExactHistogram:
    """Exact sums of one observable.

    Parameters
    ----------
    spec
        The bins.
    channels, regions
        Names of the axes' entries; ``4l`` is not among them, it is their sum.
    variations
        Names, ``nominal`` first and the rest sorted.
    cells : (k,) int64
        Occupied cells, ascending: variation, channel, region, bin in C order.
    counts : (k,) int64
        Raw entries of each.
    sum_w, sum_w2
        (k,) exact sums of weights and squared weights.
    """

    spec: Spec
    channels: tuple[str, ...]
    regions: tuple[str, ...]
    variations: tuple[str, ...]
    cells: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    sum_w: ExactSums
    sum_w2: ExactSums

    @classmethod
    def empty(
        cls,
        spec: Spec,
        channels: tuple[str, ...],
        regions: tuple[str, ...],
        variations: Iterable[str] = (NOMINAL,),
    ) -> ExactHistogram:
        """Make a histogram without entries."""
        nothing = np.zeros(0, dtype=np.int64)
        sums = ExactSums.zeros((0,))
        return cls(spec, channels, regions, _ordered(variations), nothing, nothing, sums, sums)

    @classmethod
    def filled(
        cls,
        spec: Spec,
        channels: tuple[str, ...],
        regions: tuple[str, ...],
        fills: Sequence[Fill],
    ) -> ExactHistogram:
        """Fill candidates; every variation named by a fill is in the result.

        Raises
        ------
        ValueError
            If a weight is NaN or infinite.
        """
        start = cls.empty(spec, channels, regions, [v for fill in fills for v in fill.variations])
        entries = [start._entries(fill) for fill in fills]
        if not entries:
            return start
        # Fills of the same variation may share cells: number the distinct ones.
        cells = np.concatenate([part.cells for part in entries])
        occupied, number = np.unique(cells, return_inverse=True)
        first = np.cumsum([0, *(len(part.cells) for part in entries)])
        position = np.concatenate(
            [
                number[start_of + part.position]
                for start_of, part in zip(first, entries, strict=False)
            ]
        )
        return start._with(occupied, position, np.concatenate([part.weights for part in entries]))

    def _entries(self, fill: Fill) -> _Entries:
        """Find the cells of a fill: once for all its variations, which share candidates."""
        candidate, within = _cells_of(self, fill)
        local, inverse = np.unique(within, return_inverse=True)
        numbers = [self.variations.index(name) for name in fill.variations]
        variation = np.arange(len(numbers))[:, np.newaxis]
        return _Entries(
            cells=(np.asarray(numbers)[:, np.newaxis] * self._stride + local).reshape(-1),
            position=(variation * len(local) + inverse).reshape(-1),
            weights=fill.weights[:, candidate].reshape(-1),
        )

    @property
    def _stride(self) -> int:
        """Cells of one variation."""
        return len(self.channels) * len(self.regions) * self.spec.n_cells

    def _with(
        self,
        occupied: npt.NDArray[np.int64],
        position: npt.NDArray[np.int64],
        weights: npt.NDArray[np.float64],
    ) -> ExactHistogram:
        """Put entries on the same axes; ``position`` is the occupied cell of each."""
        shape = (len(occupied),)
        return ExactHistogram(
            self.spec,
            self.channels,
            self.regions,
            self.variations,
            occupied,
            np.bincount(position, minlength=len(occupied)).astype(np.int64),
            ExactSums.of(shape, position, weights),
            ExactSums.of(shape, position, weights * weights),
        )

    def __add__(self, other: ExactHistogram) -> ExactHistogram:
        if not isinstance(other, ExactHistogram):
            return NotImplemented
        mine = (self.spec, self.channels, self.regions)
        if mine != (other.spec, other.channels, other.regions):
            raise ValueError(f"cannot add different histograms of {self.spec.observable}")
        variations = _ordered((*self.variations, *other.variations))
        left, right = self._in(variations), other._in(variations)
        cells = np.union1d(left.cells, right.cells)
        at = np.searchsorted(cells, left.cells), np.searchsorted(cells, right.cells)
        counts = np.zeros(len(cells), dtype=np.int64)
        counts[at[0]] += left.counts
        counts[at[1]] += right.counts
        size = len(cells)
        sum_w = _placed(left.sum_w, size, at[0]) + _placed(right.sum_w, size, at[1])
        sum_w2 = _placed(left.sum_w2, size, at[0]) + _placed(right.sum_w2, size, at[1])
        return ExactHistogram(*mine, variations, cells, counts, sum_w, sum_w2)

    def _in(self, variations: tuple[str, ...]) -> ExactHistogram:
        """Extend the axis of variations; a new one repeats the nominal."""
        if variations == self.variations:
            return self
        variation, within = np.divmod(self.cells, self._stride)
        take, cells = [], []
        for number, name in enumerate(variations):
            source = self.variations.index(name) if name in self.variations else 0
            chosen = np.flatnonzero(variation == source)
            take.append(chosen)
            cells.append(number * self._stride + within[chosen])
        order = np.concatenate(take)
        return ExactHistogram(
            self.spec,
            self.channels,
            self.regions,
            variations,
            np.concatenate(cells),
            self.counts[order],
            self.sum_w[order],
            self.sum_w2[order],
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ExactHistogram):
            return NotImplemented
        axes = (self.spec, self.channels, self.regions, self.variations)
        return (
            axes == (other.spec, other.channels, other.regions, other.variations)
            and np.array_equal(self.cells, other.cells)
            and np.array_equal(self.counts, other.counts)
            and self.sum_w == other.sum_w
            and self.sum_w2 == other.sum_w2
        )

    __hash__ = None  # type: ignore[assignment]  # arrays inside: equality without a hash

    def to_arrays(self, channel: str, region: str, variation: str = NOMINAL) -> Bins:
        """Read the bins of one channel (``4l``: of all), region and variation.

        Raises
        ------
        KeyError
            If the histogram has no such channel, region or variation.
        """
        channels = self.channels if channel == ALL_CHANNELS else (channel,)
        n_cells = self.spec.n_cells
        counts = np.zeros(n_cells, dtype=np.int64)
        sum_w = sum_w2 = ExactSums.zeros((n_cells,))
        for name in channels:
            start = self._first_cell(name, region, variation)
            first, last = np.searchsorted(self.cells, (start, start + n_cells))
            part = slice(int(first), int(last))
            at = self.cells[part] - start
            counts[at] += self.counts[part]
            sum_w = sum_w + _placed(self.sum_w[part], n_cells, at)
            sum_w2 = sum_w2 + _placed(self.sum_w2[part], n_cells, at)
        return Bins(counts, sum_w.to_float(), sum_w2.to_float())

    def _first_cell(self, channel: str, region: str, variation: str) -> int:
        for name, axis in (
            (channel, self.channels),
            (region, self.regions),
            (variation, self.variations),
        ):
            if name not in axis:
                raise KeyError(f"{name!r} is none of {', '.join(axis)}")
        at_variation = self.variations.index(variation) * len(self.channels)
        at_channel = (at_variation + self.channels.index(channel)) * len(self.regions)
        return (at_channel + self.regions.index(region)) * self.spec.n_cells

    def to_hist(self, channel: str, region: str, variation: str = NOMINAL) -> hist.Hist[Any]:
        """Make a `hist.Hist` with weighted storage, flow bins included.

        Raises
        ------
        KeyError
            As `to_arrays`.
        """
        bins = self.to_arrays(channel, region, variation)
        return weighted_hist(self.spec, bins.sum_w, bins.sum_w2)


def _ordered(variations: Iterable[str]) -> tuple[str, ...]:
    """``nominal`` first, the rest sorted, each once."""
    return (NOMINAL, *sorted(set(variations) - {NOMINAL}))


def _cells_of(
    histogram: ExactHistogram, fill: Fill
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Candidate and cell within its variation of each entry."""
    bins = fill.bins if fill.bins.ndim == 2 else fill.bins[:, np.newaxis]
    candidate, region = np.nonzero(fill.in_region)
    first = (fill.channel[candidate] * len(histogram.regions) + region) * histogram.spec.n_cells
    cells = first[:, np.newaxis] + bins[candidate]
    return np.repeat(candidate, bins.shape[1]), cells.reshape(-1)


def _placed(sums: ExactSums, size: int, position: npt.NDArray[np.int64]) -> ExactSums:
    """Put ``sums`` at ``position`` of ``size`` sums that are zero elsewhere."""
    limbs = {}
    for number, limb in sums.limbs.items():
        limbs[number] = np.zeros(size, dtype=np.int64)
        limbs[number][position] = limb
    return ExactSums((size,), limbs)
