"""The arrays of a model against pyhf, value by value and slope by slope."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fourlep.errors import FitError
from fourlep.stats import rates as rates_module
from fourlep.stats.likelihood import likelihood
from fourlep.stats.rates import fast_rates
from unit.stats.small_models import full, workspace

MODEL, DATA = full()
WIDE = st.lists(st.floats(-4.0, 4.0), min_size=len(MODEL.names), max_size=len(MODEL.names))


@settings(max_examples=40, deadline=None)
@given(WIDE)
def test_rates_are_those_of_pyhf(values: list[float]) -> None:
    parameters = np.array(values)
    expected = MODEL.model.main_model.expected_data(parameters, return_by_sample=True)
    assert MODEL.rates_by_sample(parameters) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(WIDE)
def test_value_is_that_of_pyhf(values: list[float]) -> None:
    parameters = np.abs(np.array(values)) + 0.1
    expected = -2.0 * MODEL.model.logpdf(parameters, DATA)[0]
    assert MODEL.twice_nll(parameters, DATA) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.floats(-3.0, 3.0), st.floats(-3.0, 3.0), st.floats(0.0, 3.0))
def test_slopes_are_those_of_the_rates(rate: float, shape: float, mu: float) -> None:
    parameters = MODEL.initial.copy()
    which = np.array([MODEL.index(name) for name in ("rate", "shape", "mu")])
    parameters[which] = rate, shape, mu
    slopes = MODEL.slopes(parameters, which)
    for row, position in enumerate(which):
        above, below = parameters.copy(), parameters.copy()
        above[position] += 1e-6
        below[position] -= 1e-6
        numerical = (MODEL.rates(above) - MODEL.rates(below)) / 2e-6
        assert slopes[row] == pytest.approx(numerical, abs=1e-4)


def test_a_model_with_another_modifier_is_left_to_pyhf() -> None:
    gamma = {"name": "gamma", "type": "shapesys", "data": [2.0]}
    spec = workspace({"bin": {"S": [5.0], "B": [20.0]}}, {"bin": [24.0]}, {("bin", "B"): [gamma]})
    model, _ = likelihood(spec)
    assert model.fast is None
    assert fast_rates(model.model) is None


def test_arrays_that_differ_from_pyhf_are_refused() -> None:
    assert MODEL.fast is not None
    wrong = replace(MODEL.fast, nominal=MODEL.fast.nominal * (1.0 + 1e-6))
    with pytest.raises(FitError, match="differ from pyhf's"):
        rates_module._check(wrong, MODEL.model)
