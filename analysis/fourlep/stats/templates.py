"""Binned templates: cut out, merged, scaled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fourlep.errors import FitError

Floats = npt.NDArray[np.float64]

#: Bin edges (GeV) closer than this are the same edge.
_EDGE_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """Expected or observed events in bins.

    Parameters
    ----------
    edges : (n_bins + 1,) array
        Bin edges, rising.
    values : (n_bins,) array
        Sum of weights in each bin; negative where negative weights win.
    variances : (n_bins,) array
        Sum of squared weights in each bin.

    Examples
    --------
    >>> import numpy as np
    >>> fine = Template(np.array([0.0, 1, 2, 3, 4]), np.array([1.0, 2, 3, 4]), np.ones(4))
    >>> fine.windowed(1, 3).values.tolist()
    [2.0, 3.0]
    >>> fine.merged(np.array([0.0, 2.0, 4.0])).values.tolist()
    [3.0, 7.0]
    """

    edges: Floats
    values: Floats
    variances: Floats

    def __post_init__(self) -> None:
        if len(self.edges) != len(self.values) + 1 or len(self.values) != len(self.variances):
            raise ValueError("a template needs one edge more than values and variances")

    @classmethod
    def filled(cls, edges: Floats, values: Floats, weights: Floats) -> Template:
        """Fill a template with events one by one.

        Parameters
        ----------
        edges : (n_bins + 1,) array
        values, weights : (n,) arrays
            Of the observable; what is outside the edges does not count.
        """
        # A histogram's bins are half open; numpy's last one is closed.
        inside = values < edges[-1]
        sums = (
            np.histogram(values[inside], bins=edges, weights=weights[inside] ** power)[0]
            for power in (1, 2)
        )
        return cls(edges, *(found.astype(np.float64) for found in sums))

    @property
    def total(self) -> float:
        """Sum over bins."""
        return float(self.values.sum())

    def windowed(self, low: float, high: float) -> Template:
        """Cut out the bins between ``low`` and ``high``, both of which must be bin edges.

        Raises
        ------
        FitError
            If one of them is no edge.
        """
        first, last = (self._edge(bound) for bound in (low, high))
        return Template(
            self.edges[first : last + 1], self.values[first:last], self.variances[first:last]
        )

    def merged(self, edges: Floats) -> Template:
        """Bins summed into coarser ones.

        Parameters
        ----------
        edges : (n + 1,) array
            New edges, each of which must be one of the old.

        Raises
        ------
        FitError
            If one of them is no edge.
        """
        positions = np.array([self._edge(edge) for edge in edges])
        return Template(
            self.edges[positions],
            np.add.reduceat(self.values[: positions[-1]], positions[:-1]),
            np.add.reduceat(self.variances[: positions[-1]], positions[:-1]),
        )

    def scaled(self, factor: float) -> Template:
        """Every event weighted by ``factor``."""
        return Template(self.edges, self.values * factor, self.variances * factor**2)

    def _edge(self, value: float) -> int:
        position = int(np.argmin(np.abs(self.edges - value)))
        if abs(self.edges[position] - value) > _EDGE_TOLERANCE:
            raise FitError(
                f"{value:g} is no bin edge of a histogram from {self.edges[0]:g} to "
                f"{self.edges[-1]:g} in {len(self.values)} bins",
                remedy=f"the nearest edge is {self.edges[position]:g}: choose low, high and "
                "bin_width of the regions in [fit] as the histogram's bins allow, or other bins",
            )
        return position
