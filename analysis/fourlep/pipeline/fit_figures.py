"""From a measurement to its figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fourlep.pipeline.axes import axis
from fourlep.pipeline.outputs import open_histograms
from fourlep.plots.fit_parameters import (
    ImpactBar,
    PullPoint,
    StrengthPoint,
    draw_correlation,
    draw_impacts,
    draw_pulls,
    draw_strengths,
)
from fourlep.plots.fit_scan import Curve, draw_scan
from fourlep.plots.spectrum import Contribution, Spectrum, draw_spectrum
from fourlep.plots.style import Caption, channel_title, save
from fourlep.stats.measurement import Measurement, RegionResult, StrengthResult
from fourlep.stats.run_directory import Run
from fourlep.stats.yields import Yields

#: Parameters in the ranking.
_MAX_IMPACTS = 20


def draw_fit(
    run: Run,
    measurement: Measurement,
    modes: Sequence[StrengthResult],
    luminosity_ifb: float,
    folder: Path,
) -> None:
    """Draw every figure of a fit.

    Parameters
    ----------
    run
        What was fitted.
    measurement
        What was found.
    modes
        Strengths of production modes, where asked for.
    luminosity_ifb
        For the caption, 1/fb.
    folder
        Where the figures go.
    """
    caption = fit_caption(run, measurement, luminosity_ifb)
    if measurement.pulls:
        points = [PullPoint(item.name, item.pull, item.constraint) for item in measurement.pulls]
        save(draw_pulls(points, caption), folder / "pulls")
    best = measurement.best
    where = [best.names.index(name) for name in measurement.parameters]
    matrix = best.correlation[np.ix_(where, where)]
    save(draw_correlation(measurement.parameters, matrix, caption), folder / "correlation")
    if measurement.impacts:
        figure = draw_impacts(_bars(measurement)[:_MAX_IMPACTS], measurement.poi, caption)
        save(figure, folder / "impacts")
    strengths = (*measurement.strengths, *modes)
    for strength in strengths:
        save(draw_scan(_curve(strength), caption), folder / f"scan_{strength.name}")
    if len(strengths) > 1:
        save(
            draw_strengths([_point(strength) for strength in strengths], caption),
            folder / "strengths",
        )
    _draw_regions(run, measurement.regions, luminosity_ifb, folder)


def _draw_regions(
    run: Run, regions: Sequence[RegionResult], luminosity_ifb: float, folder: Path
) -> None:
    with open_histograms(run.directory) as histograms:
        axes = {r.observable: axis(histograms, r.observable, run.signals[0]) for r in regions}
    for region in regions:
        for label, yields in (("prefit", region.before), ("postfit", region.after)):
            figure = draw_spectrum(
                _spectrum(run, region, yields, axes[region.observable]),
                _region_caption(run, region, label, luminosity_ifb),
            )
            save(figure, folder / f"{region.observable}_{region.name}_{label}")


def fit_caption(run: Run, measurement: Measurement, luminosity_ifb: float) -> Caption:
    """Caption a figure of a fit.

    Parameters
    ----------
    run, measurement
        What was fitted and found.
    luminosity_ifb
        1/fb.
    """
    fitted_to = ("fit to the expectation",) if measurement.is_blinded else ()
    return Caption(luminosity_ifb, run.is_synthetic, (run.selection, *fitted_to), run.is_observed)


def _bars(measurement: Measurement) -> list[ImpactBar]:
    pulls = {item.name: item for item in (*measurement.pulls, *measurement.bin_pulls)}
    bars = []
    for impact in measurement.impacts:
        pull = pulls.get(impact.name)
        bars.append(
            ImpactBar(
                name=impact.name,
                up=impact.up,
                down=impact.down,
                prefit_up=impact.prefit_up,
                prefit_down=impact.prefit_down,
                pull=None if pull is None else pull.pull,
                constraint=None if pull is None else pull.constraint,
            )
        )
    return bars


def _curve(strength: StrengthResult) -> Curve:
    low, high = strength.minos
    return Curve(
        label=strength.name,
        unit="",
        values=strength.scan.values,
        delta=strength.scan.delta,
        best=strength.value,
        low=None if low is None else strength.value + low,
        high=None if high is None else strength.value + high,
    )


def _point(strength: StrengthResult) -> StrengthPoint:
    low, high = strength.minos
    return StrengthPoint(
        name=strength.name,
        value=strength.value,
        low=-strength.error if low is None else low,
        high=strength.error if high is None else high,
    )


def _spectrum(
    run: Run, region: RegionResult, yields: Yields, axis_title: tuple[str, str]
) -> Spectrum:
    label, unit = axis_title
    contributions = [
        Contribution(process, bins, np.zeros_like(bins), process in run.signals)
        for process, bins in zip(yields.processes, yields.bins, strict=True)
    ]
    contributions.sort(key=lambda contribution: float(contribution.values.sum()))
    return Spectrum(
        edges=region.edges,
        label=label,
        unit=unit,
        contributions=tuple(contributions),
        data=region.data,
        systematic_variances=yields.bin_errors**2,
    )


def _region_caption(run: Run, region: RegionResult, label: str, luminosity_ifb: float) -> Caption:
    title = {"prefit": "before the fit", "postfit": "after the fit"}[label]
    details = (f"{run.selection}, {channel_title(region.channel)}", f"{region.name}, {title}")
    return Caption(luminosity_ifb, run.is_synthetic, details, run.is_observed)
