"""Inflation of ROOT's compressed records, with the fastest library for each codec.

A record is a sequence of blocks, each with a header of nine bytes: two letters for the
codec, its method or level, and compressed and inflated lengths (three bytes each, little
end first). What the codec can verify is verified: ZLIB ends with an Adler-32 and LZ4
begins with a XXH64 of the block; LZMA carries a CRC. **ROOT writes ZSTD without a
checksum**, so a flipped bit in a ZSTD block is found by its structure, or not at all.
"""

from __future__ import annotations

import lzma
import struct
import threading
from collections.abc import Callable
from typing import Any

import cramjam
import deflate
import xxhash
import zstandard

from fourlep.io.lean.unsupported import UnsupportedError

Buffer = bytes | bytearray | memoryview
#: Inflates a record, given its inflated length, as `inflate` does.
Inflator = Callable[[memoryview, int], Buffer]

#: Codec, method, compressed and inflated length.
_HEADER = struct.Struct("2sB3s3s")
_OLD_ZLIB = b"CS"
_LZ4_CHECKSUM_BYTES = 8
_LZMA_MEMORY_BYTES = 256 << 20


class InflationError(Exception):
    """A block is not what its header promises."""


def inflate(record: memoryview, n_bytes: int) -> Buffer:
    """Inflate a record.

    Parameters
    ----------
    record
        Its blocks, without the key.
    n_bytes
        Inflated length by the key; a record of that very length is stored as it is.

    Raises
    ------
    InflationError
        If lengths or checksums do not agree.
    UnsupportedError
        If the codec is unknown.
    """
    if len(record) == n_bytes:
        return record
    part, position = _block(record, 0, n_bytes)
    if position == len(record) and len(part) == n_bytes:
        return part
    return _joined(record, n_bytes)


def stated_bytes(record: memoryview) -> int:
    r"""Inflated length of a record by the headers of its blocks, of which nothing is inflated.

    Examples
    --------
    >>> stated_bytes(memoryview(b"ZL\x08\x02\0\0\xe8\x03\0..ZL\x08\x01\0\0\x05\0\0."))
    1005
    """
    position = stated = 0
    while position + _HEADER.size <= len(record):
        *_, compressed, whole = _HEADER.unpack_from(record, position)
        stated += int.from_bytes(whole, "little")
        position += _HEADER.size + int.from_bytes(compressed, "little")
    return stated


def _joined(record: memoryview, n_bytes: int) -> Buffer:
    parts: list[Buffer] = []
    position = inflated = 0
    while position < len(record):
        part, position = _block(record, position, n_bytes - inflated)
        inflated += len(part)
        parts.append(part)
    if inflated != n_bytes:
        raise InflationError(f"{inflated} bytes where {n_bytes} are promised")
    return b"".join(parts)


def _block(record: memoryview, position: int, room: int) -> tuple[Buffer, int]:
    begin = position + _HEADER.size
    if begin > len(record):
        raise InflationError("a block's header is cut")
    codec, _, compressed, whole = _HEADER.unpack_from(record, position)
    n_inflated = int.from_bytes(whole, "little")
    end = begin + int.from_bytes(compressed, "little")
    if end > len(record) or not 0 < n_inflated <= room:
        raise InflationError("a block's lengths do not fit the record")
    inflator = _INFLATORS.get(codec)
    if inflator is None:
        if codec == _OLD_ZLIB:
            raise UnsupportedError("ZLIB blocks as ROOT 3 wrote them")
        raise InflationError(f"{codec!r} is no codec")
    part = inflator(record[begin:end], n_inflated)
    if len(part) != n_inflated:
        raise InflationError(f"a block of {len(part)} bytes where {n_inflated} are promised")
    return part, end


def _zlib(block: memoryview, n_bytes: int) -> Buffer:
    try:
        inflated: bytearray = deflate.zlib_decompress(block, n_bytes)
    except deflate.DeflateError as error:
        raise InflationError(f"ZLIB: {error}") from error
    return inflated


def _zstd(block: memoryview, n_bytes: int) -> Buffer:
    try:
        declared = zstandard.frame_content_size(block)
        if declared not in (-1, n_bytes):  # checked before anything is allocated
            raise InflationError(f"ZSTD: a frame of {declared} bytes where {n_bytes} are promised")
        return _zstd_context().decompress(block, max_output_size=n_bytes)
    except zstandard.ZstdError as error:
        raise InflationError(f"ZSTD: {error}") from error


class _Contexts(threading.local):
    """ZSTD contexts are dear to make and serve one thread at a time."""

    def __init__(self) -> None:
        self.zstd = zstandard.ZstdDecompressor()


_CONTEXTS = _Contexts()


def _zstd_context() -> zstandard.ZstdDecompressor:
    return _CONTEXTS.zstd


def _lz4(block: memoryview, n_bytes: int) -> Buffer:
    expected = int.from_bytes(block[:_LZ4_CHECKSUM_BYTES], "big")
    content = block[_LZ4_CHECKSUM_BYTES:]
    if xxhash.xxh64_intdigest(content) != expected:
        raise InflationError("LZ4: the checksum differs")
    inflated = bytearray(n_bytes)
    try:
        written = cramjam.lz4.decompress_block_into(content, inflated, n_bytes)
    except cramjam.DecompressionError as error:
        raise InflationError(f"LZ4: {error}") from error
    return inflated if written == n_bytes else memoryview(inflated)[:written]


def _lzma(block: memoryview, n_bytes: int) -> Buffer:
    try:
        decompressor = lzma.LZMADecompressor(memlimit=_LZMA_MEMORY_BYTES)
        inflated = decompressor.decompress(block, max_length=n_bytes)
        if not decompressor.eof:  # the stream's index and CRC are behind the last byte
            inflated += decompressor.decompress(b"", max_length=1)
    except lzma.LZMAError as error:
        raise InflationError(f"LZMA: {error}") from error
    if not decompressor.eof:
        raise InflationError("LZMA: the stream does not end")
    return inflated


_INFLATORS: dict[bytes, Callable[[memoryview, int], Any]] = {
    b"ZL": _zlib,
    b"ZS": _zstd,
    b"L4": _lz4,
    b"XZ": _lzma,
}
