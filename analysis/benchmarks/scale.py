"""The whole catalogue on this machine: every name, through a real cache, into one ledger.

    python analysis/benchmarks/scale.py [--files N] [--work read|analysis] [--output DIR]

A local XRootD origin serves all names of the 2024 release; each is a hard link to one of a
few small stand-in files. They are read through a real XCache by a local cluster. ``read``
opens every file and reads its beginning and end; ``analysis`` runs the selection on it.
Prints a table, writes ``scale.json`` into DIR, and fails if a file is missing or counted
twice, if the client takes 1 GB, or if client and scheduler take more than 5 % of the
processor time of the analysis (``read`` does no work to compare with).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from fourlep.chunk.analysis import Analysis
from fourlep.chunk.model import Chunk, ChunkResult, FileRecord
from fourlep.chunk.work import ChunkWork
from fourlep.datasets.fileset import load_fileset
from fourlep.execution import Outcome, Pace, Progress, execute, view_ledger
from fourlep.io.routes import Cache, Routes
from fourlep.physics.registry import selection
from servers.xrootd import Origin, XCache

_EXPORT = "/eos"
_ENDS = 65_536
_STAND_INS = 8


def main() -> None:
    """Run the benchmark."""
    options = _options()
    names = _names()[: options.files]
    options.output.mkdir(parents=True, exist_ok=True)
    with Origin(export=_EXPORT) as origin:
        _link(names, origin.store)
        cache = XCache(origin, FOURLEP_XCACHE_LOW="4g", FOURLEP_XCACHE_HIGH="6g")
        with cache, tempfile.TemporaryDirectory() as directory:
            figures = _run(names, origin, cache, Path(directory), options)
    (options.output / "scale.json").write_text(json.dumps(figures, indent=1) + "\n")
    for name, value in figures.items():
        print(f"{name:24} {value}")
    _check(figures)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=None, help="only the first N names")
    parser.add_argument("--work", choices=["read", "analysis"], default="analysis")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--output", type=Path, default=Path("build/scale"))
    return parser.parse_args()


def _names() -> list[str]:
    """Paths of all files of the release, without the export prefix."""
    fileset = load_fileset("release2024")
    urls = [file.url for dataset in fileset.datasets for file in dataset.files]
    return [urlsplit(url).path.lstrip("/").removeprefix("eos/") for url in urls]


def _link(names: list[str], store: Path) -> None:
    """Make the stand-in files, and a hard link to one of them for every name."""
    from fourlep.synth import make_file

    stand_ins = []
    for number in range(_STAND_INS):
        path = store / f"SYNTHETIC_{number}.root"
        make_file(path, events=50 + number, four_leptons=0.0, seed=number)
        stand_ins.append(path)
    for folder in {(store / name).parent for name in names}:
        folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        os.link(stand_ins[number % _STAND_INS], store / name)


def read_ends(chunk: Chunk, url: str) -> ChunkResult:
    """Open a file, read its first and last 64 kB, and check that it is a ROOT file."""
    from fourlep.io.transport import open_source

    started = time.monotonic()
    source = open_source(url, timeout_s=30.0)
    try:
        length = min(_ENDS, source.size)
        first, last = source.read_ranges([(0, length), (source.size - length, length)])
    finally:
        source.close()
    if not first.startswith(b"root"):
        raise ValueError(f"{url} is no ROOT file")
    record = FileRecord(
        key=chunk.key,
        dataset=chunk.dataset,
        n_events=0,
        n_good=None,
        n_selected=0,
        read_bytes=len(first) + len(last),
        wall_s=time.monotonic() - started,
        cpu_s=0.0,
        uuid=hashlib.sha256(first + last).hexdigest()[:16],
    )
    return ChunkResult(records={chunk.key: record})


@dataclass(slots=True)
class Meter:
    """Processor seconds of the run's processes, by what they are; kept while they live."""

    seconds: dict[str, dict[int, float]]

    def __call__(self, progress: Progress) -> None:
        """Look at all processes below this one."""
        for process in psutil.Process().children(recursive=True):
            try:
                command = " ".join(process.cmdline())
                times = process.cpu_times()
            except psutil.Error:
                continue
            for kind in ("node scheduler", "node worker", "reader"):
                if f"fourlep.execution.{kind}" in command:
                    of_kind = self.seconds.setdefault(kind, {})
                    of_kind[process.pid] = times.user + times.system
        if sys.stderr.isatty():
            print(f"\r{progress.n_done}/{progress.n_items}", end="", file=sys.stderr)

    def total(self, kind: str) -> float:
        """Seconds of all processes of a kind."""
        return sum(self.seconds.get(kind, {}).values())


def _run(
    names: list[str],
    origin: Origin,
    cache: XCache,
    directory: Path,
    options: argparse.Namespace,
) -> dict[str, float | int | str]:
    chunks = [Chunk("release2024", origin.url(name)) for name in names]
    meter = Meter({})
    before = psutil.Process().cpu_times()
    outcome = execute(
        chunks,
        read_ends if options.work == "read" else ChunkWork(Analysis(selection("fourlepton"))),
        directory=directory / "run",
        fingerprint=options.work,
        cluster="local",
        workers=str(options.workers),
        routes=Routes((Cache(cache.endpoint),), origin.endpoint),
        pace=Pace(),
        progress=meter,
    )
    after = psutil.Process().cpu_times()
    client_s = after.user + after.system - before.user - before.system
    with view_ledger(directory / "run") as view:
        in_ledger = [report.key for report in view.reports()]
    size = sum(path.stat().st_size for path in (directory / "run").rglob("*") if path.is_file())
    return _figures(outcome, meter, client_s, in_ledger, size=size, options=options)


def _figures(
    outcome: Outcome[ChunkResult],
    meter: Meter,
    client_s: float,
    in_ledger: list[str],
    *,
    size: int,
    options: argparse.Namespace,
) -> dict[str, float | int | str]:
    metrics = outcome.metrics
    held = set() if outcome.result is None else outcome.result.held
    work_s = meter.total("reader")
    return {
        "work": options.work,
        "workers": options.workers,
        "files": outcome.n_items,
        "files_completed": outcome.n_completed,
        "files_failed": len(outcome.failed),
        "files_in_sum": len(held),
        "files_in_ledger_once": len(set(in_ledger)) if len(set(in_ledger)) == len(in_ledger) else 0,
        "files_by_endpoint": ", ".join(f"{t.endpoint} {t.n_items}" for t in metrics.traffic),
        "read_MB": round(sum(t.read_bytes for t in metrics.traffic) / 1e6, 1),
        "elapsed_s": round(metrics.elapsed_s, 1),
        "files_per_s": round(outcome.n_items / metrics.elapsed_s, 1),
        "reader_cpu_s": round(work_s, 1),
        "worker_cpu_s": round(meter.total("node worker"), 1),
        "scheduler_cpu_s": round(meter.total("node scheduler"), 1),
        "client_cpu_s": round(client_s, 1),
        "worker_busy_s": round(metrics.busy_s, 1),
        "overhead": round((meter.total("node scheduler") + client_s) / max(work_s, 1e-9), 4),
        "client_peak_MB": round(metrics.peak_client_bytes / 1e6, 1),
        "run_directory_MB": round(size / 1e6, 1),
        "lost_batches": metrics.n_lost_batches,
    }


def _check(figures: dict[str, float | int | str]) -> None:
    wrong = []
    if not figures["files"] == figures["files_in_sum"] == figures["files_in_ledger_once"]:
        wrong.append("not every file is in the ledger and in the sum once")
    if float(figures["client_peak_MB"]) >= 1000:
        wrong.append("the client took 1 GB")
    if figures["work"] == "analysis" and float(figures["overhead"]) >= 0.05:
        wrong.append("client and scheduler took 5 % of the work")
    if wrong:
        sys.exit("; ".join(wrong))


if __name__ == "__main__":
    main()
