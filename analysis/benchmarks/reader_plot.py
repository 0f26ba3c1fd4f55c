"""Draw the figures of ``fourlep bench reader --json``.

fourlep bench reader --json > figures.json
python analysis/benchmarks/reader_plot.py figures.json docs/reference/reader-benchmarks.svg
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

WAYS = ("lean", "coffea")
COLOURS = {"lean": "#3f90da", "coffea": "#bd1f01"}


def main(figures: Path, output: Path) -> None:
    """Draw events per CPU second of both readers, by setting."""
    values: dict[str, dict[str, float]] = {}
    for each in json.loads(figures.read_text()):
        if each["setting"]:
            values.setdefault(each["setting"], {})[each["what"]] = each["value"]
    settings = list(values)
    figure, axes = plt.subplots(figsize=(8.0, 0.6 * len(settings) + 1.2))
    for row, way in enumerate(WAYS):
        places = [number + 0.4 * (row - 0.5) for number in range(len(settings))]
        found = [values[setting][way] for setting in settings]
        axes.barh(places, found, height=0.38, color=COLOURS[way], label=way)
    for number, setting in enumerate(settings):
        right = values[setting]["lean"] * 1.1
        axes.text(right, number - 0.2, f"{values[setting]['ratio']:.0f} x", va="center")
    axes.set_yticks(range(len(settings)), settings)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(1.0, axes.get_xlim()[1] * 3)
    axes.set_xlabel("thousand events per CPU second")
    axes.legend(loc="upper right", frameon=False)
    figure.tight_layout()
    figure.savefig(output, metadata={"Date": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
