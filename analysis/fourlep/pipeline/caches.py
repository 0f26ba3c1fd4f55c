"""What the caches themselves report while a run goes on.

Beside each cache a collector offers counters of bytes (`fourlep.facility.cache_metrics`).
They are of all clients of the cache, and a cache counts a file when it closes it, up to a
minute after its last reader: see the reference page on cache statistics.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import urllib3

from fourlep.config.environment import cache_metrics_port

_EVERY_S = 5.0
_TIMEOUT_S = 2.0
_COUNTER = re.compile(
    r"^fourlep_cache_(hit|miss|bypass)_bytes_total(?:\{[^}]*\})? (\S+)$", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class CacheSample:
    """Bytes that a cache has served since the run began.

    Parameters
    ----------
    elapsed_s
        Since the start of the session.
    hit_bytes
        From its disk.
    miss_bytes, bypass_bytes
        From the origin, and kept or not.
    """

    elapsed_s: float
    hit_bytes: float
    miss_bytes: float
    bypass_bytes: float

    @property
    def origin_bytes(self) -> float:
        """Fetched from the origin."""
        return self.miss_bytes + self.bypass_bytes


@dataclass(frozen=True, slots=True)
class CacheRecord:
    """One cache over the time of a session.

    Parameters
    ----------
    address
        Of its collector.
    samples
        Over time; none where it could not be asked.
    problem
        Why the last question had no answer, "" if it had.
    """

    address: str
    samples: tuple[CacheSample, ...] = ()
    problem: str = ""

    @property
    def hit_rate(self) -> float | None:
        """Share of the bytes that came from the cache's disk; None without any."""
        if not self.samples:
            return None
        last = self.samples[-1]
        total = last.hit_bytes + last.origin_bytes
        return last.hit_bytes / total if total > 0.0 else None


def metrics_addresses(caches: Sequence[str]) -> tuple[str, ...]:
    """Collectors beside caches ``root://host:port``; none where no port is set.

    Raises
    ------
    ConfigError
        If the port is none.
    """
    port = cache_metrics_port()
    hosts = (urlsplit(cache).hostname for cache in caches)
    return tuple(f"http://{host}:{port}/metrics" for host in hosts) if port else ()


class CacheWatch:
    """Asks collectors every few seconds, in a thread of its own, while it is entered.

    Parameters
    ----------
    addresses
        Of collectors.
    every_s
        Seconds between questions.
    """

    def __init__(self, addresses: Sequence[str], every_s: float = _EVERY_S) -> None:
        self._every_s = every_s
        self._counters = [_Counters(address) for address in addresses]
        self._started = time.monotonic()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._keep_asking, name="cache-watch", daemon=True)

    def records(self) -> tuple[CacheRecord, ...]:
        """What was reported; to be called after the watch was left."""
        return tuple(each.record() for each in self._counters)

    def __enter__(self) -> Self:
        if self._counters:
            self._ask()
            self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_over.set()
        if self._counters:
            self._thread.join()
            self._ask()

    def _keep_asking(self) -> None:
        while not self._is_over.wait(self._every_s):
            self._ask()

    def _ask(self) -> None:
        for each in self._counters:
            each.ask(time.monotonic() - self._started)


class _Counters:
    """Counters of one cache, as increases since the first answer."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._last: dict[str, float] | None = None
        self._total = dict.fromkeys(("hit", "miss", "bypass"), 0.0)
        self._samples: list[CacheSample] = []
        self._problem = ""

    def ask(self, elapsed_s: float) -> None:
        try:
            now = read_counters(self._address)
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            self._problem = f"{type(error).__name__}: {error}"
            return
        self._problem = ""
        for kind, value in now.items():
            before = value if self._last is None else self._last[kind]
            # A cache that starts again counts from zero.
            self._total[kind] += value - before if value >= before else value
        self._last = now
        total = self._total
        self._samples.append(CacheSample(elapsed_s, total["hit"], total["miss"], total["bypass"]))

    def record(self) -> CacheRecord:
        return CacheRecord(self._address, tuple(self._samples), self._problem)


def read_counters(address: str) -> dict[str, float]:
    """Read hit, miss and bypass bytes of a collector, over all caches that it reports.

    Raises
    ------
    urllib3.exceptions.HTTPError
        If it does not answer in time.
    ValueError
        If the answer is no such metrics.
    """
    answer = urllib3.request("GET", address, timeout=_TIMEOUT_S, retries=False)
    if answer.status != 200:
        raise ValueError(f"status {answer.status}")
    total = dict.fromkeys(("hit", "miss", "bypass"), 0.0)
    for kind, value in _COUNTER.findall(answer.data.decode(errors="replace")):
        total[kind] += float(value)
    return total
