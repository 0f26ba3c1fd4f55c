"""A circuit breaker per endpoint: servers that keep failing are asked last, not never."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fourlep.io.routes import Place


@dataclass(slots=True)
class _Circuit:
    failures: int = 0
    open_until: float = 0.0


class Breaker:
    """Remembers which endpoints fail, and for how long to ask others first.

    After ``threshold`` failures in a row an endpoint's circuit is open for ``pause_s``,
    doubled with each further failure up to ``max_pause_s``. While it is open its places
    come last. Afterwards the endpoint has its turn again: one success closes the circuit,
    one failure opens it again. Nothing is ever refused, so no breaker can lose a file.

    Safe to share between threads.

    Parameters
    ----------
    threshold
        Failures in a row that open a circuit.
    pause_s, max_pause_s
        First and longest time that it stays open.
    clock
        Monotonic seconds.
    """

    def __init__(
        self,
        *,
        threshold: int = 3,
        pause_s: float = 5.0,
        max_pause_s: float = 120.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._threshold = threshold
        self._pause_s = pause_s
        self._max_pause_s = max_pause_s
        self._clock = clock
        self._circuits: dict[str, _Circuit] = {}
        self._lock = threading.Lock()

    def ordered(self, places: Sequence[Place]) -> tuple[Place, ...]:
        """Put the places of open circuits last, and keep the order otherwise."""
        return tuple(sorted(places, key=lambda place: self.is_open(place.endpoint)))

    def is_open(self, endpoint: str) -> bool:
        """Whether others should be asked before ``endpoint``."""
        with self._lock:
            circuit = self._circuits.get(endpoint)
            return circuit is not None and self._clock() < circuit.open_until

    def succeeded(self, endpoint: str) -> None:
        """Note that ``endpoint`` served a file: its circuit closes."""
        with self._lock:
            self._circuits.pop(endpoint, None)

    def failed(self, endpoint: str) -> None:
        """Note that ``endpoint`` failed."""
        with self._lock:
            circuit = self._circuits.setdefault(endpoint, _Circuit())
            circuit.failures += 1
            excess = circuit.failures - self._threshold
            if excess >= 0:
                pause_s = min(self._pause_s * 2.0 ** min(excess, 30), self._max_pause_s)
                circuit.open_until = self._clock() + pause_s
