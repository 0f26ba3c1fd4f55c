"""Upper limit on a signal strength by CLs.

A. L. Read, J. Phys. G 28 (2002) 2693, with the statistic q-tilde and the asymptotic
distributions of Cowan et al., Eur. Phys. J. C 71 (2011) 1554, eqs. 16, 64 to 69 and 74.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from fourlep.errors import FitError
from fourlep.stats.likelihood import Likelihood
from fourlep.stats.minimum import Minimum, minimise
from fourlep.stats.templates import Floats

#: Bands of the expected limit, in standard deviations.
BANDS = (-2, -1, 0, 1, 2)


@dataclass(frozen=True, slots=True)
class UpperLimit:
    """Upper limit on a strength.

    Parameters
    ----------
    level
        Confidence level.
    observed
        Largest strength that the data does not exclude; None while blinded.
    expected
        The same for data from background alone: medians at -2, -1, 0, 1, 2 standard
        deviations.
    """

    level: float
    observed: float | None
    expected: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Statistic:
    """q-tilde as a function of the strength for one data set."""

    likelihood: Likelihood
    data: Floats
    name: str
    best: Minimum
    null: Minimum

    @classmethod
    def of(
        cls, likelihood: Likelihood, data: Floats, name: str, start: Floats | None
    ) -> _Statistic:
        best = minimise(likelihood, data, start=start)
        null = minimise(likelihood, data, held={name: 0.0}, start=best.parameters)
        return cls(likelihood, data, name, best, null)

    @property
    def estimate(self) -> float:
        return float(self.best.parameters[self.likelihood.index(self.name)])

    def at(self, strength: float) -> float:
        if strength <= self.estimate:
            return 0.0
        tested = minimise(
            self.likelihood, self.data, held={self.name: strength}, start=self.best.parameters
        )
        reference = self.null if self.estimate < 0.0 else self.best
        return max(tested.twice_nll - reference.twice_nll, 0.0)


def upper_limit(
    likelihood: Likelihood,
    data: Floats,
    *,
    strength: str | None = None,
    level: float = 0.95,
    is_blinded: bool = False,
    start: Floats | None = None,
) -> UpperLimit:
    """CLs upper limit, observed and expected.

    Parameters
    ----------
    likelihood, data
        Model and data set.
    strength
        The strength, by default the parameter of interest.
    level
        Confidence level.
    is_blinded
        Leave the observed limit out.
    start : (n_parameters,) array
        Where the fits start.

    Raises
    ------
    FitError
        If no strength in the parameter's range is excluded.
    """
    name = strength or likelihood.poi
    observed = _Statistic.of(likelihood, data, name, start)
    background = likelihood.expected(observed.null.parameters)
    asimov = _Statistic.of(likelihood, background, name, observed.null.parameters)
    highest = float(likelihood.high[likelihood.index(name)])
    alpha = 1.0 - level
    bands = [_expected(asimov, alpha, band, highest) for band in BANDS]
    seen = None
    if not is_blinded:
        median = max(bands[2], observed.estimate)
        seen = _crossing(
            lambda mu: np.log(alpha / max(cls(observed.at(mu), asimov.at(mu)), 1e-300)),
            median,
            highest,
            name,
        )
    return UpperLimit(level, seen, tuple(bands))


def cls(q: float, q_asimov: float) -> float:
    """CLs from q-tilde of the data and of background's Asimov data set.

    Examples
    --------
    >>> round(cls(0.0, 4.0), 4)
    0.5116
    """
    root_asimov = np.sqrt(q_asimov)
    if q <= q_asimov or q_asimov == 0.0:
        root = np.sqrt(q)
        return float(norm.sf(root) / norm.cdf(root_asimov - root))
    signal = norm.sf((q + q_asimov) / (2.0 * root_asimov))
    return float(signal / norm.sf((q - q_asimov) / (2.0 * root_asimov)))


def _expected(asimov: _Statistic, alpha: float, band: int, highest: float) -> float:
    """Limit of a data set that fluctuates by ``band`` standard deviations."""
    wanted = float(norm.isf(alpha * norm.cdf(band))) + band

    def excess(mu: float) -> float:
        return float(np.sqrt(asimov.at(mu))) - wanted

    return _crossing(excess, 1.0, highest, asimov.name)


def _crossing(function: Callable[[float], float], guess: float, highest: float, name: str) -> float:
    """Where a rising function crosses zero, found around a guess."""
    low, high = 0.0, guess
    while function(high) < 0.0:
        low, high = high, min(2.0 * high, highest)
        if low == highest:
            raise FitError(
                f"no value of {name} up to {highest:g} is excluded",
                remedy="widen the strength's range (`high`)",
            )
    if low == 0.0 and function(low) >= 0.0:
        return low
    return float(brentq(function, low, high, xtol=1e-4 * max(high, 1e-3), rtol=1e-4))
