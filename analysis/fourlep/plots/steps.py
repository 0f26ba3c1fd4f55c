"""The cutflow figure: events left after each requirement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fourlep.plots.style import Caption, figure_style, process_colours, process_title

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Steps:
    """Events left after each requirement.

    Parameters
    ----------
    requirements
        Their titles, first to last.
    events
        For each process (``data`` included) one number a requirement; a weighted sum
        may be negative and is then not drawn.
    """

    requirements: tuple[str, ...]
    events: tuple[tuple[str, tuple[float, ...]], ...]


def draw_steps(steps: Steps, caption: Caption) -> Figure:
    """Draw the events left, on a logarithmic scale, one line a process."""
    import matplotlib.pyplot as plt

    with figure_style():
        figure, axes = plt.subplots(figsize=(8.4, 1.9 + 0.42 * len(steps.requirements)))
        rows = np.arange(len(steps.requirements))
        colours = process_colours(process for process, _ in steps.events if process != "data")
        for process, events in steps.events:
            values = np.array(events, dtype=np.float64)
            drawn = np.where(values > 0, values, np.nan)
            is_data = process == "data"
            axes.plot(
                drawn,
                rows,
                marker="o" if is_data else "s",
                markersize=6 if is_data else 5,
                linestyle="none" if is_data else "-",
                linewidth=1.2,
                color="black" if is_data else colours[process],
                label="Data" if is_data else process_title(process),
            )
        axes.set_xscale("log")
        axes.set_yticks(rows, steps.requirements)
        axes.tick_params(axis="y", labelsize=11)
        axes.tick_params(axis="y", which="minor", left=False, right=False)
        axes.invert_yaxis()
        axes.set_xlabel("Events left")
        axes.grid(axis="x", color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        if steps.events:
            axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0))
        axes.set_title(" · ".join(caption.lines), loc="left", fontsize=11)
    return figure
