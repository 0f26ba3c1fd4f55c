"""Lets uproot read through fourlep's own transports.

One set of transports means one set of deadlines, byte counts and error messages, whichever
reader is used.
"""

from __future__ import annotations

import queue
import struct
from types import TracebackType
from typing import Any, Self

from uproot.source.chunk import Chunk, Source
from uproot.source.futures import TrivialFuture

from fourlep.errors import CorruptFileError
from fourlep.io.transport import open_source, read_range
from fourlep.io.transport.source import Range

#: How every ROOT file begins, and the least that uproot reads of it: a whole ROOT file
#: is never smaller.
_MAGIC = b"root"
_HEADER_BYTES = 403
#: From this on versions mean that positions have eight bytes.
_BIG_VERSION = 1_000_000


class TransportSource(Source):  # type: ignore[misc]  # uproot has no annotations
    """An uproot source over `fourlep.io.transport`; give it to uproot as ``handler``.

    Parameters
    ----------
    file_path
        Path or URL.
    options
        uproot's; ``timeout`` is the deadline of each request in seconds.
    """

    def __init__(self, file_path: str, **options: Any) -> None:
        super().__init__()
        self._file_path = file_path
        self._bytes = open_source(file_path, timeout_s=float(options["timeout"]))
        self._num_bytes = self._bytes.size
        self._is_closed = False

    @property
    def closed(self) -> bool:
        """Whether the file was closed."""
        return self._is_closed

    @property
    def num_requested_bytes(self) -> int:
        """Bytes asked of the transport up to now."""
        return self._bytes.read_bytes

    @property
    def num_requests(self) -> int:
        """Round trips up to now."""
        return self._bytes.requests

    def chunk(self, start: int, stop: int) -> Chunk:
        """Read a range; what lies beyond the end of the file is left out."""
        offset, length = self._within(start, stop)
        try:
            data = read_range(self._bytes, offset, length)
            if start == 0:
                self._check_head(data)
        except BaseException:
            self.close()
            raise
        return self._filled(start, stop, data)

    def chunks(
        self, ranges: list[tuple[int, int]], notifications: queue.Queue[Chunk]
    ) -> list[Chunk]:
        """Read ranges in one request where the transport can, and announce each."""
        wanted = [self._within(start, stop) for start, stop in ranges]
        parts = self._bytes.read_ranges(wanted)
        chunks = [
            self._filled(start, stop, part)
            for (start, stop), part in zip(ranges, parts, strict=True)
        ]
        for chunk in chunks:
            notifications.put(chunk)
        return chunks

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_closed = True
        self._bytes.close()

    def _within(self, start: int, stop: int) -> Range:
        offset = min(start, self._bytes.size)
        return offset, max(0, min(stop, self._bytes.size) - offset)

    def _check_head(self, data: bytes) -> None:
        if data[:4] != _MAGIC:
            found = f"it begins with {data[:8]!r}" if data else "it is empty"
            raise CorruptFileError(
                f"{self._file_path}: not a ROOT file: {found}",
                url=self._file_path,
                remedy="name a ROOT file; an error page saved as one looks like this, too",
            )
        claimed = _claimed_bytes(data) if len(data) >= _HEADER_BYTES else _HEADER_BYTES
        if self._bytes.size < claimed:
            raise CorruptFileError(
                f"{self._file_path}: cut short: {self._bytes.size} of {claimed} bytes",
                url=self._file_path,
                remedy="fetch the file again",
            )

    def _filled(self, start: int, stop: int, data: bytes) -> Chunk:
        self._num_requested_chunks += 1
        return Chunk(self, start, stop, TrivialFuture(data))


def _claimed_bytes(header: bytes) -> int:
    """Length of the file by its own header (fEND, after fVersion and fBEGIN)."""
    version, _, small_end = struct.unpack(">iii", header[4:16])
    if version < _BIG_VERSION:
        return int(small_end)
    return int(struct.unpack(">q", header[12:20])[0])
