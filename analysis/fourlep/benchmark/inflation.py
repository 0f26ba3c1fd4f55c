"""The limit: nothing but inflating the blocks that a reader inflates."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import deflate
import zstandard

from fourlep.io.lean.inflate import Buffer, inflate

#: Length of a block's header, in front of what the codec wrote.
_HEADER_BYTES = 9


@dataclass(frozen=True, slots=True)
class Blocks:
    """Compressed baskets, and how long they are when inflated."""

    records: list[tuple[bytes, int]] = field(default_factory=list)

    def inflate_s(self) -> float:
        """CPU seconds of inflating all of them with the libraries that the reader uses."""
        zstd = zstandard.ZstdDecompressor()
        zlib_blocks = [(r[_HEADER_BYTES:], n) for r, n in self.records if r[:2] == b"ZL"]
        zstd_blocks = [(r[_HEADER_BYTES:], n) for r, n in self.records if r[:2] == b"ZS"]
        begun = time.process_time()
        for block, n_bytes in zlib_blocks:
            deflate.zlib_decompress(block, n_bytes)
        for block, n_bytes in zstd_blocks:
            zstd.decompress(block, max_output_size=n_bytes)
        return time.process_time() - begun

    def watch(self, record: memoryview, n_bytes: int) -> Buffer:
        """Inflate a record as the reader does, and keep it."""
        if len(record) != n_bytes:
            self.records.append((bytes(record), n_bytes))
        return inflate(record, n_bytes)
