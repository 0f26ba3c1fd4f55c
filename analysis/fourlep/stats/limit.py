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


#: Strengths, ends included, at which the expected statistic is fitted at least.
_CURVE_POINTS = 7

#: Where the search for its range begins.
_FIRST_STEP = 0.5


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


@dataclass(frozen=True, slots=True, eq=False)
class Exclusion:
    """CLs of one data set as a function of the strength, observed and expected.

    Parameters
    ----------
    observed, background
        The statistic for the data, and for the expectation of background alone with the
        other parameters fitted to the data.
    """

    observed: _Statistic
    background: _Statistic

    @classmethod
    def of(
        cls, likelihood: Likelihood, data: Floats, strength: str, start: Floats | None = None
    ) -> Exclusion:
        """Fit what does not depend on the strength that is tested.

        Parameters
        ----------
        likelihood, data
            Model and data set.
        strength
            The strength.
        start : (n_parameters,) array
            Where the fits start.
        """
        observed = _Statistic.of(likelihood, data, strength, start)
        expectation = likelihood.expected(observed.null.parameters)
        background = _Statistic.of(likelihood, expectation, strength, observed.null.parameters)
        return cls(observed, background)

    def cls(self, strength: float) -> float:
        """CLs of the data: below 5 %, the strength is excluded at 95 %."""
        return cls(self.observed.at(strength), self.background.at(strength))

    def expected_cls(self, strength: float, band: int) -> float:
        """CLs of background that fluctuates upwards by ``band`` standard deviations."""
        root = np.sqrt(self.background.at(strength))
        return float(norm.sf(root - band) / norm.cdf(band))


def upper_limit(
    likelihood: Likelihood,
    data: Floats,
    *,
    strength: str | None = None,
    level: float = 0.95,
    is_blinded: bool = False,
    start: Floats | None = None,
) -> UpperLimit:
    """Find the CLs upper limit, observed and expected.

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
    exclusion = Exclusion.of(likelihood, data, strength or likelihood.poi, start)
    alpha = 1.0 - level
    bands = _expected(exclusion.background, alpha)
    observed = None
    if not is_blinded:
        guess = max(bands[2], exclusion.observed.estimate)
        observed = _crossing(
            lambda mu: np.log(alpha / max(exclusion.cls(mu), 1e-300)), guess, exclusion.observed
        )
    return UpperLimit(level, observed, bands)


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


def _expected(statistic: _Statistic, alpha: float) -> tuple[float, ...]:
    """Limits of data sets that fluctuate by each of `BANDS` standard deviations.

    The root of q-tilde is nearly a straight line in the strength: it is fitted at a few
    strengths for all bands together, and interpolated by a monotone cubic between them.
    """
    from scipy.interpolate import PchipInterpolator

    wanted = np.array([float(norm.isf(alpha * norm.cdf(band))) + band for band in BANDS])

    def root(strength: float) -> float:
        return float(np.sqrt(statistic.at(strength)))

    ceiling = float(statistic.likelihood.high[statistic.likelihood.index(statistic.name)])
    low = max(statistic.estimate, 0.0)
    strengths, curve = [low], [0.0]
    high = low + _FIRST_STEP
    while curve[-1] < wanted.max():
        if strengths[-1] >= ceiling:
            raise _not_excluded(statistic, ceiling)
        strengths.append(min(high, ceiling))
        curve.append(root(strengths[-1]))
        # The next point where a straight line reaches what is wanted, but no giant stride.
        slope = curve[-1] / (strengths[-1] - low)
        reach = low + 1.02 * wanted.max() / slope if slope > 0.0 else np.inf
        high = min(max(reach, strengths[-1] * 1.02), 2.0 * strengths[-1] + _FIRST_STEP)
    for strength in np.linspace(low, strengths[-1], _CURVE_POINTS)[1:-1]:
        strengths.append(float(strength))
        curve.append(root(float(strength)))
    order = np.argsort(strengths)
    rising, at = np.unique(np.maximum.accumulate(np.array(curve)[order]), return_index=True)
    limits = PchipInterpolator(rising, np.array(strengths)[order][at])(wanted)
    return tuple(float(limit) for limit in limits)


def _not_excluded(statistic: _Statistic, highest: float) -> FitError:
    return FitError(
        f"no value of {statistic.name} up to {highest:g} is excluded",
        remedy="widen the strength's range (`high`)",
    )


def _crossing(function: Callable[[float], float], guess: float, statistic: _Statistic) -> float:
    """Where a rising function crosses zero, found around a guess."""
    highest = float(statistic.likelihood.high[statistic.likelihood.index(statistic.name)])
    low, high = 0.0, guess
    while function(high) < 0.0:
        low, high = high, min(2.0 * high, highest)
        if low == highest:
            raise _not_excluded(statistic, highest)
    if low == 0.0 and function(low) >= 0.0:
        return low
    return float(brentq(function, low, high, xtol=1e-3 * max(high, 1e-3), rtol=1e-3))
