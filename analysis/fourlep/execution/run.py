"""One session of a run: batches out, portions into the ledger, the sum at the end."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from fourlep.errors import FourlepError, OutputError
from fourlep.execution.backend import Backend, Collected
from fourlep.execution.dealing import Dealer, Pace
from fourlep.execution.ledger import Ledger
from fourlep.execution.model import Batch, Failure, Item, ItemReport, Metrics, Portion, Progress
from fourlep.execution.payload import add_all, unpack
from fourlep.execution.retry import RetryPolicy

#: Seconds between two samples of the progress, and longest wait for a portion.
_SAMPLE_S = 2.0
_WAIT_S = 0.5

#: Times that damaged partial sums are made again before the disk is to blame.
_REPAIRS = 3


class Run:
    """One session.

    Parameters
    ----------
    ledger
        Open for writing.
    open_backend
        Called when there is something to work on.
    pace, policy
        As in `fourlep.execution.execute`.
    progress
        Told how far the run is.
    """

    def __init__(
        self,
        ledger: Ledger,
        open_backend: Callable[[], Backend],
        pace: Pace,
        policy: RetryPolicy,
        progress: Callable[[Progress], None],
    ) -> None:
        self._ledger = ledger
        self._open_backend = open_backend
        self._pace = pace
        self._policy = policy
        self._tell = progress
        self._started = time.monotonic()
        self._sampled_at = self._started
        self._progress = ledger.view().progress()
        self._metrics = Metrics(0.0, 0.0, 0, 0, 0, 0)

    def result(self) -> Any:
        """Work on everything pending, then sum everything done; None for nothing.

        Raises
        ------
        OutputError
            If partial sums are damaged again and again.
        """
        for _ in range(_REPAIRS):
            self._progress = self._ledger.view().progress(self._elapsed_s())
            self._work()
            damaged: list[int] = []
            total = add_all(self._partial_sums(damaged))
            if not damaged:
                return total
            del total
            for number in damaged:
                self._ledger.discard(number)
        raise OutputError(
            "partial sums are damaged again and again",
            remedy="check the disk under the output directory; begin anew on another",
        )

    def metrics(self) -> Metrics:
        """Sum up what the session took so far."""
        view = self._ledger.view()
        return replace(
            self._metrics,
            elapsed_s=self._elapsed_s(),
            peak_client_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            traffic=view.traffic(),
            samples=view.samples(),
        )

    def _work(self) -> None:
        dealer = Dealer(self._ledger, self._pace, self._policy)
        if dealer.is_empty():
            return
        backend = self._open_backend()
        try:
            while dealer.n_out or not dealer.is_empty():
                self._give_out(dealer, backend)
                self._take_in(dealer, backend.collect(min(_WAIT_S, dealer.wait_s())))
                self._sample()
            self._sample(is_last=True)
        finally:
            self._metrics = replace(
                self._metrics,
                n_workers=backend.n_workers,
                n_clusters=self._metrics.n_clusters + backend.n_clusters,
            )
            backend.close()

    def _give_out(self, dealer: Dealer, backend: Backend) -> None:
        while dealer.n_out < backend.n_workers * self._pace.ahead:
            n_pending = self._progress.n_items - self._progress.n_done - self._progress.n_failed
            batch = dealer.next_batch(backend.n_workers, n_pending)
            if batch is None:
                return
            backend.submit(batch)

    def _take_in(self, dealer: Dealer, collected: Collected) -> None:
        for portion in collected.portions:
            self._enter(dealer, portion)
        for batch in collected.lost:
            dealer.give_again(batch)
        for batch in collected.suspect:
            if len(batch.items) == 1:
                self._enter(dealer, _deadly(batch))
            else:
                dealer.give_again(batch, singly=True)
        n_lost = len(collected.lost) + len(collected.suspect)
        self._metrics = replace(self._metrics, n_lost_batches=self._metrics.n_lost_batches + n_lost)

    def _enter(self, dealer: Dealer, portion: Portion) -> None:
        batches = [dealer.take_back(number) for number in portion.batches]
        items = {item.key: item for batch in batches if batch for item in batch.items}
        if len(items) != len(portion.reports) or None in batches:
            raise FourlepError(
                f"batches {portion.batches} came back twice or not whole",
                remedy="this is an error of the program: please report it",
            )
        again = frozenset(
            report.key
            for report in portion.reports
            if report.failure is not None
            and not report.failure.is_permanent
            and dealer.try_later(items[report.key])
        )
        self._ledger.enter(portion, again=again)
        done = [report for report in portion.reports if report.failure is None]
        self._progress = replace(
            self._progress,
            elapsed_s=self._elapsed_s(),
            n_done=self._progress.n_done + len(done),
            n_failed=self._progress.n_failed + len(portion.reports) - len(done) - len(again),
            n_events=self._progress.n_events + sum(report.n_events for report in done),
            read_bytes=self._progress.read_bytes + sum(report.read_bytes for report in done),
        )
        self._metrics = replace(self._metrics, busy_s=self._metrics.busy_s + portion.busy_s)
        self._tell(self._progress)
        for batch in batches:
            if batch is not None:
                dealer.measure(batch, portion.busy_s * len(batch.items) / len(items))

    def _partial_sums(self, damaged: list[int]) -> Iterator[Any]:
        for number, content, keys in self._ledger.sums():
            result = None if content is None else unpack(content)
            if result is None or frozenset(result.records) != keys:
                damaged.append(number)
            else:
                yield result

    def _sample(self, *, is_last: bool = False) -> None:
        now = time.monotonic()
        if is_last or now - self._sampled_at >= _SAMPLE_S:
            self._sampled_at = now
            self._progress = replace(self._progress, elapsed_s=self._elapsed_s())
            self._tell(self._progress)
            self._ledger.sample(self._progress)

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._started


def _deadly(batch: Batch[Item]) -> Portion:
    """Report an item whose workers died: nothing else is known of it."""
    item = batch.items[0]
    failure = Failure(
        "TransientReadError",
        f"{item.url}: every worker that read it was lost",
        is_permanent=False,
    )
    return Portion(b"", (ItemReport(item.key, "", 1, 0.0, failure),), 0.0, (batch.number,))
