"""Pseudo-experiments drawn from a model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fourlep.stats.likelihood import Likelihood
from fourlep.stats.templates import Floats


def toys(
    likelihood: Likelihood, parameters: Floats, n_toys: int, rng: np.random.Generator
) -> Iterator[Floats]:
    """Draw data sets: bins from Poisson distributions, constraints from their own.

    Parameters
    ----------
    likelihood
        The model.
    parameters : (n_parameters,) array
        True values.
    n_toys
        How many.
    rng
        Source of random numbers.

    Yields
    ------
    (n_bins + n_auxiliary,) array
        Events and constraint measurements.
    """
    expected = likelihood.expected(parameters)
    is_gaussian = (likelihood.auxiliary >= 0) & ~likelihood.is_counted
    where = likelihood.n_bins + likelihood.auxiliary[is_gaussian]
    widths = likelihood.widths[is_gaussian]
    counted = expected.copy()
    counted[where] = 0.0
    for _ in range(n_toys):
        data = rng.poisson(counted).astype(np.float64)
        data[where] = rng.normal(expected[where], widths)
        yield data
