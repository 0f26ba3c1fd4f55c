"""The outside of a ROOT file: its header, and the key of the tree.

Layout as in ROOT's TFile and TKey class documentation. Two requests at most are needed:
the head and the tail of the file together, then the tree's record; one more where the file
was written under a path of hundreds of letters.
"""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass

from fourlep.errors import CorruptFileError
from fourlep.io.lean.unsupported import UnsupportedError
from fourlep.io.transport import ByteSource, read_range

#: From this version of the format on, positions are 64-bit.
_BIG_FILE = 1_000_000
_BIG_KEY = 1000
_HEAD_BYTES = 1024
#: A folder's own record, up to where its keys are.
_FOLDER_BYTES = 42
#: The list of keys is within this of the end of a file that was closed in order.
_TAIL_BYTES = 16_384
#: A list of keys is a few hundred bytes; what claims more is damaged.
_MAX_KEYS_BYTES = 1 << 24
_DAMAGED = "the file is damaged or truncated: fetch it again"


@dataclass(frozen=True, slots=True)
class Key:
    """Where one object of a file is.

    Parameters
    ----------
    class_name, name, title, cycle
        What it is.
    offset, n_bytes
        Its record, the key itself included.
    key_bytes
        Length of the key at the record's beginning.
    object_bytes
        Length of the object when inflated.
    """

    class_name: str
    name: str
    title: str
    cycle: int
    offset: int
    n_bytes: int
    key_bytes: int
    object_bytes: int


@dataclass(frozen=True, slots=True)
class Container:
    """A file's identity and the keys of its top folder."""

    uuid: str
    keys: tuple[Key, ...]

    def tree(self, name: str) -> Key:
        """Look up the key of the tree called ``name``, of the highest cycle.

        Raises
        ------
        UnsupportedError
            If there is none, or it is no TTree.
        """
        found = [key for key in self.keys if key.name == name]
        if not found:
            raise UnsupportedError(f"no {name} in the file")
        newest = max(found, key=lambda key: key.cycle)
        if newest.class_name != "TTree":
            raise UnsupportedError(f"{name} is a {newest.class_name}")
        return newest


def read_container(source: ByteSource) -> Container:
    """Read the header and the top folder's keys.

    Raises
    ------
    UnsupportedError
        If it is no ROOT file, or one of an unknown version.
    CorruptFileError
        If header and folder contradict each other or the length of the file.
    """
    n_head = min(_HEAD_BYTES, source.size)
    tail_begin = max(n_head, source.size - _TAIL_BYTES)
    head, tail = source.read_ranges([(0, n_head), (tail_begin, source.size - tail_begin)])
    if head[:4] != b"root":
        raise UnsupportedError("no ROOT file")
    try:
        identity, folder = _header(head, source)
        seek, n_bytes = _keys_record(_folder_record(head, folder, source))
        if seek == n_bytes == 0:
            raise _unfinished(source)
        if not 0 < n_bytes <= _MAX_KEYS_BYTES:
            raise _damaged(source, "the list of keys has an impossible length")
        if seek >= tail_begin and seek + n_bytes <= source.size:
            record = tail[seek - tail_begin :][:n_bytes]
        else:
            record = read_range(source, seek, n_bytes)
        return Container(identity, _keys(record, source))
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        what = "cut short" if source.size < _HEAD_BYTES else "damaged"
        raise _damaged(source, f"{what}: header or list of keys cannot be read") from error


def read_uuid(source: ByteSource) -> str:
    """Read the file's UUID alone, in one small request.

    Raises
    ------
    UnsupportedError, CorruptFileError
        As `read_container`.
    """
    head = read_range(source, 0, min(_HEAD_BYTES, source.size))
    if head[:4] != b"root":
        raise UnsupportedError("no ROOT file")
    try:
        return _header(head, source)[0]
    except struct.error as error:
        raise _damaged(source, "the header cannot be read") from error


def _header(head: bytes, source: ByteSource) -> tuple[str, int]:
    """UUID, and where the top folder's own record is."""
    version, begin = struct.unpack_from(">ii", head, 4)
    if version >= _BIG_FILE:
        layout = struct.Struct(">qqiiiBiqi2x16s")
    else:
        layout = struct.Struct(">iiiiiBiii2x16s")
    end, _, _, _, n_name, _, _, _, _, identity = layout.unpack_from(head, 12)
    if end > source.size:
        raise _damaged(source, f"cut short: {source.size} of {end} bytes")
    return str(uuid.UUID(bytes=identity)), begin + n_name


def _folder_record(head: bytes, folder: int, source: ByteSource) -> bytes:
    """Read the top folder's record, which is behind the file's own path and title, twice."""
    record = head[folder : folder + _FOLDER_BYTES]
    return record if len(record) == _FOLDER_BYTES else read_range(source, folder, _FOLDER_BYTES)


def _keys_record(folder: bytes) -> tuple[int, int]:
    version, _, _, n_bytes, _ = struct.unpack_from(">hIIii", folder)
    is_big = version > _BIG_KEY
    seeks = struct.unpack_from(">qqq" if is_big else ">iii", folder, 18)
    return seeks[2], n_bytes


def _keys(record: bytes, source: ByteSource) -> tuple[Key, ...]:
    (key_bytes,) = struct.unpack_from(">h", record, 14)
    (count,) = struct.unpack_from(">i", record, key_bytes)
    if not 0 <= count <= len(record) // 20:
        raise _damaged(source, "the number of keys is impossible")
    position = key_bytes + 4
    keys = []
    for _ in range(count):
        key, position = _key(record, position)
        keys.append(key)
    return tuple(keys)


def _key(record: bytes, position: int) -> tuple[Key, int]:
    n_bytes, version, object_bytes, _, key_bytes, cycle = struct.unpack_from(
        ">ihiIhh", record, position
    )
    is_big = version > _BIG_KEY
    (offset,) = struct.unpack_from(">q" if is_big else ">i", record, position + 18)
    position += 34 if is_big else 26
    class_name, position = read_string(record, position)
    name, position = read_string(record, position)
    title, position = read_string(record, position)
    return Key(class_name, name, title, cycle, offset, n_bytes, key_bytes, object_bytes), position


def read_string(record: bytes | memoryview, position: int) -> tuple[str, int]:
    """Read a TString; the string and the position after it.

    ROOT knows no encoding: what is no UTF-8 stands as Python has it in the names of files.
    """
    length = record[position]
    position += 1
    if length == 255:
        (length,) = struct.unpack_from(">i", record, position)
        position += 4
    if length < 0 or position + length > len(record):
        raise IndexError("a string reaches beyond the record")
    text = bytes(record[position : position + length]).decode(errors="surrogateescape")
    return text, position + length


def _unfinished(source: ByteSource) -> CorruptFileError:
    return CorruptFileError(
        f"{source.url}: it was never closed, and has no list of what is in it",
        url=source.url,
        remedy="the job that wrote it ended early: write it again, or open it once with ROOT's"
        " TFile in mode UPDATE, which finds what had been saved",
    )


def _damaged(source: ByteSource, what: str) -> CorruptFileError:
    return CorruptFileError(f"{source.url}: {what}", url=source.url, remedy=_DAMAGED)
