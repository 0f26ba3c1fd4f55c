"""Which events of a window survive a cascade, with as little inflated as possible."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from fourlep.errors import CorruptFileError
from fourlep.io.lean.arrays import Inflated, Integers, Leptons
from fourlep.io.lean.baskets import BasketReader
from fourlep.io.lean.bytes_kernels import HEADER_BYTES
from fourlep.io.lean.cuts import ScanCut, ScanPlan
from fourlep.io.lean.scan_kernels import drop, scan_first, scan_next

#: Numbers of leptons that are not known.
_ANY = np.zeros(0, dtype=np.int32)

#: Inflated bytes of the first columns of a window, and its entries, at most.
WINDOW_BYTES = 16 << 20
MAX_WINDOW_ENTRIES = 1 << 18


def windows(plan: ScanPlan, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Cut the entries ``start`` to ``stop`` into windows of bounded memory.

    They begin where a basket of the first column does.
    """
    first = [cuts[0].branch for cuts in (plan.electron, plan.muon) if cuts]
    n_entries = max((int(branch.entries[-1]) for branch in first), default=0)
    density = sum(branch.total_bytes for branch in first) / max(1, n_entries)
    size = int(min(MAX_WINDOW_ENTRIES, max(1.0, WINDOW_BYTES / max(density, 1.0))))
    while start < stop:
        end = min(start + size, stop)
        if first and end < stop:
            border = int(first[0].entries[first[0].baskets_of(np.asarray([end]))[0]])
            end = border if border > start else end
        yield start, end
        start = end


def scan(
    reader: BasketReader,
    plan: ScanPlan,
    start: int,
    stop: int,
    *,
    url: str,
    ahead: Callable[[Integers], None],
) -> Integers:
    """Decide the entries ``start`` to ``stop``, column by column.

    The first column of each flavour is read whole; every further one only where an
    event can still pass.

    Parameters
    ----------
    reader, plan
        Baskets and cuts of the file.
    start, stop
        The window; not empty.
    url
        Of the file, for messages.
    ahead
        Told the entries that are left after each stage but the last, so that what they
        need can be fetched together.

    Returns
    -------
    (n_survivors,) int64
        Ascending entries that pass every cut of the plan.

    Raises
    ------
    CorruptFileError
        If baskets are damaged, or the columns of a collection differ in length.
    """
    electrons = _Flavour(start, stop, url) if plan.electron else None
    muons = _Flavour(start, stop, url) if plan.muon else None
    alive = np.ones(stop - start, dtype=np.bool_)
    stages = plan.stages
    for depth, stage in enumerate(stages):
        entries = start + np.flatnonzero(alive)
        reader.fetch((cut.branch, cut.branch.baskets_of(entries)) for _, cut in stage)
        for is_electron, cut in stage:
            flavour = electrons if is_electron else muons
            if flavour is not None:
                flavour.apply(cut, reader, alive)
            if depth > 0:
                _drop(alive, plan, electrons, muons)
        _drop(alive, plan, electrons, muons)
        if not alive.any():
            break
        if depth + 1 < len(stages):
            ahead(start + np.flatnonzero(alive))
    return start + np.flatnonzero(alive)


def _drop(
    alive: npt.NDArray[np.bool_],
    plan: ScanPlan,
    electrons: _Flavour | None,
    muons: _Flavour | None,
) -> None:
    """Clear the events that can no longer reach any of the pairs of numbers."""
    n_electrons, n_muons = (_ANY if each is None else each.passing for each in (electrons, muons))
    drop(alive, np.asarray(plan.minimum, dtype=np.int64).reshape(-1, 2), n_electrons, n_muons)


class _Flavour:
    """The leptons of one flavour in a window: which pass all cuts up to now."""

    def __init__(self, start: int, stop: int, url: str) -> None:
        self._start = start
        self._url = url
        self._n_entries = stop - start
        self._leptons: Leptons | None = None

    @property
    def passing(self) -> npt.NDArray[np.int32]:
        """Leptons of each entry that pass, (n,); none before the first cut: all might."""
        return _ANY if self._leptons is None else self._leptons.passing

    def apply(self, cut: ScanCut, reader: BasketReader, alive: npt.NDArray[np.bool_]) -> None:
        """Apply a cut to the leptons of events that are alive."""
        baskets = cut.branch.baskets_of(self._start + np.flatnonzero(alive))
        (held,) = reader.inflated([(cut.branch, baskets)], keep=True)
        if self._leptons is None:
            self._leptons = _leptons(self._n_entries, held, cut.cut.item)
            status = scan_first(held, self._start, cut.cut, self._leptons)
        else:
            status = scan_next(held, self._start, cut.cut, self._leptons, alive)
        if status < 0:
            raise CorruptFileError(
                f"{self._url}: baskets of {cut.branch.name} hold entries that contradict "
                "their own lengths or those of another column",
                url=self._url,
                remedy="the file is damaged where it was read: read it from another place",
            )


def _leptons(n_entries: int, held: Inflated, item: int) -> Leptons:
    """Room for as many numbers as the baskets have beside the headers of entries."""
    room = int((held.border - held.begin - HEADER_BYTES * held.n_entries).sum())
    return Leptons(
        np.zeros(n_entries + 1, dtype=np.int64),
        np.zeros(max(0, room) // item, dtype=np.uint8),
        np.zeros(n_entries, dtype=np.int32),
    )
