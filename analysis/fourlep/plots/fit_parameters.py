"""What a fit did to its parameters: pulls, correlations, impacts, strengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fourlep.plots.style import OKABE_ITO, Caption, figure_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]

_ROW_INCH = 0.30
_UP, _DOWN = OKABE_ITO["vermilion"], OKABE_ITO["blue"]


@dataclass(frozen=True, slots=True)
class PullPoint:
    """Best fit of a parameter less its nominal value, and its error, in prior widths."""

    name: str
    pull: float
    constraint: float


@dataclass(frozen=True, slots=True)
class ImpactBar:
    """Change of a strength when a parameter moves by one error up and down.

    Parameters
    ----------
    name
        The parameter.
    up, down
        With the error after the fit.
    prefit_up, prefit_down
        With the error before; None for a parameter without a constraint.
    pull, constraint
        As in `PullPoint`; None without a constraint.
    """

    name: str
    up: float
    down: float
    prefit_up: float | None
    prefit_down: float | None
    pull: float | None
    constraint: float | None


@dataclass(frozen=True, slots=True)
class StrengthPoint:
    """Best fit of a strength with its lower (negative) and upper error."""

    name: str
    value: float
    low: float
    high: float


def parameter_title(name: str) -> str:
    """Title of a parameter: strengths in mathtext, others as they are named."""
    if name == "mu":
        return r"$\mu$"
    if name.startswith("mu_"):
        return rf"$\mu_\mathrm{{{name.removeprefix('mu_')}}}$"
    return name


def with_errors(value: float, low: float, high: float) -> str:
    """Value with its lower (negative) and upper error, to two digits of the error.

    Examples
    --------
    >>> with_errors(-14.462, -15.233, 17.826)
    '−14$^{+18}_{-15}$'
    """
    digits = max(0, 1 - int(np.floor(np.log10(max(high - low, 1e-9) / 2))))
    shown = f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")
    return rf"{shown}$^{{+{high:.{digits}f}}}_{{{low:.{digits}f}}}$"


def draw_pulls(points: Sequence[PullPoint], caption: Caption) -> Figure:
    """Draw pulls and constraints, one row a parameter.

    Parameters
    ----------
    points
        Top to bottom.
    caption
        Above the frame.
    """
    with figure_style():
        figure, axes = _rows([point.name for point in points])
        rows = np.arange(len(points))
        axes.axvspan(-2, 2, color="#f0f0f0", zorder=0)
        axes.axvspan(-1, 1, color="#d9e8f2", zorder=0)
        axes.axvline(0, color="black", linewidth=0.8)
        axes.errorbar(
            [point.pull for point in points],
            rows,
            xerr=[point.constraint for point in points],
            fmt="o",
            color="black",
            markersize=4.5,
            elinewidth=1.3,
        )
        reach = max([2.5, *(abs(point.pull) + point.constraint + 0.3 for point in points)])
        axes.set_xlim(-reach, reach)
        axes.set_xlabel(r"$(\hat{\theta} - \theta_0)\,/\,\Delta\theta$")
        write_head(axes, caption)
    return figure


def draw_correlation(names: Sequence[str], matrix: Floats, caption: Caption) -> Figure:
    """Draw the correlation matrix; entries of at least 1 % carry their value.

    Parameters
    ----------
    names
        Parameters.
    matrix : (n, n) array
        Correlations.
    caption
        Above the frame.
    """
    import matplotlib.pyplot as plt

    with figure_style():
        side = max(4.5, 0.46 * len(names)) + 1.0
        figure, axes = plt.subplots(figsize=(side + 1.6, side))
        image = axes.imshow(matrix, cmap="RdBu_r", vmin=-1, vmax=1)
        titles = [parameter_title(name) for name in names]
        axes.set_xticks(range(len(names)), titles, rotation=90, fontsize=10)
        axes.set_yticks(range(len(names)), titles, fontsize=10)
        axes.tick_params(which="both", length=0)
        for row, column in zip(*np.nonzero(np.abs(np.round(matrix, 2)) >= 0.01), strict=True):
            value = matrix[row, column]
            axes.text(
                column,
                row,
                f"{value:.2f}".replace("0.", ".") if abs(value) < 0.995 else f"{value:.0f}",
                ha="center",
                va="center",
                fontsize=7.5,
                color="white" if abs(value) > 0.6 else "black",
            )
        figure.colorbar(image, ax=axes, label="Correlation", fraction=0.046, pad=0.02)
        write_head(axes, caption)
    return figure


def draw_impacts(bars: Sequence[ImpactBar], strength: str, caption: Caption) -> Figure:
    """Draw the ranking: impacts as bars (lower axis) and pulls as points (upper axis).

    Parameters
    ----------
    bars
        Largest first.
    strength
        Name of what is moved.
    caption
        Above the frame.
    """
    with figure_style():
        figure, axes = _rows([bar.name for bar in bars])
        _impact_bars(axes, bars)
        title = parameter_title(strength)
        axes.set_xlabel(rf"$\Delta${title}")
        values = [
            abs(value)
            for bar in bars
            for value in (bar.up, bar.down, bar.prefit_up, bar.prefit_down)
            if value is not None
        ]
        reach = 1.15 * max(values, default=1.0) or 1.0
        axes.set_xlim(-reach, reach)
        axes.axvline(0, color="black", linewidth=0.8)
        axes.tick_params(axis="x", which="both", top=False)
        _pull_points(axes, bars)
        axes.legend(
            loc="upper center",
            bbox_to_anchor=(0.3, -0.62 / (figure.get_figheight() * axes.get_position().height)),
            ncols=2,
        )
        write_head(axes, caption, above=0.62)
    return figure


def _impact_bars(axes: Axes, bars: Sequence[ImpactBar]) -> None:
    rows = np.arange(len(bars))
    for side, colour, label in (("up", _UP, "+"), ("down", _DOWN, "-")):
        before = [getattr(bar, f"prefit_{side}") for bar in bars]
        axes.barh(
            rows,
            [0.0 if value is None else value for value in before],
            height=0.8,
            facecolor="none",
            edgecolor=colour,
            linewidth=1.2,
            label=rf"before the fit, $\theta_0 {label} \Delta\theta$",
        )
        axes.barh(
            rows,
            [getattr(bar, side) for bar in bars],
            height=0.6,
            color=colour,
            alpha=0.75,
            label=rf"after the fit, $\hat{{\theta}} {label} \Delta\hat{{\theta}}$",
        )


def _pull_points(axes: Axes, bars: Sequence[ImpactBar]) -> None:
    pulls = axes.twiny()
    known = [
        (row, bar.pull, bar.constraint)
        for row, bar in enumerate(bars)
        if bar.pull is not None and bar.constraint is not None
    ]
    pulls.errorbar(
        [pull for _, pull, _ in known],
        [row for row, _, _ in known],
        xerr=[constraint for _, _, constraint in known],
        fmt="o",
        color="black",
        markersize=4,
        elinewidth=1.1,
    )
    reach = max([1.8, *(abs(pull) + constraint + 0.2 for _, pull, constraint in known)])
    pulls.set_xlim(-reach, reach)
    pulls.set_xlabel(r"$(\hat{\theta} - \theta_0)\,/\,\Delta\theta$", loc="right")
    pulls.tick_params(axis="y", which="both", left=False, right=False)
    for place in (-1, 1):
        pulls.axvline(place, color="grey", linewidth=0.8, linestyle=":")


def draw_strengths(points: Sequence[StrengthPoint], caption: Caption) -> Figure:
    """Draw signal strengths beside the expectation of the Standard Model.

    Parameters
    ----------
    points
        Top to bottom.
    caption
        Above the frame.
    """
    with figure_style():
        figure, axes = _rows([point.name for point in points], row_inch=0.6)
        axes.axvline(1, color=OKABE_ITO["vermilion"], linewidth=1.2, label="Standard Model")
        axes.errorbar(
            [point.value for point in points],
            np.arange(len(points)),
            xerr=np.array([(-point.low, point.high) for point in points]).T,
            fmt="o",
            color="black",
            elinewidth=1.6,
            label="Best fit",
        )
        for row, point in enumerate(points):
            axes.annotate(
                with_errors(point.value, point.low, point.high),
                (1.02, row),
                xycoords=("axes fraction", "data"),
                va="center",
            )
        axes.set_xlabel("Signal strength")
        axes.legend(loc="upper left", bbox_to_anchor=(0.0, -0.09), ncols=2)
        write_head(axes, caption)
    return figure


def _rows(names: Sequence[str], row_inch: float = _ROW_INCH) -> tuple[Figure, Axes]:
    """Make a figure with one row a name, the first at the top."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7.0, 1.6 + row_inch * max(len(names), 3)))
    axes.set_yticks(range(len(names)), [parameter_title(name) for name in names], fontsize=10)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", which="both", left=False, right=False)
    return figure, axes


#: Longest details that stand beside the source, in characters of mathtext; of longer ones
#: all but the first stand below.
_BESIDE = 52
_DETAILS: Mapping[str, Any] = {"fontsize": 11}


def write_head(axes: Axes, caption: Caption, above: float = 0.08) -> None:
    """Write the caption above the frame, ``above`` inches from it."""
    source, *details = caption.lines
    below: list[str] = []
    if len(", ".join(details)) > _BESIDE:
        details, below = details[:1], details[1:]
    place: dict[str, Any] = {"xytext": (0, 72 * above), "xycoords": "axes fraction"}
    if below:
        place["xycoords"] = axes.annotate(
            ", ".join(below), (0, 1), **place, textcoords="offset points", va="bottom", **_DETAILS
        )
        place["xytext"] = (0, 3)
    first = axes.annotate(
        source, (0, 1), **place, textcoords="offset points", va="bottom", fontweight="bold"
    )
    axes.annotate(
        ", ".join(details),
        (1, 0),
        xycoords=first,
        xytext=(8, 0),
        textcoords="offset points",
        va="bottom",
        **_DETAILS,
    )
