"""Scan, impacts, goodness of fit, yields and pseudo-experiments."""

from __future__ import annotations

from typing import Any

import cabinetry
import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2

from fourlep.errors import FitError
from fourlep.stats.best_fit import fit
from fourlep.stats.goodness import goodness_of_fit
from fourlep.stats.impacts import impacts
from fourlep.stats.likelihood import Likelihood, likelihood
from fourlep.stats.minimum import minimise
from fourlep.stats.scan import scan
from fourlep.stats.toys import toys
from fourlep.stats.yields import postfit, prefit
from unit.stats.small_models import counting, full, staterror, workspace


def _shape(name: str, up: list[float], down: list[float]) -> dict[str, Any]:
    return {"name": name, "type": "histosys", "data": {"hi_data": up, "lo_data": down}}


def _one_simulated_event() -> tuple[Likelihood, np.ndarray]:
    """A bin with data, whose B is one event that the upward variation moves out of it."""
    spec = workspace(
        {"bin": {"S": [4.0, 0.0], "B": [8.0, 0.22], "C": [6.0, 0.09]}},
        {"bin": [20.0, 1.0]},
        {
            ("bin", "S"): [staterror("bin", [0.1, 0.0])],
            ("bin", "B"): [_shape("shape", [8.0, 0.0], [8.0, 0.44]), staterror("bin", [0.8, 0.22])],
            ("bin", "C"): [
                _shape("one", [5.24, 0.09], [6.09, 0.05]),
                _shape("two", [4.49, 0.16], [5.97, 0.05]),
                staterror("bin", [0.3, 0.04]),
            ],
        },
    )
    return likelihood(spec)


def test_scan_of_counting_is_its_likelihood_ratio() -> None:
    model, data = counting(10.0, 50.0, 70.0)
    found = scan(model, data, fit(model, data), "mu", n_points=9)
    rates = 50.0 + 10.0 * found.values
    assert found.delta == pytest.approx(2 * (rates - 70 - 70 * np.log(rates / 70)), abs=1e-6)


def test_scan_is_zero_at_the_best_fit_and_rises_on_both_sides() -> None:
    model, data = full()
    found = scan(model, data, fit(model, data), "mu", n_points=11)
    assert found.delta[5] == pytest.approx(0.0, abs=1e-7)
    assert np.all(np.diff(found.delta[:6]) < 0)
    assert np.all(np.diff(found.delta[5:]) > 0)


def test_impacts_agree_with_cabinetry() -> None:
    model, data = full()
    best = fit(model, data)
    reference = cabinetry.fit.ranking(
        model.model,
        data.tolist(),
        fit_results=cabinetry.fit.FitResults(
            best.values, best.errors, list(best.names), best.correlation, best.twice_nll
        ),
        tolerance=1e-4,
    )
    for impact in impacts(model, data, best, strengths=["mu"], with_bins=2):
        row = reference.labels.index(impact.name)
        assert impact.up == pytest.approx(reference.postfit_up[row], abs=2e-4)
        assert impact.down == pytest.approx(reference.postfit_down[row], abs=2e-4)
        assert impact.prefit_up == pytest.approx(reference.prefit_up[row], abs=2e-4)


def test_impacts_are_ranked_and_leave_the_strengths_out() -> None:
    model, data = full()
    found = impacts(model, data, fit(model, data), strengths=["mu"], with_bins=3)
    sizes = [impact.size for impact in found]
    assert sizes == sorted(sizes, reverse=True)
    assert len(found) == 2 + 3
    assert "mu" not in {impact.name for impact in found}


def test_a_parameter_that_empties_a_bin_with_events_goes_there_in_steps() -> None:
    model, data = _one_simulated_event()
    best = fit(model, data)
    held = minimise(model, data, held={"shape": 1.6}, start=best.values)

    def profile(values: np.ndarray) -> float:
        parameters = best.values.copy()
        parameters[[model.index(name) for name in ("mu", "one", "two", "shape")]] = *values, 1.6
        filled = model.with_bin_parameters(parameters, data, np.zeros(len(best.values), bool))
        return model.twice_nll(filled, data)

    simplex = minimize(profile, [1.0, 1.0, 1.0], method="Nelder-Mead", options={"fatol": 1e-8})
    assert held.twice_nll == pytest.approx(simplex.fun, abs=1e-5)


def test_a_fit_that_cannot_converge_says_so_in_our_words_alone(
    capfd: pytest.CaptureFixture[str],
) -> None:
    rate = {"name": "rate", "type": "normsys", "data": {"hi": 1.3, "lo": 0.8}}
    spec = workspace(
        {"bin": {"S": [4.0, 0.001], "B": [8.0, 0.15], "C": [6.0, 0.02]}},
        {"bin": [20.0, 1.0]},
        {
            ("bin", "S"): [staterror("bin", [0.1, 0.0])],
            ("bin", "B"): [_shape("shape", [8.0, -0.1], [8.0, 0.3]), staterror("bin", [0.8, 0.15])],
            ("bin", "C"): [
                _shape("other", [6.3, 0.06], [5.7, 0.004]),
                rate,
                staterror("bin", [0.3, 0.01]),
            ],
        },
    )
    model, data = likelihood(spec)
    best = fit(model, data)
    with pytest.raises(FitError, match="does not converge"):
        minimise(model, data, held={"shape": 3.0}, start=best.values)
    assert capfd.readouterr() == ("", "")


def test_an_impact_that_cannot_be_fitted_is_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    model, data = full()
    best = fit(model, data)
    estimates = impacts(model, data, best, strengths=["mu"], with_fits=0, with_bins=0)

    def refuse(*_: object, **__: object) -> None:
        raise FitError("the fit does not converge")

    monkeypatch.setattr("fourlep.stats.impacts.minimise", refuse)
    assert impacts(model, data, best, strengths=["mu"], with_bins=0) == estimates


def test_goodness_of_a_perfect_fit_is_one() -> None:
    model, _ = full()
    data = model.expected(model.nominal())
    found = goodness_of_fit(model, data, fit(model, data).twice_nll)
    assert found.statistic == pytest.approx(0.0, abs=1e-6)
    assert found.p_value == pytest.approx(1.0)


def test_goodness_of_two_bins_is_the_likelihood_ratio_to_the_observed() -> None:
    model, data = full()
    best = fit(model, data)
    found = goodness_of_fit(model, data, best.twice_nll)
    rates, counts = model.rates(best.values), data[: model.n_bins]
    bins = 2 * np.sum(rates - counts + counts * np.log(counts / rates))
    free = ~model.is_fixed & (model.widths > 0)
    pulls = (best.values - model.nominal())[free] / model.widths[free]
    assert found.statistic == pytest.approx(bins + np.sum(pulls**2), abs=1e-6)
    assert found.degrees_of_freedom == model.n_bins - 1
    assert found.p_value == pytest.approx(chi2.sf(found.statistic, model.n_bins - 1))


def test_no_degrees_of_freedom_no_p_value() -> None:
    model, data = counting(10.0, 50.0, 70.0)
    assert goodness_of_fit(model, data, fit(model, data).twice_nll).p_value is None


@pytest.mark.parametrize("after", [False, True])
def test_yields_and_their_errors_agree_with_cabinetry(after: bool) -> None:
    model, data = full()
    best = fit(model, data)
    results = cabinetry.fit.FitResults(
        best.values, best.errors, list(best.names), best.correlation, best.twice_nll
    )
    reference = cabinetry.model_utils.prediction(
        model.model, fit_results=results if after else None
    )
    prediction = postfit(model, best) if after else prefit(model)
    for number, channel in enumerate(model.channels):
        found = prediction.yields(channel, [channel])
        assert found.bins == pytest.approx(np.array(reference.model_yields[number]))
        bins = reference.total_stdev_model_bins[number]
        assert found.bin_errors == pytest.approx(np.array(bins[-1]), rel=1e-6)
        totals = reference.total_stdev_model_channels[number]
        assert found.total_errors == pytest.approx(np.array(totals[:-1]), rel=1e-6)
        assert found.total_error == pytest.approx(totals[-1], rel=1e-6)


def test_added_channels_keep_their_correlation() -> None:
    model, data = full()
    prediction = postfit(model, fit(model, data))
    one, two = (prediction.yields(name, [name]) for name in ("one", "two"))
    both = prediction.yields("both", ["one", "two"])
    assert both.total == pytest.approx(one.total + two.total)
    # the same strength moves both: more than the sum in quadrature
    assert both.total_error > np.hypot(one.total_error, two.total_error) * 0.9
    assert both.bins == pytest.approx(one.bins + two.bins)


def test_toys_have_the_expected_mean_and_the_constraints_their_width() -> None:
    model, _ = full()
    truth = model.nominal()
    drawn = np.array(list(toys(model, truth, 2000, np.random.default_rng(5))))
    expected = model.expected(truth)
    spread = np.sqrt(expected[: model.n_bins] / 2000)
    assert np.all(
        np.abs(drawn.mean(axis=0)[: model.n_bins] - expected[: model.n_bins]) < 5 * spread
    )
    rate = model.n_bins + model.auxiliary[model.index("rate")]
    assert drawn[:, rate].std() == pytest.approx(1.0, abs=0.05)


def test_toys_are_the_same_for_the_same_seed() -> None:
    model, _ = full()
    first, second = (
        np.array(list(toys(model, model.nominal(), 3, np.random.default_rng(9)))) for _ in range(2)
    )
    assert np.array_equal(first, second)
