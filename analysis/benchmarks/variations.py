"""What systematic variations cost: CPU time of a pass with them over that of one without.

::

    python analysis/benchmarks/variations.py STAND_IN [--variations 30] [--repeats 3]

where STAND_IN is a directory made by ``fourlep synth``. Every file is read and analysed
with the full selection, once without corrections and once with all of them, alternating;
the smallest CPU time of each counts. Data are read in both passes and varied in none.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from fourlep.chunk.model import Chunk
from fourlep.chunk.process import Analysis, process
from fourlep.corrections import Calibration, make_corrections
from fourlep.datasets.fileset import load_fileset
from fourlep.datasets.model import Dataset, Fileset
from fourlep.io.source import ReaderChoice
from fourlep.physics.registry import selection


def cpu_s(dataset: Dataset, analysis: Analysis) -> tuple[float, int]:
    """CPU seconds to analyse a dataset, and its selected events."""
    records = [
        record
        for file in dataset.files
        for record in process(
            Chunk(dataset.name, file.url, tree=file.tree), analysis
        ).records.values()
    ]
    return sum(record.cpu_s for record in records), sum(r.n_selected for r in records)


def limited(corrections: Calibration, number: int) -> Calibration:
    """Keep so many variations: all kinematic ones, and of weights the first."""
    weights = corrections.weight_variations
    kept = max(0, number - len(corrections.kinematic_variations))
    return replace(corrections, excluded=weights[kept:])


def measure(
    fileset: Fileset, corrections: Calibration, reader: ReaderChoice, repeats: int
) -> list[dict[str, object]]:
    """One row for each process."""
    plain = Analysis(selection("fourlepton"), reader=reader)
    varied = Analysis(selection("fourlepton"), corrections=corrections, reader=reader)
    datasets = fileset.datasets
    cpu_s(datasets[0], varied)  # compile and load once
    best: dict[tuple[str, str], float] = defaultdict(lambda: float("inf"))
    selected: dict[str, int] = {}
    for _ in range(repeats):
        for dataset in datasets:
            for label, analysis in (("nominal", plain), ("varied", varied)):
                seconds, n_selected = cpu_s(dataset, analysis)
                best[dataset.name, label] = min(best[dataset.name, label], seconds)
                if label == "nominal":
                    selected[dataset.name] = n_selected
    return [
        {
            "dataset": d.name,
            "events": d.n_events,
            "selected": selected[d.name],
            "nominal_s": best[d.name, "nominal"],
            "varied_s": best[d.name, "varied"],
        }
        for d in datasets
    ]


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stand_in", type=Path)
    parser.add_argument("--variations", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--reader", choices=("auto", "lean", "uproot"), default="auto")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    fileset = load_fileset(options.stand_in)
    every = make_corrections(is_synthetic=fileset.is_synthetic)
    corrections = limited(every, options.variations)
    rows = measure(fileset, corrections, options.reader, options.repeats)
    n_variations = len(corrections.kinematic_variations) + len(corrections.weight_variations)
    if options.json:
        print(json.dumps({"variations": n_variations, "rows": rows}, indent=1))
        return
    print(f"{n_variations} variations, {len(corrections.kinematic_variations)} of them kinematic")
    print(f"{'dataset':24} {'events':>9} {'selected':>9} {'nominal/s':>10} {'varied/s':>9} ratio")
    total = {key: sum(float(str(row[key])) for row in rows) for key in ("nominal_s", "varied_s")}
    for row in [*rows, {"dataset": "all", "events": "", "selected": "", **total}]:
        nominal, varied = float(str(row["nominal_s"])), float(str(row["varied_s"]))
        print(
            f"{row['dataset']!s:24} {row['events']!s:>9} {row['selected']!s:>9}"
            f" {nominal:10.3f} {varied:9.3f} {varied / nominal:5.2f}"
        )


if __name__ == "__main__":
    main()
