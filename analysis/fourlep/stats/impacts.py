"""How much each nuisance parameter moves the measurement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fourlep.errors import FitError
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
    is_fitted
        Whether all else was fitted again; otherwise the covariance of the best fit gave
        the impacts, which is exact where the likelihood is Gaussian (A. Pinto et al.,
        Eur. Phys. J. C 84 (2024) 593).
    """

    name: str
    value: float
    error: float
    up: float
    down: float
    prefit_up: float | None = None
    prefit_down: float | None = None
    is_fitted: bool = True

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
    with_fits: int = 8,
    with_bins: int = 2,
) -> tuple[Impact, ...]:
    """Impacts of the nuisance parameters, largest first.

    All impacts are estimated from the covariance of the best fit; those of the largest are
    then replaced by fits. Where such a fit does not converge, which takes nothing from the
    measurement, the estimate stays.

    Parameters
    ----------
    likelihood, data
        Model and data set.
    best
        Its best fit.
    strengths
        Signal strengths: the first is what is moved, and none is a nuisance parameter.
    with_fits
        How many parameters, the statistical ones of single bins aside, to fit.
    with_bins
        How many statistical parameters to rank, and to fit.
    """
    target = likelihood.index(strengths[0])
    errors = np.where(best.errors > 0.0, best.errors, np.inf)
    estimates = best.covariance[target] / errors
    local = set(likelihood.bin_parameters.tolist())
    by_size = [
        int(position)
        for position in np.argsort(-np.abs(estimates), kind="stable")
        if np.isfinite(errors[position]) and likelihood.names[position] not in strengths
    ]
    shared = [position for position in by_size if position not in local]
    bins = [position for position in by_size if position in local][:with_bins]

    def estimated(position: int) -> Impact:
        return _estimated(likelihood, best, position, float(estimates[position]))

    def fitted_where_possible(position: int) -> Impact:
        try:
            return _impact(likelihood, data, best, strengths[0], position)
        except FitError:
            return estimated(position)

    fitted = [fitted_where_possible(position) for position in (*shared[:with_fits], *bins)]
    rest = [estimated(position) for position in shared[with_fits:]]
    return tuple(sorted((*fitted, *rest), key=lambda impact: impact.size, reverse=True))


def _estimated(likelihood: Likelihood, best: BestFit, position: int, shift: float) -> Impact:
    """The impact that the covariance gives."""
    value, error = float(best.values[position]), float(best.errors[position])
    width = float(likelihood.widths[position])
    prefit = shift * width / error if width > 0.0 else None
    return Impact(
        likelihood.names[position],
        value,
        error,
        shift,
        -shift,
        prefit,
        None if prefit is None else -prefit,
        is_fitted=False,
    )


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
