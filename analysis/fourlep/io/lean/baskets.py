"""Baskets: fetched together, verified one by one, inflated, and laid end to end.

Nothing of a basket is used before its key agrees with the table of the tree (lengths,
position, name, number of entries), its blocks with their headers, and its codec's
checksum, where there is one, with its bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from fourlep.errors import CorruptFileError
from fourlep.io.lean.arrays import Inflated
from fourlep.io.lean.inflate import Buffer, InflationError, Inflator, inflate
from fourlep.io.lean.layout import Form
from fourlep.io.lean.tree import MAX_BASKET_BYTES, Branch
from fourlep.io.lean.unsupported import UnsupportedError
from fourlep.io.transport import ByteSource
from fourlep.io.transport.coalesce import read_coalesced

_BIG_KEY = 1000
#: TKey: lengths, version, date, key length, cycle and positions; three strings follow.
_SMALL_FRONT = ">ihiIhhii"
_BIG_FRONT = ">ihiIhhqq"
#: Version, buffer size, two sizes of the offset array, end of the entries, flag.
_BACK = "HiiiiB"
#: A basket's flag is this or more where its offsets are generated and not stored.
_GENERATED_OFFSETS = 80
#: Readers ask for far less at a time; only a file that lies about its sizes gets here.
_MAX_INFLATED_BYTES = 128 << 20
#: Inflated baskets that are kept for a second use.
_MAX_KEPT_BYTES = 16 << 20


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
        Inflates records.
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
        self._records: dict[int, memoryview] = {}
        self._keys: dict[str, _Expected] = {}
        self._payloads: dict[int, tuple[Buffer, int, int]] = {}
        self._kept_bytes = 0

    def fetch(self, wanted: Iterable[tuple[Branch, npt.NDArray[np.int64]]]) -> None:
        """Fetch baskets (numbers by branch) in one go, those at hand excepted."""
        ranges: dict[int, int] = {}
        for branch, numbers in wanted:
            seeks = branch.seeks[numbers].tolist()
            ranges.update(zip(seeks, branch.sizes[numbers].tolist(), strict=True))
        missing = [(seek, size) for seek, size in ranges.items() if seek not in self._records]
        if missing:
            parts = read_coalesced(self._source, missing, self._gap_bytes)
            self._records.update(zip((seek for seek, _ in missing), parts, strict=True))

    def forget(self) -> None:
        """Let go of what was fetched."""
        self._records.clear()
        self._payloads.clear()
        self._kept_bytes = 0

    def inflated(
        self, branch: Branch, numbers: npt.NDArray[np.int64], *, keep: bool = False
    ) -> Inflated:
        """Inflate baskets of a branch, fetching those that are not at hand.

        Parameters
        ----------
        branch
            The branch.
        numbers : (n,) int64
            Its baskets, ascending.
        keep
            Whether they will be asked for again.

        Raises
        ------
        CorruptFileError
            If a basket is not what the tree, its key or its codec promises.
        """
        self.fetch([(branch, numbers)])
        first, after = branch.entries[numbers], branch.entries[numbers + 1]
        payloads: list[Buffer] = []
        borders: list[int] = []
        key_bytes: list[int] = []
        total = 0
        rows = zip(
            branch.seeks[numbers].tolist(),
            branch.sizes[numbers].tolist(),
            (after - first).tolist(),
            strict=True,
        )
        expected = self._expected(branch)
        for seek, size, count in rows:
            payload, border, key = self._payloads.get(seek) or self._payload(
                expected, seek, size, count
            )
            total += len(payload)
            if total > _MAX_INFLATED_BYTES:
                raise self._damaged(branch.name, seek, f"inflates to more than {total} bytes")
            if keep and self._kept_bytes + len(payload) <= _MAX_KEPT_BYTES:
                self._kept_bytes += len(payload)
                self._payloads[seek] = payload, border, key
            payloads.append(payload)
            borders.append(border)
            key_bytes.append(key)
        ends = list(accumulate(map(len, payloads)))
        begin = np.asarray([0, *ends[:-1]] if ends else [], dtype=np.int64)
        joined = payloads[0] if len(payloads) == 1 else b"".join(payloads)
        data = np.frombuffer(joined, dtype=np.uint8)
        data.flags.writeable = False  # one type for the kernels, whoever made the buffer
        return Inflated(
            data=data,
            begin=begin,
            border=begin + np.asarray(borders, dtype=np.int64),
            end=np.asarray(ends, dtype=np.int64),
            first=first,
            n_entries=after - first,
            key_bytes=np.asarray(key_bytes, dtype=np.int64),
        )

    def _payload(
        self, expected: _Expected, seek: int, size: int, count: int
    ) -> tuple[Buffer, int, int]:
        """Payload of one basket, length of its entries, length of its key."""
        record = self._records[seek]
        try:
            object_bytes, key_bytes, border = expected.verified(record, seek, size, count)
            return self._inflate(record[key_bytes:], object_bytes), border, key_bytes
        except (InflationError, struct.error) as error:
            raise self._damaged(expected.name, seek, str(error)) from error

    def _expected(self, branch: Branch) -> _Expected:
        if branch.name not in self._keys:
            self._keys[branch.name] = _Expected(branch, self._tree_title)
        return self._keys[branch.name]

    def _damaged(self, name: str, seek: int, what: str) -> CorruptFileError:
        url = self._source.url
        return CorruptFileError(
            f"{url}: basket of {name} at byte {seek}: {what}",
            url=url,
            remedy="the file is damaged where it was read: read it from another place",
        )


class _Expected:
    """What the keys of a branch's baskets must say.

    Parameters
    ----------
    branch
        The branch.
    tree_title
        Name of the tree.
    """

    def __init__(self, branch: Branch, tree_title: str) -> None:
        self.name = branch.name
        layout = branch.layout
        self._entry_bytes = layout.dtype.itemsize if layout.form is Form.SCALAR else 0
        self._names = b"".join(map(_string, ("TBasket", branch.name, tree_title)))
        names = f"{len(self._names)}s"
        self._small = struct.Struct(_SMALL_FRONT + names + _BACK)
        self._big = struct.Struct(_BIG_FRONT + names + _BACK)

    def verified(
        self, record: memoryview, seek: int, size: int, count: int
    ) -> tuple[int, int, int]:
        """Verify a key; inflated length, length of the key, length of the entries.

        Raises
        ------
        InflationError
            If it says something else.
        UnsupportedError
            If the basket has no entry offsets of its own.
        """
        key = self._big if record[4] << 8 | record[5] > _BIG_KEY else self._small
        (
            n_bytes, _, object_bytes, _, key_bytes, _, own_seek, _, names,
            _, _, _, own_count, last, flag,
        ) = key.unpack_from(record)  # fmt: skip
        if n_bytes != size or own_seek != seek or names != self._names:
            raise InflationError("its key is another one's")
        if key_bytes != key.size or not 0 <= object_bytes <= MAX_BASKET_BYTES:
            raise InflationError("its key has impossible lengths")
        if flag >= _GENERATED_OFFSETS:
            raise UnsupportedError(f"{self.name}: generated entry offsets")
        border = last - key_bytes
        if own_count != count or not 0 <= border <= object_bytes:
            raise InflationError(f"it has {own_count} entries where the tree has {count}")
        if self._entry_bytes:
            if border != count * self._entry_bytes:
                raise InflationError("its entries do not fill it")
        elif object_bytes - border < 4 * (count + 2):
            raise InflationError("its table of entries is cut")
        return object_bytes, key_bytes, border


def _string(text: str) -> bytes:
    encoded = text.encode()
    if len(encoded) < 255:
        return bytes([len(encoded)]) + encoded
    return b"\xff" + len(encoded).to_bytes(4, "big") + encoded
