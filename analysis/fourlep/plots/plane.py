"""The m12 - m34 plane: simulation as areas, data as points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fourlep.plots.style import OKABE_ITO, Caption, figure_style, write_caption

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """Events in two masses.

    Parameters
    ----------
    x_edges, y_edges : (n_x + 1,), (n_y + 1,) arrays, GeV
        Bin edges of m12 and m34.
    expected : (n_x, n_y) array
        Expected events of all processes.
    signal : (n_x, n_y) array
        Of these, the signal, drawn as contours; None where there is none.
    data : (n_x, n_y) array
        Observed events, None while blinded or where there are none.
    """

    x_edges: Floats
    y_edges: Floats
    expected: Floats
    signal: Floats | None = None
    data: Floats | None = None


def draw_plane(plane: Plane, caption: Caption) -> Figure:
    """Draw the plane: expected events as colour, signal as contours, data as circles.

    A circle's area is proportional to the number of events in its bin.
    """
    import matplotlib.pyplot as plt

    with figure_style():
        figure, axes = plt.subplots(figsize=(8.0, 6.2))
        shown = np.ma.masked_less_equal(plane.expected.T, 0.0)
        image = axes.pcolormesh(plane.x_edges, plane.y_edges, shown, cmap="Blues", rasterized=True)
        figure.colorbar(image, ax=axes, label="Expected events / bin", pad=0.02)
        x_centres = 0.5 * (plane.x_edges[1:] + plane.x_edges[:-1])
        y_centres = 0.5 * (plane.y_edges[1:] + plane.y_edges[:-1])
        if plane.signal is not None and np.max(plane.signal, initial=0.0) > 0:
            axes.contour(
                x_centres,
                y_centres,
                plane.signal.T,
                levels=np.max(plane.signal) * np.array([0.1, 0.5]),
                colors=OKABE_ITO["vermilion"],
                linewidths=1.4,
            )
            axes.plot([], [], color=OKABE_ITO["vermilion"], label="Signal (10 %, 50 %)")
        if plane.data is not None:
            x_at, y_at = np.nonzero(plane.data)
            axes.scatter(
                x_centres[x_at],
                y_centres[y_at],
                s=130 * plane.data[x_at, y_at] / np.max(plane.data, initial=1.0),
                facecolor="none",
                edgecolor="black",
                linewidth=1.0,
                label="Data",
            )
        axes.set_xlabel(r"$m_{12}$ [GeV]")
        axes.set_ylabel(r"$m_{34}$ [GeV]")
        height = plane.y_edges[-1] - plane.y_edges[0]
        axes.set_ylim(plane.y_edges[0], plane.y_edges[-1] + 0.32 * height)  # room for the text
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="upper right")
        write_caption(axes, caption)
    return figure
