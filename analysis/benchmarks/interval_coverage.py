"""How often the 68 % interval of the signal strength holds the truth.

Pseudo-experiments are drawn from a model with a signal peak over a falling background, a
rate and a shape uncertainty, a control region and the finite size of the simulation; each
is fitted, and its MINOS interval compared with the strength that it was drawn with.

    python analysis/benchmarks/interval_coverage.py --toys 500 --output build/coverage
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.stats import beta, norm

from fourlep.stats.best_fit import fit
from fourlep.stats.config import FitConfig, FitRegion, Normalisation
from fourlep.stats.effects import Effect
from fourlep.stats.likelihood import Likelihood, likelihood
from fourlep.stats.preparation import Preparation, PreparedRegion, Sample
from fourlep.stats.run_directory import Run
from fourlep.stats.templates import Floats, Template
from fourlep.stats.toys import toys
from fourlep.stats.workspace import build_workspace

EDGES = np.linspace(105.0, 160.0, 12)
CONTROL = np.array([180.0, 250.0])


@dataclass(frozen=True, slots=True)
class Coverage:
    """Share of intervals that hold the truth.

    Parameters
    ----------
    strength
        Truth.
    n_toys, n_covered, n_open
        Pseudo-experiments, those whose interval held it, and those without an interval.
    share, low, high
        Share and its 68 % interval (Clopper and Pearson).
    pull_mean, pull_width
        Of the strength less the truth in units of its error on that side.
    """

    strength: float
    n_toys: int
    n_covered: int
    n_open: int
    share: float
    low: float
    high: float
    pull_mean: float
    pull_width: float


def model() -> Likelihood:
    """The model, from the same code that builds that of a run."""
    signal = Template(EDGES, 28.0 * np.diff(norm.cdf(EDGES, 125.0, 2.5)), np.full(11, 1e-3))
    background = Template(EDGES, np.linspace(4.0, 3.0, 11), np.full(11, 0.04))
    shifted = Template(EDGES, 28.0 * np.diff(norm.cdf(EDGES, 125.3, 2.5)), np.full(11, 1e-3))
    signals = FitRegion("peak", "4l", low=105.0, high=160.0, bin_width=5.0)
    control = FitRegion("control", "4l", "zz_control", low=180.0, high=250.0, is_control=True)
    regions = (
        PreparedRegion(
            signals,
            EDGES,
            (
                Sample("Signal", signal, (Effect("SCALE", shifted, None),)),
                Sample("ZZ", background),
            ),
            None,
        ),
        PreparedRegion(
            control,
            CONTROL,
            (Sample("ZZ", Template(CONTROL, np.array([90.0]), np.array([1.0]))),),
            None,
        ),
    )
    config = FitConfig(
        regions=(signals, control),
        normalisations=(
            Normalisation("norm_ZZ", ("ZZ",)),
            Normalisation("luminosity", (), 0.02),
            Normalisation("xsec", ("Signal",), 0.05),
        ),
    )
    run = Run(
        directory=Path(),
        fingerprint="coverage",
        selection="coverage",
        luminosity_ifb=1.0,
        is_complete=True,
        missing=(),
        is_synthetic=True,
        is_observed=False,
        signals=("Signal",),
        backgrounds=("ZZ",),
        variations=(),
    )
    workspace = build_workspace(run, config, Preparation(regions, (), ("SCALE",)))
    return likelihood(workspace)[0]


def cover(likelihood_: Likelihood, strength: float, n_toys: int, seed: int) -> Coverage:
    """Draw, fit and count.

    Parameters
    ----------
    likelihood_
        The model.
    strength
        Truth.
    n_toys, seed
        Pseudo-experiments.
    """
    truth = likelihood_.nominal()
    truth[likelihood_.index("mu")] = strength
    covered = n_open = 0
    pulls: list[float] = []
    for toy in toys(likelihood_, truth, n_toys, np.random.default_rng(seed)):
        best = fit(likelihood_, toy, minos=["mu"])
        low, high = best.minos["mu"]
        if low is None or high is None:
            n_open += 1
            continue
        residual = best.value("mu") - strength
        covered += -high <= residual <= -low
        pulls.append(residual / (-low if residual > 0 else high))
    tail = float(norm.sf(1.0))
    return Coverage(
        strength=strength,
        n_toys=n_toys,
        n_covered=covered,
        n_open=n_open,
        share=covered / n_toys,
        low=float(beta.ppf(tail, covered, n_toys - covered + 1)),
        high=float(beta.isf(tail, covered + 1, n_toys - covered)),
        pull_mean=float(np.mean(pulls)),
        pull_width=float(np.std(pulls)),
    )


def draw(results: list[Coverage], path: Path) -> None:
    """Draw the share against the strength, with the band that is asked for."""
    import matplotlib.pyplot as plt

    from fourlep.plots.fit_parameters import write_head
    from fourlep.plots.style import OKABE_ITO, Caption, figure_style, save

    with figure_style():
        figure, axes = plt.subplots(figsize=(7.0, 5.0))
        axes.axhspan(64, 72, color="#d9e8f2", label="64 to 72 %")
        axes.axhline(68.27, color="black", linewidth=0.8, linestyle="--", label="68.3 %")
        shares: Floats = np.array([result.share for result in results])
        ends = np.array([[r.share - r.low, r.high - r.share] for r in results]).T
        axes.errorbar(
            [result.strength for result in results],
            100 * shares,
            yerr=100 * ends,
            fmt="o",
            color=OKABE_ITO["blue"],
            label=f"{results[0].n_toys} pseudo-experiments each",
        )
        axes.set_ylim(56, 80)
        axes.set_xlabel(r"True signal strength $\mu$")
        axes.set_ylabel("Intervals that hold the truth [%]")
        axes.legend(loc="upper right")
        write_head(axes, Caption(None, True, ("pseudo-experiments",)))
        save(figure, path)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="Coverage of the 68 % interval.")
    parser.add_argument("--toys", type=int, default=500)
    parser.add_argument("--strengths", type=float, nargs="+", default=[0.5, 1.0, 2.0])
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--output", type=Path, default=Path("build/coverage"))
    options = parser.parse_args()
    chosen = model()
    results = []
    for number, strength in enumerate(options.strengths):
        started = time.process_time()
        result = cover(chosen, strength, options.toys, options.seed + number)
        seconds = time.process_time() - started
        print(
            f"mu = {strength:g}: {result.n_covered} of {result.n_toys} intervals hold it "
            f"({result.share:.1%}, {result.low:.1%} to {result.high:.1%}), pull "
            f"{result.pull_mean:+.2f} +- {result.pull_width:.2f}, {seconds:.0f} CPU s",
            flush=True,
        )
        results.append(result)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    content = json.dumps([asdict(result) for result in results], indent=1)
    options.output.with_suffix(".json").write_text(content + "\n")
    draw(results, options.output)


if __name__ == "__main__":
    main()
