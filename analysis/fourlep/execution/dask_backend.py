"""Batches on a Dask cluster: submitted one by one, reduced on the workers.

The client holds a bounded number of futures and never a graph. Sums of finished batches
stay on their workers until ``fan_in`` of them, or the oldest for ``flush_s``, are added up
there; only the sum of those comes to the client. When the scheduler, or the way to it, is
lost, everything under way is handed back to be given out again, on a new connection or a
new cluster.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import queue
import time
from collections.abc import Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from distributed import Client
from distributed.scheduler import KilledWorker

from fourlep.errors import ClusterError, FourlepError
from fourlep.execution.backend import Collected
from fourlep.execution.clusters import CONNECT_TIMEOUT_S, Cluster, Launcher
from fourlep.execution.model import Batch, Item, Portion
from fourlep.execution.tasks import Readers, reduce_portions, run_batch

#: Clusters or connections lost in a row, nothing having come back between them.
_PATIENCE = 3

#: Seconds between looks at the health of the cluster.
_LOOK_S = 1.0

#: Seconds after which a scheduler that keeps its connection and says nothing is lost: it is
#: stopped, or its machine is.
_ANSWER_S = 60.0

#: Likewise where nothing but tidiness depends on the answer.
_FAREWELL_S = 5.0


@dataclass(frozen=True, slots=True)
class _Task:
    """One batch, or a reduction of several, on the cluster."""

    future: Any
    batches: tuple[Batch[Item], ...]
    is_reduction: bool
    finished_at: float = 0.0


@dataclass(frozen=True, slots=True)
class _Connection:
    """A cluster with a client of its scheduler."""

    cluster: Cluster
    client: Client

    def is_alive(self) -> bool:
        return self.client.status == "running" and self.cluster.is_alive()

    def n_workers(self) -> int:
        """Batches that can run at once: what there is, or is still to come.

        Raises
        ------
        ClusterError
            If the scheduler does not answer.
        """
        try:
            found = self._asked("identity", _ANSWER_S, n_workers=-1)
        except (OSError, TimeoutError, RuntimeError) as error:
            raise ClusterError(
                f"the scheduler does not answer: {type(error).__name__} {error}".rstrip(),
                remedy="check that it runs; --resume continues the run",
            ) from error
        n_threads: int = sum(worker["nthreads"] for worker in found["workers"].values())
        return max(1, self.cluster.expected, n_threads)

    def dismiss(self, plugin: str) -> None:
        """End the reading processes: workers that are not ours live on."""
        if self.is_alive():
            with contextlib.suppress(OSError, TimeoutError, RuntimeError):
                self._asked("unregister_worker_plugin", _FAREWELL_S, name=plugin)

    def _asked(self, operation: str, timeout_s: float, **arguments: Any) -> Any:
        """Ask the scheduler; the client's own methods would wait for ever."""
        if self.client.scheduler is None:
            raise OSError("the client is closed")
        return self.client.sync(  # type: ignore[no-untyped-call]  # distributed
            getattr(self.client.scheduler, operation), callback_timeout=timeout_s, **arguments
        )

    def drop(self) -> None:
        """Close the client; one that lost its scheduler may complain."""
        with contextlib.suppress(OSError, TimeoutError, RuntimeError):
            self.client.close(timeout=3)  # type: ignore[no-untyped-call]  # distributed


class DaskBackend:
    """Works on batches on a cluster.

    Parameters
    ----------
    launch
        Gives a cluster; called again when one is lost.
    job
        A pickled `fourlep.execution.reading.Job`.
    fan_in
        Batches that one reduction adds.
    flush_s
        Seconds after which fewer are added as well.

    Raises
    ------
    ClusterError
        If no cluster can be had.
    """

    def __init__(
        self, launch: Launcher, job: bytes, *, fan_in: int = 16, flush_s: float = 10.0
    ) -> None:
        for name in ("distributed.client", "distributed.batched"):
            # Losses are dealt with here; dask would print a traceback for each.
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._launch = launch
        self._job = job
        self._fan_in = fan_in
        self._flush_s = flush_s
        self._name = f"fourlep-{uuid4().hex[:12]}"
        self._numbers = itertools.count()
        self._events: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._running: dict[str, _Task] = {}
        self._finished: dict[str, _Task] = {}
        self._losses = 0
        self._looked_at = 0.0
        self.n_clusters = 0
        self.n_workers = 1
        self._connection = self._opened()

    def submit(self, batch: Batch[Item]) -> None:
        """Give a batch to the cluster."""
        self._run((batch,), run_batch, batch, self._name)

    def collect(self, timeout_s: float) -> Collected:
        """Portions reduced since the last call, and batches that were lost.

        Raises
        ------
        ClusterError
            If no cluster can be had any more.
        FourlepError
            If a task failed other than by an item.
        """
        portions: list[Portion] = []
        suspect: list[Batch[Item]] = []
        for key in self._finished_keys(timeout_s):
            task = self._running.pop(key, None)
            if task is None:
                continue  # of a cluster that is gone
            if task.future.status == "finished":
                portions += self._advance(key, task)
            elif task.future.status == "error":
                suspect += _suspects(task)
            else:
                self._running[key] = task  # cancelled: the look below sees the loss
                self._looked_at = 0.0
        lost = () if self._is_healthy() else self._renew()
        self._reduce()
        if portions:
            self._losses = 0
        return Collected(tuple(portions), tuple(lost), tuple(suspect))

    def close(self) -> None:
        """Give everything up, and the cluster back."""
        for task in (*self._running.values(), *self._finished.values()):
            task.future.release()
        self._running.clear()
        self._finished.clear()
        self._connection.dismiss(self._name)
        self._connection.drop()
        self._connection.cluster.close()

    def _run(self, batches: tuple[Batch[Item], ...], function: Any, *arguments: Any) -> None:
        is_reduction = function is reduce_portions
        key = f"{function.__name__}-{self._name}-{next(self._numbers)}"
        future = self._connection.client.submit(
            function, *arguments, key=key, pure=False, priority=10 if is_reduction else 0
        )
        self._running[key] = _Task(future, batches, is_reduction)
        future.add_done_callback(lambda done: self._events.put(done.key))  # type: ignore[no-untyped-call]  # distributed

    def _finished_keys(self, timeout_s: float) -> list[str]:
        keys: list[str] = []
        with contextlib.suppress(queue.Empty):
            keys.append(self._events.get(timeout=timeout_s))
            while True:
                keys.append(self._events.get_nowait())
        return keys

    def _advance(self, key: str, task: _Task) -> list[Portion]:
        """Keep a finished batch for its reduction, or fetch a finished reduction."""
        if not task.is_reduction:
            self._finished[key] = _Task(task.future, task.batches, False, time.monotonic())
            return []
        try:
            portion: Portion = task.future.result(timeout=CONNECT_TIMEOUT_S)
        except (CancelledError, TimeoutError, OSError, RuntimeError):
            self._running[key] = task
            self._looked_at = 0.0
            return []
        task.future.release()
        return [portion]

    def _reduce(self) -> None:
        """Add up finished batches: enough of them, old ones, or the last."""
        while self._finished:
            ready = list(self._finished.items())[: self._fan_in]
            is_old = time.monotonic() - ready[0][1].finished_at > self._flush_s
            is_last = not any(not task.is_reduction for task in self._running.values())
            if not (len(ready) == self._fan_in or is_old or is_last):
                return
            batches = tuple(batch for _, task in ready for batch in task.batches)
            self._run(batches, reduce_portions, [task.future for _, task in ready])
            for key, _ in ready:
                del self._finished[key]

    def _is_healthy(self) -> bool:
        now = time.monotonic()
        if now - self._looked_at < _LOOK_S:
            return True
        self._looked_at = now
        tasks = (*self._running.values(), *self._finished.values())
        if any(task.future.status in {"cancelled", "lost"} for task in tasks):
            return False
        if not self._connection.is_alive():
            return False
        try:
            self.n_workers = self._connection.n_workers()
        except ClusterError:
            return False
        return True

    def _renew(self) -> Sequence[Batch[Item]]:
        """Get a new connection, or a new cluster; everything under way is lost."""
        lost = [
            batch
            for task in (*self._running.values(), *self._finished.values())
            for batch in task.batches
        ]
        self._running.clear()
        self._finished.clear()
        self._losses += 1
        if self._losses > _PATIENCE:
            raise ClusterError(
                f"the cluster was lost {self._losses} times and nothing came back in between",
                remedy="see its logs; --resume continues the run",
            )
        self._connection.drop()
        cluster = self._connection.cluster
        if cluster.is_alive():
            with contextlib.suppress(ClusterError):
                self._connection = self._connected(cluster)
                return lost
        cluster.close()
        self._connection = self._reopened()
        return lost

    def _reopened(self) -> _Connection:
        """Ask for a new cluster patiently: what ran the last one may be restarting."""
        for attempt in itertools.count(1):
            try:
                return self._opened()
            except ClusterError:
                if attempt == _PATIENCE:
                    raise
            time.sleep(2.0**attempt)
        raise AssertionError  # itertools.count does not end

    def _opened(self) -> _Connection:
        cluster = self._launch()
        self.n_clusters += 1
        try:
            return self._connected(cluster)
        except ClusterError:
            cluster.close()
            raise

    def _connected(self, cluster: Cluster) -> _Connection:
        client = cluster.connect()
        client.register_plugin(Readers(self._name, self._job))
        connection = _Connection(cluster, client)
        self.n_workers = connection.n_workers()
        return connection


def _suspects(task: _Task) -> tuple[Batch[Item], ...]:
    """Batches whose workers died; any other error of a task ends the run."""
    error = task.future.exception()
    if isinstance(error, KilledWorker):
        return task.batches
    if isinstance(error, FourlepError):
        raise error
    raise ClusterError(
        f"a task failed on its worker: {type(error).__name__}: {error}",
        remedy="the environments of client and workers must be the same; see the worker's log",
    ) from error
