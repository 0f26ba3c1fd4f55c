"""Building the masks of a cutflow, row by row, and the rows that all selections share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fourlep.datasets.good_runs import GoodRuns
from fourlep.events import Events
from fourlep.physics.cutflow import Requirement

Masks = npt.NDArray[np.bool_]

GOOD_RUNS = Requirement("good_runs", "good-run list")


class Flow:
    """Masks of events left after each requirement, by channel and in total.

    Parameters
    ----------
    n_channels, n_events
        Shape of a row.
    """

    def __init__(self, n_channels: int, n_events: int) -> None:
        self._rows: list[Masks] = []
        self._last: Masks = np.ones((n_channels + 1, n_events), dtype=np.bool_)

    def require(self, mask: Masks, total: Masks | None = None) -> None:
        """Add a row: what is left of the row before.

        Parameters
        ----------
        mask : (n_events,) or (n_channels, n_events)
            Events that meet the requirement, in every channel alike or by channel.
        total : (n_events,)
            For masks by channel: events that meet it at all; by default in any channel.
        """
        if mask.ndim == 1:
            row = np.broadcast_to(mask, self._last.shape)
        else:
            anywhere = np.logical_or.reduce(mask, axis=0) if total is None else total
            row = np.concatenate([mask, anywhere[np.newaxis]])
        self._last = self._last & row
        self._rows.append(self._last)

    @property
    def left(self) -> Masks:
        """Events left now, (n_channels + 1, n_events)."""
        return self._last

    def passed(self) -> Masks:
        """All rows, (n_requirements, n_channels + 1, n_events)."""
        return np.stack(self._rows)


def in_good_runs(events: Events, good_runs: GoodRuns | None) -> Masks:
    """Events in good luminosity blocks; all where that is not to be, or cannot be, asked."""
    if good_runs is None or events.is_simulation or without_good_runs(events, good_runs):
        return np.ones(len(events), dtype=np.bool_)
    return good_runs.keeps(events.event["run"], events.event["lumi_block"])


def without_good_runs(events: Events, good_runs: GoodRuns | None) -> dict[str, str]:
    """Report data that is taken without regard to a good-run list, and why."""
    if events.is_simulation:
        return {}
    if good_runs is None:
        return {GOOD_RUNS.name: "no good-run list was given: every luminosity block is taken"}
    if not events.has("event.lumi_block"):
        reason = events.absent.get("event.lumi_block", "event.lumi_block was not read")
        return {GOOD_RUNS.name: reason}
    return {}
