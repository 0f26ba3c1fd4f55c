"""Baskets: fetched together, verified one by one, inflated, and laid end to end.

Nothing of a basket is used before its key agrees with the table of the tree (lengths,
position, name, number of entries), its blocks with their headers, and its codec's
checksum, where there is one, with its bytes. All baskets of a round go through two
compiled kernels; Python looks again at those that the kernels leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fourlep.errors import CorruptFileError
from fourlep.io.lean import basket_kernels as kernels
from fourlep.io.lean.arrays import Inflated, Integers
from fourlep.io.lean.basket_kernels import Keys, Rows, Target
from fourlep.io.lean.branch_set import Baskets, BranchSet
from fourlep.io.lean.inflate import InflationError, Inflator, inflate
from fourlep.io.lean.native import Native, native
from fourlep.io.lean.scratch import Scratch
from fourlep.io.lean.tree import Branch
from fourlep.io.lean.unsupported import UnsupportedError
from fourlep.io.transport import ByteSource
from fourlep.io.transport.coalesce import read_coalesced

#: Inflated bytes of a round. Readers ask for far less; only a file that lies about its
#: sizes gets here.
_MAX_INFLATED_BYTES = 256 << 20
#: Inflated baskets that are kept for a second use.
_MAX_KEPT_BYTES = 16 << 20

_WRONG = {
    kernels.CUT: "its key is cut",
    kernels.ANOTHER: "its key is another one's",
    kernels.LENGTHS: "its key has impossible lengths",
    kernels.UNFILLED: "its entries do not fill it",
    kernels.TABLE: "its table of entries is cut",
}


@dataclass(frozen=True, slots=True, eq=False)
class _Fetched:
    """What one round of reading brought.

    Parameters
    ----------
    seek, place : (n,) int64
        Where records begin in the file, ascending, and in ``data``.
    data : (n_bytes,) uint8
        The bytes.
    """

    seek: Integers
    place: Integers
    data: npt.NDArray[np.uint8]

    def holds(self, seek: Integers) -> npt.NDArray[np.bool_]:
        """Which records are here, (n,)."""
        return np.asarray(self.seek[self._index(seek)] == seek)

    def places(self, seek: Integers) -> Integers:
        """Where records that are here begin in ``data``, (n,)."""
        return np.asarray(self.place[self._index(seek)])

    def _index(self, seek: Integers) -> Integers:
        return np.minimum(np.searchsorted(self.seek, seek), len(self.seek) - 1)


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
        self._fetched: list[_Fetched] = []
        self._sets: dict[tuple[str, ...], BranchSet] = {}
        self._names: dict[BranchSet, tuple[npt.NDArray[np.uint8], Integers]] = {}
        self._kept: dict[str, tuple[Integers, Inflated]] = {}
        self._kept_bytes = 0
        self._scratch = Scratch()

    def together(self, branches: Sequence[Branch]) -> BranchSet:
        """Make a set of branches of this file, once."""
        names = tuple([branch.name for branch in branches])
        if names not in self._sets:
            self._sets[names] = BranchSet(tuple(branches))
        return self._sets[names]

    def fetch(self, wanted: Iterable[Baskets]) -> None:
        """Fetch baskets in one round of reading, those at hand excepted."""
        chosen = [(baskets.seek, baskets.size) for baskets in wanted if len(baskets.row)]
        if not chosen:
            return
        seek, first = np.unique(np.concatenate([seek for seek, _ in chosen]), return_index=True)
        size = np.concatenate([size for _, size in chosen])[first]
        for each in self._fetched:
            is_missing = ~each.holds(seek)
            seek, size = seek[is_missing], size[is_missing]
        if len(seek):
            room = self._scratch.room
            data, place = read_coalesced(self._source, (seek, size), self._gap_bytes, room)
            data.flags.writeable = False
            self._fetched.append(_Fetched(seek, place, data))

    def forget(self) -> None:
        """Let go of what was fetched and inflated; `Inflated` are of no use any more."""
        self._fetched.clear()
        self._kept.clear()
        self._kept_bytes = 0
        self._scratch.give_back()

    def keep(self, baskets: Baskets, held: Inflated) -> None:
        """Remember the inflated baskets of a single branch for a second use."""
        (branch,) = baskets.branches.branches
        n_bytes = int((held.end - held.begin).sum())
        if self._kept_bytes + n_bytes <= _MAX_KEPT_BYTES:
            self._kept_bytes += n_bytes
            self._kept[branch.name] = baskets.row, held

    def kept(self, branch: Branch, entries: Integers) -> tuple[Baskets, Inflated] | None:
        """Baskets of a branch that hold ``entries``, if all of them were kept."""
        if branch.name not in self._kept or not len(entries):
            return None
        wanted = self.together((branch,)).baskets(entries)
        rows, held = self._kept[branch.name]
        index = np.minimum(np.searchsorted(rows, wanted.row), len(rows) - 1)
        if not np.array_equal(rows[index], wanted.row):
            return None
        return wanted, Inflated(held.data, *(part[index] for part in held[1:]))

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
        self.fetch([wanted])
        first = wanted.branches.tables.first[wanted.row]
        n_entries = wanted.branches.tables.after[wanted.row] - first
        if not len(wanted.row):
            return Inflated(kernels.as_bytes(b""), first, first, first, first, n_entries, first)
        data, rows, names = self._rows(wanted, n_entries)
        keys = Keys.empty(len(rows.seek))
        kernels.verify(data, rows, names, keys)
        self._check(keys, rows, wanted)
        end = np.cumsum(keys.object_bytes)
        if end[-1] > _MAX_INFLATED_BYTES:
            raise self._damaged(wanted, 0, f"{end[-1]} bytes in one round")
        begin = end - keys.object_bytes
        out = self._scratch.room(int(end[-1]))
        using = native() if self._inflate is inflate else Native(0, 0, 0, 0)
        kernels.inflate_blocks(data, rows, keys, Target(begin, out), using)
        if keys.status.any():
            self._inflate_left(data, rows, keys, (wanted, begin, end), out)
        out.flags.writeable = False  # one type for the kernels, whoever made the buffer
        return Inflated(out, begin, begin + keys.border, end, first, n_entries, keys.key_bytes)

    def _rows(
        self, wanted: Baskets, n_entries: Integers
    ) -> tuple[npt.NDArray[np.uint8], Rows, npt.NDArray[np.uint8]]:
        """Fetched bytes, what is expected where in them, and the names of keys."""
        seek, size = wanted.seek, wanted.size
        data, place = self._held(seek, size)
        names, bounds = self._key_names(wanted.branches)
        rows = Rows(
            place=place,
            size=size,
            seek=seek,
            n_entries=n_entries,
            name_begin=bounds[:-1].repeat(wanted.counts),
            name_end=bounds[1:].repeat(wanted.counts),
            entry_bytes=wanted.branches.entry_bytes.repeat(wanted.counts),
        )
        return data, rows, names

    def _held(self, seek: Integers, size: Integers) -> tuple[npt.NDArray[np.uint8], Integers]:
        """Bytes that hold records, and where each begins in them."""
        for fetched in self._fetched:
            if fetched.holds(seek).all():
                return fetched.data, fetched.places(seek)
        parts: list[bytes] = []  # they came in several rounds: copied together
        for one, length in zip(seek, size, strict=True):
            fetched = next(each for each in self._fetched if each.holds(one))
            place = int(fetched.places(one))
            parts.append(fetched.data[place : place + int(length)].tobytes())
        return kernels.as_bytes(b"".join(parts)), np.cumsum(size) - size

    def _check(self, keys: Keys, rows: Rows, wanted: Baskets) -> None:
        """Refuse what the kernel found wrong with a key."""
        if not keys.status.any():
            return
        row = int(np.argmax(keys.status != 0))
        status = int(keys.status[row])
        if status == kernels.GENERATED:
            raise UnsupportedError(f"{wanted.branch_of(row).name}: generated entry offsets")
        if status == kernels.COUNT:
            what = f"it has {keys.n_entries[row]} entries where the tree has {rows.n_entries[row]}"
        else:
            what = _WRONG[status]
        raise self._damaged(wanted, row, what)

    def _inflate_left(
        self,
        data: npt.NDArray[np.uint8],
        rows: Rows,
        keys: Keys,
        places: tuple[Baskets, Integers, Integers],
        out: npt.NDArray[np.uint8],
    ) -> None:
        """Inflate the baskets that the kernel left, or say what is wrong with one."""
        wanted, begin, end = places
        for row in np.flatnonzero(keys.status).tolist():
            content = data[rows.place[row] : rows.place[row] + rows.size[row]]
            content = content[keys.key_bytes[row] :]
            try:
                inflated = self._inflate(memoryview(content.data), int(end[row] - begin[row]))
            except InflationError as error:
                raise self._damaged(wanted, row, str(error)) from error
            out[begin[row] : end[row]] = np.frombuffer(inflated, dtype=np.uint8)

    def _key_names(self, branches: BranchSet) -> tuple[npt.NDArray[np.uint8], Integers]:
        """Names of class, branch and tree as the keys of each branch have them, and bounds."""
        if branches not in self._names:
            names = [branch.name for branch in branches.branches]
            each = [b"".join(map(_string, ("TBasket", name, self._tree_title))) for name in names]
            bounds = np.cumsum([0, *map(len, each)], dtype=np.int64)
            self._names[branches] = kernels.as_bytes(b"".join(each)), bounds
        return self._names[branches]

    def _damaged(self, wanted: Baskets, row: int, what: str) -> CorruptFileError:
        url, name = self._source.url, wanted.branch_of(row).name
        return CorruptFileError(
            f"{url}: basket of {name} at byte {wanted.seek[row]}: {what}",
            url=url,
            remedy="the file is damaged where it was read: read it from another place",
        )


def _string(text: str) -> bytes:
    encoded = text.encode()
    if len(encoded) < 255:
        return bytes([len(encoded)]) + encoded
    return b"\xff" + len(encoded).to_bytes(4, "big") + encoded
