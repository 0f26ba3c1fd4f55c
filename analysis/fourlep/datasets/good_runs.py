"""Good-run lists: which luminosity blocks of which runs count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import numpy.typing as npt

from fourlep.errors import DatasetError

Blocks = Mapping[int, tuple[tuple[int, int], ...]]


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

    blocks: Blocks
    source: str = ""

    @property
    def n_runs(self) -> int:
        """Number of runs with a good luminosity block."""
        return len(self.blocks)

    @property
    def n_lumi_blocks(self) -> int:
        """Number of good luminosity blocks of all runs."""
        return sum(last - first + 1 for ranges in self.blocks.values() for first, last in ranges)

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


def read_good_runs(path: Path) -> GoodRuns:
    """Read a good-run list as ATLAS publishes it (``LumiRangeCollection`` XML).

    Raises
    ------
    DatasetError
        If the file cannot be read, is no such list, or has an impossible range.
    """
    try:
        root = ET.parse(path).getroot()  # noqa: S314  # the user's own file, as ROOT files are
        blocks = _parsed(root, str(path))
    except (OSError, ET.ParseError, ValueError, LookupError) as error:  # an encoding, the last
        raise DatasetError(
            f"good-run list {path} cannot be read: {error}",
            remedy="give the XML file that ATLAS publishes (root element LumiRangeCollection)",
        ) from error
    if not blocks:
        raise DatasetError(
            f"good-run list {path} has no run",
            remedy="give the XML file that ATLAS publishes (root element LumiRangeCollection)",
        )
    return GoodRuns(blocks, source=path.name)


def _parsed(root: ET.Element, source: str) -> dict[int, tuple[tuple[int, int], ...]]:
    blocks: dict[int, tuple[tuple[int, int], ...]] = {}
    for collection in root.iter("LumiBlockCollection"):
        run = int(collection.findtext("Run", ""))
        ranges = [
            (int(r.get("Start", "")), int(r.get("End", ""))) for r in collection.iter("LBRange")
        ]
        blocks[run] = checked_ranges(run, (*blocks.get(run, ()), *ranges), source=source)
    return blocks


def checked_ranges(
    run: int, ranges: Iterable[tuple[int, int]], *, source: str
) -> tuple[tuple[int, int], ...]:
    """Ranges of luminosity blocks, sorted.

    Raises
    ------
    DatasetError
        If a range is reversed or negative, or two overlap.
    """
    ordered = tuple(sorted(ranges))
    previous = -1
    for first, last in ordered:
        if first <= previous or last < first:
            raise DatasetError(
                f"{source}: luminosity blocks {first}-{last} of run {run} are reversed or overlap",
                remedy="list each range once as [first, last] with first <= last",
            )
        previous = last
    return ordered
