"""The rates of a HistFactory model and their derivatives, in a few array operations.

pyhf evaluates any model on any backend; a fit of a run asks for the same small model some
hundred thousand times. Here are the modifiers that such a model has (`normfactor`,
`normsys` with interpolation code 4, `histosys` with code 4p, `staterror`), with their
derivatives. `fast_rates` returns nothing for any other model, and checks what it returns
against pyhf.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fourlep.errors import FitError
from fourlep.stats.templates import Floats

Integers = npt.NDArray[np.int64]

_INTERPOLATION = {"normsys": "code4", "histosys": "code4p"}
_KNOWN = {"normfactor", "normsys", "histosys", "staterror"}

#: Largest relative difference to pyhf that is rounding.
_AGREEMENT = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class FastRates:
    """A model as arrays over samples (S), channels (C) and bins (B).

    Parameters
    ----------
    nominal : (S, B) array
        Expected events.
    channel_of : (B,) array
        Channel of each bin.
    factors : (F,) array
        Positions of the free factors among the parameters.
    is_scaled : (F, S, B) array
        What each factor acts on.
    shapes : (K,) array
        Positions of the parameters of shapes.
    even, odd : (K, S, B) arrays
        Half the sum and half the difference of the steps to the up and from the down
        template.
    rates : (R,) array
        Positions of the parameters of rates.
    log_up, log_down : (R, S, C) arrays
        Logarithms of the factors at plus and minus one.
    polynomial : (6, R, S, C) array
        Coefficients of the powers 1 to 6 in between.
    bin_parameter : (S, B) array
        Position of the statistical parameter, -1 without one.
    """

    nominal: Floats
    channel_of: Integers
    factors: Integers
    is_scaled: npt.NDArray[np.bool_]
    shapes: Integers
    even: Floats
    odd: Floats
    rates: Integers
    log_up: Floats
    log_down: Floats
    polynomial: Floats
    bin_parameter: Integers

    def by_sample(self, parameters: Floats) -> Floats:
        """(S, B) expected events."""
        return np.asarray(self._shaped(parameters) * self._scale(parameters))

    def slopes(self, parameters: Floats, which: Integers) -> Floats:
        """(n_which, B) derivatives of the rates summed over samples.

        Bin parameters have none here: see `Likelihood.with_bin_parameters`.
        """
        scale = self._scale(parameters)
        by_sample = self._shaped(parameters) * scale
        slopes = np.zeros((len(parameters), by_sample.shape[1]))
        alpha = parameters[self.shapes]
        bent = _bend_slope(alpha)[:, np.newaxis, np.newaxis]
        slopes[self.shapes] = np.einsum("ksb,sb->kb", self.even + bent * self.odd, scale)
        values, derivatives = self._rate_factors(parameters)
        relative = (derivatives / values)[:, :, self.channel_of]
        slopes[self.rates] += np.einsum("rsb,sb->rb", relative, by_sample)
        for number, position in enumerate(self.factors):
            at_one = parameters.copy()
            at_one[position] = 1.0
            scaled = self.is_scaled[number] * self._shaped(parameters) * self._scale(at_one)
            slopes[position] += scaled.sum(axis=0)
        return slopes[which]

    def _shaped(self, parameters: Floats) -> Floats:
        alpha = parameters[self.shapes]
        shift = np.tensordot(alpha, self.even, 1) + np.tensordot(_bend(alpha), self.odd, 1)
        return np.asarray(self.nominal + shift)

    def _scale(self, parameters: Floats) -> Floats:
        values, _ = self._rate_factors(parameters)
        scale = values.prod(axis=0)[:, self.channel_of]
        for position, is_scaled in zip(self.factors, self.is_scaled, strict=True):
            scale = np.where(is_scaled, scale * parameters[position], scale)
        bins = np.where(self.bin_parameter >= 0, parameters[self.bin_parameter], 1.0)
        return np.asarray(scale * bins)

    def _rate_factors(self, parameters: Floats) -> tuple[Floats, Floats]:
        """(R, S, C) factors of the rates and their derivatives."""
        alpha = parameters[self.rates][:, np.newaxis, np.newaxis]
        inside = np.clip(alpha, -1.0, 1.0)
        values, derivatives = np.ones_like(self.log_up), np.zeros_like(self.log_up)
        for power, coefficient in enumerate(self.polynomial, start=1):
            values += coefficient * inside**power
            derivatives += power * coefficient * inside ** (power - 1)
        if np.any(np.abs(alpha) >= 1.0):
            slope = np.where(alpha > 0.0, self.log_up, -self.log_down)
            outside = np.exp(slope * alpha)
            is_outside = np.abs(alpha) >= 1.0
            values = np.where(is_outside, outside, values)
            derivatives = np.where(is_outside, slope * outside, derivatives)
        return values, derivatives


def _bend(alpha: Floats) -> Floats:
    """What multiplies half the difference in code 4p: |alpha|, smooth at 0."""
    square = alpha**2
    return np.where(square < 1.0, square * (15 - 10 * square + 3 * square**2) / 8, np.abs(alpha))


def _bend_slope(alpha: Floats) -> Floats:
    square = alpha**2
    inside = alpha * (30 - 40 * square + 18 * square**2) / 8
    return np.where(square < 1.0, inside, np.sign(alpha))


def fast_rates(model: Any) -> FastRates | None:
    """Make the arrays of a pyhf model.

    Returns
    -------
    None where the model has a modifier or an interpolation that is not known here.

    Raises
    ------
    FitError
        If the arrays and pyhf disagree, which would be an error in this module.
    """
    config = model.config
    settings = config.modifier_settings
    codes = {kind: settings.get(kind, {}).get("interpcode") for kind in _INTERPOLATION}
    kinds = {kind for _, kind in config.modifiers}
    if not kinds <= _KNOWN or any(codes[k] != v for k, v in _INTERPOLATION.items() if k in kinds):
        return None
    found = _Builder(model).built()
    _check(found, model)
    return found


def _check(found: FastRates, model: Any) -> None:
    rng = np.random.default_rng(0)
    start = np.asarray(model.config.suggested_init(), dtype=np.float64)
    for spread in (0.0, 0.3, 1.5):
        parameters = start + spread * rng.uniform(-1.0, 1.0, len(start))
        expected = model.main_model.expected_data(parameters, return_by_sample=True)
        ours = found.by_sample(parameters)
        if not np.allclose(ours, expected, rtol=_AGREEMENT, atol=_AGREEMENT):
            raise FitError(
                "the rates of the model differ from pyhf's",
                remedy="this is an error in fourlep: report it with workspace.json",
            )


class _Builder:
    """Fills the arrays from a pyhf model."""

    def __init__(self, model: Any) -> None:
        self.config = model.config
        self.channels = model.spec["channels"]
        self.samples = {name: number for number, name in enumerate(self.config.samples)}
        self.order = {name: number for number, name in enumerate(self.config.channels)}

    def built(self) -> FastRates:
        n_samples, n_bins = len(self.samples), int(self.config.nmaindata)
        names = {kind: self._names(kind) for kind in _KNOWN}
        shape = (n_samples, n_bins)
        nominal = np.zeros(shape)
        is_scaled = np.zeros((len(names["normfactor"]), *shape), dtype=np.bool_)
        even, odd = (np.zeros((len(names["histosys"]), *shape)) for _ in range(2))
        log_up, log_down = (
            np.zeros((len(names["normsys"]), n_samples, len(self.order))) for _ in range(2)
        )
        bin_parameter = np.full(shape, -1, dtype=np.int64)
        channel_of = np.zeros(n_bins, dtype=np.int64)
        for channel in self.channels:
            bins = self.config.channel_slices[channel["name"]]
            number = self.order[channel["name"]]
            channel_of[bins] = number
            for sample in channel["samples"]:
                row = self.samples[sample["name"]]
                events = np.asarray(sample["data"], dtype=np.float64)
                nominal[row, bins] = events
                for modifier in sample["modifiers"]:
                    kind, name, data = modifier["type"], modifier["name"], modifier["data"]
                    if kind == "normfactor":
                        is_scaled[names[kind].index(name), row, bins] = True
                    elif kind == "histosys":
                        up = np.asarray(data["hi_data"]) - events
                        down = events - np.asarray(data["lo_data"])
                        place = (names[kind].index(name), row, bins)
                        even[place], odd[place] = 0.5 * (up + down), 0.5 * (up - down)
                    elif kind == "normsys":
                        entry = (names[kind].index(name), row, number)
                        log_up[entry], log_down[entry] = np.log(data["hi"]), np.log(data["lo"])
                    else:
                        where = self.config.par_slice(name)
                        bin_parameter[row, bins] = np.arange(where.start, where.stop)
        return FastRates(
            nominal=nominal,
            channel_of=channel_of,
            factors=self._positions(names["normfactor"]),
            is_scaled=is_scaled,
            shapes=self._positions(names["histosys"]),
            even=even,
            odd=odd,
            rates=self._positions(names["normsys"]),
            log_up=log_up,
            log_down=log_down,
            polynomial=_polynomial(log_up, log_down),
            bin_parameter=bin_parameter,
        )

    def _names(self, kind: str) -> list[str]:
        return [name for name, its_kind in self.config.modifiers if its_kind == kind]

    def _positions(self, names: list[str]) -> Integers:
        return np.array([self.config.par_slice(name).start for name in names], dtype=np.int64)


def _polynomial(log_up: Floats, log_down: Floats) -> Floats:
    """Coefficients that meet both exponentials at plus and minus one to second order."""
    powers = np.arange(1, 7)
    signs = (-1.0) ** powers
    conditions = np.stack(
        [
            np.ones(6),
            signs,
            powers,
            -powers * signs,
            powers * (powers - 1),
            powers * (powers - 1) * signs,
        ]
    )
    up, down = np.exp(log_up), np.exp(log_down)
    wanted = np.stack(
        [up - 1, down - 1, up * log_up, -down * log_down, up * log_up**2, down * log_down**2]
    )
    return np.asarray(np.tensordot(np.linalg.inv(conditions), wanted, 1))
