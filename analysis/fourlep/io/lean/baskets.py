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
from fourlep.io.lean.inflate import InflationError, Inflator, inflate
from fourlep.io.lean.layout import Form
from fourlep.io.lean.native import Native, native
from fourlep.io.lean.tree import Branch
from fourlep.io.lean.unsupported import UnsupportedError
from fourlep.io.transport import ByteSource
from fourlep.io.transport.coalesce import read_coalesced

#: Baskets of branches, by number, ascending.
Wanted = tuple[Branch, Integers]

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
        self._names: dict[str, bytes] = {}
        self._kept: dict[str, tuple[Integers, Inflated]] = {}
        self._kept_bytes = 0

    def fetch(self, wanted: Iterable[Wanted]) -> None:
        """Fetch baskets in one round of reading, those at hand excepted."""
        chosen = [(branch.seeks[n], branch.sizes[n]) for branch, n in wanted if len(n)]
        if not chosen:
            return
        seek, first = np.unique(np.concatenate([seek for seek, _ in chosen]), return_index=True)
        size = np.concatenate([size for _, size in chosen])[first]
        for each in self._fetched:
            is_missing = ~each.holds(seek)
            seek, size = seek[is_missing], size[is_missing]
        if len(seek):
            data, place = read_coalesced(self._source, seek, size, self._gap_bytes)
            self._fetched.append(_Fetched(seek, place, kernels.as_bytes(data)))

    def forget(self) -> None:
        """Let go of what was fetched."""
        self._fetched.clear()
        self._kept.clear()
        self._kept_bytes = 0

    def inflated(self, wanted: Sequence[Wanted], *, keep: bool = False) -> list[Inflated]:
        """Inflate baskets of branches, fetching those that are not at hand.

        Parameters
        ----------
        wanted
            Branches and baskets.
        keep
            Whether they will be asked for again.

        Returns
        -------
        list of Inflated
            In the order of ``wanted``; they may share their ``data``.

        Raises
        ------
        CorruptFileError
            If a basket is not what the tree, its key or its codec promises.
        UnsupportedError
            If a basket has no entry offsets of its own.
        """
        at_hand = [self._again(*each) for each in wanted]
        missing = [each for each, held in zip(wanted, at_hand, strict=True) if held is None]
        found = iter(self._inflated(missing))
        result = [next(found) if held is None else held for held in at_hand]
        for (branch, numbers), held in zip(wanted, result, strict=True):
            n_bytes = int((held.end - held.begin).sum())
            if keep and self._kept_bytes + n_bytes <= _MAX_KEPT_BYTES:
                self._kept_bytes += n_bytes
                self._kept[branch.name] = numbers, held
        return result

    def _again(self, branch: Branch, numbers: Integers) -> Inflated | None:
        """Baskets that were kept, if all of them were."""
        if branch.name not in self._kept or not len(numbers):
            return None
        kept, held = self._kept[branch.name]
        index = np.minimum(np.searchsorted(kept, numbers), len(kept) - 1)
        if not np.array_equal(kept[index], numbers):
            return None
        return Inflated(held.data, *(part[index] for part in held[1:]))

    def _inflated(self, wanted: Sequence[Wanted]) -> list[Inflated]:
        self.fetch(wanted)
        counts = np.asarray([len(numbers) for _, numbers in wanted], dtype=np.int64)
        if not counts.sum():
            return [_nothing(branch) for branch, _ in wanted]
        data, rows, names = self._rows(wanted, counts)
        keys = Keys.empty(len(rows.seek))
        kernels.verify(data, rows, names, keys)
        self._check(keys, rows, wanted, counts)
        end = np.cumsum(keys.object_bytes)
        if end[-1] > _MAX_INFLATED_BYTES:
            raise self._damaged(wanted[0][0].name, rows.seek[0], f"{end[-1]} bytes in one round")
        begin = end - keys.object_bytes
        out = np.empty(int(end[-1]), dtype=np.uint8)
        using = native() if self._inflate is inflate else Native(0, 0, 0, 0)
        kernels.inflate_blocks(data, rows, keys, Target(begin, out), using)
        for row in np.flatnonzero(keys.status).tolist():
            content = data[rows.place[row] : rows.place[row] + rows.size[row]]
            content = content[keys.key_bytes[row] :]
            where = _name(row, wanted, counts), rows.seek[row]
            out[begin[row] : end[row]] = self._inflated_here(content, end[row] - begin[row], where)
        out.flags.writeable = False  # one type for the kernels, whoever made the buffer
        cuts = np.cumsum(counts)[:-1]
        columns = (begin, begin + keys.border, end, keys.key_bytes)
        parts = zip(*(np.split(column, cuts) for column in columns), strict=True)
        return [
            Inflated(
                data=out,
                begin=part[0],
                border=part[1],
                end=part[2],
                first=branch.entries[numbers],
                n_entries=branch.entries[numbers + 1] - branch.entries[numbers],
                key_bytes=part[3],
            )
            for (branch, numbers), part in zip(wanted, parts, strict=True)
        ]

    def _rows(
        self, wanted: Sequence[Wanted], counts: Integers
    ) -> tuple[npt.NDArray[np.uint8], Rows, npt.NDArray[np.uint8]]:
        """Fetched bytes, what is expected where in them, and the names of keys."""
        seek = np.concatenate([branch.seeks[numbers] for branch, numbers in wanted])
        size = np.concatenate([branch.sizes[numbers] for branch, numbers in wanted])
        first = np.concatenate([branch.entries[numbers] for branch, numbers in wanted])
        after = np.concatenate([branch.entries[numbers + 1] for branch, numbers in wanted])
        data, place = self._held(seek, size)
        names = [self._key_names(branch.name) for branch, _ in wanted]
        name_end = np.cumsum([len(name) for name in names])
        entry_bytes = [
            branch.layout.dtype.itemsize if branch.layout.form is Form.SCALAR else 0
            for branch, _ in wanted
        ]
        rows = Rows(
            place=place,
            size=size,
            seek=seek,
            n_entries=after - first,
            name_begin=np.repeat(name_end - [len(name) for name in names], counts),
            name_end=np.repeat(name_end, counts),
            entry_bytes=np.repeat(np.asarray(entry_bytes, dtype=np.int64), counts),
        )
        return data, rows, kernels.as_bytes(b"".join(names))

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

    def _check(self, keys: Keys, rows: Rows, wanted: Sequence[Wanted], counts: Integers) -> None:
        """Refuse what the kernel found wrong with a key."""
        if not keys.status.any():
            return
        row = int(np.argmax(keys.status != 0))
        status = int(keys.status[row])
        name = _name(row, wanted, counts)
        if status == kernels.GENERATED:
            raise UnsupportedError(f"{name}: generated entry offsets")
        if status == kernels.COUNT:
            what = f"it has {keys.n_entries[row]} entries where the tree has {rows.n_entries[row]}"
        else:
            what = _WRONG[status]
        raise self._damaged(name, rows.seek[row], what)

    def _inflated_here(
        self, content: npt.NDArray[np.uint8], n_bytes: int, where: tuple[str, int]
    ) -> npt.NDArray[np.uint8]:
        """Inflate a basket that the kernel left, or say what is wrong with it."""
        try:
            inflated = self._inflate(memoryview(content.data), n_bytes)
        except InflationError as error:
            raise self._damaged(*where, str(error)) from error
        return np.frombuffer(inflated, dtype=np.uint8)

    def _key_names(self, branch: str) -> bytes:
        """Names of class, branch and tree as a key has them."""
        if branch not in self._names:
            names = ("TBasket", branch, self._tree_title)
            self._names[branch] = b"".join(map(_string, names))
        return self._names[branch]

    def _damaged(self, name: str, seek: int, what: str) -> CorruptFileError:
        url = self._source.url
        return CorruptFileError(
            f"{url}: basket of {name} at byte {seek}: {what}",
            url=url,
            remedy="the file is damaged where it was read: read it from another place",
        )


def _name(row: int, wanted: Sequence[Wanted], counts: Integers) -> str:
    """Branch of a row."""
    return wanted[int(np.searchsorted(np.cumsum(counts), row, side="right"))][0].name


def _nothing(branch: Branch) -> Inflated:
    none = np.zeros(0, dtype=np.int64)
    data = kernels.as_bytes(b"")
    return Inflated(data, none, none, none, branch.entries[:0], none, none)


def _string(text: str) -> bytes:
    encoded = text.encode()
    if len(encoded) < 255:
        return bytes([len(encoded)]) + encoded
    return b"\xff" + len(encoded).to_bytes(4, "big") + encoded
