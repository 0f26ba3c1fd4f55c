"""Selection and fit give back the signal strength that was put in: the short version.

The long one, over 200 data sets, is ``analysis/benchmarks/closure.py``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import closure
from fourlep.synth import Options

OPTIONS = Options(
    events=40_000, filler=0, luminosity_ifb=36.6, processes=("ggF", "VBF", "ZZ", "ttV")
)
SEEDS = 6


@pytest.fixture(scope="module")
def simulated() -> dict[str, closure.Masses]:
    values = closure.light_parameters()
    return {
        process.name: closure.expectation(process, size, OPTIONS)
        for process, size in zip(
            values.chosen(OPTIONS.processes), (8_000, 3_000, 160_000, 8_000), strict=True
        )
    }


@pytest.fixture(scope="module")
def model(simulated: dict[str, closure.Masses]) -> closure.Model:
    return closure.model_of(simulated, closure.data_of(OPTIONS))


@pytest.mark.slow
@pytest.mark.parametrize("mu", [0.0, 1.0, 3.0])
def test_the_strength_put_in_is_the_strength_measured(model: closure.Model, mu: float) -> None:
    pulls = []
    for seed in range(1, SEEDS + 1):
        data = closure.data_of(replace(OPTIONS, mu=mu, seed=seed))
        pulls.append(closure.fitted(model, data, mu)[2])
    assert abs(np.mean(pulls)) < 3.3 / np.sqrt(SEEDS)
    assert np.max(np.abs(pulls)) < 4.0


@pytest.mark.slow
def test_a_wrong_strength_would_be_noticed(model: closure.Model) -> None:
    data = closure.data_of(replace(OPTIONS, mu=3.0, seed=1))
    assert abs(closure.fitted(model, data, 1.0)[2]) > 4.0
