"""Hold ``fourlep plan`` against measured runs: calibrate on two, predict others.

    python analysis/benchmarks/plan.py [--files N] [--output DIR]

Two runs of one worker over N and 3 N small stand-in files give the start-up and the time of a
file; the model then predicts two workers, more files, and work that waits for round trips (with
the start-up of such work).
Writes ``plan.json`` into DIR and fails if a prediction is off by more than 25 %.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from fourlep.chunk.analysis import Analysis
from fourlep.chunk.model import Chunk
from fourlep.chunk.work import ChunkWork
from fourlep.execution import execute
from fourlep.execution.planning import Rates, Site, plan
from fourlep.physics.registry import selection
from fourlep.synth import make_file
from toys import Slow, items

_TOLERANCE = 0.25
_ROUND_TRIP_S = 0.030
_ROUND_TRIPS = 8


@dataclass(frozen=True, slots=True)
class Comparison:
    """A prediction beside what was measured."""

    name: str
    predicted_s: float
    measured_s: float

    @property
    def ratio(self) -> float:
        """Predicted over measured."""
        return self.predicted_s / self.measured_s


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=400)
    parser.add_argument("--output", type=Path, default=Path("build/scale"))
    options = parser.parse_args()
    n = options.files
    with tempfile.TemporaryDirectory() as folder:
        names = _files(Path(folder), 6 * n)
        _analysed(names[:n], workers=1)  # compiled kernels are cached from here on
        short, long = (_analysed(names[:k], workers=1) for k in (n, 3 * n))
        per_file_s = (long - short) / (2 * n)
        rates = Rates(
            file_cpu_s=per_file_s, event_cpu_s=0.0, batch_cpu_s=0.0, start_s=short - n * per_file_s
        )
        found = [
            _comparison("2 workers", rates, 3 * n, 2, _analysed(names[: 3 * n], workers=2)),
            _comparison("2 workers, twice the files", rates, 6 * n, 2, _analysed(names, workers=2)),
            _waiting(2 * n, workers=2),
        ]
    for each in found:
        print(
            f"{each.name:28} predicted {each.predicted_s:7.1f} s, measured "
            f"{each.measured_s:7.1f} s, ratio {each.ratio:.2f}"
        )
    figures: dict[str, Any] = {each.name: [each.predicted_s, each.measured_s] for each in found}
    figures |= {"file_s": per_file_s, "start_s": rates.start_s, "load": os.getloadavg()[0]}
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "plan.json").write_text(json.dumps(figures, indent=1) + "\n")
    if any(abs(each.ratio - 1.0) > _TOLERANCE for each in found):
        sys.exit(f"a prediction is off by more than {_TOLERANCE:.0%}")


def _files(folder: Path, count: int) -> list[str]:
    """Make many names of one small stand-in file."""
    first = folder / "SYNTHETIC_0.root"
    make_file(first, events=1000, four_leptons=0.001)
    names = [str(folder / f"SYNTHETIC_{number}.root") for number in range(1, count + 1)]
    for name in names:
        os.link(first, name)
    return names


def _analysed(names: list[str], *, workers: int) -> float:
    """Seconds of a run of the analysis."""
    with tempfile.TemporaryDirectory() as directory:
        outcome = execute(
            [Chunk("signal", name) for name in names],
            ChunkWork(Analysis(selection("fourlepton"))),
            directory=Path(directory),
            fingerprint="plan",
            workers=str(workers),
        )
    return outcome.metrics.elapsed_s


def _comparison(name: str, rates: Rates, n: int, workers: int, measured_s: float) -> Comparison:
    site = Site(workers, bandwidth_gbit=1000.0, round_trip_s=0.0)
    return Comparison(name, plan(n, 0, site, rates).elapsed_s, measured_s)


def _waiting(n: int, *, workers: int) -> Comparison:
    """Work that waits as reading far away does, and does nothing else.

    A run of one item for each place in flight gives its start-up, which loads no analysis.
    """
    wait_s = _ROUND_TRIPS * _ROUND_TRIP_S
    site = Site(workers, bandwidth_gbit=1000.0, round_trip_s=_ROUND_TRIP_S)
    rates = Rates(
        file_cpu_s=1e-4, event_cpu_s=0.0, batch_cpu_s=0.0, round_trips=_ROUND_TRIPS,
        start_s=_waited(workers * site.in_flight, workers, wait_s) - wait_s,
    )  # fmt: skip
    measured_s = _waited(n, workers, wait_s)
    return Comparison("waiting for round trips", plan(n, 0, site, rates).elapsed_s, measured_s)


def _waited(n: int, workers: int, wait_s: float) -> float:
    with tempfile.TemporaryDirectory() as directory:
        outcome = execute(
            items(n),
            Slow(wait_s),
            directory=Path(directory),
            fingerprint="plan",
            workers=str(workers),
        )
    return outcome.metrics.elapsed_s


if __name__ == "__main__":
    main()
