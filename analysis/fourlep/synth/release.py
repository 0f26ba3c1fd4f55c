"""Make a whole stand-in release: simulated datasets, data, and their catalogue.

Files are made by a pool of processes inside ``DIR/.partial``, moved into DIR when all are
there, and the catalogue is written last: a directory without one is no release.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import shutil
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from fourlep.datasets.catalogue import FILE_NAME, write_catalogue
from fourlep.datasets.model import DATA, Dataset, Fileset, Normalisation, SourceFile
from fourlep.datasets.processes import HZZ4L
from fourlep.errors import OutputError
from fourlep.synth import data as observed
from fourlep.synth.data import RunData, Runs
from fourlep.synth.ntuple2020 import write_ntuple
from fourlep.synth.parameters import Parameters, ProcessParameters, parameters
from fourlep.synth.plan import (
    Options,
    SimulatedFile,
    generator,
    needed_bytes,
    simulated_files,
)
from fourlep.synth.sample import (
    LABEL,
    Sample,
    observe,
    physlite_columns,
    simulate,
    write_physlite,
)
from fourlep.synth.sampling import Generator

#: Where files wait until all are made.
PARTIAL = ".partial"
_TREES = {"physlite": "CollectionTree", "ntuple2020": "mini"}

#: Told after each file: files done, files in all, its name.
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Made:
    """One file that was written.

    Parameters
    ----------
    name
        Of the file.
    n_events, n_bytes, adler32
        What the catalogue says of it.
    sum_of_weights
        Of its nominal weights; 0 in data.
    """

    name: str
    n_events: int
    n_bytes: int
    adler32: str
    sum_of_weights: float


def make_release(
    output: Path,
    options: Options | None = None,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Fileset:
    """Make a stand-in release in a directory.

    Parameters
    ----------
    output
        A directory that is empty or not there yet.
    options
        What to make.
    workers
        Processes that write files, all cores by default; 1 writes in this process.
    progress
        Called after each file.

    Returns
    -------
    Fileset
        As `fourlep.datasets.load_fileset` reads it from the directory.

    Raises
    ------
    ConfigError
        For an unknown process or a value out of range.
    OutputError
        If the directory is not empty or cannot be written, or the disk is too small.
    """
    options = options or Options()
    values = parameters()
    simulated = simulated_files(options, values)
    runs = observed.choose_runs(options)
    expected = observed.expected_events(options, values)
    need = needed_bytes(options, simulated, expected, len(runs.numbers))
    with _partial_directory(output, need) as partial:
        tasks: list[SimulatedFile | RunData] = [*simulated, *observed.draw(options, values, runs)]
        made = dict(_written(partial, tasks, options, workers, progress))
        for name in made:
            (partial / name).replace(output / name)
        files = _Files(output, options, made)
        fileset = _fileset(files, values, simulated, runs)
        write_catalogue(output, fileset)
    return fileset


@contextmanager
def _partial_directory(output: Path, needed: int) -> Iterator[Path]:
    """Make the place where files wait; remove it, and what was moved, on any failure."""
    partial = output / PARTIAL
    try:
        _check_empty(output)
        output.mkdir(parents=True, exist_ok=True)
        _check_space(output, needed)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
    except OSError as error:
        raise OutputError(
            f"cannot write {output}: {error.strerror}", remedy="choose a place that can be written"
        ) from error
    try:
        yield partial
    except BaseException:
        if not (output / FILE_NAME).exists():
            for path in output.glob("SYNTHETIC.*.root"):
                path.unlink()
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _check_empty(output: Path) -> None:
    if output.exists() and not output.is_dir():
        raise OutputError(f"{output} is no directory", remedy="name a directory")
    found = [path.name for path in output.iterdir()] if output.is_dir() else []
    if FILE_NAME in found:
        raise OutputError(
            f"{output} holds a complete release already",
            remedy="use it, or choose another directory",
        )
    if set(found) - {PARTIAL}:
        raise OutputError(
            f"{output} is not empty: {', '.join(sorted(found)[:3])} ...",
            remedy="choose an empty or a new directory",
        )


def _check_space(output: Path, needed: int) -> None:
    free = shutil.disk_usage(output).free
    if free < needed:
        raise OutputError(
            f"the release needs about {needed / 1e9:.1f} GB and {output} has {free / 1e9:.1f} GB",
            remedy="free some space, choose another directory, or fewer --events",
        )


def _written(
    partial: Path,
    tasks: list[SimulatedFile | RunData],
    options: Options,
    workers: int | None,
    progress: Progress | None,
) -> Iterator[tuple[str, Made]]:
    """Write all files, largest first, and yield each by name."""
    ordered = sorted(tasks, key=_size, reverse=True)
    count = min(workers or os.cpu_count() or 1, len(ordered))
    results = (
        (write_file(partial, task, options) for task in ordered)
        if count == 1
        else _in_processes(partial, ordered, options, count)
    )
    for done, made in enumerate(results, start=1):
        if progress is not None:
            progress(done, len(ordered), made.name)
        yield made.name, made


def _size(task: SimulatedFile | RunData) -> int:
    return task.n_events if isinstance(task, SimulatedFile) else len(task.lumi_block)


def _in_processes(
    partial: Path, tasks: list[SimulatedFile | RunData], options: Options, count: int
) -> Iterator[Made]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=context) as pool:
        futures = [pool.submit(write_file, partial, task, options) for task in tasks]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def write_file(directory: Path, task: SimulatedFile | RunData, options: Options) -> Made:
    """Make one file of the release.

    Parameters
    ----------
    directory
        Where.
    task
        What is in it.
    options
        Of the release.
    """
    values = parameters()
    rng, sample = _sample(task, options, values)
    path = directory / task.name(options.tag)
    n_events = sample.n_events
    if options.file_format == "physlite":
        columns = physlite_columns(rng, sample, values)
        write_physlite(path, columns, compression=options.compression)
    else:
        n_events = write_ntuple(path, rng, sample, compression=options.compression)
    weights = () if sample.weights is None else sample.weights
    return Made(
        path.name,
        n_events,
        path.stat().st_size,
        _adler32(path),
        math.fsum(weights),
    )


def _sample(
    task: SimulatedFile | RunData, options: Options, values: Parameters
) -> tuple[Generator, Sample]:
    if isinstance(task, RunData):
        rng = generator(options, "run", task.run)
        sample = observe(rng, task.truth, run=task.run, lumi_block=task.lumi_block, values=values)
        return rng, sample
    rng = generator(options, "simulation", task.process.name, task.number)
    sample = simulate(
        rng,
        task.process,
        n_four=task.n_four,
        n_filler=task.n_filler,
        weight_four=task.weight_four,
        weight_filler=task.weight_filler,
        first_number=task.first_number,
        values=values,
    )
    return rng, sample


def _adler32(path: Path) -> str:
    value = 1
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            value = zlib.adler32(block, value)
    return f"{value:08x}"


@dataclass(frozen=True, slots=True, eq=False)
class _Files:
    """The files of a release that is being made."""

    output: Path
    options: Options
    made: dict[str, Made]

    def source(self, name: str, run: int | None = None) -> SourceFile:
        """Return a file as the catalogue lists it."""
        file = self.made[name]
        return SourceFile(
            str(self.output / name),
            tree=_TREES[self.options.file_format],
            n_events=file.n_events,
            n_bytes=file.n_bytes,
            adler32=file.adler32,
            run=run,
        )


def _fileset(
    files: _Files, values: Parameters, simulated: tuple[SimulatedFile, ...], runs: Runs
) -> Fileset:
    options = files.options
    datasets = []
    for process in values.chosen(options.processes):
        names = [f.name(options.tag) for f in simulated if f.process.name == process.name]
        weight = math.fsum(files.made[name].sum_of_weights for name in names)
        datasets.append(_dataset(process, tuple(map(files.source, names)), weight))
    data_files = tuple(
        files.source(observed.file_name(run, options.tag), run) for run in runs.numbers
    )
    datasets.append(Dataset("SYNTHETIC.data", DATA, "data", data_files, is_synthetic=True))
    chosen = {name: str(value) for name, value in asdict(options).items()}
    return Fileset(
        name=f"synthetic-{options.tag}",
        datasets=tuple(datasets),
        luminosity_ifb=options.luminosity_ifb,
        luminosity_source="synthetic: what the stand-in's data were drawn for",
        good_runs=runs.good_runs if options.has_lumi_blocks else None,
        notes=(LABEL, f"signal strength in the data: {options.mu:g}"),
        metadata={"made_by": "fourlep synth", **chosen},
    )


def _dataset(
    process: ProcessParameters, files: tuple[SourceFile, ...], sum_of_weights: float
) -> Dataset:
    role = next(known.role for known in HZZ4L if known.name == process.name)
    return Dataset(
        name=f"SYNTHETIC.{process.dsid}.{process.name}",
        process=process.name,
        role=role,
        files=files,
        normalisation=Normalisation(
            process.cross_section_pb, process.filter_efficiency, 1.0, sum_of_weights
        ),
        dsid=process.dsid,
        is_synthetic=True,
    )
