"""The best fit with its covariance (Hessian) and its asymmetric errors (MINOS)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fourlep.errors import FitError
from fourlep.stats.likelihood import Likelihood
from fourlep.stats.minimum import Minimum, minimise
from fourlep.stats.templates import Floats

#: How near to one above the minimum a crossing of the profile is, and the steps it may take.
_CROSSING_TOLERANCE, _MAX_STEPS = 1e-3, 20


@dataclass(frozen=True, slots=True, eq=False)
class BestFit:
    """Where the likelihood is largest.

    Parameters
    ----------
    names
        Parameters, in the model's order.
    values : (n_parameters,) array
        Best fit.
    covariance : (n_parameters, n_parameters) array
        Inverse of the Hessian of the negative logarithm; rows of held parameters are 0.
    twice_nll
        Minus twice the logarithm of the likelihood there.
    minos
        Lower (negative) and upper error by parameter; None for a side without a crossing
        within the parameter's range.
    """

    names: tuple[str, ...]
    values: Floats
    covariance: Floats
    twice_nll: float
    minos: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)

    @property
    def errors(self) -> Floats:
        """(n_parameters,) standard deviations from the Hessian, 0 where held."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def correlation(self) -> Floats:
        """(n_parameters, n_parameters) correlation matrix, rows of held parameters 0."""
        errors = self.errors
        safe = np.where(errors > 0.0, errors, 1.0)
        return np.asarray(self.covariance / np.outer(safe, safe))

    def value(self, name: str) -> float:
        """Best fit of one parameter."""
        return float(self.values[self.names.index(name)])

    def error(self, name: str) -> float:
        """Error of one parameter from the Hessian."""
        return float(self.errors[self.names.index(name)])


def fit(
    likelihood: Likelihood,
    data: Floats,
    *,
    minos: Sequence[str] = (),
    held: Mapping[str, float] | None = None,
    start: Floats | None = None,
) -> BestFit:
    """Find the best fit and its errors.

    Parameters
    ----------
    likelihood, data
        What to fit to what.
    minos
        Parameters that get asymmetric errors.
    held
        Parameters to hold, and where.
    start : (n_parameters,) array
        Where to start.

    Raises
    ------
    FitError
        If the fit does not converge or its Hessian is not positive-definite.
    """
    minimum = minimise(likelihood, data, held=held, start=start, is_final=True)
    covariance = _covariance(likelihood, data, minimum)
    errors = {name: _minos(likelihood, data, minimum, name, held or {}) for name in minos}
    return BestFit(likelihood.names, minimum.parameters, covariance, minimum.twice_nll, errors)


def _covariance(likelihood: Likelihood, data: Floats, minimum: Minimum) -> Floats:
    """Covariance of all parameters.

    With the explicit parameters' covariance V from MINUIT's Hessian of the profile,
    and the Hessian's blocks D (diagonal, bin parameters) and C (mixed), block inversion
    gives -D^-1 C V for the mixed block and D^-1 + D^-1 C V C^T D^-1 for the other.
    """
    n_parameters = len(likelihood.names)
    covariance = np.zeros((n_parameters, n_parameters))
    explicit = minimum.explicit
    if len(explicit):
        minimum.minuit.hesse()
        if not minimum.minuit.accurate:
            raise FitError(
                "the curvature of the likelihood at the best fit is not positive-definite",
                remedy="two parameters may do the same thing: free fewer normalisations or "
                "strengths; or the simulation has too few events for the bins: take wider ones, or "
                "simulate more",
            )
        covariance[np.ix_(explicit, explicit)] = np.asarray(minimum.minuit.covariance)
    local = ~minimum.held[likelihood.bin_parameters]
    which, bins = likelihood.bin_parameters[local], likelihood.bins[local]
    if len(which):
        at_one = minimum.parameters.copy()
        at_one[which] = 1.0
        mixed = likelihood.slopes(at_one, explicit)[:, bins].T
        diagonal = data[bins] / minimum.parameters[which] ** 2 + likelihood.widths[which] ** -2
        response = mixed / diagonal[:, np.newaxis]
        inner = covariance[np.ix_(explicit, explicit)]
        cross = -response @ inner
        covariance[np.ix_(which, explicit)] = cross
        covariance[np.ix_(explicit, which)] = cross.T
        covariance[np.ix_(which, which)] = np.diag(1.0 / diagonal) + response @ inner @ response.T
    return covariance


def _minos(
    likelihood: Likelihood, data: Floats, minimum: Minimum, name: str, held: Mapping[str, float]
) -> tuple[float | None, float | None]:
    if likelihood.index(name) not in minimum.explicit:
        raise FitError(
            f"MINOS errors of {name!r} cannot be had: it is held, or belongs to one bin",
            remedy="ask for a strength, a normalisation or a variation",
        )
    hessian = float(minimum.minuit.errors[name])
    low, high = (
        profile_error(likelihood, data, minimum, name, first=first, held=held)
        if found is None
        else found
        for found, first in zip(_by_minuit(minimum.minuit, name), (-hessian, hessian), strict=True)
    )
    return low, high


def _by_minuit(minuit: Any, name: str) -> tuple[float | None, float | None]:
    """Lower and upper error as MINOS finds them, None for a side on which it does not."""
    try:
        minuit.minos(name)
    except RuntimeError:  # it asks for a minimum nearer than rounding allows
        return None, None
    found = minuit.merrors[name]
    return (
        float(found.lower) if found.lower_valid and not found.at_lower_limit else None,
        float(found.upper) if found.upper_valid and not found.at_upper_limit else None,
    )


def profile_error(
    likelihood: Likelihood,
    data: Floats,
    minimum: Minimum,
    name: str,
    *,
    first: float,
    held: Mapping[str, float] | None = None,
) -> float | None:
    """Find where the profile is one above its minimum, on one side.

    What MINOS looks for, too; but that sets out along the covariance, and may come to where
    a bin is left without expectation, from which MINUIT does not find back. Here every step
    starts at the best fit of the step before.

    Parameters
    ----------
    likelihood, data
        Model and data set.
    minimum
        The best fit.
    name
        The parameter.
    first
        Where to look first: minus or plus the error that is to be expected.
    held
        Parameters that the best fit holds, and where.

    Returns
    -------
    The error with its sign; None where there is no crossing within the parameter's range.
    """
    position = likelihood.index(name)
    start, error = minimum.parameters, first
    for _ in range(_MAX_STEPS):
        value = float(minimum.parameters[position] + error)
        if not likelihood.low[position] <= value <= likelihood.high[position]:
            return None
        try:
            there = minimise(likelihood, data, held={**(held or {}), name: value}, start=start)
        except FitError:
            return None
        rise = there.twice_nll - minimum.twice_nll
        if abs(rise - 1.0) < _CROSSING_TOLERANCE:
            return error
        error *= float(np.clip(max(rise, 1e-9) ** -0.5, 0.5, 2.0))
        start = there.parameters
    return None
