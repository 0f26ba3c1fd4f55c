"""Discovery significance: closed forms and pyhf."""

from __future__ import annotations

import numpy as np
import pyhf
import pytest
from scipy.stats import norm

from fourlep.stats.significance import discovery, discovery_statistic, toy_test
from unit.stats.small_models import counting, full


def _q0(signal_and_background: float, background: float) -> float:
    """Cowan et al., eq. 96 before the square root."""
    n, b = signal_and_background, background
    return 2 * (n * np.log(n / b) - (n - b))


@pytest.mark.parametrize(("signal", "background"), [(10, 50), (5, 3), (22, 1.3)])
def test_expected_significance_has_its_closed_form(signal: float, background: float) -> None:
    model, _ = counting(signal, background, background)
    found = discovery(model, model.expected(model.nominal()))
    assert found.z == pytest.approx(np.sqrt(_q0(signal + background, background)), abs=1e-5)
    assert found.p_value == pytest.approx(norm.sf(found.z))


def test_observed_significance_has_its_closed_form() -> None:
    model, data = counting(10.0, 50.0, 70.0)
    assert discovery(model, data).z == pytest.approx(np.sqrt(_q0(70, 50)), abs=1e-5)


def test_a_deficit_is_no_discovery() -> None:
    model, data = counting(10.0, 50.0, 41.0)
    assert discovery(model, data).z == 0.0


def test_agrees_with_pyhf_for_a_model_with_every_modifier() -> None:
    model, data = full()
    pyhf.set_backend("numpy", pyhf.optimize.minuit_optimizer(tolerance=1e-4))
    try:
        q0 = pyhf.infer.test_statistics.q0(
            0.0,
            data,
            model.model,
            model.model.config.suggested_init(),
            # pyhf wants a strength that cannot be negative
            [
                (0, 50) if name == "mu" else bound
                for name, bound in zip(
                    model.names, model.model.config.suggested_bounds(), strict=True
                )
            ],
            model.model.config.suggested_fixed(),
        )
    finally:
        pyhf.set_backend("numpy")
    assert discovery(model, data).z == pytest.approx(np.sqrt(float(q0)), abs=1e-3)


def test_statistic_does_not_depend_on_where_the_fit_starts() -> None:
    model, data = full()
    start = model.initial.copy()
    start[model.index("mu")] = 4.0
    assert discovery_statistic(model, data, start=start) == pytest.approx(
        discovery_statistic(model, data), abs=1e-6
    )


def test_toys_beyond_the_observed_are_counted_with_their_interval() -> None:
    found = toy_test(np.array([0.0, 0.5, 1.0, 3.0, 4.0] * 20), 3.0)
    assert (found.n_toys, found.n_beyond, found.p_value) == (100, 40, 0.4)
    assert found.low == pytest.approx(0.4 - 0.05, abs=0.01)
    assert found.high == pytest.approx(0.4 + 0.05, abs=0.01)


def test_no_toy_beyond_leaves_an_upper_end() -> None:
    found = toy_test(np.zeros(100), 9.0)
    assert (found.p_value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(1 - 0.158655 ** (1 / 100), rel=1e-4)
