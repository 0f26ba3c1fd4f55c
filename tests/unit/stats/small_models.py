"""Small likelihoods whose answers are known."""

from __future__ import annotations

from typing import Any

import numpy as np

from fourlep.stats.likelihood import Likelihood, likelihood


def counting(signal: float, background: float, observed: float) -> tuple[Likelihood, np.ndarray]:
    """One bin, background known."""
    return likelihood(workspace({"bin": {"S": [signal], "B": [background]}}, {"bin": [observed]}))


def workspace(
    channels: dict[str, dict[str, list[float]]],
    data: dict[str, list[float]],
    modifiers: dict[tuple[str, str], list[dict[str, Any]]] | None = None,
    *,
    low: float = -10.0,
    high: float = 50.0,
) -> dict[str, Any]:
    """A workspace in which ``S`` is scaled by mu; ``modifiers`` by (channel, sample)."""
    extra = modifiers or {}
    mu = {"name": "mu", "type": "normfactor", "data": None}
    return {
        "channels": [
            {
                "name": channel,
                "samples": [
                    {
                        "name": sample,
                        "data": events,
                        "modifiers": [mu] * (sample == "S") + extra.get((channel, sample), []),
                    }
                    for sample, events in samples.items()
                ],
            }
            for channel, samples in channels.items()
        ],
        "observations": [{"name": name, "data": events} for name, events in data.items()],
        "measurements": [
            {
                "name": "small",
                "config": {
                    "poi": "mu",
                    "parameters": [{"name": "mu", "inits": [1.0], "bounds": [[low, high]]}],
                },
            }
        ],
        "version": "1.0.0",
    }


def staterror(channel: str, errors: list[float]) -> dict[str, Any]:
    return {"name": f"staterror_{channel}", "type": "staterror", "data": errors}


def full(seed: int = 3, n_bins: int = 6) -> tuple[Likelihood, np.ndarray]:
    """Two channels with every kind of modifier that a fit of a run has, and random data."""
    rng = np.random.default_rng(seed)
    channels: dict[str, dict[str, list[float]]] = {}
    modifiers: dict[tuple[str, str], list[dict[str, Any]]] = {}
    data = {}
    for channel in ("one", "two"):
        channels[channel] = {}
        for sample in ("B", "S"):
            events = rng.uniform(2.0, 8.0, n_bins)
            channels[channel][sample] = events.tolist()
            change = rng.uniform(-0.1, 0.1, n_bins)
            up, down = events * (1.0 + change), events * (1.0 - 0.8 * change)
            modifiers[channel, sample] = [
                staterror(channel, (0.15 * events).tolist()),
                {"name": "rate", "type": "normsys", "data": {"hi": 1.08, "lo": 0.93}},
                {
                    "name": "shape",
                    "type": "histosys",
                    "data": {"hi_data": up.tolist(), "lo_data": down.tolist()},
                },
            ]
        total = np.sum(list(channels[channel].values()), axis=0)
        data[channel] = rng.poisson(total).astype(float).tolist()
    return likelihood(workspace(channels, data, modifiers))
