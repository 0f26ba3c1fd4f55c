"""Expected events by region, process and bin, with the uncertainty that a fit gives them.

Uncertainties are propagated linearly: each parameter is moved by its error in both
directions, and half the difference of the rates is combined with the parameters'
correlations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fourlep.stats.best_fit import BestFit
from fourlep.stats.likelihood import Likelihood
from fourlep.stats.templates import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Yields:
    """Expected events of one region, or of several with the same bins added up.

    Parameters
    ----------
    name
        Name of the region, or of the sum.
    processes
        Processes with events there.
    bins : (n_processes, n_bins) array
        Expected events.
    bin_errors : (n_bins,) array
        Standard deviation of their sum over processes.
    totals, total_errors : (n_processes,) arrays
        Sum over bins by process and its standard deviation.
    total, total_error
        Sum over bins and processes and its standard deviation.
    """

    name: str
    processes: tuple[str, ...]
    bins: Floats
    bin_errors: Floats
    totals: Floats
    total_errors: Floats
    total: float
    total_error: float


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """Expected events and how they answer to the parameters.

    Parameters
    ----------
    likelihood
        The model.
    rates : (n_samples, n_bins) array
        Expected events.
    responses : (n_parameters, n_samples, n_bins) array
        Change of the rates for one error of each parameter.
    correlation : (n_parameters, n_parameters) array
        Of the parameters.
    """

    likelihood: Likelihood
    rates: Floats
    responses: Floats
    correlation: Floats

    def yields(self, name: str, channels: Sequence[str]) -> Yields:
        """Add the yields of channels, bin by bin.

        Parameters
        ----------
        name
            Name of the sum.
        channels
            Channels of the model; more than one must have equally many bins.
        """
        where = [self.likelihood.channel_bins(channel) for channel in channels]
        bins = np.sum([self.rates[:, part] for part in where], axis=0)
        responses = np.sum([self.responses[:, :, part] for part in where], axis=0)
        present = np.flatnonzero(np.any(bins != 0.0, axis=1))
        by_process = responses[:, present].sum(axis=2)
        return Yields(
            name=name,
            processes=tuple(self.likelihood.samples[position] for position in present),
            bins=bins[present],
            bin_errors=self._errors(responses.sum(axis=1)),
            totals=bins[present].sum(axis=1),
            total_errors=self._errors(by_process),
            total=float(bins.sum()),
            total_error=float(self._errors(by_process.sum(axis=1, keepdims=True))[0]),
        )

    def _errors(self, responses: Floats) -> Floats:
        """(n,) errors of quantities with (n_parameters, n) responses."""
        variances = np.einsum("in,ij,jn->n", responses, self.correlation, responses, optimize=True)
        return np.asarray(np.sqrt(np.maximum(variances, 0.0)))


def prefit(likelihood: Likelihood) -> Prediction:
    """Predict from the model before the fit; free parameters have no uncertainty yet."""
    errors = np.where(likelihood.is_fixed, 0.0, likelihood.widths)
    return _prediction(likelihood, likelihood.nominal(), errors, np.eye(len(errors)))


def postfit(likelihood: Likelihood, best: BestFit) -> Prediction:
    """Predict from the model at the best fit."""
    return _prediction(likelihood, best.values, best.errors, best.correlation)


def _prediction(
    likelihood: Likelihood, parameters: Floats, errors: Floats, correlation: Floats
) -> Prediction:
    rates = likelihood.rates_by_sample(parameters)
    responses = np.zeros((len(parameters), *rates.shape))
    for position in np.flatnonzero(errors):
        above, below = parameters.copy(), parameters.copy()
        above[position] += errors[position]
        below[position] -= errors[position]
        difference = likelihood.rates_by_sample(above) - likelihood.rates_by_sample(below)
        responses[position] = 0.5 * difference
    return Prediction(likelihood, rates, responses, correlation)
