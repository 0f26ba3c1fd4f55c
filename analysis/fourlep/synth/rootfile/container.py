"""The file around the records: header, directory, key list, free list.

The header is written last and the file gets its name after that, so that no interrupted
run leaves anything that reads as complete.
"""

from __future__ import annotations

import errno
import hashlib
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from uuid import UUID

from fourlep.errors import OutputError
from fourlep.synth.rootfile.buffer import packed_string
from fourlep.synth.rootfile.codec import Compression

#: ROOT 6.32/02, as the sample that the layout was read from says.
_ROOT_VERSION = 63202
_BEGIN = 100
#: Beyond this, seeks take eight bytes (ROOT's ``kStartBigFile``).
_START_BIG = 2_000_000_000
#: Every record bears one date, 2024-07-01 00:00:00, so that equal input gives equal bytes.
_DATIME = ((2024 - 1995) << 26) | (7 << 22) | (1 << 17)

_STREAMER_KEY = ("TList", "StreamerInfo", "Doubly linked list")

_KEY_SMALL = struct.Struct(">iHiIHHii")
_KEY_BIG = struct.Struct(">iHiIHHqq")
_HEADER_SMALL = struct.Struct(">4siiiiiiiBiiiH16s")
_HEADER_BIG = struct.Struct(">4siiqqiiiBiqiH16s")
_DIRECTORY_SMALL = struct.Struct(">hIIiiiii")
_DIRECTORY_BIG = struct.Struct(">hIIiiqqq")
_BASKET = struct.Struct(">HiiiiB")


@dataclass(frozen=True, slots=True)
class _Key:
    """Header of a record."""

    class_name: str
    name: str
    title: str
    seek: int
    object_bytes: int
    record_bytes: int
    is_big: bool

    def packed(self, parent: int = _BEGIN) -> bytes:
        """Return the key's bytes."""
        layout = _KEY_BIG if self.is_big else _KEY_SMALL
        texts = b"".join(map(packed_string, (self.class_name, self.name, self.title)))
        return (
            layout.pack(
                self.record_bytes,
                1004 if self.is_big else 4,
                self.object_bytes,
                _DATIME,
                layout.size + len(texts),
                1,
                self.seek,
                parent,
            )
            + texts
        )


class RootFile:
    """A ROOT file that appears under its name when it is complete.

    Use as a context manager; an exception inside removes what was written.

    Parameters
    ----------
    path
        Where it will be. What is there is replaced.
    compression
        Of its records.
    title
        Title of the directory.
    is_big
        Whether seeks take eight bytes, which a file beyond 2 GB needs.

    Raises
    ------
    OutputError
        If the place cannot be written, or the disk is full.
    """

    def __init__(
        self,
        path: Path,
        *,
        compression: Compression,
        title: str = "",
        is_big: bool = False,
    ) -> None:
        self.path = path
        self.compression = compression
        self._digest = hashlib.blake2b(digest_size=16)
        self._title = title or path.name
        self._is_big = is_big
        self._keys: list[_Key] = []
        self._partial = path.with_name(f".{path.name}.partial")
        self._file: BinaryIO | None = None
        self._end = 0

    def __enter__(self) -> Self:
        try:
            self._file = self._partial.open("wb")
        except OSError as error:
            raise _output_error(self.path, error) from error
        self._end = _BEGIN + self._directory_bytes()
        self._file.seek(self._end)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        except OSError as failure:
            raise _output_error(self.path, failure) from failure
        finally:
            if self._file is not None:
                self._file.close()
            self._partial.unlink(missing_ok=True)

    def add_object(self, class_name: str, name: str, title: str, body: bytes) -> None:
        """Write an object's record and list it in the directory.

        Parameters
        ----------
        class_name, name, title
            Of the key.
        body
            The streamed object; `object_key_bytes` tells the displacement to stream it with.
        """
        self._keys.append(self._write_record(class_name, name, title, body))

    def object_key_bytes(self, class_name: str, name: str, title: str) -> int:
        """Length of the key that `add_object` writes before an object."""
        return _key_bytes(class_name, name, title, is_big=self._is_big)

    def basket_prefix(self, branch: str, tree: str) -> bytes:
        """Return the part of a basket's key that is the same for each of its branch."""
        return b"".join(map(packed_string, ("TBasket", branch, tree)))

    def add_basket(
        self,
        prefix: bytes,
        body: bytes,
        object_bytes: int,
        *,
        buffer_bytes: int,
        offset_width: int,
        n_entries: int,
        last: int,
    ) -> int:
        """Write a basket and return its seek.

        Parameters
        ----------
        prefix
            From `basket_prefix`.
        body
            Its content, compressed.
        object_bytes
            Length of the content before compression.
        buffer_bytes, offset_width, n_entries, last
            ``fBufferSize``, ``fNevBufSize``, ``fNevBuf`` and ``fLast`` of the basket.
        """
        key_bytes = basket_key_bytes(prefix)
        seek = self._end
        head = _KEY_BIG.pack(
            key_bytes + len(body), 1004, object_bytes, _DATIME, key_bytes, 0, seek, _BEGIN
        )
        tail = _BASKET.pack(3, buffer_bytes, offset_width, n_entries, last, 0)
        record = b"".join((head, prefix, tail, body))
        self._digest.update(record)
        self._write(record)
        return seek

    @property
    def streamer_key_bytes(self) -> int:
        """Length of the key before the class descriptions."""
        return self.object_key_bytes(*_STREAMER_KEY)

    def finish_streamers(self, body: bytes) -> None:
        """Write the list of class descriptions; its place goes into the header."""
        self._streamers = self._write_record(*_STREAMER_KEY, body)

    def _write_record(self, class_name: str, name: str, title: str, body: bytes) -> _Key:
        packed = self.compression.compress(body)
        key_bytes = _key_bytes(class_name, name, title, is_big=self._is_big)
        key = _Key(
            class_name, name, title, self._end, len(body), key_bytes + len(packed), self._is_big
        )
        record = key.packed() + packed
        self._digest.update(record)
        self._write(record)
        return key

    def _write(self, data: bytes) -> None:
        if self._file is None:
            raise ValueError("the file is not open: use it as a context manager")
        if not self._is_big and self._end + len(data) > _START_BIG:
            raise OutputError(
                f"{self.path.name} would pass 2 GB",
                remedy="spread the events over more files",
            )
        try:
            self._file.write(data)
        except OSError as error:
            raise _output_error(self.path, error) from error
        self._end += len(data)

    @property
    def uuid(self) -> UUID:
        """Identify the content, complete when the class descriptions are written.

        Equal records have equal UUIDs (of version 4 by their form).
        """
        return UUID(bytes=self._digest.digest(), version=4)

    def _finish(self) -> None:
        """Write key list, free list, directory and header, then give the file its name."""
        if self._file is None:
            raise ValueError("the file is not open")
        seek_keys = self._end
        name = self.path.name
        listed = struct.pack(">i", len(self._keys)) + b"".join(k.packed() for k in self._keys)
        keys = _Key("TFile", name, self._title, seek_keys, len(listed), 0, self._is_big)
        n_keys_bytes = len(keys.packed()) + len(listed)
        self._write(_with_length(keys, n_keys_bytes).packed() + listed)
        seek_free = self._end
        free_body_bytes = 18 if self._is_big else 10
        free = _Key("TFile", name, self._title, seek_free, free_body_bytes, 0, self._is_big)
        n_free_bytes = len(free.packed()) + free_body_bytes
        end = seek_free + n_free_bytes
        layout, version, last = (
            (">hqq", 1001, end + 1_000_000_000) if self._is_big else (">hii", 1, _START_BIG)
        )
        self._write(
            _with_length(free, n_free_bytes).packed() + struct.pack(layout, version, end, last)
        )
        self._file.seek(_BEGIN)
        self._file.write(self._directory(seek_keys, n_keys_bytes))
        self._file.seek(0)
        self._file.write(self._header(end, seek_free, n_free_bytes))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._partial.replace(self.path)

    def _names(self) -> bytes:
        return packed_string(self.path.name) + packed_string(self._title)

    def _directory_bytes(self) -> int:
        return len(self._directory(0, 0))

    def _directory(self, seek_keys: int, n_keys_bytes: int) -> bytes:
        key_bytes = _key_bytes("TFile", self.path.name, self._title, is_big=self._is_big)
        names = self._names()
        layout, version, pad = (
            (_DIRECTORY_BIG, 1005, b"") if self._is_big else (_DIRECTORY_SMALL, 5, b"\0" * 12)
        )
        name_bytes = key_bytes + len(names)
        body = (
            names
            + layout.pack(version, _DATIME, _DATIME, n_keys_bytes, name_bytes, _BEGIN, 0, seek_keys)
            + struct.pack(">H", 1)
            + self.uuid.bytes
            + pad
        )
        key = _Key(
            "TFile",
            self.path.name,
            self._title,
            _BEGIN,
            len(body),
            key_bytes + len(body),
            self._is_big,
        )
        return key.packed(parent=0) + body

    def _header(self, end: int, seek_free: int, n_free_bytes: int) -> bytes:
        layout = _HEADER_BIG if self._is_big else _HEADER_SMALL
        name_bytes = _key_bytes("TFile", self.path.name, self._title, is_big=self._is_big) + len(
            self._names()
        )
        return layout.pack(
            b"root",
            _ROOT_VERSION + (1_000_000 if self._is_big else 0),
            _BEGIN,
            end,
            seek_free,
            n_free_bytes,
            1,
            name_bytes,
            8 if self._is_big else 4,
            self.compression.code,
            self._streamers.seek,
            self._streamers.record_bytes,
            1,
            self.uuid.bytes,
        )


def basket_key_bytes(prefix: bytes) -> int:
    """Length of a basket's key, which entry offsets count from."""
    return _KEY_BIG.size + len(prefix) + _BASKET.size


def _key_bytes(class_name: str, name: str, title: str, *, is_big: bool) -> int:
    fixed = (_KEY_BIG if is_big else _KEY_SMALL).size
    return fixed + sum(len(packed_string(text)) for text in (class_name, name, title))


def _with_length(key: _Key, record_bytes: int) -> _Key:
    return _Key(
        key.class_name,
        key.name,
        key.title,
        key.seek,
        key.object_bytes,
        record_bytes,
        key.is_big,
    )


def _output_error(path: Path, error: OSError) -> OutputError:
    remedy = (
        "free some space, or choose another --output"
        if error.errno in (errno.ENOSPC, errno.EDQUOT)
        else "choose a place that can be written"
    )
    return OutputError(f"cannot write {path}: {error.strerror or error}", remedy=remedy)
