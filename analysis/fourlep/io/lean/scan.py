"""Which events of a window survive a cascade, with as little inflated as possible."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from fourlep.errors import CorruptFileError
from fourlep.io.lean.arrays import Inflated, Integers, Leptons
from fourlep.io.lean.baskets import BasketReader
from fourlep.io.lean.branch_set import BranchSet
from fourlep.io.lean.bytes_kernels import HEADER_BYTES
from fourlep.io.lean.cuts import ScanCut, ScanPlan
from fourlep.io.lean.scan_kernels import scan_first, scan_lengths, scan_next

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
            number = int(np.searchsorted(first[0].entries, end, side="right")) - 1
            border = int(first[0].entries[number])
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
    electrons = _Flavour(start, stop, url)
    muons = _Flavour(start, stop, url)
    stages = plan.stages
    if not stages:
        return np.arange(start, stop)

    def branches(stage: Sequence[tuple[bool, ScanCut]]) -> BranchSet:
        return reader.together([cut.branch for _, cut in stage])

    first = [(electrons if is_electron else muons, cut) for is_electron, cut in stages[0]]
    columns = reader.columns(branches(stages[0]).baskets_between(start, stop))
    for (flavour, cut), held in zip(first, columns, strict=True):
        flavour.begin(cut, held)
    alive = np.flatnonzero(_reaching(plan, electrons.passing, muons.passing, stop - start))
    for flavour, cut in first:
        flavour.first(cut, alive)
    alive = _still_alive(plan, electrons, muons, alive)
    for stage in stages[1:]:
        if not len(alive):
            break
        ahead(start + alive)
        columns = reader.columns(branches(stage).baskets(start + alive))
        for (is_electron, cut), held in zip(stage, columns, strict=True):
            (electrons if is_electron else muons).go_on(cut, held, alive)
        alive = _still_alive(plan, electrons, muons, alive)
    return start + alive


def _still_alive(plan: ScanPlan, electrons: _Flavour, muons: _Flavour, alive: Integers) -> Integers:
    """Keep the events that can still reach the minimum."""
    n_electrons, n_muons = (
        flavour.passing[alive] if len(flavour.passing) else _ANY for flavour in (electrons, muons)
    )
    return alive[_reaching(plan, n_electrons, n_muons, len(alive))]


def _reaching(
    plan: ScanPlan, electrons: npt.NDArray[np.int32], muons: npt.NDArray[np.int32], n: int
) -> npt.NDArray[np.bool_]:
    """Which of ``n`` events can reach any of the minimum's pairs of numbers.

    Parameters
    ----------
    electrons, muons : (n,) int32, or (0,)
        Leptons of each event that pass; an empty array is enough for every number.
    """
    reached = np.zeros(n, dtype=np.bool_)
    for pair in plan.minimum:
        enough = np.ones(n, dtype=np.bool_)
        for passing, number in zip((electrons, muons), pair, strict=True):
            if len(passing) and number > 0:
                enough &= passing >= number
        reached |= enough
    return reached


class _Flavour:
    """The leptons of one flavour in a window: which pass all cuts up to now."""

    def __init__(self, start: int, stop: int, url: str) -> None:
        self._start = start
        self._url = url
        self._n_entries = stop - start
        self._walked: tuple[Inflated, Leptons] | None = None

    @property
    def passing(self) -> npt.NDArray[np.int32]:
        """Leptons of each entry that pass, (n,); none before the first cut: all might."""
        return _ANY if self._walked is None else self._walked[1].passing

    def begin(self, cut: ScanCut, held: Inflated) -> None:
        """Count the leptons of every event, by the column of the first cut."""
        leptons = _leptons(self._n_entries, held, cut.cut.item)
        self._check(cut, scan_lengths(held, self._start, cut.cut.item, leptons))
        self._walked = held, leptons

    def first(self, cut: ScanCut, alive: Integers) -> None:
        """Apply the first cut, to the leptons of events that are alive."""
        held, leptons = self._first_column()
        self._check(cut, scan_first(held, self._start, cut.cut, leptons, alive))

    def go_on(self, cut: ScanCut, held: Inflated, alive: Integers) -> None:
        """Apply a further cut, to the leptons of events that are alive."""
        _, leptons = self._first_column()
        self._check(cut, scan_next(held, self._start, cut.cut, leptons, alive))

    def _first_column(self) -> tuple[Inflated, Leptons]:
        if self._walked is None:
            raise RuntimeError("a flavour's leptons are cut before they are counted")
        return self._walked

    def _check(self, cut: ScanCut, status: int) -> None:
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
        np.empty(n_entries + 1, dtype=np.int64),
        np.ones(max(0, room) // item, dtype=np.uint8),
        np.empty(n_entries, dtype=np.int32),
        np.zeros(len(held.begin), dtype=np.int64),
    )
