"""``http(s)://`` files by byte ranges, a few at a time on kept connections."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import cache

import urllib3

from fourlep.errors import (
    CorruptFileError,
    ForbiddenFileError,
    MissingFileError,
    ReadError,
    TransientReadError,
)
from fourlep.io.transport.source import Range, check_length, check_ranges, lay_end_to_end

#: Ranges of one file that are in flight at a time.
_CONNECTIONS = 8

#: What a server says it answers with, in ASCII digits.
_CONTENT_RANGE = re.compile(r"bytes (?P<first>[0-9]+)-(?P<last>[0-9]+)/(?P<total>[0-9]{1,18})")


class HttpSource:
    """A file behind an HTTP server that answers range requests.

    Parameters
    ----------
    url
        ``http://`` or ``https://``.
    timeout_s
        Deadline in seconds of the opening and of each reading.
    """

    is_remote = True

    def __init__(self, url: str, timeout_s: float) -> None:
        self.url = url
        self.read_bytes = 0
        self.requests = 1
        self._timeout_s = timeout_s
        self._threads: ThreadPoolExecutor | None = None
        self.size = self._ask_size(time.monotonic() + timeout_s)

    def read_ranges(self, ranges: Sequence[Range]) -> list[bytes]:
        """Read ranges, in their order, several at a time."""
        self.read_bytes += check_ranges(ranges, self.size, self.url)
        self.requests += len(ranges)
        deadline = time.monotonic() + self._timeout_s
        if len(ranges) == 1:
            return [self._read(ranges[0], deadline)]
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_CONNECTIONS, thread_name_prefix="http-range")
        waiting = [self._threads.submit(self._read, wanted, deadline) for wanted in ranges]
        try:
            return [future.result(max(0.0, deadline - time.monotonic())) for future in waiting]
        except FutureTimeoutError as error:
            raise self._too_late() from error
        finally:
            for future in waiting:
                future.cancel()

    def read_into(self, ranges: Sequence[Range], room: memoryview) -> None:
        """Read ranges end to end into ``room``."""
        lay_end_to_end(self.read_ranges(ranges), room)

    def close(self) -> None:
        """Let go of the threads; connections stay in the process's pool."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None

    def _ask_size(self, deadline: float) -> int:
        with self._request((0, 1), deadline) as answer:
            found = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
            if answer.status == 416:  # no first byte: the file is empty
                return 0
            if answer.status != 206 or found is None:
                raise TransientReadError(
                    f"{self.url}: the server answers no byte ranges (status {answer.status})",
                    url=self.url,
                    remedy="read it over root://, or fetch the file",
                )
            return int(found["total"])

    def _read(self, wanted: Range, deadline: float) -> bytes:
        if wanted[1] == 0:
            return b""
        with self._request(wanted, deadline) as answer:
            if answer.status != 206:
                raise CorruptFileError(
                    f"{self.url}: status {answer.status} for a range within the file",
                    url=self.url,
                    remedy="the file changed while it was read, or the server is at fault",
                )
            self._check_range(answer, wanted)
            data = self._body(answer, wanted[1] + 1, deadline)  # one more, to notice too long a one
            return check_length(data, wanted[1], self.url)

    def _check_range(self, answer: urllib3.BaseHTTPResponse, wanted: Range) -> None:
        """Refuse another range, or one of another file, than was asked for."""
        stated = answer.headers.get("Content-Range", "")
        found = _CONTENT_RANGE.fullmatch(stated)
        expected = (wanted[0], sum(wanted) - 1, self.size)
        if found is None or tuple(map(int, found.group("first", "last", "total"))) != expected:
            raise CorruptFileError(
                f"{self.url}: the answer is {stated or 'no range'!r}"
                f" where bytes {expected[0]}-{expected[1]}/{expected[2]} were asked for",
                url=self.url,
                remedy="the file changed while it was read, or the server is at fault: read it"
                " from another place",
            )

    def _body(self, answer: urllib3.BaseHTTPResponse, most: int, deadline: float) -> bytes:
        """Read up to ``most`` bytes; a server that trickles is left at the deadline."""
        parts: list[bytes] = []
        missing = most
        try:
            while missing and (part := answer.read1(missing)):
                parts.append(part)
                missing -= len(part)
                if time.monotonic() > deadline:
                    raise self._too_late()
        except urllib3.exceptions.HTTPError as error:
            raise self._lost(error) from error
        return b"".join(parts)

    def _request(self, wanted: Range, deadline: float) -> urllib3.BaseHTTPResponse:
        seconds = deadline - time.monotonic()
        if seconds <= 0.0:
            raise self._too_late()
        offset, length = wanted
        try:
            answer = _pool().request(
                "GET",
                self.url,
                headers={
                    "Range": f"bytes={offset}-{offset + length - 1}",
                    "Accept-Encoding": "identity",
                },
                timeout=urllib3.Timeout(total=seconds),
                retries=urllib3.Retry(total=None, connect=0, read=0, redirect=5, other=0),
                preload_content=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise self._lost(error) from error
        if answer.status >= 400 and answer.status != 416:
            with answer:
                raise self._refused(answer.status)
        return answer

    def _refused(self, status: int) -> ReadError:
        message = f"{self.url}: the server answers with status {status}"
        if status in (404, 410):
            return MissingFileError(message, url=self.url, remedy="ask another place")
        if status in (401, 403):
            return ForbiddenFileError(message, url=self.url, remedy="the server refuses this path")
        return TransientReadError(message, url=self.url, remedy="another try may succeed")

    def _lost(self, error: Exception) -> ReadError:
        return TransientReadError(
            f"{self.url}: {error}", url=self.url, remedy="another try, or route, may succeed"
        )

    def _too_late(self) -> ReadError:
        return TransientReadError(
            f"{self.url}: no answer within {self._timeout_s:g} s",
            url=self.url,
            remedy="another try, or another route, may succeed",
        )


@cache
def _pool() -> urllib3.PoolManager:
    """Kept connections of this process, one pool a host."""
    return urllib3.PoolManager(num_pools=16, maxsize=64)
