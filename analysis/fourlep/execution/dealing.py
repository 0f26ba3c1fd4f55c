"""Deals out the items of a run in batches: new ones, returned ones, and second tries."""

from __future__ import annotations

import heapq
import itertools
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from fourlep.execution.ledger import Ledger
from fourlep.execution.model import Batch, Item
from fourlep.execution.retry import RetryPolicy
from fourlep.execution.sizing import CostModel, fair_share


@dataclass(frozen=True, slots=True)
class Pace:
    """How items are dealt out.

    Parameters
    ----------
    batch_s
        Seconds that a batch should take.
    most_items
        In a batch.
    fan_in
        Batches whose sums are added on a worker before they come to the client.
    flush_s
        Seconds after which fewer are added as well: about what a killed client can lose.
    in_flight
        Items that one worker has in flight.
    ahead
        Batches given out for each that can run.
    """

    batch_s: float = 10.0
    most_items: int = 128
    fan_in: int = 16
    flush_s: float = 10.0
    in_flight: int = 8
    ahead: int = 2


class Dealer:
    """Makes batches of what the ledger has pending; holds a page of it in memory.

    Parameters
    ----------
    ledger
        Of the run.
    pace, policy
        Sizes of batches; pauses before second tries.
    clock
        Monotonic seconds.
    """

    def __init__(
        self,
        ledger: Ledger,
        pace: Pace,
        policy: RetryPolicy,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._pace = pace
        self._policy = policy
        self._clock = clock
        self._costs = CostModel()
        self._numbers = itertools.count(1)
        self._page: deque[Item] = deque()
        self._position = -1
        self._returned: deque[tuple[Item, ...]] = deque()
        self._later: list[tuple[float, int, Item]] = []
        self._rounds: dict[str, int] = {}
        self._out: dict[int, Batch[Item]] = {}

    @property
    def n_out(self) -> int:
        """Batches given out and not yet back."""
        return len(self._out)

    def next_batch(self, n_workers: int, n_pending: int) -> Batch[Item] | None:
        """Make the next batch, None where nothing can be given out now.

        Parameters
        ----------
        n_workers
            Batches that run at once: the last items are shared among them.
        n_pending
            Items that are neither done nor given up.
        """
        items = self._returned.popleft() if self._returned else self._fresh(n_workers, n_pending)
        if not items:
            return None
        batch = Batch(next(self._numbers), items)
        self._out[batch.number] = batch
        return batch

    def wait_s(self) -> float:
        """Seconds until a second try is due, infinite where none waits."""
        return max(0.0, self._later[0][0] - self._clock()) if self._later else math.inf

    def is_empty(self) -> bool:
        """Whether nothing is left to give out, now or later."""
        self._turn_page()
        return not (self._page or self._returned or self._later)

    def take_back(self, number: int) -> Batch[Item] | None:
        """Strike a batch off what is given out; None where it is not."""
        return self._out.pop(number, None)

    def measure(self, batch: Batch[Item], seconds: float) -> None:
        """Learn what batches cost."""
        self._costs.measure([item.n_bytes for item in batch.items], seconds)

    def give_again(self, batch: Batch[Item], *, singly: bool = False) -> None:
        """Deal the items of a lost batch again, before anything new."""
        if self.take_back(batch.number):
            self._returned.extend([(item,) for item in batch.items] if singly else [batch.items])

    def try_later(self, item: Item) -> bool:
        """Give a failed item another round; False where it has had all."""
        rounds = self._rounds.get(item.key, 0) + 1
        self._rounds[item.key] = rounds
        if rounds >= self._policy.rounds:
            return False
        due = self._clock() + self._policy.round_pause(item.key, rounds)
        heapq.heappush(self._later, (due, next(self._numbers), item))
        return True

    def _fresh(self, n_workers: int, n_pending: int) -> tuple[Item, ...]:
        self._turn_page()
        most = min(self._pace.most_items, fair_share(n_pending, n_workers))
        while self._later and self._later[0][0] <= self._clock():
            self._page.appendleft(heapq.heappop(self._later)[2])
        count = self._costs.fitting((item.n_bytes for item in self._page), self._pace.batch_s, most)
        return tuple(self._page.popleft() for _ in range(count))

    def _turn_page(self) -> None:
        if len(self._page) >= self._pace.most_items:
            return
        rows = self._ledger.pending(self._position, self._pace.most_items)
        for position, item in rows:
            self._position = position
            self._page.append(item)
