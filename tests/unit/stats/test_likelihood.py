"""The likelihood: pyhf's value, our gradient, our treatment of bin parameters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from fourlep.errors import FitError
from fourlep.stats.likelihood import likelihood
from unit.stats.small_models import counting, full, staterror, workspace

FREE = st.floats(-1.5, 1.5)


def test_value_is_twice_the_negative_logarithm_of_the_poisson_probability() -> None:
    model, data = counting(10.0, 50.0, 70.0)
    expected = 2 * (60.0 - 70.0 * np.log(60.0) + np.sum(np.log(np.arange(1, 71))))
    assert model.twice_nll(np.array([1.0]), data) == pytest.approx(expected, rel=1e-12)


def test_bin_parameters_are_those_of_staterror_that_covers_every_sample() -> None:
    model, _ = full()
    assert {model.names[position].split("[")[0] for position in model.bin_parameters} == {
        "staterror_one",
        "staterror_two",
    }
    assert sorted(model.bins.tolist()) == list(range(model.n_bins))


def test_staterror_of_one_sample_alone_is_left_to_the_minimiser() -> None:
    spec = workspace(
        {"bin": {"S": [5.0], "B": [20.0]}},
        {"bin": [24.0]},
        {("bin", "B"): [staterror("bin", [2.0])]},
    )
    model, _ = likelihood(spec)
    assert len(model.bin_parameters) == 0


@settings(max_examples=25, deadline=None)
@given(mu=st.floats(0.1, 3.0), rate=FREE, shape=FREE, bin_number=st.integers(0, 11))
def test_bin_parameter_maximises_the_likelihood(
    mu: float, rate: float, shape: float, bin_number: int
) -> None:
    model, data = full()
    parameters = model.initial.copy()
    for name, value in (("mu", mu), ("rate", rate), ("shape", shape)):
        parameters[model.index(name)] = value
    best = model.with_bin_parameters(parameters, data, model.is_fixed)
    position = model.bin_parameters[bin_number]

    def along(value: float) -> float:
        moved = best.copy()
        moved[position] = value
        return model.twice_nll(moved, data)

    found = minimize_scalar(along, bounds=(0.2, 3.0), method="bounded", options={"xatol": 1e-9})
    assert best[position] == pytest.approx(found.x, abs=1e-5)


def test_bin_parameter_of_a_bin_without_events_falls_below_one() -> None:
    spec = workspace(
        {"bin": {"S": [5.0], "B": [20.0]}},
        {"bin": [0.0]},
        {("bin", sample): [staterror("bin", [sigma])] for sample, sigma in (("S", 1), ("B", 2))},
    )
    model, data = likelihood(spec)
    best = model.with_bin_parameters(model.initial, data, model.is_fixed)
    # root of g**2 + g (25 * variance - 1) = 0 above 0, with variance (1 + 4) / 25**2
    assert best[model.bin_parameters[0]] == pytest.approx(1.0 - 25.0 * 5.0 / 625.0, rel=1e-9)


@settings(max_examples=20, deadline=None)
@given(mu=st.floats(0.1, 3.0), rate=FREE, shape=FREE)
def test_gradient_is_that_of_the_value(mu: float, rate: float, shape: float) -> None:
    model, data = full()
    parameters = model.initial.copy()
    for name, value in (("mu", mu), ("rate", rate), ("shape", shape)):
        parameters[model.index(name)] = value
    which = np.array([model.index(name) for name in ("mu", "rate", "shape")])
    numerical = []
    for position in which:
        above, below = parameters.copy(), parameters.copy()
        above[position] += 1e-5
        below[position] -= 1e-5
        numerical.append((model.twice_nll(above, data) - model.twice_nll(below, data)) / 2e-5)
    assert model.gradient(parameters, data, which) == pytest.approx(numerical, abs=2e-4)


def test_unknown_parameter_is_refused_by_name() -> None:
    model, _ = counting(10.0, 50.0, 70.0)
    with pytest.raises(FitError, match="no parameter 'nu'"):
        model.index("nu")


def test_workspace_that_pyhf_refuses_is_a_fit_error() -> None:
    spec = workspace({"bin": {"S": [1.0], "B": [2.0]}}, {"bin": [3.0]})
    spec["channels"][0]["samples"][0].pop("data")
    with pytest.raises(FitError, match="pyhf refuses the workspace"):
        likelihood(spec)


def test_minus_twice_the_logarithm_stays_finite_where_a_rate_would_be_negative() -> None:
    model, data = counting(10.0, 5.0, 3.0)
    assert np.isfinite(model.twice_nll(np.array([-4.0]), data))
