"""A big-endian buffer as ROOT's ``TBufferFile`` fills it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager

_BYTE_COUNT = 0x40000000
_NEW_CLASS = 0xFFFFFFFF
_CLASS_MASK = 0x80000000
#: ROOT counts object and class positions from 2, so that 0 and 1 stay free.
_MAP_OFFSET = 2

_U32 = struct.Struct(">I")
_COUNT_VERSION = struct.Struct(">IH")
_TOBJECT = struct.Struct(">HII")


class Buffer:
    """Bytes under construction, with references to what they already hold.

    Parameters
    ----------
    displacement
        Length of the key before the buffer: references count from the key's start.
    """

    __slots__ = ("_classes", "_data", "_displacement")

    def __init__(self, displacement: int) -> None:
        self._data = bytearray()
        self._classes: dict[str, int] = {}
        self._displacement = displacement

    def __len__(self) -> int:
        return len(self._data)

    def __bytes__(self) -> bytes:
        return bytes(self._data)

    def append(self, data: bytes) -> None:
        """Append raw bytes."""
        self._data += data

    def pack(self, layout: str, *values: object) -> None:
        """Append ``values`` in big-endian `struct` ``layout``, given without its ``>``."""
        self._data += struct.pack(f">{layout}", *values)

    def string(self, text: str) -> None:
        """Append a ``TString``."""
        self._data += packed_string(text)

    def tobject(self, bits: int = 0, unique_id: int = 0) -> None:
        """Append the ``TObject`` base, which has no byte count."""
        self._data += _TOBJECT.pack(1, unique_id, bits)

    def tnamed(self, name: str, title: str, bits: int = 0) -> None:
        """Append a ``TNamed`` base."""
        with self.versioned(1):
            self.tobject(bits)
            self.string(name)
            self.string(title)

    @contextmanager
    def versioned(self, version: int) -> Iterator[None]:
        """Write the byte count and version before what the block appends."""
        start = len(self._data)
        self._data += b"\0" * 6
        yield
        count = len(self._data) - start - 4
        _COUNT_VERSION.pack_into(self._data, start, count | _BYTE_COUNT, version)

    @contextmanager
    def any_object(self, class_name: str) -> Iterator[int]:
        """Write byte count and class tag before an object reached by pointer.

        Yields
        ------
        int
            The object's reference, for `reference`.
        """
        start = len(self._data)
        self._data += b"\0" * 4
        tag = len(self._data)
        if class_name in self._classes:
            self._data += _U32.pack(self._classes[class_name] | _CLASS_MASK)
        else:
            self._classes[class_name] = tag + self._displacement + _MAP_OFFSET
            self._data += _U32.pack(_NEW_CLASS) + class_name.encode() + b"\0"
        yield start + self._displacement + _MAP_OFFSET
        _U32.pack_into(self._data, start, (len(self._data) - start - 4) | _BYTE_COUNT)

    def reference(self, to: int = 0) -> None:
        """Append a pointer to an object already in the buffer, the null pointer by default."""
        self._data += _U32.pack(to)

    @contextmanager
    def object_array(self, size: int, bits: int = 0) -> Iterator[None]:
        """Write a ``TObjArray`` header before the ``size`` objects that the block appends."""
        with self.versioned(3):
            self.tobject(bits)
            self.string("")
            self.pack("ii", size, 0)
            yield


def packed_string(text: str) -> bytes:
    """Pack a ``TString``: one length byte, or 255 and four bytes from 255 on, then UTF-8."""
    encoded = text.encode()
    if len(encoded) < 255:
        return bytes([len(encoded)]) + encoded
    return b"\xff" + _U32.pack(len(encoded)) + encoded
