"""``fourlep run``: a fileset through a selection into a run directory."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from fourlep import __version__
from fourlep.chunk.model import Chunk, ChunkResult, FileRecord
from fourlep.chunk.process import Analysis
from fourlep.chunk.work import ChunkWork
from fourlep.datasets.model import Dataset, Fileset
from fourlep.errors import IncompleteRunError, OutputError
from fourlep.execution import Outcome, Progress, check_place, execute
from fourlep.io.routes import Routes
from fourlep.physics.histograms import NOMINAL
from fourlep.pipeline.caches import CacheWatch, metrics_addresses
from fourlep.pipeline.candidates import FILE_NAME as CANDIDATES
from fourlep.pipeline.candidates import write_candidates
from fourlep.pipeline.directory import keep_fileset, prepare
from fourlep.pipeline.duplicates import events_twice, files_twice
from fourlep.pipeline.normalise import (
    Coverage,
    Scales,
    cover,
    overweight,
    processes,
    scales,
    templates,
)
from fourlep.pipeline.outputs import HISTOGRAMS, write_cutflow, write_histograms
from fourlep.pipeline.page import write_report
from fourlep.pipeline.preflight import check_names, check_reachable
from fourlep.pipeline.record import FILE_NAME as RECORD
from fourlep.pipeline.record import (
    DatasetRecord,
    MissingFile,
    ProcessRecord,
    RunRecord,
    read_record,
    write_record,
)
from fourlep.pipeline.software import deciding_software

#: Packages whose versions a reader of the result may ask for.
_PACKAGES = (
    "awkward", "coffea", "correctionlib", "dask", "distributed", "hist", "numba", "numpy",
    "pyhf", "uproot", "vector", "xrootd",
)  # fmt: skip

#: Missing files that a refusal tells the reason of, and lines of each reason.
_SHOWN, _REASON_LINES = 3, 5


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run; nothing here changes a result, but ``allow_missing``.

    Parameters
    ----------
    cluster
        ``inline``, ``local``, ``gateway``, ``gateway:NAME`` or a scheduler's address.
    workers
        ``"8"``, or ``"2-64"`` to adapt; "" is one for each core.
    resume
        Continue what is in the directory.
    allow_missing
        Normalise although files are missing, and account for it.
    unblind
        Show observed data in the Higgs window in figures.
    leave_report
        Leave figures and page to the fit that follows; a refused run has its page all the
        same.
    routes
        Caches in front of the origin.
    """

    cluster: str = "local"
    workers: str = ""
    resume: bool = False
    allow_missing: bool = False
    unblind: bool = False
    leave_report: bool = False
    routes: Routes = dataclasses.field(default_factory=Routes)


def run(
    fileset: Fileset,
    analysis: Analysis,
    output: Path,
    options: RunOptions | None = None,
    *,
    progress: Callable[[Progress], None] = lambda _: None,
) -> RunRecord:
    """Run an analysis over a fileset and write the run directory.

    Parameters
    ----------
    fileset
        What to run over.
    analysis
        Selection, corrections and reader.
    output
        Run directory; made where it is absent.
    options
        How to run.
    progress
        Told how far the run is.

    Returns
    -------
    What ``run.json`` holds.

    Raises
    ------
    OutputError
        If the directory cannot be used.
    IncompleteRunError
        If files are missing and that is not allowed. ``run.json`` then lists them.
    FourlepError
        Whatever else stops a run.
    """
    options = options or RunOptions()
    started = time.monotonic()
    started_utc = datetime.now(UTC).isoformat(timespec="seconds")
    configuration = describe(analysis)
    fingerprint = fingerprint_of(fileset, configuration)
    check_place(options.cluster, options.workers)
    check_names(fileset, analysis.variations(is_simulation=True)[1:])
    check_reachable(fileset, options.routes)
    prepare(output)
    keep_fileset(output, fileset)
    with CacheWatch(metrics_addresses([c.endpoint for c in options.routes.caches])) as watch:
        outcome = execute(
            chunks(fileset),
            ChunkWork(analysis),
            directory=output,
            fingerprint=fingerprint,
            cluster=options.cluster,
            workers=options.workers,
            resume=options.resume,
            routes=options.routes,
            progress=progress,
        )
    result = outcome.result if outcome.result is not None else ChunkResult()
    scaled, refusal = _scale(fileset, result, allow_missing=options.allow_missing)
    record = _record(fileset, analysis, outcome, result, scaled)
    record = dataclasses.replace(
        record,
        fingerprint=fingerprint,
        configuration=configuration,
        started_utc=started_utc,
        wall_s=time.monotonic() - started,
        caches=watch.records(),
    )
    _write(output, fileset, result, scaled, record)
    if refusal is not None or not options.leave_report:
        write_report(output, unblind=options.unblind)
    if refusal is not None:
        raise _with_reasons(refusal, record, output)
    return record


def _with_reasons(
    refusal: IncompleteRunError, record: RunRecord, output: Path
) -> IncompleteRunError:
    """Say why the first files are missing and where the rest is listed."""
    shown = [line for file in record.missing[:_SHOWN] for line in _reason(file)]
    if len(record.missing) > _SHOWN:
        shown.append(f"  and {len(record.missing) - _SHOWN} more: fourlep failed {output} --why")
    return IncompleteRunError("\n".join([refusal.message, *shown]), remedy=refusal.remedy)


def _reason(file: MissingFile) -> list[str]:
    """Why one file is missing, in a few indented lines that name it."""
    lines = [line.strip() for line in file.message.splitlines()]
    if file.url not in file.message:
        lines.insert(0, file.url)
    shown = lines[:_REASON_LINES] + ["..."] * (len(lines) > _REASON_LINES)
    return [f"  {file.kind}: {shown[0]}", *(f"    {line}" for line in shown[1:])]


def chunks(fileset: Fileset) -> list[Chunk]:
    """Every file of the fileset as one chunk."""
    return [
        Chunk(
            dataset=dataset.name,
            url=file.url,
            tree=file.tree,
            n_events=-1 if file.n_events is None else file.n_events,
            n_bytes=-1 if file.n_bytes is None else file.n_bytes,
            run=file.run if dataset.is_data else None,
            is_data=dataset.is_data,
            counts_events=dataset.normalisation is not None and dataset.normalisation.counts_events,
        )
        for dataset in fileset.datasets
        for file in dataset.files
    ]


def describe(analysis: Analysis) -> dict[str, Any]:
    """Everything of an analysis that decides its result, as plain values."""
    import cattrs

    plain = cattrs.Converter().unstructure(analysis)
    return dict(json.loads(json.dumps(plain, default=str, sort_keys=True)))


def fingerprint_of(fileset: Fileset, configuration: Mapping[str, Any]) -> str:
    """SHA-256 of what decides a result: files, normalisation, configuration, software."""
    content = json.dumps(
        [__version__, deciding_software(), dataclasses.asdict(fileset), configuration],
        default=str,
        sort_keys=True,
    )
    return hashlib.sha256(content.encode()).hexdigest()


def _scale(
    fileset: Fileset, result: ChunkResult, *, allow_missing: bool
) -> tuple[Scales | None, IncompleteRunError | None]:
    try:
        return scales(fileset, result.held, allow_missing=allow_missing), None
    except IncompleteRunError as error:
        return None, error


def _write(
    output: Path,
    fileset: Fileset,
    result: ChunkResult,
    scaled: Scales | None,
    record: RunRecord,
) -> None:
    if _is_other(output, record):
        from fourlep.pipeline.fit import forget

        forget(output)
        # Whoever is killed below must not leave the other record beside these numbers.
        (output / RECORD).unlink(missing_ok=True)
    write_cutflow(output, result, fileset, scaled)
    if scaled is None:
        # Numbers of an earlier, complete session must not stand beside this record.
        (output / HISTOGRAMS).unlink(missing_ok=True)
        (output / CANDIDATES).unlink(missing_ok=True)
    else:
        write_histograms(output, templates(result, fileset, scaled.factors))
        if result.candidates:
            write_candidates(output, result, fileset, scaled.factors)
    write_record(output, record)


def _is_other(output: Path, record: RunRecord) -> bool:
    """Whether the run of an earlier session had other files, or another luminosity."""
    try:
        before = read_record(output)
    except OutputError:
        return (output / RECORD).exists()
    return (before.normalised, before.luminosity_ifb, {file.key for file in before.files}) != (
        record.normalised,
        record.luminosity_ifb,
        {file.key for file in record.files},
    )


def _record(
    fileset: Fileset,
    analysis: Analysis,
    outcome: Outcome[ChunkResult],
    result: ChunkResult,
    scaled: Scales | None,
) -> RunRecord:
    selection = analysis.selection
    files = tuple(sorted(result.records.values(), key=lambda record: record.key))
    coverage = {d.name: cover(d, result.held) for d in fileset.datasets}
    variations = {name for histogram in result.histograms.values() for name in histogram.variations}
    return RunRecord(
        fingerprint="",
        selection=selection.name,
        title=selection.title,
        source=selection.source,
        fileset=fileset.name,
        luminosity_source=fileset.luminosity_source,
        notes=fileset.notes,
        luminosity_ifb=fileset.luminosity_ifb if scaled is None else scaled.luminosity_ifb,
        synthetic=fileset.is_synthetic,
        observed=fileset.is_observed,
        complete=outcome.is_complete,
        missing=_missing(fileset, outcome),
        normalised=scaled is not None,
        processes={
            name: ProcessRecord(role, tuple(d.name for d in fileset.datasets if d.process == name))
            for name, role in processes(fileset).items()
        },
        datasets={
            d.name: _dataset_record(d, coverage[d.name], result, scaled) for d in fileset.datasets
        },
        channels=selection.channels,
        regions=selection.regions,
        observables=tuple(spec.observable for spec in selection.histograms),
        variations=tuple(sorted(variations - {NOMINAL})),
        configuration={},
        left_out=left_out(files),
        readers=dict(Counter(record.reader for record in files)),
        fallbacks=dict(Counter(record.fallback for record in files if record.fallback)),
        duplicates=events_twice(result),
        same_files=files_twice(files),
        overweight=overweight(fileset, result),
        started_utc="",
        wall_s=0.0,
        cpu_s=sum(record.cpu_s for record in files),
        versions=versions(),
        metrics=outcome.metrics,
        files=files,
    )


def left_out(files: Sequence[FileRecord]) -> dict[str, str]:
    """Why each requirement or column was left out; of how many files, where not of all."""
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    for record in files:
        for name, reason in {**record.left_out, **record.absent}.items():
            reasons[name][reason] += 1
    return {
        name: "; ".join(
            reason if count == len(files) else f"{count:,} of {len(files):,} files: {reason}"
            for reason, count in found.items()
        )
        for name, found in reasons.items()
    }


def _missing(fileset: Fileset, outcome: Outcome[ChunkResult]) -> tuple[MissingFile, ...]:
    dataset_of = {file.url: d.name for d in fileset.datasets for file in d.files}
    return tuple(
        MissingFile(
            dataset=dataset_of.get(failed.key, ""),
            url=failed.key,
            kind=failed.failure.kind,
            message=failed.failure.message,
            attempts=failed.attempts,
        )
        for failed in outcome.failed
    )


def _dataset_record(
    dataset: Dataset, coverage: Coverage, result: ChunkResult, scaled: Scales | None
) -> DatasetRecord:
    normalisation = dataset.normalisation
    return DatasetRecord(
        process=dataset.process,
        n_files=coverage.n_files,
        n_files_done=coverage.n_files_done,
        share=coverage.share,
        n_events=sum(r.n_events for r in result.records.values() if r.dataset == dataset.name),
        factor=None if scaled is None else scaled.factors[dataset.name],
        normalisation=None
        if normalisation is None
        else {
            "cross_section_pb": normalisation.cross_section_pb,
            "filter_efficiency": normalisation.filter_efficiency,
            "k_factor": normalisation.k_factor,
            "sum_of_weights": normalisation.sum_of_weights,
        },
        corrections=() if normalisation is None else normalisation.corrections,
    )


def versions() -> dict[str, str]:
    """Versions of Python, of fourlep, and of the packages that decide a result."""
    import platform

    found = {"python": platform.python_version(), "fourlep": __version__}
    return {**found, **{name: metadata.version(name) for name in _PACKAGES}}
