"""Strong and weak scaling of the execution, with work that waits as reading far away does.

    python analysis/benchmarks/scaling.py [--workers 1 2 4 8] [--output DIR]

Every item waits 8 round trips of 30 ms, and nothing else: what is measured is dealing,
reduction and ledger, not the cores of this machine. Rates are taken between a tenth of the
items and the last, so that starting workers does not count. Writes ``scaling.json`` and
``scaling.png`` into DIR.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from fourlep.execution import Pace, Progress, execute
from fourlep.plots.style import OKABE_ITO
from toys import Slow, items

_WAIT_S = 8 * 0.030
_PACE = Pace(batch_s=1.0, flush_s=1.0, in_flight=8)

#: Items a second of one worker, if nothing but the waiting took time.
_IDEAL = _PACE.in_flight / _WAIT_S


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--strong", type=int, default=2400, help="items, whatever the workers")
    parser.add_argument("--weak", type=int, default=600, help="items for each worker")
    parser.add_argument("--output", type=Path, default=Path("build/scale"))
    options = parser.parse_args()
    rates = {
        "strong": {n: _rate(options.strong, n) for n in options.workers},
        "weak": {n: _rate(options.weak * n, n) for n in options.workers},
    }
    print(f"{'workers':>8} {'strong /s':>10} {'efficiency':>10} {'weak /s':>10} {'efficiency':>10}")
    for n in options.workers:
        strong, weak = rates["strong"][n], rates["weak"][n]
        print(f"{n:8} {strong:10.1f} {_efficiency(strong, n):10.2f} ", end="")
        print(f"{weak:10.1f} {_efficiency(weak, n):10.2f}")
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "scaling.json").write_text(json.dumps(rates, indent=1) + "\n")
    _plot(rates, options.output / "scaling.png")


def _rate(n_items: int, workers: int) -> float:
    """Items a second, the first tenth left out."""
    seen: list[tuple[float, int]] = []

    def note(progress: Progress) -> None:
        seen.append((time.monotonic(), progress.n_done))

    with tempfile.TemporaryDirectory() as directory:
        execute(
            items(n_items),
            Slow(_WAIT_S),
            directory=Path(directory),
            fingerprint="scaling",
            workers=str(workers),
            pace=_PACE,
            progress=note,
        )
    first = next((at, done) for at, done in seen if done >= n_items / 10)
    last = next((at, done) for at, done in seen if done == n_items)
    return (last[1] - first[1]) / (last[0] - first[0])


def _efficiency(rate: float, workers: int) -> float:
    return rate / (workers * _IDEAL)


def _plot(rates: dict[str, dict[int, float]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
    for (name, of_kind), colour, marker in zip(
        rates.items(), (OKABE_ITO["blue"], OKABE_ITO["vermilion"]), "os", strict=True
    ):
        workers = list(of_kind)
        left.plot(workers, list(of_kind.values()), marker + "-", color=colour, label=name)
        efficiency = [_efficiency(rate, n) for n, rate in of_kind.items()]
        right.plot(workers, efficiency, marker + "-", color=colour, label=name)
    ideal = [n * _IDEAL for n in workers]
    left.plot(workers, ideal, "--", color=OKABE_ITO["grey"], label="waiting alone")
    left.set(xlabel="workers", ylabel="items / s", xscale="log", ylim=(0.0, None))
    right.set(xlabel="workers", ylabel="efficiency", xscale="log", ylim=(0.0, 1.1))
    for axes in (left, right):
        axes.set_xticks(workers, [str(n) for n in workers])
        axes.minorticks_off()
        axes.legend(frameon=False)
    figure.savefig(path, dpi=150)
    plt.close(figure)


if __name__ == "__main__":
    main()
