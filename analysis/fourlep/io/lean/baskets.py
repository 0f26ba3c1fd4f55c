"""Baskets: fetched together, verified one by one, inflated, and laid end to end.

Nothing of a basket is used before its key agrees with the table of the tree (lengths,
position, name, number of entries), its blocks with their headers, and its codec's
checksum, where there is one, with its bytes. All baskets of a round go through two
compiled kernels; Python looks again at those that the kernels leave.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache

import numpy as np

from fourlep.errors import CorruptFileError
from fourlep.io.lean import basket_kernels as kernels
from fourlep.io.lean.arrays import Bytes, Inflated, Integers
from fourlep.io.lean.basket_kernels import Fetched, Keys, Promises, Rows
from fourlep.io.lean.branch_set import Baskets, BranchSet
from fourlep.io.lean.inflate import InflationError, Inflator, inflate, stated_bytes
from fourlep.io.lean.native import Native, native
from fourlep.io.lean.scratch import Scratch
from fourlep.io.lean.tree import Branch
from fourlep.io.lean.unsupported import UnsupportedError
from fourlep.io.transport import ByteSource
from fourlep.io.transport.coalesce import read_coalesced

#: Inflated bytes of a round. Readers ask for far less, unless baskets are long.
_MAX_INFLATED_BYTES = 256 << 20

#: Of a key: inflated length of what is behind it, and its own.
_LENGTHS = struct.Struct(">6xi4xH")

_WRONG = {
    kernels.CUT: "its key is cut",
    kernels.ANOTHER: "its key is another one's",
    kernels.LENGTHS: "its key has impossible lengths",
    kernels.UNFILLED: "its entries do not fill it",
    kernels.TABLE: "its table of entries is cut",
}


class BasketReader:
    """Baskets of one file.

    Parameters
    ----------
    source
        The file.
    tree_title
        Name of the tree, which every basket's key repeats.
    gap_bytes
        Baskets that are this near are fetched together.
    inflator
        Inflates records, where it is another than the usual one.
    """

    def __init__(
        self,
        source: ByteSource,
        tree_title: str,
        gap_bytes: int,
        inflator: Inflator = inflate,
    ) -> None:
        self._source = source
        self._inflate = inflator
        self._gap_bytes = gap_bytes
        self._tree_title = tree_title
        self._fetched: list[Fetched] = []
        self._sets: dict[tuple[str, ...], BranchSet] = {}
        self._kept: dict[str, tuple[Integers, Inflated]] = {}
        self._scratch = Scratch()

    def together(self, branches: Sequence[Branch]) -> BranchSet:
        """Make a set of branches of this file, once."""
        names = tuple([branch.name for branch in branches])
        if names not in self._sets:
            self._sets[names] = BranchSet(tuple(branches))
        return self._sets[names]

    def fetch(self, wanted: Baskets) -> None:
        """Fetch baskets in one round of reading, those at hand excepted."""
        seek, first = np.unique(wanted.seek, return_index=True)
        size = wanted.size[first]
        for each in self._fetched:
            place = np.minimum(np.searchsorted(each.seek, seek), len(each.seek) - 1)
            is_missing = each.seek[place] != seek
            seek, size = seek[is_missing], size[is_missing]
        if len(seek):
            room = self._scratch.room
            data, place = read_coalesced(self._source, (seek, size), self._gap_bytes, room)
            data.flags.writeable = False
            self._fetched.append(Fetched(seek, place, data))

    def forget(self) -> None:
        """Let go of what was fetched and inflated; `Inflated` are of no use any more."""
        self._fetched.clear()
        self._kept.clear()
        self._scratch.give_back()

    def columns(self, wanted: Baskets) -> list[Inflated]:
        """Inflate baskets as `inflated` does, branch by branch, and keep them for `rounds`."""
        held = self.inflated(wanted)
        columns = []
        rows, after = wanted.row, wanted.counts.cumsum().tolist()
        bounds = wanted.branches.tables.bounds
        for k, branch in enumerate(wanted.branches.branches):
            own = slice(after[k] - int(wanted.counts[k]), after[k])
            column = Inflated(held.data, *(part[own] for part in held[1:]))
            self._kept[branch.name] = rows[own] - bounds[k], column
            columns.append(column)
        return columns

    def rounds(
        self, branches: Sequence[Branch], entries: Integers
    ) -> Iterator[tuple[Baskets, Inflated]]:
        """Inflate what holds ``entries``: first what was kept, then, together, the rest."""
        kept = [branch for branch in branches if branch.name in self._kept]
        if kept:
            wanted = self.together(kept).baskets(entries)
            held = self._again(wanted)
            if held is None:
                kept = []
            else:
                yield wanted, held
        if len(kept) < len(branches):
            names = {branch.name for branch in kept}
            rest = [branch for branch in branches if branch.name not in names]
            wanted = self.together(rest).baskets(entries)
            yield wanted, self.inflated(wanted)

    def _again(self, wanted: Baskets) -> Inflated | None:
        """Baskets of branches that were kept; None where some were not, or stand apart."""
        parts: list[Inflated] = []
        edges = np.concatenate([[0], wanted.counts.cumsum()]).tolist()
        bounds = wanted.branches.tables.bounds
        for k, branch in enumerate(wanted.branches.branches):
            rows, held = self._kept[branch.name]
            own = wanted.row[edges[k] : edges[k + 1]] - bounds[k]
            index = np.minimum(np.searchsorted(rows, own), len(rows) - 1)
            if not np.array_equal(rows[index], own):
                return None
            parts.append(Inflated(held.data, *(part[index] for part in held[1:])))
        if any(part.data is not parts[0].data for part in parts):
            return None
        columns = zip(*(part[1:] for part in parts), strict=True)
        return Inflated(parts[0].data, *map(np.concatenate, columns))

    def inflated(self, wanted: Baskets) -> Inflated:
        """Inflate baskets, fetching those that are not at hand.

        Returns
        -------
        Inflated
            One row for each row of ``wanted``, until `forget` is called.

        Raises
        ------
        CorruptFileError
            If a basket is not what the tree, its key or its codec promises.
        UnsupportedError
            If a basket has no entry offsets of its own.
        """
        data, rows = self._expected(wanted)
        keys = Keys.empty(len(rows.seek))
        n_bytes = kernels.verify(data, rows, self._promises(wanted.branches), keys)
        if n_bytes < 0:
            raise self._refused(data, keys, rows, wanted)
        if n_bytes > _MAX_INFLATED_BYTES:
            raise UnsupportedError(f"baskets of {n_bytes:,} bytes for one round of reading")
        block = self._scratch.block(n_bytes)
        before, out = block.room(n_bytes)
        using = native() if self._inflate is inflate else Native(0, 0, 0, 0)
        if kernels.inflate_blocks(data, rows, keys, out, using):
            self._inflate_left(data, rows, keys, wanted, out)
        begin = keys.begin + before
        border, end = begin + keys.border, begin + keys.object_bytes
        return Inflated(block.data, begin, border, end, rows.first, rows.n_entries, keys.key_bytes)

    def _expected(self, wanted: Baskets) -> tuple[Bytes, Rows]:
        """Fetched bytes, and what is expected where in them."""
        rows = Rows.empty(len(wanted.row))
        if not len(wanted.row):
            return kernels.as_bytes(b""), rows
        tables = wanted.branches.tables
        for _ in range(2):
            for fetched in reversed(self._fetched):
                if kernels.expected(tables, wanted.row, wanted.counts, fetched, rows):
                    return fetched.data, rows
            self.fetch(wanted)
        joined = self._joined(wanted)
        kernels.expected(tables, wanted.row, wanted.counts, joined, rows)
        return joined.data, rows

    def _joined(self, wanted: Baskets) -> Fetched:
        """Copy together what came in several rounds."""
        seek, first = np.unique(wanted.seek, return_index=True)
        size = wanted.size[first]
        parts: list[bytes] = []
        for one, length in zip(seek.tolist(), size.tolist(), strict=True):
            fetched = next(each for each in self._fetched if one in each.seek)
            place = int(fetched.place[np.searchsorted(fetched.seek, one)])
            parts.append(fetched.data[place : place + length].tobytes())
        return Fetched(seek, np.cumsum(size) - size, kernels.as_bytes(b"".join(parts)))

    def _promises(self, branches: BranchSet) -> Promises:
        """What the keys of branches must be like."""
        names, bounds = _key_names(branches.names, self._tree_title)
        return Promises(names, bounds, branches.entry_bytes)

    def _refused(
        self, data: Bytes, keys: Keys, rows: Rows, wanted: Baskets
    ) -> CorruptFileError | UnsupportedError:
        """Say what the kernel found wrong with a key."""
        row = int(np.argmax(keys.status != 0))
        status, name = int(keys.status[row]), wanted.branch_of(row).name
        if status == kernels.GENERATED:
            return UnsupportedError(f"{name}: generated entry offsets")
        if status == kernels.LARGE:
            return self._large(data[rows.place[row] :][: rows.size[row]].data, wanted, row)
        if status in (kernels.CUT, kernels.ANOTHER):
            record = data[rows.place[row] : rows.place[row] + rows.size[row]].data
            with suppress(struct.error, IndexError):
                *own, tree = kernels.names_in(record)
                if own == ["TBasket", name] and tree != self._tree_title:
                    return UnsupportedError(f"{name}: baskets of a tree that was called {tree!r}")
        if status == kernels.COUNT:
            what = f"it has {keys.n_entries[row]} entries where the tree has {rows.n_entries[row]}"
        else:
            what = _WRONG[status]
        return self._damaged(wanted, row, what)

    def _large(
        self, record: memoryview, wanted: Baskets, row: int
    ) -> CorruptFileError | UnsupportedError:
        """Leave a large basket to uproot, where a damaged length would exhaust the memory."""
        promised, n_key = _LENGTHS.unpack_from(record)
        content = record[n_key:]
        stated = promised if len(content) == promised else stated_bytes(content)
        if stated != promised:
            return self._damaged(
                wanted, row, f"{stated} bytes in its blocks where {promised} are promised"
            )
        name = wanted.branch_of(row).name
        return UnsupportedError(f"{name}: a basket of more than {kernels.MAX_BASKET_BYTES} bytes")

    def _inflate_left(
        self,
        data: Bytes,
        rows: Rows,
        keys: Keys,
        wanted: Baskets,
        out: Bytes,
    ) -> None:
        """Inflate the baskets that the kernel left, or say what is wrong with one."""
        for row in np.flatnonzero(keys.status).tolist():
            content = data[rows.place[row] : rows.place[row] + rows.size[row]]
            content = content[keys.key_bytes[row] :]
            try:
                inflated = self._inflate(memoryview(content.data), int(keys.object_bytes[row]))
            except InflationError as error:
                raise self._damaged(wanted, row, str(error)) from error
            begin = keys.begin[row]
            out[begin : begin + keys.object_bytes[row]] = np.frombuffer(inflated, dtype=np.uint8)

    def _damaged(self, wanted: Baskets, row: int, what: str) -> CorruptFileError:
        url, name = self._source.url, wanted.branch_of(row).name
        return CorruptFileError(
            f"{url}: basket of {name} at byte {wanted.seek[row]}: {what}",
            url=url,
            remedy="the file is damaged where it was read: read it from another place",
        )


@lru_cache(maxsize=256)
def _key_names(branches: tuple[str, ...], tree_title: str) -> tuple[Bytes, Integers]:
    """Names of class, branch and tree as the keys of each branch have them, and bounds."""
    each = [b"".join(map(_string, ("TBasket", name, tree_title))) for name in branches]
    bounds = np.cumsum([0, *map(len, each)], dtype=np.int64)
    return kernels.as_bytes(b"".join(each)), bounds


def _string(text: str) -> bytes:
    encoded = text.encode(errors="surrogateescape")
    if len(encoded) < 255:
        return bytes([len(encoded)]) + encoded
    return b"\xff" + len(encoded).to_bytes(4, "big") + encoded
