"""Files of this machine's file systems."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from fourlep.errors import ForbiddenFileError, MissingFileError, ReadError, TransientReadError
from fourlep.io.transport.source import Range, check_length, check_ranges


class LocalSource:
    """A local file, read with ``pread``: no shared position, no buffer between.

    Parameters
    ----------
    path
        The file.
    url
        What to call it in messages.
    """

    is_remote = False

    def __init__(self, path: Path, *, url: str = "") -> None:
        self.url = url or str(path)
        self.read_bytes = 0
        self.requests = 1
        self._descriptor = -1
        try:
            # Without O_NONBLOCK, opening a pipe that nobody writes to never ends.
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            found = os.fstat(self._descriptor)
            self.size = found.st_size
            os.pread(self._descriptor, 1, 0)  # a directory opens, and fails to be read
        except ValueError as error:  # a zero byte in the path
            raise _no_such_file(self.url) from error
        except OSError as error:
            self.close()
            raise _translated(error, self.url) from error
        if not stat.S_ISREG(found.st_mode):
            self.close()
            raise _no_file(self.url)

    def read_ranges(self, ranges: Sequence[Range]) -> list[bytes]:
        """Read ranges, in their order."""
        self.read_bytes += check_ranges(ranges, self.size, self.url)
        self.requests += len(ranges)
        try:
            return [self._read(offset, length) for offset, length in ranges]
        except OSError as error:
            raise _translated(error, self.url) from error

    def read_into(self, ranges: Sequence[Range], room: memoryview) -> None:
        """Read ranges end to end into ``room``."""
        self.read_bytes += check_ranges(ranges, self.size, self.url)
        self.requests += len(ranges)
        begin = 0
        try:
            for offset, length in ranges:
                end = begin + length
                if os.preadv(self._descriptor, [room[begin:end]], offset) != length:
                    room[begin:end] = self._read(offset, length)
                begin = end
        except OSError as error:
            raise _translated(error, self.url) from error

    def _read(self, offset: int, length: int) -> bytes:
        data = os.pread(self._descriptor, length, offset)
        while 0 < len(data) < length:  # a signal, or more than the kernel reads at once
            more = os.pread(self._descriptor, length - len(data), offset + len(data))
            if not more:
                break
            data += more
        return check_length(data, length, self.url)

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _no_such_file(url: str) -> MissingFileError:
    return MissingFileError(f"{url}: no such file", url=url, remedy="check the path")


def _no_file(url: str) -> MissingFileError:
    return MissingFileError(
        f"{url}: is a pipe or a device, which cannot be read from any place",
        url=url,
        remedy="write what comes out of it into a file, and name that",
    )


def _translated(error: OSError, url: str) -> ReadError:
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return _no_such_file(url)
        case OSError(errno=errno.ELOOP | errno.ENAMETOOLONG):
            return MissingFileError(f"{url}: {error.strerror}", url=url, remedy="check the path")
        case OSError(errno=errno.ESPIPE):
            return _no_file(url)
        case IsADirectoryError():
            return MissingFileError(
                f"{url}: is a folder, not a file", url=url, remedy="name a file"
            )
        case PermissionError():
            return ForbiddenFileError(
                f"{url}: reading is not permitted", url=url, remedy="ask for read permission"
            )
        case _:
            return TransientReadError(
                f"{url}: {error.strerror or error}", url=url, remedy="try again"
            )
