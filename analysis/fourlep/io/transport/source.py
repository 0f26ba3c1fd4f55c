"""What every transport offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from fourlep.errors import CorruptFileError

#: Offset of the first byte and number of bytes.
Range: TypeAlias = tuple[int, int]


class ByteSource(Protocol):
    """An open file of bytes. One thread at a time may read from it.

    =====================================  ===============================================
    ``source.read_ranges([(0, 4)])``       the first four bytes, ``[b"root"]``
    ``source.read_bytes``                  bytes asked for up to now
    ``source.requests``                    round trips up to now
    =====================================  ===============================================
    """

    @property
    def url(self) -> str:
        """The place that is read."""

    @property
    def size(self) -> int:
        """Length of the file in bytes."""

    @property
    def is_remote(self) -> bool:
        """Whether a request costs a round trip over a network."""

    @property
    def read_bytes(self) -> int:
        """Bytes asked for up to now."""

    @property
    def requests(self) -> int:
        """Requests made up to now, the opening included."""

    def read_ranges(self, ranges: Sequence[Range]) -> list[bytes]:
        """Read ranges, in their order, within the source's deadline.

        Raises
        ------
        CorruptFileError
            If a range reaches beyond the end of the file, or comes back short.
        TransientReadError
            If the deadline passes or the connection is lost.
        """

    def read_into(self, ranges: Sequence[Range], room: memoryview) -> None:
        """Read ranges end to end into ``room``, which is as long as all of them.

        Raises
        ------
        CorruptFileError, TransientReadError
            As `read_ranges`.
        """

    def close(self) -> None:
        """Let go of the file; a second call does nothing."""


def lay_end_to_end(parts: Sequence[bytes], room: memoryview) -> None:
    """Copy parts into ``room``, one after the other."""
    begin = 0
    for part in parts:
        room[begin : begin + len(part)] = part
        begin += len(part)


def read_range(source: ByteSource, offset: int, length: int) -> bytes:
    """Read one range."""
    return source.read_ranges([(offset, length)])[0]


def check_ranges(ranges: Sequence[Range], size: int, url: str) -> int:
    """Check that every range lies within the file.

    Returns
    -------
    int
        Bytes of all ranges.

    Raises
    ------
    CorruptFileError
        If one does not: what pointed there is damaged, or the file is cut.
    """
    total = 0
    for offset, length in ranges:
        if offset < 0 or length < 0 or offset + length > size:
            raise CorruptFileError(
                f"{url}: bytes {offset} to {offset + length} are wanted of a file of {size} bytes",
                url=url,
                remedy="the file is truncated or damaged: fetch it again",
            )
        total += length
    return total


def check_length(data: bytes, length: int, url: str) -> bytes:
    """Return ``data`` if it has ``length`` bytes.

    Raises
    ------
    CorruptFileError
        If it has not: the server or the disk has less than it claims.
    """
    if len(data) != length:
        raise CorruptFileError(
            f"{url}: {len(data)} bytes came back where {length} were asked for",
            url=url,
            remedy="the file is truncated where it is served: read it from another place",
        )
    return data
