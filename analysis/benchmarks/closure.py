"""Measure the closure: selection and fit recover the signal strength that was put in.

::

    python analysis/benchmarks/closure.py [--seeds 200] [--mu 1.0] [--events 600000]
        [--workers 2] [--output closure.json] [--figure closure.png]

Simulation is made once, with more events than the default release has; data are drawn anew for
each seed, exactly as ``fourlep synth`` draws them, good and bad luminosity blocks included.
Both pass through the full selection with the good-run list, and each data set is fitted
with the default regions, the ZZ normalisation free. Rate uncertainties are left out: their
true values are not varied here, so that granting them would only widen the errors. Nothing
is written to disk between generator and fit; that files give the same events is tested
elsewhere.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fourlep.physics.registry import selection
from fourlep.stats.best_fit import fit
from fourlep.stats.config import FitConfig, Normalisation, fourlepton_config
from fourlep.stats.likelihood import Likelihood, likelihood
from fourlep.stats.preparation import PreparedRegion, prepare
from fourlep.stats.run_directory import Run
from fourlep.stats.templates import Template
from fourlep.stats.workspace import build_workspace
from fourlep.synth.data import choose_runs, draw
from fourlep.synth.memory import events_of
from fourlep.synth.parameters import Parameters, ProcessParameters, parameters
from fourlep.synth.plan import Options, expected_data, generator
from fourlep.synth.sample import Sample, observe, physlite_columns, simulate
from fourlep.synth.survivors import has_four

Floats = npt.NDArray[np.float64]

#: Of the simulation; data have seeds from 1.
SIMULATION_SEED = 20_240_701
EDGES = np.linspace(80.0, 250.0, 69)
CHUNK = 50_000
#: The continuum is spread over more bins than anything else, and its fluctuations are
#: common to all data sets.
MORE_ZZ = 4


@dataclass(frozen=True, slots=True)
class Masses:
    """Selected events: channel, m4l (GeV) and weight."""

    channel: npt.NDArray[np.int64]
    m4l: Floats
    weight: Floats

    def histogram(self, channel: int | None, low: float, high: float) -> Template:
        """Events of a channel (None for all) with m4l in a range."""
        keep = (self.m4l >= low) & (self.m4l < high)
        if channel is not None:
            keep &= self.channel == channel
        values = np.histogram(self.m4l[keep], EDGES, weights=self.weight[keep])[0]
        variances = np.histogram(self.m4l[keep], EDGES, weights=self.weight[keep] ** 2)[0]
        return Template(EDGES, values, variances)


class Histograms:
    """Histograms in memory under the names of a run's ``histograms.root``."""

    def __init__(self, processes: dict[str, Masses]) -> None:
        self._processes = processes

    def __contains__(self, name: str) -> bool:
        return name.rpartition("/")[2] in self._processes

    def read(self, folder: str, name: str) -> Template:
        """Return one histogram."""
        channel, region, _ = folder.split("/")
        ranges = {"all": (0.0, np.inf), "zz_control": (180.0, 250.0)}
        channels = selection("fourlepton").channels
        number = None if channel == "4l" else channels.index(channel)
        return self._processes[name].histogram(number, *ranges[region])


@cache
def light_parameters() -> Parameters:
    """What the package has, without the generator weights and tracks that nothing here reads."""
    made = parameters()
    return replace(made, event=replace(made.event, generator_weights=1, soft_tracks=0.1))


def selected(rng: np.random.Generator, sample: Sample, options: Options) -> Masses:
    """Pass a sample through the full selection; only events that can pass are made columns."""
    chosen = selection("fourlepton")
    candidates = taken(sample, np.flatnonzero(has_four(sample.leptons, sample.n_events)))
    columns = physlite_columns(rng, candidates, light_parameters())
    events = events_of(columns, chosen.required, chosen.optional)
    kept = chosen.select(events, choose_runs(options).good_runs).candidates
    weights = candidates.weights
    weight = np.ones(len(kept.index)) if weights is None else weights[kept.index]
    return Masses(kept.channel, kept.observables["m4l"], weight)


def taken(sample: Sample, events: npt.NDArray[np.int64]) -> Sample:
    """Keep some events of a sample."""
    place = np.full(sample.n_events, -1, dtype=np.int64)
    place[events] = np.arange(len(events))
    around = {
        item.name: getattr(sample.conditions, item.name)[events]
        for item in fields(sample.conditions)
        if item.name != "dsid"
    }
    return Sample(
        sample.leptons.renumbered(place),
        replace(sample.conditions, **around),
        None if sample.weights is None else sample.weights[events],
    )


def joined(parts: Iterable[Masses]) -> Masses:
    """Put selected events together."""
    listed = list(parts)
    return Masses(
        np.concatenate([part.channel for part in listed]),
        np.concatenate([part.m4l for part in listed]),
        np.concatenate([part.weight for part in listed]),
    )


def expectation(process: ProcessParameters, size: int, options: Options) -> Masses:
    """Simulate a process and scale it to what the data are drawn for, at a strength of 1."""
    rng = generator(replace(options, seed=SIMULATION_SEED), "closure", process.name)
    parts, total = [], 0.0
    for start in range(0, size, CHUNK):
        sample = simulate(
            rng,
            process,
            n_four=min(CHUNK, size - start),
            n_filler=0,
            weight_four=1.0,
            weight_filler=0.0,
            first_number=1,
            values=light_parameters(),
        )
        parts.append(selected(rng, sample, options))
        total += float(np.sum(sample.weights))
    made = joined(parts)
    expected = expected_data(process, replace(options, mu=1.0))
    return replace(made, weight=made.weight * expected / total)


def data_of(options: Options) -> Masses:
    """Draw the data of one seed and select them."""
    values = light_parameters()
    parts = []
    for part in draw(options, values, choose_runs(options)):
        rng = generator(options, "run", part.run)
        sample = observe(rng, part.truth, run=part.run, lumi_block=part.lumi_block, values=values)
        parts.append(selected(rng, sample, options))
    return joined(parts)


def config() -> FitConfig:
    """Configure the default fit with ZZ free and no other uncertainty of a rate."""
    return replace(fourlepton_config(), normalisations=(Normalisation("norm_ZZ", ("ZZ",)),))


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """The statistical model: its likelihood, regions, and the data it was built with."""

    likelihood: Likelihood
    regions: tuple[PreparedRegion, ...]
    data: Floats


def model_of(simulated: dict[str, Masses], data: Masses) -> Model:
    """Build the statistical model of the simulation."""
    values = parameters()
    signals = tuple(p.name for p in values.process if p.base == "higgs" and p.name in simulated)
    run = Run(
        directory=Path(),
        fingerprint="closure",
        selection="fourlepton",
        luminosity_ifb=1.0,
        is_complete=True,
        missing=(),
        is_synthetic=True,
        is_observed=False,
        signals=signals,
        backgrounds=tuple(name for name in simulated if name not in signals),
        variations=(),
    )
    histograms: Any = Histograms({**simulated, "data": data})
    prepared = prepare(run, histograms, config())
    made, vector = likelihood(build_workspace(run, config(), prepared))
    return Model(made, prepared.regions, vector)


def fitted(model: Model, data: Masses, mu: float) -> tuple[float, float, float]:
    """Fit a data set; return strength, its error on the side of the truth, and the pull."""
    histograms: Any = Histograms({"data": data})
    vector = model.data.copy()
    for prepared in model.regions:
        region = prepared.region
        found = histograms.read(region.folder, "data").windowed(region.low, region.high)
        vector[model.likelihood.channel_bins(region.name)] = found.merged(prepared.edges).values
    best = fit(model.likelihood, vector, minos=["mu"])
    value = best.value("mu")
    low, high = best.minos["mu"]
    side = high if value < mu else low
    error = best.error("mu") if side is None else abs(side)
    return value, error, (value - mu) / error


def simulate_all(options: Options, workers: int) -> dict[str, Masses]:
    """Simulate every process, in several processes of the machine."""
    chosen = light_parameters().chosen(options.processes)
    sizes = [
        round(options.events * process.share * (MORE_ZZ if process.base == "continuum" else 1))
        for process in chosen
    ]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        made = pool.map(expectation, chosen, sizes, [options] * len(chosen))
        return {process.name: masses for process, masses in zip(chosen, made, strict=True)}


#: The model of a worker process; set once by `_receive`.
_WORKER: list[Model] = []


def _receive(simulated: dict[str, Masses], data: Masses) -> None:
    _WORKER.append(model_of(simulated, data))


def pull_of(options: Options) -> tuple[float, float, float]:
    """Draw, select and fit the data set of one seed, in a worker process."""
    return fitted(_WORKER[0], data_of(options), options.mu)


def pulls(options: Options, seeds: int, workers: int) -> list[tuple[float, float, float]]:
    """Strength, error and pull of every seed."""
    simulated = simulate_all(options, workers)
    drawn = [replace(options, seed=seed) for seed in range(1, seeds + 1)]
    with ProcessPoolExecutor(
        workers,
        mp_context=get_context("spawn"),
        initializer=_receive,
        initargs=(simulated, data_of(drawn[0])),
    ) as pool:
        return list(pool.map(pull_of, drawn))


def draw_figure(rows: list[tuple[float, float, float]], mu: float, path: Path) -> None:
    """Draw the pulls beside the normal distribution."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    pull = np.array([row[2] for row in rows])
    edges = np.linspace(-4.0, 4.0, 25)
    figure, axes = plt.subplots(figsize=(5.5, 4.0))
    axes.hist(pull, edges, color="#56B4E9", label=f"{len(pull)} synthetic data sets")
    x = np.linspace(-4.0, 4.0, 200)
    normal = np.exp(-0.5 * x * x) / np.sqrt(2.0 * np.pi) * len(pull) * (edges[1] - edges[0])
    axes.plot(x, normal, color="#D55E00", label="normal distribution")
    axes.set_xlabel(rf"$(\hat\mu - {mu:g}) / \sigma$")
    axes.set_ylabel("data sets")
    axes.set_title(f"mean {pull.mean():.3f}, width {pull.std(ddof=1):.3f}", fontsize=10)
    axes.set_ylim(0.0, 1.35 * axes.get_ylim()[1])
    axes.legend(frameon=False, loc="upper right")
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    plt.close(figure)


def summary(rows: list[tuple[float, float, float]], options: Options) -> dict[str, Any]:
    """Mean and width of the pull, with their statistical errors."""
    values, errors, pull = (np.array(column) for column in zip(*rows, strict=True))
    size = len(pull)
    return {
        "mu": options.mu,
        "seeds": size,
        "simulated_events": options.events,
        "mean_mu": float(values.mean()),
        "mean_error": float(errors.mean()),
        "pull_mean": float(pull.mean()),
        "pull_mean_error": float(1.0 / np.sqrt(size)),
        "pull_width": float(pull.std(ddof=1)),
        "pull_width_error": float(1.0 / np.sqrt(2.0 * size)),
    }


def main() -> None:
    """Run the closure and print what it found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--mu", type=float, default=1.0)
    parser.add_argument("--events", type=int, default=600_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--figure", type=Path)
    chosen = parser.parse_args()
    options = Options(mu=chosen.mu, events=chosen.events, filler=0)
    rows = pulls(options, chosen.seeds, chosen.workers)
    text = json.dumps(summary(rows, options), indent=1)
    print(text)
    if chosen.output:
        chosen.output.write_text(text + "\n", encoding="utf-8")
    if chosen.figure:
        draw_figure(rows, options.mu, chosen.figure)


if __name__ == "__main__":
    main()
