"""The best fit against closed forms, an independent likelihood, and cabinetry."""

from __future__ import annotations

from collections.abc import Callable

import cabinetry
import numpy as np
import pytest
from iminuit import Minuit
from scipy.stats import norm, poisson

from fourlep.errors import FitError
from fourlep.stats.best_fit import fit, profile_error
from fourlep.stats.minimum import minimise
from unit.stats.small_models import counting, full, likelihood, staterror, workspace

_MINOS = Minuit.minos


@pytest.mark.parametrize(
    ("signal", "background", "observed"), [(10, 50, 70), (5, 3, 3), (7, 20, 9)]
)
def test_counting_has_its_closed_form(signal: float, background: float, observed: float) -> None:
    model, data = counting(signal, background, observed)
    best = fit(model, data)
    assert best.value("mu") == pytest.approx((observed - background) / signal, abs=1e-5)
    assert best.error("mu") == pytest.approx(np.sqrt(observed) / signal, rel=1e-3)


def test_minos_of_counting_is_where_the_likelihood_ratio_is_one() -> None:
    model, data = counting(10.0, 50.0, 70.0)
    best = fit(model, data, minos=["mu"])
    for error in best.minos["mu"]:
        assert error is not None
        rate = 50.0 + 10.0 * (best.value("mu") + error)
        assert 2 * (rate - 70.0 - 70.0 * np.log(rate / 70.0)) == pytest.approx(1.0, abs=2e-3)


@pytest.mark.parametrize("first", [-0.3, -0.9, 0.3, 0.9, 4.0])
def test_the_crossing_of_the_profile_is_what_minos_finds(first: float) -> None:
    model, data = full()
    minimum = minimise(model, data)
    low, high = fit(model, data, minos=["mu"]).minos["mu"]
    expected = low if first < 0.0 else high
    assert profile_error(model, data, minimum, "mu", first=first) == pytest.approx(
        expected, rel=1e-3
    )


def _lost(self: Minuit, name: str) -> None:
    """MINOS that is granted one evaluation: it ends without a result on either side."""
    _MINOS(self, name, ncall=1)


def _refused(self: Minuit, name: str) -> None:
    """MINOS as it is where rounding keeps a minimum from MINUIT's own goal."""
    raise RuntimeError("Function minimum is not valid")


@pytest.mark.parametrize("minos", [_lost, _refused])
def test_a_side_without_a_result_of_minos_is_found_on_the_profile(
    monkeypatch: pytest.MonkeyPatch, minos: Callable[[Minuit, str], None]
) -> None:
    model, data = full()
    low, high = fit(model, data, minos=["mu"], held={"rate": 0.5}).minos["mu"]
    monkeypatch.setattr(Minuit, "minos", minos)
    found = fit(model, data, minos=["mu"], held={"rate": 0.5}).minos["mu"]
    assert found == (pytest.approx(low, rel=1e-3), pytest.approx(high, rel=1e-3))


def _independent(data: np.ndarray) -> Minuit:
    """A signal and a background in three bins with a rate and bin uncertainties, by hand."""
    signal, background = np.array([1.0, 6.0, 2.0]), np.array([9.0, 8.0, 7.0])
    relative = np.hypot(0.1 * signal, 0.2 * background) / (signal + background)

    def cost(mu: float, rate: float, a: float, b: float, c: float) -> float:
        gammas = np.array([a, b, c])
        rates = gammas * (mu * signal + background * 1.1**rate)
        bins = poisson.logpmf(data, rates).sum()
        constraints = norm.logpdf(rate) + norm.logpdf(gammas, 1.0, relative).sum()
        return float(-2.0 * (bins + constraints))

    minuit = Minuit(cost, mu=1.0, rate=0.0, a=1.0, b=1.0, c=1.0)
    minuit.errordef = Minuit.LEAST_SQUARES
    minuit.tol = 1e-6
    minuit.strategy = 2
    minuit.migrad()
    minuit.hesse()
    return minuit


def test_agrees_with_a_likelihood_written_out_in_numpy() -> None:
    observed = np.array([12.0, 19.0, 6.0])
    spec = workspace(
        {"bin": {"S": [1.0, 6.0, 2.0], "B": [9.0, 8.0, 7.0]}},
        {"bin": observed.tolist()},
        {
            ("bin", "S"): [staterror("bin", [0.1, 0.6, 0.2])],
            ("bin", "B"): [
                staterror("bin", [1.8, 1.6, 1.4]),
                # equal ratios: the interpolation is the plain exponential everywhere
                {"name": "rate", "type": "normsys", "data": {"hi": 1.1, "lo": 1 / 1.1}},
            ],
        },
    )
    model, data = likelihood(spec)
    best, reference = fit(model, data), _independent(observed)
    names = {"mu": "mu", "rate": "rate"} | {f"staterror_bin[{k}]": "abc"[k] for k in range(3)}
    for ours, theirs in names.items():
        assert best.value(ours) == pytest.approx(reference.values[theirs], abs=1e-5)
        error = np.sqrt(reference.covariance[theirs, theirs])
        assert best.error(ours) == pytest.approx(error, rel=1e-3)
    assert best.twice_nll == pytest.approx(reference.fval, abs=1e-7)


def test_agrees_with_cabinetry_in_values_errors_and_correlations() -> None:
    model, data = full()
    best = fit(model, data)
    reference = cabinetry.fit.fit(model.model, data.tolist(), tolerance=1e-4, strategy=2)
    assert best.values == pytest.approx(reference.bestfit, abs=5e-4)
    order = [best.names.index(label) for label in reference.labels]
    assert best.correlation[np.ix_(order, order)] == pytest.approx(reference.corr_mat, abs=2e-3)
    # cabinetry's are those of bounded parameters, bent by MINUIT's transformation
    assert best.errors == pytest.approx(reference.uncertainty, rel=1e-2)


def test_asimov_data_give_back_what_they_were_made_from() -> None:
    model, _ = full()
    truth = model.nominal()
    truth[model.index("mu")], truth[model.index("rate")] = 1.7, 0.6
    assert fit(model, model.expected(truth)).values == pytest.approx(truth, abs=1e-5)


def test_a_held_parameter_stays_and_has_no_error() -> None:
    model, data = full()
    best = fit(model, data, held={"rate": 0.5, "staterror_one[2]": 1.1})
    assert best.value("rate") == 0.5
    assert best.value("staterror_one[2]") == 1.1
    assert best.error("rate") == best.error("staterror_one[2]") == 0.0


def test_the_profile_equals_a_fit_that_varies_every_parameter() -> None:
    model, data = full()
    reference = Minuit(lambda values: model.twice_nll(values, data), model.initial)
    reference.errordef, reference.tol = Minuit.LEAST_SQUARES, 1e-5
    reference.migrad()
    assert minimise(model, data).twice_nll == pytest.approx(reference.fval, abs=1e-6)


def test_a_quick_attempt_that_gets_nowhere_does_not_end_a_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, data = full()
    expected = minimise(model, data).twice_nll
    monkeypatch.setattr("fourlep.stats.minimum._QUICK_CALLS", 1)
    assert minimise(model, data).twice_nll == pytest.approx(expected, abs=1e-6)


def test_everything_held_is_just_evaluated() -> None:
    model, data = counting(10.0, 50.0, 70.0)
    minimum = minimise(model, data, held={"mu": 1.0})
    assert minimum.twice_nll == pytest.approx(model.twice_nll(np.array([1.0]), data))


def test_strengths_that_do_the_same_thing_are_refused() -> None:
    mu2 = {"name": "mu2", "type": "normfactor", "data": None}
    spec = workspace(
        {"bin": {"S": [10.0, 20.0], "B": [1.0, 2.0]}},
        {"bin": [15.0, 20.0]},
        {("bin", "S"): [mu2]},
    )
    model, data = likelihood(spec)
    with pytest.raises(FitError, match=r"positive-definite|converge") as caught:
        fit(model, data)
    assert caught.value.remedy


def test_data_that_is_not_a_number_does_not_converge() -> None:
    model, data = counting(10.0, 50.0, 70.0)
    data[0] = np.nan
    with pytest.raises(FitError, match="does not converge: the likelihood is not finite"):
        fit(model, data)


def test_minos_of_a_bin_parameter_is_refused() -> None:
    model, data = full()
    with pytest.raises(FitError, match="belongs to one bin"):
        fit(model, data, minos=["staterror_one[0]"])


def test_minos_without_a_crossing_in_range_says_so() -> None:
    spec = workspace({"bin": {"S": [10.0], "B": [50.0]}}, {"bin": [52.0]}, low=0.0)
    model, data = likelihood(spec)
    low, high = fit(model, data, minos=["mu"]).minos["mu"]
    assert low is None
    assert high == pytest.approx(0.75, abs=0.05)
