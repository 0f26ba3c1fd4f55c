"""How much each nuisance parameter moves the measurement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fourlep.stats.best_fit import BestFit
from fourlep.stats.likelihood import Likelihood
from fourlep.stats.minimum import minimise
from fourlep.stats.templates import Floats

#: A parameter that the data constrain less than this, relatively, has one impact, not two.
_SAME_WIDTH = 2e-3


@dataclass(frozen=True, slots=True)
class Impact:
    """Impact of a nuisance parameter on a strength.

    Parameters
    ----------
    name
        The parameter.
    value, error
        Its best fit and error.
    up, down
        Change of the strength when the parameter is held one post-fit error above, below
        its best fit, and all else fitted again.
    prefit_up, prefit_down
        The same with the error that its constraint gives; None for a free parameter.
    """

    name: str
    value: float
    error: float
    up: float
    down: float
    prefit_up: float | None = None
    prefit_down: float | None = None

    @property
    def size(self) -> float:
        """The larger of the two post-fit impacts."""
        return max(abs(self.up), abs(self.down))


def impacts(
    likelihood: Likelihood,
    data: Floats,
    best: BestFit,
    *,
    strengths: Sequence[str],
    with_bins: int = 5,
) -> tuple[Impact, ...]:
    """Impacts of the nuisance parameters, largest first.

    The statistical parameters of single bins are many: their impacts are first estimated
    from the covariance, and only the ``with_bins`` largest are fitted.

    Parameters
    ----------
    likelihood, data
        Model and data set.
    best
        Its best fit.
    strengths
        Signal strengths: the first is what is moved, and none is a nuisance parameter.
    with_bins
        How many statistical parameters to rank.
    """
    ranked = [
        _impact(likelihood, data, best, strengths[0], position)
        for position in _ranked(likelihood, best, strengths, with_bins)
    ]
    return tuple(sorted(ranked, key=lambda impact: impact.size, reverse=True))


def _ranked(
    likelihood: Likelihood, best: BestFit, strengths: Sequence[str], with_bins: int
) -> Iterator[int]:
    target, errors = likelihood.index(strengths[0]), best.errors
    local = set(likelihood.bin_parameters.tolist())
    for position, parameter in enumerate(likelihood.names):
        if errors[position] > 0.0 and position not in local and parameter not in strengths:
            yield position
    estimates = np.abs(best.covariance[target] / np.where(errors > 0.0, errors, np.inf))
    by_size = sorted(local, key=lambda position: -float(estimates[position]))
    yield from (position for position in by_size[:with_bins] if errors[position] > 0.0)


def _impact(
    likelihood: Likelihood, data: Floats, best: BestFit, strength: str, position: int
) -> Impact:
    parameter = likelihood.names[position]
    central = best.value(strength)
    target = likelihood.index(strength)

    def shift(value: float) -> float:
        inside = float(np.clip(value, likelihood.low[position], likelihood.high[position]))
        moved = minimise(likelihood, data, held={parameter: inside}, start=best.values)
        return float(moved.parameters[target]) - central

    value, error = float(best.values[position]), float(best.errors[position])
    width = float(likelihood.widths[position])
    up, down = shift(value + error), shift(value - error)
    prefit: tuple[float | None, float | None] = (None, None)
    if abs(error - width) < _SAME_WIDTH * width:
        prefit = (up, down)
    elif width > 0.0:
        prefit = (shift(value + width), shift(value - width))
    return Impact(parameter, value, error, up, down, *prefit)
