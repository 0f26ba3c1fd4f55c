"""Keeps a reading process, and ends reads that do not end by themselves.

A read can hang inside C code where no Python-level time limit reaches it, or take the
whole process down. So reading happens in a child process that reports every read; one
that passes its deadline costs the child its life (SIGKILL). The files that were not
guilty are worked on again at once, the guilty ones singly.
"""

from __future__ import annotations

import multiprocessing
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection

from fourlep.config.environment import child_environment
from fourlep.errors import ClusterError, FourlepError
from fourlep.execution.messages import Began, Broken, Ended, Message, Ready
from fourlep.execution.model import Batch, Failure, Item, ItemReport, Portion
from fourlep.execution.payload import combine

#: Seconds that a reading process may take to import everything and unpickle its job.
_START_LIMIT_S = 180.0

#: Seconds that it may spend between reads: pauses before another attempt, and finishing
#: a batch, of which nothing is heard.
_IDLE_LIMIT_S = 600.0


@dataclass(frozen=True, slots=True)
class _Lost:
    """A reading process that is gone: which items it was on, and what happened to it."""

    guilty: frozenset[int]
    reason: str


class Watchdog:
    """One reading process, started when needed and replaced when lost.

    Parameters
    ----------
    job
        A pickled `fourlep.execution.reading.Job`.
    """

    def __init__(self, job: bytes) -> None:
        self._job = job
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None

    def run(self, batch: Batch[Item]) -> Portion:
        """Work on a batch, whatever happens to the reading process.

        Raises
        ------
        ClusterError
            If no reading process can be had.
        FourlepError
            If the callable or its sums fail other than by an item.
        """
        portions: list[Portion] = []
        singles: list[Item] = []
        rest = batch.items
        while rest:
            end = self._attempt(Batch(batch.number, rest))
            if isinstance(end, Portion):
                portions.append(end)
                break
            guilty = end.guilty or frozenset(range(len(rest)))
            singles += [item for at, item in enumerate(rest) if at in guilty]
            rest = tuple(item for at, item in enumerate(rest) if at not in guilty)
        portions += [self._single(batch.number, item) for item in singles]
        return combine(portions)

    def close(self) -> None:
        """End the reading process."""
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._pipe = self._process = None

    def _single(self, number: int, item: Item) -> Portion:
        started = time.monotonic()
        end = self._attempt(Batch(number, (item,)))
        if isinstance(end, Portion):
            return end
        took_s = time.monotonic() - started
        failure = Failure("TransientReadError", f"{item.url}: {end.reason}", is_permanent=False)
        return Portion(b"", (ItemReport(item.key, "", 1, took_s, failure),), took_s, (number,))

    def _attempt(self, batch: Batch[Item]) -> Portion | _Lost:
        under_way: dict[int, tuple[float, Began]] = {}
        try:
            pipe = self._started()
            pipe.send(batch)
            while True:
                message = _receive(pipe, _soonest(under_way))
                if isinstance(message, Began):
                    under_way[message.position] = (time.monotonic() + message.limit_s, message)
                elif isinstance(message, Ended):
                    under_way.pop(message.position, None)
                elif isinstance(message, Portion):
                    return message
                elif isinstance(message, Broken):
                    raise FourlepError(
                        f"a batch failed as a whole:\n{message.trace}",
                        remedy="this is an error of the program: please report it",
                    )
                else:
                    self.close()
                    return _late(under_way)
        except (EOFError, OSError):
            return _Lost(frozenset(under_way), f"the reading process {self._fate()}")

    def _started(self) -> Connection:
        if self._pipe is not None and self._process is not None and self._process.poll() is None:
            return self._pipe
        self.close()
        ours, theirs = multiprocessing.Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "fourlep.execution.reader", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=child_environment(),
            )
        self._pipe = ours
        try:
            ours.send_bytes(self._job)
            is_ready = isinstance(_receive(ours, time.monotonic() + _START_LIMIT_S), Ready)
        except (EOFError, OSError):
            is_ready = False
        if not is_ready:
            fate = self._fate()
            raise ClusterError(
                f"the reading process {fate} instead of starting",
                remedy="its messages are in the worker's log; the callable must be importable",
            )
        return ours

    def _fate(self) -> str:
        """How the process ended; ends it where it has not."""
        process = self._process
        if process is None:
            return "was ended"
        try:
            code = process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            code = None
        self.close()
        if code is None:
            return "stopped answering"
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"


def _receive(pipe: Connection, until: float) -> Message | None:
    """Take the next message, None where there is none at the monotonic time ``until``."""
    if not pipe.poll(max(0.0, until - time.monotonic())):
        return None
    message: Message = pipe.recv()
    return message


def _soonest(under_way: dict[int, tuple[float, Began]]) -> float:
    """When, by the monotonic clock, the process is late with something."""
    idle = time.monotonic() + _IDLE_LIMIT_S
    return min((until for until, _ in under_way.values()), default=idle)


def _late(under_way: dict[int, tuple[float, Began]]) -> _Lost:
    now = time.monotonic()
    late = {at: began for at, (until, began) in under_way.items() if until <= now}
    if not late:
        return _Lost(frozenset(), "the reading process did nothing any more")
    limit_s = min(began.limit_s for began in late.values())
    return _Lost(frozenset(late), f"the read did not end within {limit_s:.0f} s")
