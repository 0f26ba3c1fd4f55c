"""ROOT's compression blocks: a nine-byte header, then one codec's bytes.

A block holds at most 0xffffff bytes before compression; a record that does not shrink
is stored as it is, which a reader sees by its lengths.
"""

from __future__ import annotations

import lzma
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

from fourlep.errors import ConfigError

Codec = Literal["zlib", "zstd", "lz4", "lzma", "none"]
CODECS: tuple[Codec, ...] = get_args(Codec)

_MAX_BLOCK = 0xFFFFFF
#: ROOT's algorithm numbers (Compression.h) and the block magics with method byte.
_NUMBER: dict[Codec, int] = {"zlib": 1, "lzma": 2, "lz4": 4, "zstd": 5, "none": 0}
_MAGIC: dict[Codec, bytes] = {
    "zlib": b"ZL\x08",
    "lzma": b"XZ\x00",
    "lz4": b"L4\x01",
    "zstd": b"ZS\x01",
}


@dataclass(frozen=True, slots=True)
class Compression:
    """Codec and level of a file's records.

    Parameters
    ----------
    codec
        One of `CODECS`; "none" stores.
    level
        1 (fastest) to 9.

    Raises
    ------
    ConfigError
        For an unknown codec or a level out of range.
    """

    codec: Codec = "zlib"
    level: int = 1

    def __post_init__(self) -> None:
        if self.codec not in CODECS:
            raise ConfigError(
                f"unknown compression {self.codec!r}",
                remedy=f"choose one of {', '.join(CODECS)}",
            )
        if not 1 <= self.level <= 9:
            raise ConfigError(
                f"compression level {self.level} is out of range", remedy="choose 1 to 9"
            )

    @property
    def code(self) -> int:
        """``fCompress``: 100 times the algorithm plus the level, 0 for none."""
        return 0 if self.codec == "none" else 100 * _NUMBER[self.codec] + self.level

    def compress(self, data: bytes) -> bytes:
        """Return ``data`` in ROOT's blocks, or as it is where that is not longer."""
        if self.codec == "none" or not data:
            return data
        packed = b"".join(
            self._block(data[start : start + _MAX_BLOCK])
            for start in range(0, len(data), _MAX_BLOCK)
        )
        return packed if len(packed) < len(data) else data

    def _block(self, data: bytes) -> bytes:
        body = _deflated(self.codec, self.level, data)
        lengths = len(body).to_bytes(3, "little") + len(data).to_bytes(3, "little")
        return _MAGIC[self.codec] + lengths + body


def _deflated(codec: Codec, level: int, data: bytes) -> bytes:
    if codec == "zlib":
        import deflate

        return bytes(deflate.zlib_compress(data, level))
    if codec == "zstd":
        return bytes(_zstd(level).compress(data))
    if codec == "lzma":
        return lzma.compress(data, format=lzma.FORMAT_XZ, preset=level)
    import cramjam
    import xxhash

    body = bytes(cramjam.lz4.compress_block(data, store_size=False))
    return xxhash.xxh64(body).digest() + body


@cache
def _zstd(level: int) -> Any:
    import zstandard

    return zstandard.ZstdCompressor(level=level)
