"""Good-run lists: which luminosity blocks of which runs count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class GoodRuns:
    """Good luminosity blocks by run.

    Parameters
    ----------
    blocks
        For each good run its ranges ``(first, last)`` of luminosity blocks, inclusive.
    source
        Name of the published list.
    """

    blocks: Mapping[int, tuple[tuple[int, int], ...]]
    source: str = ""

    def has_run(self, run: int) -> bool:
        """Whether any luminosity block of ``run`` is good."""
        return run in self.blocks

    def keeps(
        self, run: npt.NDArray[np.int64], lumi_block: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.bool_]:
        """The mask of events in good luminosity blocks.

        Parameters
        ----------
        run, lumi_block : (n_events,) integers

        Returns
        -------
        (n_events,) booleans
        """
        good = np.zeros(len(run), dtype=np.bool_)
        for number in np.unique(run):
            in_run = run == number
            for first, last in self.blocks.get(int(number), ()):
                good |= in_run & (lumi_block >= first) & (lumi_block <= last)
        return good
