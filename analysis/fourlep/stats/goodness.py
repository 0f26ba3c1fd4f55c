"""Goodness of fit against the saturated model.

R. D. Cousins, "Generalization of chisquare goodness-of-fit test for binned data using
saturated models" (2013). The saturated model predicts every bin as observed and every
constraint as measured; twice the logarithm of the likelihood ratio to it is, for large
counts, distributed as chi-squared with as many degrees of freedom as there are bins less
free parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, xlogy
from scipy.stats import chi2

from fourlep.stats.likelihood import Likelihood
from fourlep.stats.templates import Floats


@dataclass(frozen=True, slots=True)
class Goodness:
    """A goodness-of-fit test.

    Parameters
    ----------
    statistic
        Twice the logarithm of the likelihood ratio to the saturated model.
    degrees_of_freedom
        Bins less free parameters.
    p_value
        Asymptotic; None without degrees of freedom. With few events a bin, toys tell.
    """

    statistic: float
    degrees_of_freedom: int
    p_value: float | None


def goodness_of_fit(likelihood: Likelihood, data: Floats, twice_nll: float) -> Goodness:
    """Compare a best fit with the saturated model.

    Parameters
    ----------
    likelihood, data
        Model and data set.
    twice_nll
        Minus twice the logarithm of the likelihood at the best fit.
    """
    statistic = max(twice_nll - _saturated(likelihood, data), 0.0)
    free = (likelihood.widths == 0.0) & ~likelihood.is_fixed
    degrees = likelihood.n_bins - int(np.sum(free))
    p_value = float(chi2.sf(statistic, degrees)) if degrees > 0 else None
    return Goodness(statistic, degrees, p_value)


def _saturated(likelihood: Likelihood, data: Floats) -> float:
    """Minus twice the logarithm of the saturated likelihood."""
    events = data[: likelihood.n_bins]
    constraint = likelihood.constraint(likelihood.measured(data), data)
    bins = float(np.sum(xlogy(events, events) - events - gammaln(events + 1.0)))
    return -2.0 * (bins + constraint)
