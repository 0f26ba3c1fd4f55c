"""Listens for the caches' packets and answers Prometheus, until ended."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

from prometheus_client import start_http_server

from fourlep.errors import ClusterError, ConfigError
from fourlep.facility.cache_metrics.metrics import CacheMetrics

_LARGEST_PACKET = 65_536


def serve(udp: str, http: str, folder: str, name: str) -> None:
    """Collect and serve until SIGTERM or SIGINT.

    Parameters
    ----------
    udp, http
        ``host:port`` to listen on, for packets and for Prometheus.
    folder
        Where the cache keeps its blocks, "" where that cannot be seen from here.
    name
        Name of a cache that has not told its own.

    Raises
    ------
    ConfigError
        If an address is no ``host:port``.
    ClusterError
        If one is taken.
    """
    metrics = CacheMetrics(name, Path(folder) if folder else None)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as packets:
            packets.bind(_address(udp))
            host, port = _address(http)
            server, thread = start_http_server(port, host, registry=metrics.registry)
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            try:
                while True:
                    metrics.take(packets.recv(_LARGEST_PACKET))
            except KeyboardInterrupt:
                server.shutdown()
                thread.join()
    except OSError as error:
        raise ClusterError(
            f"the collector cannot listen on {udp} and {http}: {error.strerror}",
            remedy="set FOURLEP_METRICS_UDP and FOURLEP_METRICS_HTTP to free addresses",
        ) from error


def _address(text: str) -> tuple[str, int]:
    host, separator, port = text.rpartition(":")
    if not separator or not port.isdigit():
        raise ConfigError(f"{text!r} is no address", remedy="write it as host:port")
    return host, int(port)
