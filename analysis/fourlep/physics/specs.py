"""Which bins a histogram has: of one observable, or of two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import hist

Observables = Mapping[str, npt.NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class HistogramSpec:
    """Equal bins of one observable.

    Parameters
    ----------
    observable
        Name among the observables of the selected candidates: ``m4l``.
    n_bins, low, high
        Bins in ``[low, high)``; a value at an edge is in the bin above it.
    label
        Axis label in mathtext, without the unit.
    unit
        "GeV", or "" for a number without one.
    """

    observable: str
    n_bins: int
    low: float
    high: float
    label: str
    unit: str = ""

    @property
    def edges(self) -> npt.NDArray[np.float64]:
        """The (n_bins + 1,) bin edges."""
        return np.linspace(self.low, self.high, self.n_bins + 1)

    @property
    def shape(self) -> tuple[int, ...]:
        """Bins with under- and overflow."""
        return (self.n_bins + 2,)

    @property
    def n_cells(self) -> int:
        """Number of bins with under- and overflow."""
        return self.n_bins + 2

    def find(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Bin of each value: 0 is underflow, ``n_bins + 1`` overflow.

        Raises
        ------
        ValueError
            If a value is NaN.

        Examples
        --------
        >>> HistogramSpec("m4l", 2, 80.0, 100.0, "m").find(np.array([79.0, 80.0, 100.0])).tolist()
        [0, 1, 3]
        """
        if np.any(np.isnan(values)):
            raise ValueError(f"{self.observable} is NaN")
        return np.searchsorted(self.edges, values, side="right").astype(np.int64)

    def bins(self, observables: Observables) -> npt.NDArray[np.int64]:
        """Bins of candidates, (n,), or (n, k) for an observable with k values each."""
        return self.find(observables[self.observable])


@dataclass(frozen=True, slots=True)
class PlaneSpec:
    """Bins of two observables, one value each a candidate.

    Parameters
    ----------
    x, y
        Bins along each.
    """

    x: HistogramSpec
    y: HistogramSpec

    @property
    def observable(self) -> str:
        """Both names: ``m12_m34``."""
        return f"{self.x.observable}_{self.y.observable}"

    @property
    def shape(self) -> tuple[int, ...]:
        """Bins along x and y, with under- and overflow."""
        return (self.x.n_cells, self.y.n_cells)

    @property
    def n_cells(self) -> int:
        """Number of bins with under- and overflow."""
        return self.x.n_cells * self.y.n_cells

    def bins(self, observables: Observables) -> npt.NDArray[np.int64]:
        """Bins of candidates in C order, (n,)."""
        return self.x.bins(observables) * self.y.n_cells + self.y.bins(observables)


Spec = HistogramSpec | PlaneSpec


def weighted_hist(
    spec: Spec, values: npt.NDArray[np.float64], variances: npt.NDArray[np.float64]
) -> hist.Hist[Any]:
    """Make a `hist.Hist` with weighted storage.

    Parameters
    ----------
    spec
        Its axes.
    values, variances : (n_cells,)
        Contents with under- and overflow, C order.
    """
    import hist

    axes = (spec,) if isinstance(spec, HistogramSpec) else (spec.x, spec.y)
    result: hist.Hist[Any] = hist.Hist(
        *(
            hist.axis.Regular(
                axis.n_bins,
                axis.low,
                axis.high,
                name=axis.observable,
                label=f"{axis.label} [{axis.unit}]" if axis.unit else axis.label,
            )
            for axis in axes
        ),
        storage=hist.storage.Weight(),
    )
    result[...] = np.stack([values.reshape(spec.shape), variances.reshape(spec.shape)], axis=-1)
    return result
