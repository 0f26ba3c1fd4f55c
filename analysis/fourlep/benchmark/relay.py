"""A relay that delays: what a distant server is like, on the loopback."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from types import TracebackType
from typing import Self

_CHUNK_BYTES = 1 << 18


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
        self._target = port
        self._delay_s = round_trip_s / 2.0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.port = 0

    async def _serve(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # the relay stops
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
            await asyncio.gather(
                self._pass(reader, back), self._pass(there, writer), return_exceptions=True
            )

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Write what comes in after the delay, and close after the last of it."""
        while data := await source.read(_CHUNK_BYTES):
            self._loop.call_later(self._delay_s, sink.write, data)
        self._loop.call_later(self._delay_s, sink.close)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(10.0)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10.0)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10.0)
        self._loop.close()
