"""The profile likelihood of a parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fourlep.plots.fit_parameters import parameter_title, with_errors, write_head
from fourlep.plots.style import OKABE_ITO, Caption, figure_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]


#: Top of the vertical axis: two standard deviations, and room for the result.
_TOP = 7.0


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A profile likelihood.

    Parameters
    ----------
    label, unit
        Of the parameter; the name of a strength becomes its symbol.
    values, delta : (n_points,) arrays
        Where, and minus twice the logarithm of the likelihood ratio.
    best
        Best fit.
    low, high
        Ends of the 68 % interval, None where it has none in range.
    points : (n_fits,) arrays
        Values and ``delta`` that the curve was drawn through; None for all of the curve.
    """

    label: str
    unit: str
    values: Floats
    delta: Floats
    best: float
    low: float | None
    high: float | None
    points: tuple[Floats, Floats] | None = None


def draw_scan(curve: Curve, caption: Caption) -> Figure:
    """Draw the curve with the levels of one and two standard deviations.

    Parameters
    ----------
    curve
        What to show.
    caption
        Above the frame.
    """
    import matplotlib.pyplot as plt
    from matplotlib.ticker import MaxNLocator

    with figure_style():
        figure, axes = plt.subplots(figsize=(7.0, 5.2))
        axes.plot(curve.values, curve.delta, color=OKABE_ITO["blue"], linewidth=2)
        if curve.points is not None:
            axes.plot(*curve.points, "o", color=OKABE_ITO["blue"], markersize=4.5)
        for n_sigma in (1, 2):
            axes.axhline(n_sigma**2, color="grey", linestyle="--", linewidth=1)
            axes.annotate(
                rf"{n_sigma}$\sigma$",
                (0.99, n_sigma**2),
                xycoords=("axes fraction", "data"),
                ha="right",
                va="bottom",
                color="grey",
            )
        axes.axvline(curve.best, color="black", linewidth=1)
        for end in (curve.low, curve.high):
            if end is not None:
                axes.axvline(end, ymax=1.0 / _TOP, color="black", linewidth=1, linestyle=":")
        axes.set_ylim(0.0, _TOP)
        axes.set_xlim(curve.values[0], curve.values[-1])
        axes.xaxis.set_major_locator(MaxNLocator(6))
        title = parameter_title(curve.label)
        axes.set_xlabel(f"{title} [{curve.unit}]" if curve.unit else title)
        axes.set_ylabel(r"$-2\,\Delta\ln L$")
        axes.text(
            0.5,
            0.955,
            _result(curve, title),
            transform=axes.transAxes,
            ha="center",
            va="top",
            bbox={"facecolor": "white", "edgecolor": "none"},
        )
        write_head(axes, caption)
    return figure


def _result(curve: Curve, title: str) -> str:
    if curve.low is None or curve.high is None:
        return f"{title} = {curve.best:.3g}"
    result = with_errors(curve.best, curve.low - curve.best, curve.high - curve.best)
    return f"{title} = {result} {curve.unit}".rstrip()
