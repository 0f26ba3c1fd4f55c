"""CLs upper limits against pyhf and in limits that are known."""

from __future__ import annotations

import numpy as np
import pyhf
import pytest
from scipy.stats import norm

from fourlep.errors import FitError
from fourlep.stats.limit import cls, upper_limit
from unit.stats.small_models import counting, full, likelihood, workspace


def test_agrees_with_pyhf() -> None:
    model, data = full()
    found = upper_limit(model, data)
    pyhf.set_backend("numpy", pyhf.optimize.minuit_optimizer(tolerance=1e-4))
    bounds = [
        (0.0, 50.0) if name == "mu" else bound
        for name, bound in zip(model.names, model.model.config.suggested_bounds(), strict=True)
    ]
    try:
        for strength, which in ((found.observed, None), (found.expected[2], 2)):
            observed, expected = pyhf.infer.hypotest(
                strength,
                data,
                model.model,
                par_bounds=bounds,
                test_stat="qtilde",
                return_expected_set=True,
            )
            value = observed if which is None else expected[which]
            assert float(value) == pytest.approx(0.05, rel=3e-3)
    finally:
        pyhf.set_backend("numpy")


def test_expected_bands_rise_and_the_median_is_the_gaussian_one_for_many_events() -> None:
    model, data = counting(100.0, 1e6, 1e6)
    bands = upper_limit(model, data).expected
    assert list(bands) == sorted(bands)
    # sigma is 1000 events, that is 10 in strength
    assert bands[2] == pytest.approx(10.0 * norm.isf(0.025), rel=5e-3)


def test_observed_limit_is_the_expected_one_for_data_equal_to_the_background() -> None:
    model, data = counting(10.0, 50.0, 50.0)
    found = upper_limit(model, data)
    assert found.observed == pytest.approx(found.expected[2], rel=1e-3)


def test_blinded_limit_is_the_expected_one_alone() -> None:
    model, data = counting(10.0, 50.0, 50.0)
    assert upper_limit(model, data, is_blinded=True).observed is None


def test_limit_beyond_the_range_of_the_strength_says_so() -> None:
    spec = workspace({"bin": {"S": [0.1], "B": [50.0]}}, {"bin": [50.0]}, high=5.0)
    model, data = likelihood(spec)
    with pytest.raises(FitError, match="no value of mu up to 5 is excluded"):
        upper_limit(model, data)


def test_cls_is_continuous_where_its_two_forms_meet() -> None:
    assert cls(4.0, 4.0) == pytest.approx(cls(4.0 + 1e-9, 4.0), abs=1e-9)


def test_cls_of_a_strength_without_any_sensitivity_is_one() -> None:
    assert cls(0.0, 0.0) == pytest.approx(1.0)
    assert np.isfinite(cls(1e-12, 0.0))
