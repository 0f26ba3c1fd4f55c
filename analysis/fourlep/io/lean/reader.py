"""Reads PHYSLITE trees with as little work as the question allows.

Only what survives a `Cascade` is read whole. The columns are made by the same functions
as everywhere (`fourlep.io.derive` by way of `fourlep.io.assemble`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from fourlep.events import Cascade, Events
from fourlep.io.branches import TTREE
from fourlep.io.lean.arrays import Integers
from fourlep.io.lean.baskets import BasketReader
from fourlep.io.lean.container import read_container, read_uuid
from fourlep.io.lean.cuts import plan_scan
from fourlep.io.lean.gather import PART_BYTES, Gatherer, Part, Stage, join_parts
from fourlep.io.lean.index import IndexedTable, Table, kept
from fourlep.io.lean.inflate import Inflator, inflate
from fourlep.io.lean.pairs import PairTest
from fourlep.io.lean.scan import scan, windows
from fourlep.io.lean.scratch import Scratch
from fourlep.io.lean.tree import TreeTable, read_tree
from fourlep.io.lean.unsupported import UnsupportedError
from fourlep.io.request import Request, counting_columns
from fourlep.io.source import Closing, Reader
from fourlep.io.transport import ByteSource, open_source
from fourlep.io.transport.coalesce import DEFAULT_GAP_BYTES


class LeanFile(Closing):
    """An open PHYSLITE tree. See `fourlep.io.source.EventFile`.

    One thread at a time may read from a file; many files can be read at a time.

    Parameters
    ----------
    url
        Path or URL.
    tree
        The tree; "" for the usual one.
    timeout_s
        Deadline in seconds of the opening and of each round of reading.
    gap_bytes
        Baskets that are this near in the file are read together.
    inflator
        Inflates baskets; another one is of use to watch what is inflated.
    index
        Table of the file's baskets from an earlier reading; used if it is of this file.

    Raises
    ------
    UnsupportedError
        If the file is none that this reader knows. Later calls raise it, too, when they
        meet what is unknown: `fourlep.io.lean.fallback` then turns to uproot.
    ReadError
        If the file cannot be had, or is damaged.
    """

    def __init__(
        self,
        url: str,
        tree: str = "",
        *,
        timeout_s: float = 60.0,
        gap_bytes: int = DEFAULT_GAP_BYTES,
        inflator: Inflator = inflate,
        index: IndexedTable | None = None,
    ) -> None:
        self.is_indexed = False
        self._source: ByteSource = open_source(url, timeout_s)
        self._scratch = Scratch()
        try:
            self._uuid, self._tree = self._table(tree or TTREE.tree, index)
        except BaseException:
            self._scratch.give_back()
            self._source.close()
            raise
        self._baskets = BasketReader(self._source, self._tree.title, gap_bytes, inflator)
        self._gatherer = Gatherer(self._baskets, self._tree, self._source)

    def _table(self, tree: str, index: IndexedTable | None) -> tuple[str, Table]:
        """Find the file's UUID and its table of baskets."""
        if index is not None and (index.title, index.n_bytes) == (tree, self._source.size):
            uuid = read_uuid(self._source)
            if uuid == index.uuid:
                self.is_indexed = True
                return uuid, index
        container = read_container(self._source)
        found = read_tree(self._source, container.tree(tree), self._scratch)
        if not TTREE.matches(found.names):
            raise UnsupportedError(f"tree {found.title} is none of PHYSLITE")
        return container.uuid, found

    def indexed(self, columns: Sequence[str]) -> IndexedTable:
        """Keep the table of the branches behind ``columns``, those that the file has."""
        resolved = [rule.resolve(self._tree.names) for rule in TTREE.simulated]
        told = [name for source in resolved if source is not None for name in source.branches]
        wanted = dict.fromkeys((*told, *self._request((), columns).branches))
        identity = self._uuid, self._source.size
        return kept(self._tree, identity, wanted, TTREE.asked())

    @property
    def url(self) -> str:
        """The place that is read."""
        return self._source.url

    @property
    def tree(self) -> str:
        """Name of the tree."""
        return self._tree.title

    @property
    def format(self) -> str:
        """Name of the format."""
        return TTREE.name

    @property
    def uuid(self) -> str:
        """UUID of the file."""
        return self._uuid

    @property
    def n_bytes(self) -> int:
        """Length of the file."""
        return self._source.size

    @property
    def n_entries(self) -> int:
        """Entries of the tree."""
        return self._tree.n_entries

    @cached_property
    def is_simulation(self) -> bool:
        """Whether the events are simulated, by the first of them; False without any."""
        if self.n_entries == 0:
            return False
        first = np.zeros(1, dtype=np.int64)
        for rule in TTREE.simulated:
            source = rule.resolve(self._tree.names)
            if source is not None and source.derive is not None:
                held = self._gatherer.values(source.branches, first)
                return bool(source.derive(*(held[name].array() for name in source.branches))[0])
        return False

    @property
    def read_bytes(self) -> int:
        """Bytes asked of the transport up to now."""
        return self._source.read_bytes

    @property
    def requests(self) -> int:
        """Requests made of the transport up to now."""
        return self._source.requests

    @property
    def reader(self) -> Reader:
        """Which reader this is."""
        return "lean"

    @property
    def fallback(self) -> str:
        """Nothing: this is the reader that was wanted."""
        return ""

    def columns(self) -> frozenset[str]:
        """Canonical columns that the file provides, trigger chains included."""
        return TTREE.columns(self._tree.names, is_simulation=self.is_simulation)

    def read(
        self,
        columns: Sequence[str],
        start: int = 0,
        stop: int | None = None,
        *,
        optional: Sequence[str] = (),
    ) -> Events:
        """Read entries ``start`` to ``stop`` whole. See `EventFile.read`."""
        request = self._request(columns, optional)
        entries = np.arange(*self._range(start, stop), dtype=np.int64)
        return join_parts(list(self._gatherer.parts(request, entries))).events()

    def survivors(
        self,
        cascade: Cascade,
        columns: Sequence[str],
        start: int = 0,
        stop: int | None = None,
        *,
        optional: Sequence[str] = (),
    ) -> Iterator[Events]:
        """Read the events that ``cascade`` keeps. See `EventFile.survivors`."""
        for part in self.surviving_parts(cascade, columns, start, stop, optional=optional):
            if len(part.entry):
                yield part.events()

    def surviving_parts(
        self,
        cascade: Cascade,
        columns: Sequence[str],
        start: int = 0,
        stop: int | None = None,
        *,
        optional: Sequence[str] = (),
        early: Sequence[str] = (),
    ) -> Iterator[Part]:
        """Read the same, before columns are made of it, so that files can be joined first.

        At least one part, which is empty where nothing survives.

        Parameters
        ----------
        cascade, columns, start, stop, optional
            As in `survivors`.
        early
            Columns that decide ``cascade.pairs``, of these. Where they are given, events
            that fail it come apart and without the others (`Part.rejected`).
        """
        counting = self._request((), counting_columns(cascade))
        request = self._request(columns, optional)
        stage = self._stage(cascade, early)
        first = stage.request if stage else request
        self._tree.branches((*counting.branches, *first.branches))  # their tables, in one go
        plan = plan_scan(cascade, counting.sources, self._tree)
        ahead = self._gatherer.looking_ahead(first, plan)
        pending: list[Integers] = []
        is_first = True
        for begin, end in windows(plan, *self._range(start, stop)):
            self._baskets.forget()  # the last window's, however many there are
            found = scan(self._baskets, plan, begin, end, url=self.url, ahead=ahead)
            if not plan.is_exact and len(found):
                found = self._decided(cascade, counting, found)
            pending.append(found)
            if self._gatherer.cost(first, np.concatenate(pending)) > PART_BYTES:
                yield from self._gatherer.parts(request, np.concatenate(pending), stage)
                pending, is_first = [], False
        if any(map(len, pending)) or is_first:
            entries = np.concatenate([np.zeros(0, dtype=np.int64), *pending])
            yield from self._gatherer.parts(request, entries, stage)

    def _stage(self, cascade: Cascade, early: Sequence[str]) -> Stage | None:
        if not early or cascade.pairs is None:
            return None
        request = self._request((), early)
        test = PairTest.plan(cascade, request.sources)
        return None if test is None else Stage(request, test)

    def _decided(self, cascade: Cascade, counting: Request, entries: Integers) -> Integers:
        """Find the entries that pass by the plain definition of the cascade."""
        parts = self._gatherer.parts(counting, entries)
        kept = [part.entry[cascade.keeps(part.events())] for part in parts]
        return np.concatenate(kept)

    def _request(self, columns: Sequence[str], optional: Sequence[str]) -> Request:
        return Request.resolve(
            self.url,
            TTREE,
            self._tree.names,
            columns,
            optional,
            is_simulation=self.is_simulation,
        )

    def _range(self, start: int, stop: int | None) -> tuple[int, int]:
        end = self.n_entries if stop is None else min(stop, self.n_entries)
        return min(max(start, 0), end), end

    def close(self) -> None:
        """Let go of the file; further reads fail."""
        self._baskets.forget()
        if isinstance(self._tree, TreeTable):
            self._tree.close()
        self._scratch.give_back()
        self._source.close()
