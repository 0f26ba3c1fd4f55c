"""The profile likelihood as a function of one parameter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fourlep.stats.best_fit import BestFit
from fourlep.stats.likelihood import Likelihood
from fourlep.stats.minimum import minimise
from fourlep.stats.templates import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """A profile likelihood.

    Parameters
    ----------
    name
        Parameter that was scanned.
    values : (n_points,) array
        Where.
    delta : (n_points,) array
        Minus twice the logarithm of the likelihood ratio to the best fit, with all other
        parameters at their best.
    """

    name: str
    values: Floats
    delta: Floats


def scan(
    likelihood: Likelihood,
    data: Floats,
    best: BestFit,
    name: str,
    *,
    n_points: int = 21,
    n_sigma: float = 3.0,
) -> Scan:
    """Scan a parameter around its best fit.

    Parameters
    ----------
    likelihood, data
        Model and data set.
    best
        Its best fit.
    name
        The parameter.
    n_points
        Number of points.
    n_sigma
        Range on either side, in the parameter's errors.
    """
    position = likelihood.index(name)
    centre, error = best.value(name), best.error(name)
    values = np.linspace(
        max(centre - n_sigma * error, float(likelihood.low[position])),
        min(centre + n_sigma * error, float(likelihood.high[position])),
        n_points,
    )
    # Outwards from the best fit on either side, each point starting at its neighbour's.
    delta = np.zeros(n_points)
    above = values >= centre
    for side in (np.flatnonzero(above), np.flatnonzero(~above)[::-1]):
        start = best.values
        for point in side:
            minimum = minimise(likelihood, data, held={name: float(values[point])}, start=start)
            delta[point] = max(minimum.twice_nll - best.twice_nll, 0.0)
            start = minimum.parameters
    return Scan(name, values, delta)
