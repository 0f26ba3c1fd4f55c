"""Regions of the four-lepton mass."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

#: The region of everything selected, first in every selection.
EVERYWHERE = "all"

#: Ranges ``low <= m4l < high`` in GeV; a region may have several.
Ranges = Sequence[tuple[float, float]]


def in_regions(m4l: npt.NDArray[np.float64], regions: Sequence[Ranges]) -> npt.NDArray[np.bool_]:
    """Which regions each mass is in.

    Parameters
    ----------
    m4l : (n,) float64
        GeV.
    regions
        Ranges of each region after the first.

    Returns
    -------
    (n, 1 + n_regions) booleans
        The first column, `EVERYWHERE`, is true.

    Examples
    --------
    >>> in_regions(np.array([115.0, 130.0]), [[(115.0, 130.0)]]).tolist()
    [[True, True], [True, False]]
    """
    inside = np.ones((len(m4l), 1 + len(regions)), dtype=np.bool_)
    for number, ranges in enumerate(regions, start=1):
        inside[:, number] = False
        for low, high in ranges:
            inside[:, number] |= (m4l >= low) & (m4l < high)
    return inside
