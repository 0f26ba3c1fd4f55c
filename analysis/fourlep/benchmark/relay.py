"""A relay that delays: what a distant server is like, on the loopback.

It runs in a process of its own, as the distance does: in the reader's it would take the
interpreter's lock for every piece that it delays, and be measured with the reader.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from types import TracebackType
from typing import Self

_CHUNK_BYTES = 1 << 18
_END_S = 10.0


class DelayingRelay:
    """Passes connections on to a port of 127.0.0.1, each byte late by half a round trip.

    The bandwidth is not bounded: bytes are delayed, not slowed down. A context manager.

    Parameters
    ----------
    port
        Where the server listens.
    round_trip_s
        Seconds that a request and its answer take longer.
    """

    def __init__(self, port: int, round_trip_s: float) -> None:
        self._command = [sys.executable, "-m", __name__, str(port), str(round_trip_s)]
        self.port = 0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if self._process.stdout is None or not (told := self._process.stdout.readline()):
            self._process.kill()
            raise RuntimeError(f"the relay ended with {self._process.wait()}")
        self.port = int(told)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._process.communicate(timeout=_END_S)  # closes its input, which ends it
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()


async def _relay(target: int, round_trip_s: float) -> None:
    """Serve, and tell the port, until the standard input ends."""
    delay_s = round_trip_s / 2.0
    loop = asyncio.get_running_loop()

    async def pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Write what comes in after the delay, and close after the last of it."""
        while data := await source.read(_CHUNK_BYTES):
            loop.call_later(delay_s, sink.write, data)
        loop.call_later(delay_s, sink.close)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # the relay stops
            there, back = await asyncio.open_connection("127.0.0.1", target)
            await asyncio.gather(
                pass_on(reader, back), pass_on(there, writer), return_exceptions=True
            )

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_relay(int(sys.argv[1]), float(sys.argv[2])))
