"""The caches' messages, counted for Prometheus."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import GaugeMetricFamily, Metric

from fourlep.facility.cache_metrics.packets import (
    ClosedFile,
    Message,
    Sender,
    Summary,
    UnreadablePacketError,
    parse,
)

#: For how long a measure of the disk holds. A full cache has a hundred thousand files, which
#: take a second to look through, and probes, Prometheus and every run ask again and again.
MEASURE_S = 60.0


class CacheMetrics:
    """Counts what the caches report.

    Parameters
    ----------
    name
        Name of a cache that has not told its own yet; silent from now on until it reports.
    folder
        Where the cache keeps its blocks, None where that cannot be seen from here.
    """

    def __init__(self, name: str, folder: Path | None = None) -> None:
        self.registry = CollectorRegistry()
        self._name = name
        self._names: dict[int, str] = {}
        self._hit = self._counter("hit_bytes", "Bytes served from the cache's disk.")
        self._miss = self._counter("miss_bytes", "Bytes fetched from the origin and kept.")
        self._bypass = self._counter("bypass_bytes", "Bytes fetched from the origin, not kept.")
        self._closed = self._counter("files_closed", "Files closed.")
        self._checksums = self._counter("checksum_errors", "Blocks that failed their checksum.")
        self._from_origin = self._counter(
            "origin_bytes", "Bytes fetched, by origin.", ("cache", "origin")
        )
        self._unreadable = self._counter("unreadable_packets", "Packets not understood.", ())
        self._open = self._gauge("open_files", "Files open now.")
        self._connections = self._gauge("connections", "Clients connected now.")
        self._heard = self._gauge("last_report_timestamp_seconds", "When the cache last reported.")
        # One that never does would have no such line, and nobody would miss it.
        self._heard.labels(name).set_to_current_time()
        if folder is not None:
            self.registry.register(DiskUse(folder))

    def take(self, packet: bytes) -> None:
        """Count one UDP packet."""
        try:
            messages = parse(packet)
        except UnreadablePacketError:
            self._unreadable.inc()
            return
        for message in messages:
            self._count(message)

    def _count(self, message: Message) -> None:
        if isinstance(message, Sender):
            self._names[message.sid] = message.name or self._name
        elif isinstance(message, Summary):
            name = message.name or self._name
            self._open.labels(name).set(message.open_files)
            self._connections.labels(name).set(message.connections)
            self._heard.labels(name).set_to_current_time()
        else:
            self._count_file(message)

    def _count_file(self, file: ClosedFile) -> None:
        name = self._names.get(file.sid, self._name)
        self._hit.labels(name).inc(file.hit_bytes)
        self._miss.labels(name).inc(file.miss_bytes)
        self._bypass.labels(name).inc(file.bypass_bytes)
        self._closed.labels(name).inc()
        self._checksums.labels(name).inc(file.checksum_errors)
        if file.origins:
            fetched = file.miss_bytes + file.bypass_bytes
            self._from_origin.labels(name, file.origins[0]).inc(fetched)

    def _counter(self, name: str, text: str, labels: tuple[str, ...] = ("cache",)) -> Counter:
        return Counter(f"fourlep_cache_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"fourlep_cache_{name}", text, ("cache",), registry=self.registry)


class DiskUse:
    """Disk that the blocks take, measured when asked, at most once in `MEASURE_S`.

    Parameters
    ----------
    folder
        Where the cache keeps its blocks.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._measuring = threading.Lock()
        self._measured = 0
        self._next = time.monotonic()

    def collect(self) -> Iterator[Metric]:
        """Yield the gauge; nothing where the folder cannot be read."""
        gauge = GaugeMetricFamily(
            "fourlep_cache_disk_bytes", "Disk: taken by blocks, free, in all.", labels=["kind"]
        )
        try:
            disk = shutil.disk_usage(self._folder)
            gauge.add_metric(["blocks"], self._blocks())
            gauge.add_metric(["free"], disk.free)
            gauge.add_metric(["total"], disk.total)
        except OSError:
            return
        yield gauge

    def _blocks(self) -> int:
        # Who asks while another measures gets the last measure.
        if self._measuring.acquire(blocking=False):
            try:
                if time.monotonic() >= self._next:
                    self._measured = allocated(self._folder)
                    self._next = time.monotonic() + MEASURE_S
            finally:
                self._measuring.release()
        return self._measured


def allocated(folder: Path) -> int:
    """Bytes of disk that the files below ``folder`` take; their holes count nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(parent) / name).lstat().st_blocks * 512
            except OSError:  # purged while we looked
                continue
    return total
