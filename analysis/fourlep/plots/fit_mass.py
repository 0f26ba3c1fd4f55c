"""The contours of mass and strength."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fourlep.plots.fit_parameters import parameter_title, write_head
from fourlep.plots.style import OKABE_ITO, Caption, figure_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]

#: Minus twice the logarithm of the likelihood ratio that 68.3 % and 95.4 % of a chi-squared
#: distribution of two degrees of freedom are below.
_LEVELS = (2.296, 6.180)


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """A likelihood of mass and strength.

    Parameters
    ----------
    strength
        Name of the strength.
    masses : (n,) array, GeV
    strengths : (k,) array
    delta : (n, k) array
        Minus twice the logarithm of the likelihood ratio to the best fit.
    best
        Mass and strength of the best fit.
    simulated
        Mass of the simulated signal, GeV.
    """

    strength: str
    masses: Floats
    strengths: Floats
    delta: Floats
    best: tuple[float, float]
    simulated: float


def draw_contours(surface: Surface, caption: Caption) -> Figure:
    """Draw the regions of 68.3 % and 95.4 % confidence, and the best fit.

    Parameters
    ----------
    surface
        What to show.
    caption
        Above the frame.
    """
    import matplotlib.pyplot as plt
    from matplotlib.ticker import MaxNLocator

    with figure_style():
        figure, axes = plt.subplots(figsize=(7.0, 5.6))
        for level, style, title in zip(_LEVELS, ("-", "--"), ("68.3 %", "95.4 %"), strict=True):
            axes.contour(
                surface.masses,
                surface.strengths,
                surface.delta.T,
                levels=[level],
                colors=OKABE_ITO["blue"],
                linestyles=style,
                linewidths=2,
            )
            axes.plot([], [], color=OKABE_ITO["blue"], linestyle=style, linewidth=2, label=title)
        axes.plot(*surface.best, "+", color="black", markersize=11, label="Best fit")
        axes.plot(
            surface.simulated,
            1.0,
            "*",
            color=OKABE_ITO["vermilion"],
            markersize=11,
            linestyle="none",
            label=f"Standard Model, {surface.simulated:g} GeV",
        )
        low, high = surface.strengths[0], surface.strengths[-1]
        axes.set_xlim(surface.masses[0], surface.masses[-1])
        axes.set_ylim(low, high + 0.18 * (high - low))  # room for the legend
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.set_xlabel(r"$m_H$ [GeV]")
        axes.set_ylabel(parameter_title(surface.strength))
        axes.legend(loc="upper center", ncols=2)
        write_head(axes, caption)
    return figure
