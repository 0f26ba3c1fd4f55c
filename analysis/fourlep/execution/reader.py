"""The reading process: ``python -m fourlep.execution.reader FD``.

Runs batches that come down a pipe, reports every read that begins and ends, and so can be
watched, and killed, from outside (`fourlep.execution.watchdog`). It ends with its parent:
when the pipe closes, however the parent went. A read that hangs while holding the
interpreter's lock would not see that; a timer of the kernel ends it.
"""

from __future__ import annotations

import contextlib
import math
import os
import pickle
import signal
import sys
import threading
import traceback
from multiprocessing.connection import Connection
from typing import Any

from fourlep.execution.messages import Began, Broken, Message, Ready
from fourlep.execution.model import Batch, Item
from fourlep.execution.reading import BatchReader, Job

#: Seconds that the kernel's timer leaves to the watchdog, and to finishing a batch.
_GRACE_S = 660.0


class _Link:
    """The pipe to the parent, written by several threads."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        if isinstance(message, Began):
            signal.alarm(math.ceil(message.limit_s + _GRACE_S))
        # A parent that has gone is noticed by the reading side of the pipe.
        with self._lock, contextlib.suppress(OSError):
            self._pipe.send(message)

    def run(self, reader: BatchReader[Item, Any], batch: Batch[Item]) -> None:
        try:
            answer: Message = reader.run(batch)
        except Exception:  # noqa: BLE001  # told to the parent, which raises it there
            answer = Broken(traceback.format_exc())
        signal.alarm(0)
        self.send(answer)


def serve(pipe: Connection) -> None:
    """Take a job, then batches, until the pipe closes; never returns."""
    link = _Link(pipe)
    with contextlib.suppress(EOFError, OSError):
        job: Job[Item, Any] = pickle.loads(pipe.recv_bytes())  # noqa: S301  # of our parent
        reader = BatchReader(job, link.send)
        link.send(Ready())
        while True:
            batch = pipe.recv()
            threading.Thread(target=link.run, args=(reader, batch), daemon=True).start()
    os._exit(0)  # threads may hang in C code: nothing is waited for


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
