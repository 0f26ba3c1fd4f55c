"""What gives batches to work and brings portions back."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Protocol

from fourlep.execution.model import Batch, Item, Portion
from fourlep.execution.reading import BatchReader, Job


@dataclass(frozen=True, slots=True)
class Collected:
    """What came back.

    Parameters
    ----------
    portions
        Sums with reports; each covers one or more batches.
    lost
        Batches to be given out again: their worker or scheduler is gone.
    suspect
        Batches whose worker died too often: to be given out item by item.
    """

    portions: tuple[Portion, ...] = ()
    lost: tuple[Batch[Item], ...] = ()
    suspect: tuple[Batch[Item], ...] = ()


class Backend(Protocol):
    """Works on batches."""

    @property
    def n_workers(self) -> int:
        """Batches that are worked on at once."""
        ...

    @property
    def n_clusters(self) -> int:
        """Clusters used so far."""
        ...

    def submit(self, batch: Batch[Item]) -> None:
        """Take a batch."""
        ...

    def collect(self, timeout_s: float) -> Collected:
        """Give what has come back, waiting at most ``timeout_s`` for something."""
        ...

    def close(self) -> None:
        """Stop."""
        ...


class InlineBackend:
    """Works on batches in threads of this process: no cluster, and no watchdog.

    Parameters
    ----------
    job
        What to do with each item.
    """

    n_workers = 1
    n_clusters = 0

    def __init__(self, job: Job[Any, Any]) -> None:
        self._reader = BatchReader(job)
        self._waiting: deque[Batch[Item]] = deque()

    def submit(self, batch: Batch[Item]) -> None:
        """Take a batch; `collect` works on it."""
        self._waiting.append(batch)

    def collect(self, timeout_s: float) -> Collected:  # noqa: ARG002  # nothing is waited for
        """Work on the oldest batch."""
        if not self._waiting:
            return Collected()
        return Collected(portions=(self._reader.run(self._waiting.popleft()),))

    def close(self) -> None:
        """Nothing to stop."""
