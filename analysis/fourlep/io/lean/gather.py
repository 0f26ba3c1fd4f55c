"""Values of chosen entries, read in parts of bounded memory.

A part is what one round of reading brings: the baskets of all columns for some of the
entries, coalesced. Where survivors are rare that is one part a file; where they are
frequent, parts follow the clusters and hold nearly every basket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fourlep.events import Events
from fourlep.io.assemble import assemble
from fourlep.io.lean.arrays import Integers
from fourlep.io.lean.baskets import BasketReader
from fourlep.io.lean.cuts import ScanPlan
from fourlep.io.lean.index import Table
from fourlep.io.lean.pairs import PairTest
from fourlep.io.lean.tree import Branch
from fourlep.io.lean.values import Values, join, values
from fourlep.io.request import Request
from fourlep.io.transport import ByteSource

#: Inflated bytes of the baskets of a part.
PART_BYTES = 16 << 20
#: Over a network, what the survivors of a stage need further is fetched at once when it
#: is below this: a round trip costs more than these bytes. What the next stages then
#: reject has been fetched in vain, and is not inflated.
AHEAD_BYTES = 2 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Values of a file's branches for some of its entries.

    Parameters
    ----------
    request
        The columns that they are for.
    entry : (n,) int64
        The entries, ascending.
    values
        By branch.
    rejected
        Events of the same stretch of entries that pass the counting and not its
        `PairCut`: only the columns that decide that were read of them.
    """

    request: Request
    entry: Integers
    values: Mapping[str, Values]
    rejected: Part | None = None

    @property
    def n_bytes(self) -> int:
        """Bytes in memory."""
        further = 0 if self.rejected is None else self.rejected.n_bytes
        return further + sum(held.n_bytes for held in self.values.values())

    @property
    def n_entries(self) -> int:
        """Entries of both kinds."""
        return len(self.entry) + (0 if self.rejected is None else len(self.rejected.entry))

    @property
    def after(self) -> int:
        """One past the last entry of either kind, 0 without any."""
        further = 0 if self.rejected is None else self.rejected.after
        return max(further, int(self.entry[-1]) + 1 if len(self.entry) else 0)

    def take(self, keep: npt.NDArray[np.bool_]) -> Part:
        """Keep the events of a mask."""
        held = {name: each.take(keep) for name, each in self.values.items()}
        return Part(self.request, self.entry[keep], held)

    def of(self, column: str) -> npt.NDArray[Any]:
        """Numbers of an event column that is as its branch holds it, both kinds of events."""
        (branch,) = self.request.sources[column].branches
        rejected = () if self.rejected is None else (self.rejected.of(column),)
        return np.concatenate([self.values[branch].content[0], *rejected])

    def joins(self, other: Part) -> bool:
        """Whether the columns of both are made in the same way, so that they can be joined."""
        mine, others = self.request, other.request
        return (
            mine.is_simulation == others.is_simulation
            and mine.sources == others.sources
            and mine.absent == others.absent
        )

    def events(self) -> Events:
        """Make columns of the values."""
        raw = {branch: held.array() for branch, held in self.values.items()}
        return assemble(self.request, raw, self.entry)


def join_parts(parts: Sequence[Part]) -> Part:
    """Make one part of several, at least one, that may be of several files.

    All must agree (`Part.joins`); the result has the request of the first.
    """
    request = parts[0].request
    held = {name: join([part.values[name] for part in parts]) for name in request.branches}
    rejected = [part.rejected for part in parts if part.rejected is not None]
    return Part(
        request,
        np.concatenate([part.entry for part in parts]),
        held,
        join_parts(rejected) if rejected else None,
    )


@dataclass(frozen=True, slots=True)
class Stage:
    """What is read first, and decides of which events the rest is read.

    Parameters
    ----------
    request
        The columns.
    test
        Made of them.
    """

    request: Request
    test: PairTest


class Gatherer:
    """Reads the branches of one file for chosen entries.

    Parameters
    ----------
    baskets, tree, source
        Of the file.
    """

    def __init__(self, baskets: BasketReader, tree: Table, source: ByteSource) -> None:
        self._baskets = baskets
        self._tree = tree
        self._source = source

    def values(self, names: Iterable[str], entries: Integers) -> dict[str, Values]:
        """Read branches for ascending entries, in one round of reading."""
        branches = self._branches(names)
        if not len(entries):
            return {branch.name: Values.empty(branch.layout) for branch in branches}
        result: dict[str, Values] = {}
        for wanted, held in self._baskets.rounds(branches, entries):
            result |= values(wanted, held, entries, self._source.url)
        return result

    def parts(
        self, request: Request, entries: Integers, stage: Stage | None = None
    ) -> Iterator[Part]:
        """Read what ``request`` needs; at least one part, which is empty without entries."""
        first = request if stage is None else stage.request
        for chosen in self._divided(first.branches, entries):
            if stage is None:
                yield Part(request, chosen, self.values(request.branches, chosen))
            else:
                yield from self._staged(request, chosen, stage)
            self._baskets.forget()

    def _staged(self, request: Request, entries: Integers, stage: Stage) -> Iterator[Part]:
        """Read in two steps: the second only for events that pass the first's test."""
        early = Part(stage.request, entries, self.values(stage.request.branches, entries))
        passes = stage.test.passes(early.values, len(entries))
        late = [name for name in request.branches if name not in early.values]
        groups = self._divided(late, entries[passes])
        # Rejected events go with the group before them, so that parts ascend.
        edges = [0, *(int(group[0]) for group in groups[1:]), np.iinfo(np.int64).max]
        for group, begin, end in zip(groups, edges, edges[1:], strict=False):
            here = (begin <= entries) & (entries < end)
            rejected = early.take(here & ~passes)
            held = {**early.take(here & passes).values, **self.values(late, group)}
            yield Part(request, group, held, rejected if len(rejected.entry) else None)

    def cost(self, request: Request, entries: Integers) -> float:
        """Inflated bytes of the baskets that entries need, about; at most so many if few."""
        return self._cost(self._branches(request.branches), entries)

    def _cost(self, branches: Sequence[Branch], entries: Integers) -> float:
        n = len(entries)  # of rare survivors, each in baskets of its own
        most = sum(min(n, len(branch.seeks)) * branch.basket_bytes for branch in branches)
        if most <= PART_BYTES:
            return most
        return self._baskets.together(branches).baskets(entries).cost

    def looking_ahead(self, request: Request, plan: ScanPlan) -> Callable[[Integers], None]:
        """Make what `fourlep.io.lean.scan.scan` tells the survivors of a stage to."""
        if not self._source.is_remote:
            return lambda _: None
        names = {cut.branch.name: cut.branch for cut in (*plan.electron, *plan.muon)}
        names |= {branch.name: branch for branch in self._branches(request.branches)}

        def ahead(entries: Integers) -> None:
            wanted = self._baskets.together(list(names.values())).baskets(entries)
            if int(wanted.size.sum()) <= AHEAD_BYTES:
                self._baskets.fetch(wanted)

        return ahead

    def _branches(self, names: Iterable[str]) -> list[Branch]:
        return self._tree.branches(tuple(names))

    def _divided(self, names: Sequence[str], entries: Integers) -> list[Integers]:
        """Cut entries where a basket of the first branch ends and a part is full."""
        branches = self._branches(names)
        if self._cost(branches, entries) <= PART_BYTES:
            return [entries]
        wanted = self._baskets.together(branches).baskets(entries)
        tables = wanted.branches.tables
        bounds = np.searchsorted(entries, tables.first[: tables.bounds[1]])
        bounds = np.append(bounds, len(entries))
        begins = bounds[:-1][bounds[1:] > bounds[:-1]]
        firsts = np.searchsorted(entries, tables.first[wanted.row])
        place = np.searchsorted(begins, firsts, side="right") - 1
        weight = wanted.branches.basket_bytes.repeat(wanted.counts)
        part = (np.bincount(place, weight).cumsum() // PART_BYTES).astype(np.int64)
        cuts = begins[np.flatnonzero(np.diff(part)) + 1]
        return np.split(entries, cuts)
