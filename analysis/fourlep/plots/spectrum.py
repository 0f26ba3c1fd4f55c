"""The "discovery" figure: stacked simulation, data with Poisson errors, and their ratio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fourlep.plots.style import (
    Caption,
    figure_style,
    process_colours,
    process_title,
    write_caption,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Contribution:
    """What one process contributes.

    Parameters
    ----------
    process
        Its name.
    values, variances : (n_bins,) arrays
        Expected events and their statistical variance; signed weights may make a bin
        negative, which is drawn as it is.
    is_signal
        Drawn on top of the stack.
    """

    process: str
    values: Floats
    variances: Floats
    is_signal: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """Everything that the figure shows.

    Parameters
    ----------
    edges : (n_bins + 1,) array
        Bin edges.
    label, unit
        Of the x axis.
    contributions
        In the order of the stack, lowest first.
    data : (n_bins,) array
        Observed events, None where there are none.
    hidden
        Interval of the observable in which data is not shown (blinding), None for none.
    systematic_variances : (n_bins,) array
        Added to the statistical ones in the band, None to show these alone.
    """

    edges: Floats
    label: str
    unit: str
    contributions: tuple[Contribution, ...]
    data: Floats | None = None
    hidden: tuple[float, float] | None = None
    systematic_variances: Floats | None = None

    @property
    def is_shown(self) -> npt.NDArray[np.bool_]:
        """(n_bins,) whether data may be shown: outside ``hidden``."""
        if self.hidden is None:
            return np.ones(len(self.edges) - 1, dtype=np.bool_)
        low, high = self.hidden
        return (self.edges[1:] <= low) | (self.edges[:-1] >= high)

    @property
    def total(self) -> Floats:
        """(n_bins,) sum of the contributions."""
        return _summed([c.values for c in self.contributions], len(self.edges) - 1)

    @property
    def uncertainty(self) -> Floats:
        """(n_bins,) one standard deviation of the total."""
        variances = _summed([c.variances for c in self.contributions], len(self.edges) - 1)
        if self.systematic_variances is not None:
            variances = variances + self.systematic_variances
        return np.asarray(np.sqrt(variances))

    @property
    def uncertainty_label(self) -> str:
        """What the band is called: that of the simulation's size alone says so."""
        return "Stat. uncertainty" if self.systematic_variances is None else "Uncertainty"


def _summed(arrays: list[Floats], n_bins: int) -> Floats:
    total = np.zeros(n_bins)
    for array in arrays:
        total += array
    return total


def poisson_interval(counts: Floats) -> tuple[Floats, Floats]:
    """Central 68.27 % confidence interval of a Poisson mean.

    Garwood's interval (Biometrika 28 (1936) 437), from quantiles of chi-squared; the
    lower end is zero where nothing was counted.

    Parameters
    ----------
    counts : (n,) array
        Observed numbers, 0 or more.

    Returns
    -------
    lower, upper : (n,) arrays
        Ends of the interval.

    Examples
    --------
    >>> import numpy as np
    >>> low, high = poisson_interval(np.array([0.0, 1.0]))
    >>> high.round(2).tolist()
    [1.84, 3.3]
    """
    from scipy.stats import chi2

    tail = 0.15865525393145707
    lower = np.where(counts > 0, chi2.ppf(tail, 2 * np.maximum(counts, 1e-300)) / 2, 0.0)
    upper = chi2.ppf(1 - tail, 2 * (counts + 1)) / 2
    return lower, upper


def draw_spectrum(spectrum: Spectrum, caption: Caption) -> Figure:
    """Draw the figure, with a ratio panel where there are data and an expectation.

    Parameters
    ----------
    spectrum
        What to show.
    caption
        The upper left corner.
    """
    import matplotlib.pyplot as plt

    with figure_style():
        if spectrum.data is None or not spectrum.contributions:
            figure, main = plt.subplots(figsize=(7.2, 5.8))
            ratio = None
        else:
            figure, (main, ratio) = plt.subplots(
                2,
                1,
                figsize=(7.2, 7.0),
                sharex=True,
                gridspec_kw={"height_ratios": (3.2, 1), "hspace": 0.06},
            )
        _draw_stack(main, spectrum)
        if spectrum.data is not None and spectrum.hidden is not None:
            main.axvspan(*spectrum.hidden, color="#eeeeee", zorder=0, label="Blinded")
        if spectrum.data is not None:
            _draw_data(main, spectrum)
        write_caption(main, caption)
        _set_axes(main, spectrum, len(caption.lines))
        if ratio is not None:
            _draw_ratio(ratio, spectrum)
        (ratio or main).set_xlabel(_with_unit(spectrum.label, spectrum.unit))
    return figure


def _with_unit(label: str, unit: str) -> str:
    return f"{label} [{unit}]" if unit else label


def _draw_stack(axes: Axes, spectrum: Spectrum) -> None:
    import mplhep

    # Signal stands on top of what it has to be told from.
    ordered = sorted(spectrum.contributions, key=lambda contribution: contribution.is_signal)
    if ordered:
        colours = process_colours(contribution.process for contribution in ordered)
        mplhep.histplot(
            [contribution.values for contribution in ordered],
            bins=spectrum.edges,
            stack=True,
            histtype="fill",
            color=[colours[contribution.process] for contribution in ordered],
            label=[process_title(c.process) for c in ordered],
            edgecolor="black",
            linewidth=0.5,
            ax=axes,
        )
        _draw_band(
            axes, spectrum.edges, spectrum.total, spectrum.uncertainty, spectrum.uncertainty_label
        )


def _draw_band(axes: Axes, edges: Floats, centre: Floats, half: Floats, label: str) -> None:
    axes.stairs(
        centre + half,
        edges,
        baseline=centre - half,
        fill=True,
        facecolor="none",
        edgecolor="#444444",
        hatch="/////",
        linewidth=0,
        label=label,
    )


def _draw_data(axes: Axes, spectrum: Spectrum) -> None:
    counts = np.asarray(spectrum.data)
    lower, upper = poisson_interval(counts)
    shown = spectrum.is_shown & (counts > 0)
    axes.errorbar(
        (0.5 * (spectrum.edges[1:] + spectrum.edges[:-1]))[shown],
        counts[shown],
        yerr=np.stack([counts - lower, upper - counts])[:, shown],
        fmt="o",
        color="black",
        markersize=4.5,
        elinewidth=1.2,
        label="Data",
    )


def _set_axes(axes: Axes, spectrum: Spectrum, n_caption_lines: int) -> None:
    width = spectrum.edges[1] - spectrum.edges[0]
    even = bool(np.allclose(np.diff(spectrum.edges), width))
    per = f"{width:g} {spectrum.unit}".strip() if even else "bin"
    axes.set_ylabel(f"Events / {per}")
    tops = [float(np.max(spectrum.total + spectrum.uncertainty, initial=0.0))]
    if spectrum.data is not None and spectrum.data.size:
        upper = poisson_interval(np.asarray(spectrum.data))[1]
        tops.append(float(np.max(upper, where=spectrum.is_shown, initial=0.0)))
    # Room for the caption and the legend above the highest bin, or above nothing at all.
    axes.set_ylim(0.0, (max(tops) or 1.0) * (1.35 + 0.07 * max(n_caption_lines, 3)))
    axes.set_xlim(spectrum.edges[0], spectrum.edges[-1])
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], loc="upper right", ncols=2 if len(labels) > 5 else 1)


def _draw_ratio(axes: Axes, spectrum: Spectrum) -> None:
    total, counts = spectrum.total, np.asarray(spectrum.data)
    lower, upper = poisson_interval(counts)
    usable = total > 0
    safe = np.where(usable, total, 1.0)
    _draw_band(
        axes,
        spectrum.edges,
        np.where(usable, 1.0, np.nan),
        np.where(usable, spectrum.uncertainty / safe, 0.0),
        "",
    )
    shown = spectrum.is_shown & usable & (counts > 0)
    centres = 0.5 * (spectrum.edges[1:] + spectrum.edges[:-1])
    axes.errorbar(
        centres[shown],
        (counts / safe)[shown],
        yerr=(np.stack([counts - lower, upper - counts]) / safe)[:, shown],
        fmt="o",
        color="black",
        markersize=4,
        elinewidth=1.1,
    )
    axes.axhline(1.0, color="black", linewidth=0.8)
    axes.set_ylim(0.0, 2.4)
    axes.set_ylabel("Data / exp.", loc="center")
