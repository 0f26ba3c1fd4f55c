"""The likelihood of a HistFactory workspace, arranged for many minimisations.

The model is pyhf's. Two things make a fit of over a hundred parameters quick:

- The rates of the modifiers that a run's workspace has are evaluated by
  `fourlep.stats.rates`, which is held against pyhf whenever a model is built. Any other
  model is evaluated by pyhf.
- The bin-by-bin parameters of the simulation's finite size (Barlow and Beeston's, in the
  form of J. S. Conway, arXiv:1103.0354) need no minimiser: each acts on one bin alone, so
  that at fixed other parameters its best value solves a quadratic equation. The minimum,
  the profile and, by block inversion, the covariance are those of the full problem.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, xlogy

from fourlep.errors import FitError
from fourlep.stats.notices import without_known_notices
from fourlep.stats.rates import FastRates, fast_rates
from fourlep.stats.templates import Floats
from fourlep.stats.workspace import Workspace

Integers = npt.NDArray[np.int64]

#: Rates below this are taken as this: the logarithm of a negative rate has no meaning.
_SMALLEST_RATE = 1e-10

#: Step of the numerical derivatives of the rates.
_STEP = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Likelihood:
    """A statistical model with what is known of the role of each parameter.

    Parameters
    ----------
    model
        The pyhf model.
    names
        Parameters, in the model's order.
    initial, low, high : (n_parameters,) arrays
        Starting values and ranges.
    is_fixed : (n_parameters,) array
        Parameters that the model holds constant.
    widths : (n_parameters,) array
        Standard deviation of the constraint, 0 for an unconstrained parameter.
    auxiliary : (n_parameters,) array
        Position of the constraint's measurement behind the bins, -1 without one.
    counts_per_unit : (n_parameters,) array
        What a parameter of 1 is measured as: 1 for a Gaussian constraint, the expected
        count for a Poisson one.
    is_counted : (n_parameters,) array
        Whether the constraint is a Poisson one.
    bin_parameters, bins : (n_local,) arrays
        The parameters that scale the whole of one bin, and that bin.
    fast
        The same rates in a few array operations, None for a model that pyhf evaluates.
    """

    model: Any
    names: tuple[str, ...]
    initial: Floats
    low: Floats
    high: Floats
    is_fixed: npt.NDArray[np.bool_]
    widths: Floats
    auxiliary: Integers
    counts_per_unit: Floats
    is_counted: npt.NDArray[np.bool_]
    bin_parameters: Integers
    bins: Integers
    fast: FastRates | None = None

    @property
    def poi(self) -> str:
        """Name of the parameter of interest."""
        return str(self.model.config.poi_name)

    @property
    def n_bins(self) -> int:
        """Number of bins over all channels."""
        return int(self.model.config.nmaindata)

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels in the order of the bins."""
        return tuple(self.model.config.channels)

    @property
    def samples(self) -> tuple[str, ...]:
        """Samples of the model."""
        return tuple(self.model.config.samples)

    def channel_bins(self, channel: str) -> slice:
        """Where a channel's bins are."""
        found: slice = self.model.config.channel_slices[channel]
        return found

    def index(self, name: str) -> int:
        """Position of a parameter.

        Raises
        ------
        FitError
            If there is none of that name.
        """
        try:
            return self.names.index(name)
        except ValueError as error:
            raise FitError(
                f"the model has no parameter {name!r}",
                remedy=f"it has {', '.join(self.names[:12])}, ...",
            ) from error

    def twice_nll(self, parameters: Floats, data: Floats) -> float:
        """Minus twice the logarithm of the likelihood."""
        if self.fast is None:
            return float(-2.0 * self.model.logpdf(parameters, data)[0])
        rates, events = self.rates(parameters), data[: self.n_bins]
        bins = np.sum(xlogy(events, rates) - rates - gammaln(events + 1.0))
        constrained = self.auxiliary >= 0
        widths = self.widths[constrained]
        measured = data[self.n_bins + self.auxiliary[constrained]]
        pulls = (parameters[constrained] - measured) / widths
        constraints = np.sum(-0.5 * pulls**2 - np.log(widths) - 0.5 * np.log(2.0 * np.pi))
        return float(-2.0 * (bins + constraints))

    def rates(self, parameters: Floats) -> Floats:
        """(n_bins,) expected events."""
        if self.fast is None:
            return np.asarray(self.model.expected_actualdata(parameters))
        return np.asarray(np.maximum(self.fast.by_sample(parameters).sum(axis=0), _SMALLEST_RATE))

    def is_cut_off(self, parameters: Floats, data: Floats) -> bool:
        """Whether a bin that has events is left without expectation.

        There the likelihood is that of `_SMALLEST_RATE`, which has no slope to follow.
        """
        is_empty = self.rates(parameters) <= _SMALLEST_RATE
        return bool(np.any(is_empty & (data[: self.n_bins] > 0.0)))

    def rates_by_sample(self, parameters: Floats) -> Floats:
        """(n_samples, n_bins) expected events."""
        if self.fast is not None:
            return self.fast.by_sample(parameters)
        by_sample = self.model.main_model.expected_data(parameters, return_by_sample=True)
        return np.asarray(by_sample)

    def expected(self, parameters: Floats) -> Floats:
        """(n_bins + n_auxiliary,) the data set that has ``parameters`` as its best fit."""
        return np.asarray(self.model.expected_data(parameters))

    def nominal(self) -> Floats:
        """(n_parameters,) parameters before the fit: the model's own expectation."""
        auxiliary = np.asarray(self.model.config.auxdata, dtype=np.float64)
        return self.measured(np.concatenate([np.zeros(self.n_bins), auxiliary]))

    def measured(self, data: Floats) -> Floats:
        """(n_parameters,) constrained parameters where ``data`` measured them.

        The unconstrained ones are at their starting values.
        """
        parameters = self.initial.copy()
        constrained = self.auxiliary >= 0
        measured = data[self.n_bins + self.auxiliary[constrained]]
        parameters[constrained] = measured / self.counts_per_unit[constrained]
        return parameters

    def constraint(self, parameters: Floats, data: Floats) -> float:
        """Logarithm of the likelihood of the constraints' measurements alone."""
        if self.n_bins == len(data):
            return 0.0
        return float(np.sum(self.model.constraint_logpdf(data[self.n_bins :], parameters)))

    def slopes(self, parameters: Floats, which: Integers) -> Floats:
        """(n_which, n_bins) derivatives of the rates by some parameters.

        Where pyhf evaluates the model, by central differences, whose step is small against
        a constraint's width and large against rounding: the rates are low polynomials.
        """
        if self.fast is not None:
            return self.fast.slopes(parameters, which)
        slopes = np.zeros((len(which), self.n_bins))
        for row, position in enumerate(which):
            above, below = parameters.copy(), parameters.copy()
            above[position] += _STEP
            below[position] -= _STEP
            slopes[row] = (self.rates(above) - self.rates(below)) / (2.0 * _STEP)
        return slopes

    def gradient(self, parameters: Floats, data: Floats, which: Integers) -> Floats:
        """(n_which,) derivatives of minus twice the logarithm of the likelihood.

        At the bin parameters' best values this is the gradient of the profile too.
        """
        rates = self.rates(parameters)
        bins = self.slopes(parameters, which) @ (1.0 - data[: self.n_bins] / rates)
        constrained = self.auxiliary[which] >= 0
        value = parameters[which[constrained]]
        measured = data[self.n_bins + self.auxiliary[which[constrained]]]
        counts = self.counts_per_unit[which[constrained]]
        pulls = np.zeros(len(which))
        pulls[constrained] = np.where(
            self.is_counted[which[constrained]],
            counts - measured / np.where(value > 0.0, value, _SMALLEST_RATE),
            (value - measured) / self.widths[which[constrained]] ** 2,
        )
        return 2.0 * (bins + pulls)

    def curvature(self, parameters: Floats, data: Floats, which: Integers) -> Floats:
        """(n_which, n_which) second derivatives of the profile, nearly.

        The rates are taken as linear in the parameters, and the bin parameters as following
        them: enough to tell a minimiser how far to step, not for errors.
        """
        rates = self.rates(parameters)
        weights = data[: self.n_bins] / rates**2
        scale = parameters[self.bin_parameters]
        stiffness = data[self.bins] / scale**2 + self.widths[self.bin_parameters] ** -2.0
        weights[self.bins] -= 1.0 / (stiffness * scale**2)
        slopes = self.slopes(parameters, which)
        hessian = (slopes * np.maximum(weights, 1e-3 / rates)) @ slopes.T
        widths = self.widths[which]
        constrained = np.flatnonzero(widths > 0.0)
        hessian[constrained, constrained] += widths[constrained] ** -2.0
        return np.asarray(2.0 * hessian)

    def with_bin_parameters(
        self, parameters: Floats, data: Floats, held: npt.NDArray[np.bool_]
    ) -> Floats:
        """Set the bin parameters to their best values, given the others.

        Parameters
        ----------
        parameters : (n_parameters,) array
            Where the others are; not changed.
        data : (n_bins + n_auxiliary,) array
            Observed events and constraint measurements.
        held : (n_parameters,) array
            Parameters that stay as they are.

        Returns
        -------
        (n_parameters,) array
        """
        chosen = ~held[self.bin_parameters]
        which, bins = self.bin_parameters[chosen], self.bins[chosen]
        filled = parameters.copy()
        if not len(which):
            return filled
        filled[which] = 1.0
        rates = np.maximum(self.rates(filled)[bins], _SMALLEST_RATE)
        measured = data[self.n_bins + self.auxiliary[which]]
        variance = self.widths[which] ** 2
        # Root of g**2 + g (rate variance - measured) - events variance = 0.
        half = 0.5 * (measured - rates * variance)
        root = np.sqrt(half**2 + data[bins] * variance)
        # The sum cancels for a negative half: there the product of the roots is exact.
        negative = half < 0.0
        other_root = np.where(negative, root - half, 1.0)
        best = np.where(negative, data[bins] * variance / other_root, half + root)
        filled[which] = np.clip(best, self.low[which], self.high[which])
        return filled


def likelihood(workspace: Workspace) -> tuple[Likelihood, Floats]:
    """Build the likelihood of a workspace and its data.

    Parameters
    ----------
    workspace
        HistFactory workspace in pyhf's JSON form.

    Returns
    -------
    likelihood
        The model.
    data : (n_bins + n_auxiliary,) array
        Observed events of the workspace and its constraint measurements.

    Raises
    ------
    FitError
        If pyhf refuses the workspace.
    """
    import pyhf

    pyhf.set_backend("numpy")
    try:
        with without_known_notices():
            described = pyhf.Workspace(workspace)
            model = described.model(
                modifier_settings={
                    "normsys": {"interpcode": "code4"},
                    "histosys": {"interpcode": "code4p"},
                },
                clip_bin_data=_SMALLEST_RATE,
            )
        data = np.asarray(described.data(model), dtype=np.float64)
    except (pyhf.exceptions.InvalidSpecification, pyhf.exceptions.InvalidModel) as error:
        raise FitError(
            f"pyhf refuses the workspace: {str(error).splitlines()[0]}",
            remedy="build it again from the run",
        ) from error
    return from_model(model), data


def from_model(model: Any) -> Likelihood:
    """Build the likelihood of a pyhf model."""
    config = model.config
    bounds = np.asarray(config.suggested_bounds(), dtype=np.float64)
    parameters, bins = _bin_parameters(model)
    return Likelihood(
        model=model,
        names=tuple(config.par_names),
        initial=np.asarray(config.suggested_init(), dtype=np.float64),
        low=bounds[:, 0],
        high=bounds[:, 1],
        is_fixed=np.asarray(config.suggested_fixed(), dtype=np.bool_),
        **_constraints(model),
        bin_parameters=parameters,
        bins=bins,
        fast=fast_rates(model),
    )


def _constraints(model: Any) -> dict[str, Any]:
    config = model.config
    widths, counts = np.zeros(config.npars), np.ones(config.npars)
    auxiliary = np.full(config.npars, -1, dtype=np.int64)
    is_counted = np.zeros(config.npars, dtype=np.bool_)
    position = 0
    for name in config.auxdata_order:
        parameters, where = config.param_set(name), config.par_slice(name)
        widths[where] = parameters.width()
        auxiliary[where] = np.arange(position, position + parameters.n_parameters)
        position += parameters.n_parameters
        if parameters.pdf_type == "poisson":
            counts[where], is_counted[where] = parameters.factors, True
    return {
        "widths": widths,
        "auxiliary": auxiliary,
        "counts_per_unit": counts,
        "is_counted": is_counted,
    }


def _bin_parameters(model: Any) -> tuple[Integers, Integers]:
    """Find the free statistical parameters that act on every sample of their channel."""
    config = model.config
    parameters: list[int] = []
    bins: list[int] = []
    for channel in model.spec["channels"]:
        shared = set.intersection(
            *(
                {item["name"] for item in sample["modifiers"] if item["type"] == "staterror"}
                for sample in channel["samples"]
            )
        )
        for name in shared & set(config.par_order):
            where, its_bins = config.par_slice(name), config.channel_slices[channel["name"]]
            fixed = config.param_set(name).suggested_fixed
            for offset in range(where.stop - where.start):
                if not fixed[offset]:
                    parameters.append(where.start + offset)
                    bins.append(its_bins.start + offset)
    return np.asarray(parameters, dtype=np.int64), np.asarray(bins, dtype=np.int64)
