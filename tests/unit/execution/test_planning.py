from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourlep.execution.planning import Rates, Site, plan

ROUND = Rates(
    file_cpu_s=0.01, event_cpu_s=1e-6, batch_cpu_s=0.0, file_bytes=1e6, event_bytes=10.0,
    round_trips=10.0, cold_factor=6.0, task_s=0.0, item_s=0.0, start_s=5.0,
)  # fmt: skip


def test_a_plan_by_hand() -> None:
    # 1000 files of 10,000 events: 0.02 s each, 20 s in all, 10 s on two cores; batches of
    # 128, which shrink to one file at the end.
    found = plan(1000, 10_000_000, Site(2, bandwidth_gbit=100.0, round_trip_s=0.0), ROUND)
    assert found.terms_s["processor"] == pytest.approx(10.0)
    assert found.bottleneck == "processor"
    assert found.n_batches == 8
    assert found.elapsed_s == pytest.approx(5.0 + 10.0 + 0.02)
    assert found.core_hours == pytest.approx(2 * 15.02 / 3600)


def test_bytes_by_hand() -> None:
    found = plan(1000, 10_000_000, Site(2, bandwidth_gbit=0.1), ROUND)
    assert found.asked_bytes == pytest.approx(1.1e9)
    assert found.terms_s["network"] == pytest.approx(88.0)
    assert found.bottleneck == "network"


def test_a_cold_cache_moves_whole_blocks() -> None:
    warm = plan(1000, 10_000_000, Site(2, 1.0), ROUND)
    cold = plan(1000, 10_000_000, Site(2, 1.0, is_cold=True), ROUND)
    assert cold.moved_bytes == pytest.approx(6.0 * warm.moved_bytes)
    assert cold.asked_bytes == warm.asked_bytes


def test_round_trips_are_shared_by_the_files_in_flight() -> None:
    site = Site(1, 1000.0, round_trip_s=0.1, in_flight=4)
    assert plan(100, 0, site, ROUND).terms_s["round trips"] == pytest.approx(25.0)


def test_the_driver_limits_a_very_large_cluster() -> None:
    found = plan(70_611, 9_058_437_931, Site(100_000, bandwidth_gbit=10_000.0))
    assert found.bottleneck == "driver"


@given(st.integers(1, 10**6), st.integers(0, 10**10), st.integers(1, 10**4), st.floats(0.1, 1e3))
def test_more_workers_or_bandwidth_never_slow_the_slowest_term(
    n_files: int, n_events: int, workers: int, bandwidth: float
) -> None:
    rates = Rates(batch_cpu_s=0.0, task_s=0.0)
    small = plan(n_files, n_events, Site(workers, bandwidth), rates)
    large = plan(n_files, n_events, Site(2 * workers, 2 * bandwidth), rates)
    assert max(large.terms_s.values()) <= max(small.terms_s.values()) * (1 + 1e-12)


@given(st.integers(1, 10**6), st.integers(0, 10**10), st.integers(1, 10**4))
def test_elapsed_time_holds_every_term(n_files: int, n_events: int, workers: int) -> None:
    found = plan(n_files, n_events, Site(workers, 10.0))
    assert found.elapsed_s > max(found.terms_s.values())
    assert found.n_batches >= 1


def test_files_that_cost_nothing_make_the_largest_batches() -> None:
    free = Rates(file_cpu_s=0.0, event_cpu_s=0.0, round_trips=0.0)
    assert plan(1280, 0, Site(1, 1.0), free).n_batches == 10
