"""Runs a callable over many items, so that nothing is lost whatever is killed."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cloudpickle  # type: ignore[import-untyped]  # it has none

from fourlep.execution.backend import Backend, InlineBackend
from fourlep.execution.dealing import Pace
from fourlep.execution.ledger import open_ledger
from fourlep.execution.model import I, Outcome, Progress, R, Work
from fourlep.execution.reading import Job
from fourlep.execution.retry import RetryPolicy
from fourlep.execution.run import Run
from fourlep.io.routes import Routes

if TYPE_CHECKING:
    from fourlep.execution.clusters import Launcher


def execute(
    items: Sequence[I],
    work: Work[I, R],
    *,
    directory: Path,
    fingerprint: str,
    cluster: str = "local",
    workers: str = "",
    resume: bool = False,
    routes: Routes | None = None,
    retry: RetryPolicy | None = None,
    pace: Pace | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Outcome[R]:
    """Work on every item and sum the results, with a ledger in ``directory``.

    Parameters
    ----------
    items
        What to work on; keys are unique.
    work
        Reads one item at one place (``work(item, url)``) and gives a result that holds it.
        Called in several threads, and for all but ``inline`` in other processes.
    directory
        Takes the ledger, the partial sums and the logs of local workers.
    fingerprint
        Of everything that decides the results; a run is continued with the same only.
    cluster
        ``inline``, ``local``, ``gateway``, ``gateway:NAME`` or a scheduler's address.
    workers
        ``"8"``, or ``"2-64"`` to adapt; one for each core by default.
    resume
        Whether to continue the run in ``directory``.
    routes
        Caches in front of the origin; none by default.
    retry, pace
        Bounds on trying again, and how items are dealt out.
    progress
        Told how far the run is, every few seconds.

    Returns
    -------
    Outcome
        The sum over all completed items, and which are missing. A failed item is no
        exception: what to do about it is the caller's decision.

    Raises
    ------
    OutputError
        If the directory is in use, holds another run, or cannot be written.
    ClusterError
        If no cluster can be had, or it is lost for good.
    ConfigError
        If ``cluster`` or ``workers`` is neither.
    """
    pace = pace or Pace()
    retry = retry or RetryPolicy()
    job = Job(work, routes or Routes(), retry, pace.in_flight)
    open_backend = _backend(job, cluster, workers, directory, pace)
    with open_ledger(directory, items, fingerprint=fingerprint, resume=resume) as ledger:
        run = Run(ledger, open_backend, pace, retry, progress)
        result: R | None = run.result()
        counts = ledger.view().progress()
        return Outcome(
            result=result,
            n_items=counts.n_items,
            n_completed=counts.n_done,
            failed=ledger.view().failed(),
            metrics=run.metrics(),
        )


def check_place(cluster: str, workers: str) -> None:
    """Check what a run would be refused for, before anything is made.

    Raises
    ------
    ConfigError
        If ``cluster`` or ``workers`` is none, as in `execute`.
    """
    if cluster != "inline":
        _launcher(cluster, workers, Path())


def _backend(
    job: Job[I, R], cluster: str, workers: str, directory: Path, pace: Pace
) -> Callable[[], Backend]:
    """Find the backend that the settings mean; wrong settings are errors at once."""
    if cluster == "inline":
        return lambda: InlineBackend(job)
    from fourlep.execution.dask_backend import DaskBackend

    launch = _launcher(cluster, workers, directory)
    return partial(
        DaskBackend, launch, cloudpickle.dumps(job), fan_in=pace.fan_in, flush_s=pace.flush_s
    )


def _launcher(cluster: str, workers: str, directory: Path) -> Launcher:
    from fourlep.execution.clusters import Workers, launcher

    n_cores = len(os.sched_getaffinity(0))
    wanted = Workers.parse(workers) if workers else Workers(n_cores, n_cores)
    return launcher(cluster, wanted, directory)
