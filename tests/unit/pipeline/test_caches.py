"""What caches report of a run, from a server of the metrics that the collector offers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry, Counter, start_http_server

from fourlep.errors import ConfigError
from fourlep.pipeline.caches import CacheRecord, CacheSample, CacheWatch, metrics_addresses


@dataclass(frozen=True)
class Collector:
    """Counters as `fourlep facility collect` names them."""

    address: str
    hit: Counter
    miss: Counter
    bypass: Counter


@contextmanager
def collector(port: int = 0) -> Iterator[Collector]:
    registry = CollectorRegistry()
    counters = [
        Counter(f"fourlep_cache_{kind}_bytes", kind, ("cache",), registry=registry).labels("one")
        for kind in ("hit", "miss", "bypass")
    ]
    server, thread = start_http_server(port, "127.0.0.1", registry=registry)
    try:
        yield Collector(f"http://127.0.0.1:{server.server_port}/metrics", *counters)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_increases_during_the_run_are_counted_and_none_before() -> None:
    with collector() as cache:
        cache.hit.inc(1e9)
        with CacheWatch([cache.address], every_s=60.0) as watch:
            cache.hit.inc(300.0)
            cache.miss.inc(90.0)
            cache.bypass.inc(10.0)
    (record,) = watch.records()
    assert [sample.hit_bytes for sample in record.samples] == [0.0, 300.0]
    last = record.samples[-1]
    assert (last.miss_bytes, last.bypass_bytes, last.origin_bytes) == (90.0, 10.0, 100.0)
    assert record.hit_rate == 0.75
    assert record.problem == ""


def test_a_cache_that_starts_again_counts_from_zero() -> None:
    with collector() as cache:
        cache.hit.inc(500.0)
        with CacheWatch([cache.address], every_s=60.0) as watch:
            cache.hit.inc(200.0)
            watch._ask()
            cache.hit.reset()
            cache.hit.inc(40.0)
    (record,) = watch.records()
    assert [sample.hit_bytes for sample in record.samples] == [0.0, 200.0, 240.0]


def test_a_cache_that_does_not_answer_is_recorded_with_the_reason() -> None:
    with collector() as cache:
        address = cache.address
    with CacheWatch([address], every_s=60.0) as watch:
        pass
    (record,) = watch.records()
    assert record.samples == ()
    assert record.hit_rate is None
    assert "Connection" in record.problem


def test_it_asks_again_and_again_while_the_run_goes_on() -> None:
    with collector() as cache, CacheWatch([cache.address], every_s=0.01) as watch:
        while len(watch._counters[0].record().samples) < 4:
            watch._thread.join(0.01)
    times = [sample.elapsed_s for sample in watch.records()[0].samples]
    assert times == sorted(times)


def test_without_a_byte_there_is_no_rate() -> None:
    assert CacheRecord("x", (CacheSample(0.0, 0.0, 0.0, 0.0),)).hit_rate is None


def test_collectors_stand_beside_the_caches(monkeypatch) -> None:
    caches = ["root://xcache-0.xcache:1094", "root://127.0.0.1:2094"]
    monkeypatch.delenv("FOURLEP_CACHE_METRICS_PORT", raising=False)
    assert metrics_addresses(caches) == ()
    monkeypatch.setenv("FOURLEP_CACHE_METRICS_PORT", "9931")
    assert metrics_addresses(caches) == (
        "http://xcache-0.xcache:9931/metrics",
        "http://127.0.0.1:9931/metrics",
    )


@pytest.mark.parametrize("text", ["http", "0", "70000", "-1"])
def test_a_port_that_is_none_is_refused(text: str, monkeypatch) -> None:
    monkeypatch.setenv("FOURLEP_CACHE_METRICS_PORT", text)
    with pytest.raises(ConfigError, match="is no port"):
        metrics_addresses(["root://cache:1094"])
