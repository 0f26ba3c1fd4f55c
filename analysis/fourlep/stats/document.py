"""A measurement as the content of ``fit.json``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fourlep.stats.config import FitConfig
from fourlep.stats.discriminant import Gain
from fourlep.stats.limit import BANDS
from fourlep.stats.mass import MassFit
from fourlep.stats.mass_templates import SIMULATED
from fourlep.stats.measurement import Measurement, RegionResult, StrengthResult
from fourlep.stats.preparation import Preparation
from fourlep.stats.run_directory import Run
from fourlep.stats.yields import Yields

#: Version of the layout.
SCHEMA = 1

Document = dict[str, Any]


def document(
    run: Run,
    config: FitConfig,
    preparation: Preparation,
    measurement: Measurement,
    *,
    luminosity_ifb: float,
    modes: Sequence[StrengthResult] = (),
    discriminant: Gain | None = None,
    mass: MassFit | None = None,
) -> Document:
    """Write a measurement as plain numbers, lists and dictionaries.

    Parameters
    ----------
    run, config, preparation
        What was fitted.
    measurement
        What was found.
    luminosity_ifb
        What the simulation was scaled to.
    modes
        Strengths of production modes, each with the others at the Standard Model.
    discriminant
        What a discriminant gains, where one was asked for.
    mass
        Mass and strength, where asked for.
    """
    return {
        "schema": SCHEMA,
        "fingerprint": run.fingerprint,
        "selection": run.selection,
        "luminosity_ifb": luminosity_ifb,
        "synthetic": run.is_synthetic,
        "blinded": measurement.is_blinded,
        "fitted_to": "expectation" if measurement.is_blinded else "data",
        "strengths": {item.name: _strength(item) for item in measurement.strengths},
        "modes": {item.name: _strength(item) for item in modes},
        "discriminant": _plain(discriminant),
        "mass": _mass(mass),
        "parameters": _parameters(measurement),
        "correlation": _correlation(measurement),
        "impacts": [_plain(item) for item in measurement.impacts],
        "goodness_of_fit": _plain(measurement.goodness),
        "toys": _plain(measurement.toys),
        "regions": [_region(region) for region in measurement.regions],
        "variations": list(preparation.variations),
        "treatments": [_plain(item) for item in preparation.treatments],
        "configuration": _plain(config),
    }


def _strength(item: StrengthResult) -> Document:
    low, high = item.minos
    return {
        "value": item.value,
        "error": item.error,
        "minos": {"low": low, "high": high},
        "significance": {
            "expected": _plain(item.expected),
            "expected_after_fit": _plain(item.expected_after),
            "observed": _plain(item.observed),
        },
        "upper_limit": {
            "level": item.limit.level,
            "observed": item.limit.observed,
            "expected": {
                str(band): value for band, value in zip(BANDS, item.limit.expected, strict=True)
            },
        },
        "scan": {"values": _plain(item.scan.values), "delta": _plain(item.scan.delta)},
    }


def _mass(found: MassFit | None) -> Document | None:
    if found is None:
        return None
    low, high = found.minos
    return {
        "mass": found.mass,
        "low": found.low,
        "high": found.high,
        "strength": found.strength,
        "value": found.value,
        "error": found.error,
        "minos": {"low": low, "high": high},
        "simulated": SIMULATED,
        "masses": found.masses.tolist(),
        "profile": found.profile.tolist(),
        "strengths": found.strengths.tolist(),
        "surface": found.surface.tolist(),
    }


def _parameters(measurement: Measurement) -> Document:
    best = measurement.best
    pulls = {item.name: item for item in (*measurement.pulls, *measurement.bin_pulls)}
    content: Document = {}
    for name, value, error in zip(best.names, best.values, best.errors, strict=True):
        pull = pulls.get(name)
        content[name] = {
            "value": float(value),
            "error": float(error),
            "pull": None if pull is None else pull.pull,
            "constraint": None if pull is None else pull.constraint,
        }
    return content


def _correlation(measurement: Measurement) -> Document:
    best = measurement.best
    where = [best.names.index(name) for name in measurement.parameters]
    return {
        "names": list(measurement.parameters),
        "matrix": best.correlation[np.ix_(where, where)].tolist(),
    }


def _region(region: RegionResult) -> Document:
    return {
        "name": region.name,
        "channel": region.channel,
        "observable": region.observable,
        "edges": region.edges.tolist(),
        "data": None if region.data is None else region.data.tolist(),
        "before": _yields(region.before),
        "after": _yields(region.after),
    }


def _yields(yields: Yields) -> Document:
    return {
        "processes": {
            process: {"events": float(total), "error": float(error), "bins": bins.tolist()}
            for process, total, error, bins in zip(
                yields.processes, yields.totals, yields.total_errors, yields.bins, strict=True
            )
        },
        "total": {
            "events": yields.total,
            "error": yields.total_error,
            "bin_errors": yields.bin_errors.tolist(),
        },
    }


def _plain(value: Any) -> Any:
    """Dataclasses, tuples and arrays as JSON has them."""
    import cattrs

    converter = cattrs.Converter()
    converter.register_unstructure_hook(np.ndarray, lambda array: array.tolist())
    return converter.unstructure(value)
