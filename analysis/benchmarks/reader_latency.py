"""Throughput of one worker at a distance against none.

    python analysis/benchmarks/reader_latency.py [--round-trip-ms 30] [--files 64] [--threads 32]

Serves a file of 100,000 events from a real XRootD server on the loopback, reads it many
times under the cascade with many files in flight, directly and through a relay, in turns,
and prints events per second of both and their ratio.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

#: In place of this folder, whose names would hide installed modules.
TESTS = str(Path(__file__).resolve().parents[2] / "tests")
COLUMNS = ["event.number", "event.generator_weight", "electron.pt", "electron.d0", "muon.pt"]


def survivors(url: str) -> int:
    """Read one file; how many events survive."""
    from fourlep.benchmark.files import cascade
    from fourlep.io.lean.reader import LeanFile

    with LeanFile(url) as file:
        return sum(map(len, file.survivors(cascade(), COLUMNS)))


def events_per_s(url: str, n_files: int, n_threads: int, n_events: int) -> float:
    """Read the file ``n_files`` times, ``n_threads`` at a time."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(survivors, [url] * n_files))
    return n_files * n_events / (time.perf_counter() - begun)


def main() -> None:
    """Measure and print."""
    sys.path[0] = TESTS
    from fourlep.benchmark.files import Content, write_file
    from fourlep.benchmark.relay import DelayingRelay
    from servers.xrootd import Origin

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--round-trip-ms", type=float, default=30.0)
    parser.add_argument("--files", type=int, default=64)
    parser.add_argument("--threads", type=int, default=32)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    origin = Origin()
    write_file(origin.store / "SYNTHETIC.root", Content(chosen.events, 0.0001, seed=1))
    with (
        origin,
        DelayingRelay(origin.port, 0.0) as here,
        DelayingRelay(origin.port, chosen.round_trip_ms / 1e3) as there,
    ):
        near, far = (
            origin.url("SYNTHETIC.root").replace(str(origin.port), str(relay.port))
            for relay in (here, there)
        )
        survivors(near)
        rates: dict[str, list[float]] = {near: [], far: []}
        for _ in range(chosen.rounds):
            for url, found in rates.items():
                found.append(events_per_s(url, chosen.files, chosen.threads, chosen.events))
        direct, delayed = (statistics.median(found) for found in rates.values())
    print(f"at hand: {direct:,.0f} events/s")
    print(f"{chosen.round_trip_ms:g} ms away: {delayed:,.0f} events/s")
    print(f"ratio: {delayed / direct:.2f} (target: at least 0.7)")


if __name__ == "__main__":
    main()
