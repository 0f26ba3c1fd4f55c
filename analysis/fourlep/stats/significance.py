"""Discovery: the test of the background-only hypothesis.

The statistic is q0 of Cowan, Cranmer, Gross and Vitells (Eur. Phys. J. C 71 (2011) 1554),
eq. 12, and its asymptotic significance the square root (eq. 52).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import beta, norm

from fourlep.stats.likelihood import Likelihood
from fourlep.stats.minimum import minimise
from fourlep.stats.templates import Floats


@dataclass(frozen=True, slots=True)
class Significance:
    """A test of the background-only hypothesis.

    Parameters
    ----------
    q0
        Test statistic.
    z
        Significance in standard deviations.
    p_value
        Probability of at least this q0 from background alone.
    """

    q0: float
    z: float
    p_value: float


def discovery(
    likelihood: Likelihood,
    data: Floats,
    *,
    strength: str | None = None,
    start: Floats | None = None,
) -> Significance:
    """Asymptotic significance of an excess over background.

    Parameters
    ----------
    likelihood, data
        Model and data set; the Asimov data set of a signal gives its median expectation.
    strength
        Signal strength that is tested to be 0, by default the parameter of interest.
    start : (n_parameters,) array
        Where the fits start.
    """
    q0 = discovery_statistic(likelihood, data, strength=strength, start=start)
    z = float(np.sqrt(q0))
    return Significance(q0, z, float(norm.sf(z)))


def discovery_statistic(
    likelihood: Likelihood,
    data: Floats,
    *,
    strength: str | None = None,
    start: Floats | None = None,
) -> float:
    """q0 of a data set: 0 where the best fit is a deficit."""
    name = strength or likelihood.poi
    free = minimise(likelihood, data, start=start)
    if free.parameters[likelihood.index(name)] <= 0.0:
        return 0.0
    background = minimise(likelihood, data, held={name: 0.0}, start=free.parameters)
    return max(background.twice_nll - free.twice_nll, 0.0)


@dataclass(frozen=True, slots=True)
class ToyTest:
    """A p-value from pseudo-experiments.

    Parameters
    ----------
    n_toys, n_beyond
        How many were made, and how many were at least as extreme as the observed.
    p_value
        Their ratio.
    low, high
        68.3 % interval of the p-value (Clopper and Pearson).
    """

    n_toys: int
    n_beyond: int
    p_value: float
    low: float
    high: float


def toy_test(statistics: Floats, observed: float) -> ToyTest:
    """Count the share of pseudo-experiments at least as extreme as the observed.

    Parameters
    ----------
    statistics : (n_toys,) array
        Test statistic of each.
    observed
        The statistic of the data.

    Examples
    --------
    >>> import numpy as np
    >>> toy_test(np.array([0.0, 1.0, 4.0, 9.0]), 4.0).p_value
    0.5
    """
    n_toys, n_beyond = len(statistics), int(np.sum(statistics >= observed))
    tail = float(norm.sf(1.0))
    low = 0.0 if n_beyond == 0 else float(beta.ppf(tail, n_beyond, n_toys - n_beyond + 1))
    high = 1.0 if n_beyond == n_toys else float(beta.isf(tail, n_beyond + 1, n_toys - n_beyond))
    return ToyTest(n_toys, n_beyond, n_beyond / n_toys, low, high)
