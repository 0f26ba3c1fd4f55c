"""What a run had read, and how fast, over its time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fourlep.plots.style import OKABE_ITO, Caption, figure_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """The state of a run at several times.

    Parameters
    ----------
    elapsed_s : (n,) array, s
        Time since the start of the run, ascending; time between sessions is left out.
    files : (n,) array
        Files done by then.
    read_bytes : (n,) array
        Bytes asked for by then.
    """

    elapsed_s: Floats
    files: Floats
    read_bytes: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """Bytes that caches served up to several times.

    Parameters
    ----------
    elapsed_s : (n,)
        Seconds since the start.
    hit_bytes, origin_bytes : (n,)
        From their disks, and from the origin.
    """

    elapsed_s: Floats
    hit_bytes: Floats
    origin_bytes: Floats


def draw_served(served: Served, caption: Caption) -> Figure:
    """Draw bytes from caches' disks and from the origin against time."""
    import matplotlib.pyplot as plt

    with figure_style():
        figure, axes = plt.subplots(figsize=(7.2, 3.6))
        for values, colour, label in (
            (served.hit_bytes / 1e6, OKABE_ITO["green"], "From the caches' disks"),
            (served.origin_bytes / 1e6, OKABE_ITO["orange"], "From the origin"),
        ):
            axes.plot(served.elapsed_s, values, color=colour, marker="o", markersize=3, label=label)
        axes.set_ylim(bottom=0.0)
        axes.set_xlim(left=0.0)
        axes.grid(color="#dddddd", linewidth=0.6)
        axes.set_xlabel("Time since the start [s]")
        axes.set_ylabel("Served [MB]", loc="center")
        axes.set_title(" · ".join(caption.lines), loc="left", fontsize=11)
        axes.legend(loc="upper left", frameon=False, fontsize=10)
    return figure


def draw_timeline(timeline: Timeline, caption: Caption) -> Figure:
    """Draw files done and bytes asked for against time, one panel each."""
    import matplotlib.pyplot as plt

    with figure_style():
        figure, (above, below) = plt.subplots(2, 1, figsize=(7.2, 5.4), sharex=True)
        for axes, values, colour, label in (
            (above, timeline.files, OKABE_ITO["blue"], "Files done"),
            (below, timeline.read_bytes / 1e6, OKABE_ITO["vermilion"], "Asked for [MB]"),
        ):
            axes.plot(timeline.elapsed_s, values, color=colour, marker="o", markersize=3)
            axes.set_ylim(bottom=0.0)
            axes.set_ylabel(label, loc="center")
            axes.grid(color="#dddddd", linewidth=0.6)
        above.set_title(" · ".join(caption.lines), loc="left", fontsize=11)
        below.set_xlim(left=0.0)
        below.set_xlabel("Time since the start [s]")
        figure.align_ylabels()
    return figure
