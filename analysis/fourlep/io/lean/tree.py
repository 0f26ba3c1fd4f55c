"""The table of baskets of a TTree, without interpreting what is not wanted.

A tree record holds its branches one after the other, each with its length in front:
`streamed` hops from branch to branch, the table notes where each name begins, and a
branch is read only when it is asked for.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from fourlep.errors import CorruptFileError
from fourlep.io.lean.arrays import Bytes, Integers
from fourlep.io.lean.basket_kernels import MAX_BASKET_BYTES, as_bytes
from fourlep.io.lean.basket_kernels import inflated as inflate_basket
from fourlep.io.lean.container import Key
from fourlep.io.lean.inflate import InflationError, inflate
from fourlep.io.lean.layout import Form, Layout, element_layout, leaf_layout
from fourlep.io.lean.native import native
from fourlep.io.lean.scratch import Scratch
from fourlep.io.lean.streamed import BasketTable, Record
from fourlep.io.lean.tree_kernels import EMBEDDED, LONG, ORDER, OUTSIDE, Numbers
from fourlep.io.lean.unsupported import UnsupportedError
from fourlep.io.transport import ByteSource, read_range

#: A tree record of ten thousand branches with a thousand baskets each is below this.
MAX_TREE_BYTES = 256 << 20


#: What a record that contradicts itself raises.
_UNREADABLE = (struct.error, IndexError, UnicodeDecodeError, ValueError)


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """One branch's baskets.

    Parameters
    ----------
    name
        As in the file.
    layout
        What a basket holds.
    entries : (n_baskets + 1,) int64
        First entry of each basket, and the number of entries.
    seeks : (n_baskets,) int64
        Where each basket's record begins.
    sizes : (n_baskets,) int64
        Its length, key included.
    total_bytes
        Inflated length of all baskets, as the file says.
    """

    name: str
    layout: Layout
    entries: Integers
    seeks: Integers
    sizes: Integers
    total_bytes: int

    @property
    def basket_bytes(self) -> float:
        """Mean inflated length of a basket, as the file says."""
        return self.total_bytes / max(1, len(self.seeks))


class TreeTable:
    """Branches of a tree, read when asked for.

    Parameters
    ----------
    record : (n,) uint8
        The inflated tree, read only, as long as the table is not closed.
    key
        Its key.
    url, n_bytes
        Of the file.
    """

    def __init__(self, record: Bytes, key: Key, url: str, n_bytes: int) -> None:
        self.title = key.name
        self._record = Record(record)
        self._url = url
        self._n_bytes = n_bytes
        self._key_bytes = key.key_bytes
        self._parsed: dict[str, Branch] = {}
        with self._readable("its list of branches"):
            self.n_entries, begin = self._record.header()
            self._where = self._record.branches(begin)
        self._members: dict[str, dict[str, int]] = {}
        self.names: AbstractSet[str] = _Names(self._where, self._locate)

    def branch(self, name: str) -> Branch:
        """Look up the branch called ``name``, which may be a member of a split one.

        Raises
        ------
        UnsupportedError
            If its form is unknown, or some of it stands in the tree record itself.
        CorruptFileError
            If its table contradicts itself or the length of the file.
        KeyError
            If there is none.
        """
        if name not in self._parsed:
            position = self._locate(name)
            if position is None:
                raise KeyError(name)
            with self._readable(f"branch {name}"):
                ((fields, table),) = self._record.tables([position], self._limits)
                self._parsed[name] = self._checked(name, fields, table)
        return self._parsed[name]

    def branches(self, names: Sequence[str]) -> list[Branch]:
        """Look up several branches; errors as in `branch`."""
        missing = [name for name in names if name not in self._parsed]
        if not missing:
            return [self._parsed[name] for name in names]
        positions = [place for name in missing if (place := self._locate(name)) is not None]
        if len(positions) == len(missing):
            # What is wrong with any of them is found again, and named, one by one.
            with suppress(*_UNREADABLE, UnsupportedError):
                found = self._record.tables(positions, self._limits)
                for name, (fields, table) in zip(missing, found, strict=True):
                    self._parsed[name] = self._checked(name, fields, table)
        return [self.branch(name) for name in names]

    def close(self) -> None:
        """Let go of the record: branches that were not read yet cannot be any more."""
        self._record = Record(as_bytes(b""))

    @property
    def _limits(self) -> tuple[int, int, int]:
        return self.n_entries, self._n_bytes, MAX_BASKET_BYTES

    def _locate(self, name: str) -> int | None:
        """Where a branch, or a member of a split one (``BRANCH.member``), begins."""
        if name in self._where:
            return self._where[name]
        store = name.rpartition(".")[0]
        for outer in (store, f"{store}."):
            if outer in self._where:
                if outer not in self._members:
                    with self._readable(f"branch {outer}"):
                        inner = self._record.fields(self._where[outer]).sub_branches
                        self._members[outer] = self._record.branches(inner)
                if name in self._members[outer]:
                    return self._members[outer][name]
        return None

    def _layout(self, name: str, fields: Numbers) -> Layout:
        try:
            if fields.is_element:
                return element_layout(*self._record.element(fields))
            leaf_class, is_unsigned = self._record.leaf(fields.leaves, self._key_bytes)
            return leaf_layout(leaf_class, is_unsigned=is_unsigned)
        except UnsupportedError as error:
            raise UnsupportedError(f"{name}: {error}") from error

    def _checked(self, name: str, fields: Numbers, table: BasketTable) -> Branch:
        layout = self._layout(name, fields)
        if fields.io_features:
            raise UnsupportedError(f"{name}: input/output features {fields.io_features:#x}")
        if layout.form is not Form.SCALAR and fields.offset_bytes <= 0:
            raise UnsupportedError(f"{name}: no entry offsets")
        if fields.n_entries != self.n_entries:
            raise UnsupportedError(f"{name}: {fields.n_entries} of {self.n_entries} entries")
        if table.fault == EMBEDDED:
            raise UnsupportedError(f"{name}: baskets within the tree record")
        if table.fault == ORDER:
            raise self._damaged(f"the baskets of branch {name} are out of order")
        if table.fault == OUTSIDE:
            raise self._damaged(f"baskets of branch {name} lie outside the file")
        if table.fault == LONG:
            raise UnsupportedError(f"{name}: a basket of {int(table.sizes.max()):,} bytes")
        return Branch(name, layout, table.entries, table.seeks, table.sizes, fields.total_bytes)

    @contextmanager
    def _readable(self, what: str) -> Iterator[None]:
        """Name what the record contradicts itself in."""
        try:
            yield
        except _UNREADABLE as error:
            raise self._damaged(f"{what} cannot be read") from error

    def _damaged(self, what: str) -> CorruptFileError:
        return CorruptFileError(
            f"{self._url}: tree {self.title}: {what}",
            url=self._url,
            remedy="the file is damaged or truncated: fetch it again",
        )


class _Names(AbstractSet[str]):
    """Names of branches; members of split ones are found, and not listed.

    Parameters
    ----------
    listed
        Names at the top.
    locate
        Finds a name.
    """

    def __init__(self, listed: Mapping[str, int], locate: Callable[[str], int | None]) -> None:
        self._listed = listed
        self._locate = locate

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._locate(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)


def read_tree(source: ByteSource, key: Key, scratch: Scratch) -> TreeTable:
    """Read and inflate the record of a tree.

    Parameters
    ----------
    source, key
        The file, and where in it the tree is.
    scratch
        Lends room for the record: the table is to be closed before that is given back.

    Raises
    ------
    CorruptFileError
        If lengths or checksums do not agree, or the record cannot be read.
    UnsupportedError
        If it is of a version that is not known.
    """
    if not (0 < key.key_bytes <= key.n_bytes and 0 <= key.object_bytes <= MAX_TREE_BYTES):
        raise CorruptFileError(
            f"{source.url}: the key of {key.name} has impossible lengths", url=source.url
        )
    stored = read_range(source, key.offset, key.n_bytes)
    try:
        record = _inflated(stored, key, scratch.room(key.object_bytes))
    except (InflationError, struct.error) as error:
        raise CorruptFileError(
            f"{source.url}: tree {key.name}: {error}",
            url=source.url,
            remedy="the file is damaged or truncated: fetch it again",
        ) from error
    return TreeTable(record, key, source.url, source.size)


def _inflated(stored: bytes, key: Key, room: Bytes) -> Bytes:
    """Inflate into ``room``, which becomes read only, or where that cannot be elsewhere."""
    n_bytes, _, object_bytes = struct.unpack_from(">ihi", stored)
    if (n_bytes, object_bytes) != (key.n_bytes, key.object_bytes):
        raise InflationError("its key differs from the list of keys")
    source, target = (as_bytes(stored), key.key_bytes, len(stored)), (room, 0, len(room))
    if inflate_basket(source, target, native()) != key.object_bytes:
        return as_bytes(inflate(memoryview(stored)[key.key_bytes :], key.object_bytes))
    room.flags.writeable = False
    return room
