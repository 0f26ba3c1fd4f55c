"""``root://`` files through XRootD's own client, with asynchronous vector reads.

Every request is asynchronous and waited for with a deadline of our own, since the
client's time-outs do not cover every hang. The wait releases the interpreter, so that a
worker keeps as many files in flight as it has threads.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

from fourlep.config.environment import prepare_xrootd_client
from fourlep.errors import (
    CorruptFileError,
    ForbiddenFileError,
    MissingFileError,
    ReadError,
    TransientReadError,
)
from fourlep.io.transport.source import Range, check_length, check_ranges, lay_end_to_end

#: Limits of one vector read, the servers' defaults.
_MAX_RANGES = 1024
_MAX_RANGE_BYTES = 2_097_136
#: Bytes of one vector read: small enough that its answer fits well into the deadline.
_MAX_REQUEST_BYTES = 64 << 20

#: Protocol error numbers (XProtocol.hh): not authorised, not found, not a file.
_FORBIDDEN = {3010, 3030}
_MISSING = {3011, 3015, 3016}
_CHECKSUM = {3019}


class XRootDSource:
    """A file behind an XRootD server or cache.

    Parameters
    ----------
    url
        ``root://host:port//path``.
    timeout_s
        Deadline in seconds of the opening and of each reading.
    """

    is_remote = True

    def __init__(self, url: str, timeout_s: float) -> None:
        prepare_xrootd_client()
        import XRootD.client

        self.url = url
        self.read_bytes = 0
        self.requests = 1
        self._timeout_s = timeout_s
        self._file: Any = cast("Any", XRootD.client).File()  # the client has no annotations
        self._is_open = False
        waiting = _Waiting(url, timeout_s)
        waiting.start(lambda done: self._file.open(url, timeout=waiting.seconds, callback=done))
        waiting.results()
        self._is_open = True
        status, answer = self._file.stat(timeout=waiting.seconds)  # known since the opening
        if not status.ok:
            raise _translated(status, url)
        self.size = int(answer.size)

    def read_ranges(self, ranges: Sequence[Range]) -> list[bytes]:
        """Read ranges, in their order, as few vector reads that are in flight together."""
        self.read_bytes += check_ranges(ranges, self.size, self.url)
        pieces = [piece for wanted in ranges for piece in _pieces(wanted)]
        requests = _requests(pieces)
        waiting = _Waiting(self.url, self._timeout_s)
        for request in requests:
            self.requests += 1
            waiting.start(self._reading(request, waiting.seconds))
        parts: list[bytes] = []
        for request, answer in zip(requests, waiting.results(), strict=True):
            parts.extend(self._parts(request, answer))
        return _joined(ranges, parts)

    def _reading(self, request: list[Range], seconds: int) -> Callable[[Any], Any]:
        if len(request) == 1:
            ((offset, length),) = request
            return lambda done: self._file.read(offset, length, timeout=seconds, callback=done)
        return lambda done: self._file.vector_read(request, timeout=seconds, callback=done)

    def _parts(self, request: list[Range], answer: Any) -> list[bytes]:
        if len(request) == 1:
            return [check_length(bytes(answer), request[0][1], self.url)]
        chunks = [] if answer is None else answer.chunks
        if len(chunks) != len(request):
            raise CorruptFileError(
                f"{self.url}: {len(chunks)} ranges came back where {len(request)} were asked for",
                url=self.url,
                remedy="read it from another place",
            )
        return [
            check_length(bytes(chunk.buffer), length, self.url)
            for chunk, (_, length) in zip(chunks, request, strict=True)
        ]

    def read_into(self, ranges: Sequence[Range], room: memoryview) -> None:
        """Read ranges end to end into ``room``."""
        lay_end_to_end(self.read_ranges(ranges), room)

    def close(self) -> None:
        """Close the file without waiting for the server's answer."""
        if self._is_open:
            self._is_open = False
            self._file.close(timeout=1, callback=_ignore)


def _ignore(*_: object) -> None:
    """Answer to a request whose outcome changes nothing."""


class _Waiting:
    """Asynchronous requests, and the wait for all of them."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url = url
        self._deadline = time.monotonic() + timeout_s
        self._timeout_s = timeout_s
        self._answers: list[list[Any]] = []
        self._events: list[threading.Event] = []

    @property
    def seconds(self) -> int:
        """The client's own time-out: whole seconds, at least one."""
        return max(1, int(self._timeout_s))

    def start(self, request: Callable[[Any], Any]) -> None:
        answer: list[Any] = []
        event = threading.Event()

        def done(status: Any, response: Any, _hosts: Any) -> None:
            answer.append((status, response))
            event.set()

        self._answers.append(answer)
        self._events.append(event)
        status = request(done)
        if not status.ok:
            raise _translated(status, self._url)

    def results(self) -> list[Any]:
        for event in self._events:
            if not event.wait(max(0.0, self._deadline - time.monotonic())):
                raise TransientReadError(
                    f"{self._url}: no answer within {self._timeout_s:g} s",
                    url=self._url,
                    remedy="another try, or another route, may succeed",
                )
        for ((status, _),) in self._answers:
            if not status.ok:
                raise _translated(status, self._url)
        return [response for ((_, response),) in self._answers]


def _pieces(wanted: Range) -> list[Range]:
    offset, length = wanted
    return [
        (offset + begin, min(_MAX_RANGE_BYTES, length - begin))
        for begin in range(0, max(length, 1), _MAX_RANGE_BYTES)
        if length > 0
    ]


def _requests(pieces: Sequence[Range]) -> list[list[Range]]:
    requests: list[list[Range]] = []
    size = 0
    for piece in pieces:
        if not requests or len(requests[-1]) == _MAX_RANGES or size + piece[1] > _MAX_REQUEST_BYTES:
            requests.append([])
            size = 0
        requests[-1].append(piece)
        size += piece[1]
    return requests


def _joined(ranges: Sequence[Range], parts: list[bytes]) -> list[bytes]:
    remaining = iter(parts)
    result = []
    for wanted in ranges:
        own = [next(remaining) for _ in _pieces(wanted)]
        result.append(own[0] if len(own) == 1 else b"".join(own))
    return result


def _translated(status: Any, url: str) -> ReadError:
    message = f"{url}: {str(status.message).strip()}"
    if status.errno in _MISSING:
        return MissingFileError(
            message, url=url, remedy="a dead origin behind a cache says this, too: ask elsewhere"
        )
    if status.errno in _FORBIDDEN:
        return ForbiddenFileError(message, url=url, remedy="the server refuses this path")
    if status.errno in _CHECKSUM or status.code in (305, 307):
        return CorruptFileError(message, url=url, remedy="read it from another place")
    return TransientReadError(message, url=url, remedy="another try, or another route, may succeed")
