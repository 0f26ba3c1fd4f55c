"""Minimising a likelihood with MINUIT, and refusing to give numbers where that fails."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fourlep.errors import FitError
from fourlep.stats.likelihood import Integers, Likelihood
from fourlep.stats.templates import Floats

#: MINUIT stops when the estimated distance to the minimum is below 0.002 times this.
_TOLERANCE = 1e-6

#: Estimated distance to the minimum that changes no result: 1e-5 in twice the logarithm.
_NEAR = 1e-5

#: What MINUIT itself is content with: 1 % of an error, where rounding allows no better.
_USUAL_TOLERANCE = 0.1
_MAX_CALLS = 20_000

#: Evaluations after which a quick attempt is given up: those that succeed take some hundred.
_QUICK_CALLS = 1_000

#: Steps in which a held parameter goes to its value where it cannot jump there.
_STEPS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Minimum:
    """A minimum of minus twice the logarithm of the likelihood.

    Parameters
    ----------
    parameters : (n_parameters,) array
        Where it is.
    twice_nll
        Its value.
    explicit : (n_explicit,) array
        Positions of the parameters that MINUIT varied.
    held : (n_parameters,) array
        Parameters that were held.
    minuit
        MINUIT in its final state; None where nothing was left to vary.
    """

    parameters: Floats
    twice_nll: float
    explicit: Integers
    held: npt.NDArray[np.bool_]
    minuit: Any


def minimise(
    likelihood: Likelihood,
    data: Floats,
    *,
    held: Mapping[str, float] | None = None,
    start: Floats | None = None,
    is_final: bool = False,
) -> Minimum:
    """Find the minimum.

    Parameters
    ----------
    likelihood
        What to minimise.
    data : (n_bins + n_auxiliary,) array
        Observed events and constraint measurements.
    held
        Parameters to hold, and where.
    start : (n_parameters,) array
        Where to start, by default at the model's own values. Where holding parameters
        elsewhere would leave events in a bin without expectation, they go there in steps:
        a likelihood that is cut off has no slope for MINUIT to follow.
    is_final
        Whether errors will be asked of the minimum: MINUIT then takes more care of the
        curvature.

    Raises
    ------
    FitError
        If MINUIT does not converge, however it is started.
    """
    at = held or {}
    base = _moved(likelihood, likelihood.initial if start is None else start, at)
    if at and start is not None and likelihood.is_cut_off(base, data):
        nearer = _moved(likelihood, _approach(likelihood, data, start, at), at)
        with suppress(FitError):
            return _minimise(likelihood, data, nearer, at, is_final=is_final)
    return _minimise(likelihood, data, base, at, is_final=is_final)


def _minimise(
    likelihood: Likelihood, data: Floats, base: Floats, held: Collection[str], *, is_final: bool
) -> Minimum:
    is_held = likelihood.is_fixed.copy()
    is_held[[likelihood.index(name) for name in held]] = True
    explicit = _explicit(likelihood, is_held)
    if not len(explicit):
        parameters = likelihood.with_bin_parameters(base, data, is_held)
        return Minimum(parameters, likelihood.twice_nll(parameters, data), explicit, is_held, None)
    profile = _Profile(likelihood, data, base, explicit, is_held)
    quick = None if is_final else _quick(profile)
    minuit = quick or _converged(profile, likelihood.initial[explicit])
    parameters = profile.parameters(np.asarray(minuit.values))
    # What is flat there is no minimum; the fractions of an event that an expected data set
    # has in every bin hardly weigh.
    if not (quick or is_final) and likelihood.is_cut_off(parameters, np.floor(data)):
        raise _no_convergence("a bin that has events is left without expectation")
    return Minimum(parameters, likelihood.twice_nll(parameters, data), explicit, is_held, minuit)


def _approach(
    likelihood: Likelihood, data: Floats, start: Floats, held: Mapping[str, float]
) -> Floats:
    """Minimise on the way to where parameters are to be held, as far as that goes."""
    here = start
    for share in np.linspace(0.0, 1.0, _STEPS, endpoint=False)[1:]:
        step = {
            name: (1.0 - share) * start[likelihood.index(name)] + share * value
            for name, value in held.items()
        }
        base = _moved(likelihood, here, step)
        if likelihood.is_cut_off(base, data):
            break
        try:
            here = _minimise(likelihood, data, base, step, is_final=False).parameters
        except FitError:
            break
    return here


def _moved(likelihood: Likelihood, parameters: Floats, held: Mapping[str, float]) -> Floats:
    moved = parameters.copy()
    for name, value in held.items():
        moved[likelihood.index(name)] = value
    return moved


@dataclass(frozen=True, slots=True, eq=False)
class _Profile:
    """The likelihood as a function of the explicit parameters."""

    likelihood: Likelihood
    data: Floats
    base: Floats
    explicit: Integers
    is_held: npt.NDArray[np.bool_]

    def parameters(self, values: Floats) -> Floats:
        parameters = self.base.copy()
        parameters[self.explicit] = values
        return self.likelihood.with_bin_parameters(parameters, self.data, self.is_held)

    def value(self, values: Floats) -> float:
        return self.likelihood.twice_nll(self.parameters(values), self.data)

    def gradient(self, values: Floats) -> Floats:
        return self.likelihood.gradient(self.parameters(values), self.data, self.explicit)

    def curvature(self, values: Floats) -> Floats:
        return self.likelihood.curvature(self.parameters(values), self.data, self.explicit)


def _explicit(likelihood: Likelihood, is_held: npt.NDArray[np.bool_]) -> Integers:
    free = ~is_held
    free[likelihood.bin_parameters] = False
    return np.flatnonzero(free)


def _minuit(profile: _Profile, *, is_final: bool) -> Any:
    from iminuit import Minuit

    likelihood, explicit = profile.likelihood, profile.explicit
    start = profile.base[explicit]
    # MINUIT judges rounding by the size of the function: let it be small at the minimum.
    offset = profile.value(start)
    minuit = Minuit(
        lambda values: profile.value(values) - offset,
        start,
        grad=profile.gradient,
        # Errors would be taken from it, too: they need the exact one.
        hessian=None if is_final else profile.curvature,
        name=[likelihood.names[position] for position in explicit],
    )
    minuit.errordef = Minuit.LEAST_SQUARES  # twice the logarithm
    minuit.limits = list(zip(likelihood.low[explicit], likelihood.high[explicit], strict=True))
    widths = likelihood.widths[explicit]
    minuit.errors = np.where(widths > 0.0, widths, 0.1)
    minuit.tol = _TOLERANCE
    minuit.print_level = -1  # at 0 the C++ library still writes its own errors
    return minuit


def _quick(profile: _Profile) -> Any:
    """Minimise along `Likelihood.curvature`; None where that leads astray.

    It takes the rates as linear, which they are not where bins are nearly empty.
    """
    minuit = _minuit(profile, is_final=False)
    minuit.strategy = 0
    minuit.migrad(ncall=_QUICK_CALLS)
    return minuit if _is_minimum(minuit) else None


def _converged(profile: _Profile, fallback: Floats) -> Any:
    """Minimise; try harder, then from the model's start, then to MINUIT's own precision."""
    minuit = _minuit(profile, is_final=True)
    minuit.strategy = 1
    minuit.migrad(ncall=_MAX_CALLS)
    if _is_minimum(minuit):
        return minuit
    minuit.strategy = 2
    minuit.simplex().migrad(ncall=_MAX_CALLS)
    if _is_minimum(minuit):
        return minuit
    minuit.values = fallback
    minuit.simplex().migrad(ncall=_MAX_CALLS)
    if _is_minimum(minuit):
        return minuit
    minuit.tol = _USUAL_TOLERANCE
    minuit.migrad(ncall=_MAX_CALLS)
    if not minuit.valid:
        raise _no_convergence(_reason(minuit))
    return minuit


def _no_convergence(reason: str) -> FitError:
    return FitError(
        f"the fit does not converge: {reason}",
        remedy="merge bins (bin_width), leave out processes without events, constrain free "
        "normalisations, or prune variations",
    )


def _is_minimum(minuit: Any) -> bool:
    """Whether the minimum is valid, or rounding alone keeps it from being as near as asked."""
    state = minuit.fmin
    is_near = np.isfinite(state.fval) and 0.0 <= state.edm < _NEAR
    return bool(minuit.valid or (is_near and not state.has_reached_call_limit))


def _reason(minuit: Any) -> str:
    state = minuit.fmin
    if not np.isfinite(state.fval):
        return "the likelihood is not finite"
    if state.has_reached_call_limit:
        return f"{state.nfcn} evaluations were not enough"
    if state.is_above_max_edm:
        return f"estimated distance to the minimum {state.edm:.2g}, wanted {state.edm_goal:.2g}"
    if state.has_parameters_at_limit:
        return "a parameter stands at the end of its range"
    return "no valid minimum"
