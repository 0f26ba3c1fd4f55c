"""How well a discriminant tells signal from background."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fourlep.plots.fit_parameters import write_head
from fourlep.plots.style import OKABE_ITO, Caption, figure_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]

_COLOURS = {"signal": OKABE_ITO["vermilion"], "background": OKABE_ITO["blue"]}


@dataclass(frozen=True, slots=True, eq=False)
class Characteristic:
    """Receiver operating characteristic.

    Parameters
    ----------
    false_positive, true_positive : (n,) arrays
        Shares of background and signal above each score.
    area, area_seen
        Area below the curve for events that the models have not, and have, seen.
    """

    false_positive: Floats
    true_positive: Floats
    area: float
    area_seen: float


def draw_characteristic(curve: Characteristic, caption: Caption) -> Figure:
    """Draw the receiver operating characteristic."""
    import matplotlib.pyplot as plt

    with figure_style():
        figure, axes = plt.subplots(figsize=(6.0, 5.6))
        axes.plot(
            curve.true_positive,
            1.0 - curve.false_positive,
            color=OKABE_ITO["blue"],
            linewidth=2,
            label="discriminant",
        )
        axes.plot([0, 1], [1, 0], color="grey", linestyle="--", linewidth=1, label="no separation")
        axes.text(
            0.05,
            0.20,
            f"area {curve.area:.3f} (held-out events)\narea {curve.area_seen:.3f} (events seen)",
            transform=axes.transAxes,
        )
        axes.set_xlim(0, 1.02)
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("Signal kept")
        axes.set_ylabel("Background rejected")
        axes.legend(loc="lower left")
        write_head(axes, caption)
    return figure


def draw_scores(
    edges: Floats,
    held_out: Mapping[str, Floats],
    seen: Mapping[str, Floats],
    threshold: float,
    caption: Caption,
) -> Figure:
    """Draw the score's distributions for events held out and seen: the over-training check.

    Parameters
    ----------
    edges : (n_bins + 1,) array
        Bins of the score.
    held_out, seen : mappings of (n_bins,) arrays
        Shares of "signal" and "background" by bin.
    threshold
        Border between the categories.
    caption
        Above the frame.
    """
    import matplotlib.pyplot as plt

    with figure_style():
        figure, axes = plt.subplots(figsize=(7.0, 5.2))
        centres = 0.5 * (edges[1:] + edges[:-1])
        for kind, colour in _COLOURS.items():
            axes.stairs(
                held_out[kind], edges, color=colour, linewidth=1.8, label=f"{kind}, held out"
            )
            axes.plot(centres, seen[kind], "o", color=colour, markersize=3.5, label=f"{kind}, seen")
        axes.axvline(threshold, color="black", linestyle=":", label="border of categories")
        top = max(float(np.max(values)) for values in (*held_out.values(), *seen.values()))
        axes.set_ylim(0, 1.45 * top)
        axes.set_xlim(edges[0], edges[-1])
        axes.set_xlabel("Score")
        axes.set_ylabel("Share of events / bin")
        axes.legend(loc="upper center", ncols=2)
        write_head(axes, caption)
    return figure


def draw_importances(importances: Mapping[str, float], caption: Caption) -> Figure:
    """Draw the loss of area by shuffling each feature, largest first."""
    import matplotlib.pyplot as plt

    with figure_style():
        names, losses = list(importances), list(importances.values())
        figure, axes = plt.subplots(figsize=(7.0, 1.4 + 0.3 * len(names)))
        axes.barh(range(len(names)), losses, color=OKABE_ITO["sky blue"], edgecolor="black")
        axes.set_yticks(range(len(names)), names, fontsize=10)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.tick_params(axis="y", which="both", left=False, right=False)
        axes.axvline(0, color="black", linewidth=0.8)
        axes.set_xlabel("Loss of area when shuffled")
        write_head(axes, caption)
    return figure
