"""What runs on Dask workers: batches and their reduction."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from distributed import WorkerPlugin, get_worker

from fourlep.execution.model import Batch, Item, Portion
from fourlep.execution.payload import combine
from fourlep.execution.watchdog import Watchdog


class Readers(WorkerPlugin):
    """Keeps the reading processes of a worker, one for each batch at a time.

    Parameters
    ----------
    name
        Unique to the run.
    job
        A pickled `fourlep.execution.reading.Job`.
    """

    def __init__(self, name: str, job: bytes) -> None:
        self.name = name
        self._job = job

    def setup(self, worker: Any) -> None:  # noqa: ARG002  # the interface
        """Nothing is started before the first batch."""
        self._idle: list[Watchdog] = []
        self._is_over = False
        self._lock = threading.Lock()

    def teardown(self, worker: Any) -> None:  # noqa: ARG002  # the interface
        """End the reading processes; those in use, when they come back."""
        with self._lock:
            self._is_over = True
            while self._idle:
                self._idle.pop().close()

    @contextmanager
    def reader(self) -> Iterator[Watchdog]:
        """Lend a reading process for one batch."""
        with self._lock:
            chosen = self._idle.pop() if self._idle else Watchdog(self._job)
        try:
            yield chosen
        finally:
            with self._lock:
                if self._is_over:
                    chosen.close()
                else:
                    self._idle.append(chosen)


def run_batch(batch: Batch[Item], plugin: str) -> Portion:
    """Work on a batch in a reading process of this worker."""
    readers = cast("Readers", get_worker().plugins[plugin])
    with readers.reader() as reader:
        return reader.run(batch)


def reduce_portions(portions: list[Portion]) -> Portion:
    """Sum what several batches gave."""
    return combine(portions)
