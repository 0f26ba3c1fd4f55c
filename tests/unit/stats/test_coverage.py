"""The 68 % interval covers the truth: the benchmark's model, with few pseudo-experiments."""

from __future__ import annotations

import pytest

from benchmarks.interval_coverage import cover, model


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    found = cover(model(), strength=1.0, n_toys=60, seed=4)
    assert found.n_open == 0
    # 68 % of 60 is 41; three standard deviations are 11
    assert 30 <= found.n_covered <= 52
    assert found.pull_mean == pytest.approx(0.0, abs=0.4)
    assert found.pull_width == pytest.approx(1.0, abs=0.3)
