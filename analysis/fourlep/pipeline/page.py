"""From a run directory to ``report.html``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fourlep import __version__
from fourlep.execution.durable import output_error, write_whole
from fourlep.physics.cutflow import TOTAL
from fourlep.pipeline.caches import CacheRecord
from fourlep.pipeline.figures import FOLDER, draw_caches, draw_progress, draw_run, forget_undrawn
from fourlep.pipeline.measurement_section import measurement_section
from fourlep.pipeline.outputs import read_cutflow
from fourlep.pipeline.record import RunRecord, read_record
from fourlep.report import Fact, FigureBlock, Page, Section, Table, render

FILE_NAME = "report.html"

#: Rows of the table of files; the rest is in run.json.
_MAX_FILES = 50

#: Incomplete datasets that the warning names.
_MAX_NAMED = 10


def write_report(directory: Path, *, unblind: bool = False) -> Path:
    """Draw the figures of a run and write its page.

    Parameters
    ----------
    directory
        Of the run.
    unblind
        Show data in the Higgs window even where it is observed data.

    Returns
    -------
    The page.

    Raises
    ------
    OutputError
        If the directory holds no run, or figures or page cannot be written.
    """
    record = read_record(directory)
    try:
        page = _page(directory, record, unblind=unblind)
        drawn = {figure.path.stem for section in page.sections for figure in section.figures}
        forget_undrawn(directory, record, drawn)
    except OSError as error:
        raise output_error(directory / FOLDER, error) from error
    path = directory / FILE_NAME
    write_whole(path, render(page).encode())
    return path


def _page(directory: Path, record: RunRecord, *, unblind: bool) -> Page:
    figures = draw_run(directory, record, unblind=unblind) if record.normalised else ()
    return Page(
        title=f"{record.selection}: {record.title}",
        subtitle=f"{record.fileset}, {_energy(record)}, run of {record.started_utc}",
        is_synthetic=record.synthetic,
        is_observed=record.observed,
        warnings=_warnings(record),
        sections=tuple(_sections(directory, record, figures, unblind=unblind)),
        footer=f"fourlep {__version__} · {record.source} · fingerprint {record.fingerprint[:12]}",
    )


def _energy(record: RunRecord) -> str:
    luminosity = record.named_luminosity_ifb
    return "13 TeV" if luminosity is None else f"{luminosity:.3g} fb⁻¹ at 13 TeV"


def _warnings(record: RunRecord) -> tuple[str, ...]:
    warnings = []
    if not record.complete:
        missing = [
            f"{name}: {d.n_files - d.n_files_done} of {d.n_files} files ({1 - d.share:.2%})"
            for name, d in record.datasets.items()
            if d.n_files != d.n_files_done
        ]
        more = f"; and {len(missing) - _MAX_NAMED} datasets more" * (len(missing) > _MAX_NAMED)
        named = "; ".join(missing[:_MAX_NAMED])
        warnings.append(f"This run is incomplete. Missing: {named}{more}")
    return (*warnings, *record.doubts)


def _sections(
    directory: Path, record: RunRecord, figures: tuple[FigureBlock, ...], *, unblind: bool
) -> list[Section]:
    sections = [Section("Summary", facts=_summary(record))]
    measurement = measurement_section(
        directory,
        directory / FOLDER,
        record.fingerprint,
        shows_data=unblind or not record.observed,
    )
    if measurement is not None:
        sections.append(measurement)
    if record.missing:
        sections.append(_missing(record))
    if figures:
        text = "" if record.n_selected else "No event was selected: there is nothing else to draw."
        sections.append(Section("Figures", text, figures=figures))
    if cutflow := _cutflow_tables(directory, record):
        sections.append(Section("Cutflow", tables=cutflow))
    if record.left_out:
        rows = tuple(sorted(record.left_out.items()))
        sections.append(
            Section(
                "Left out",
                "What the input could not provide.",
                tables=(Table(("Requirement or column", "Reason"), rows, is_text=True),),
            )
        )
    sections.append(_transport(directory, record))
    sections.append(_provenance(record))
    return sections


def _missing(record: RunRecord) -> Section:
    rows = tuple(
        (m.dataset, m.kind, m.message if m.url in m.message else f"{m.url}: {m.message}")
        for m in record.missing[:_MAX_FILES]
    )
    columns = ("Dataset", "Error", "Reason")
    n_more = len(record.missing) - len(rows)
    text = "Files that are not in any number on this page."
    return Section(
        "Missing",
        text + (f" {n_more:,} more are in run.json." if n_more else ""),
        tables=(Table(columns, rows, is_text=True),),
    )


def _summary(record: RunRecord) -> tuple[Fact, ...]:
    rate = record.n_events / record.wall_s if record.wall_s else 0.0
    n_files = len(record.files)
    per_event = record.read_bytes / record.n_events if record.n_events else None
    return (
        Fact("Events", f"{record.n_events:,}", f"in {n_files:,} file{'s' * (n_files != 1)}"),
        Fact("Selected", f"{record.n_selected:,}", "raw, all processes"),
        _luminosity(record),
        Fact(
            "Read",
            _bytes(record.read_bytes),
            "" if per_event is None else f"{_bytes(per_event)} an event",
        ),
        Fact("Wall time", f"{record.wall_s:.1f} s", f"{rate:,.0f} events/s"),
        Fact("CPU time", f"{record.cpu_s:.1f} s", "reading and selecting, all workers"),
    )


def _luminosity(record: RunRecord) -> Fact:
    if record.named_luminosity_ifb is None:
        return Fact("Luminosity", "not stated", "by the fileset; nothing is scaled to it")
    return Fact("Luminosity", f"{record.luminosity_ifb:.4g} fb⁻¹", record.luminosity_source)


def _bytes(number: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} TB"


def _cutflow_tables(directory: Path, record: RunRecord) -> tuple[Table, ...]:
    table = read_cutflow(directory)
    if not table:
        return ()
    channels = [c for c in next(iter(table.values()))[0]["raw"] if c != TOTAL]
    names = tuple(table)
    rows = next(iter(table.values()))
    tables = [
        Table(
            ("Requirement", *names),
            tuple(
                (row["title"], *(_cell(table[name][at], TOTAL) for name in names))
                for at, row in enumerate(rows)
            ),
            "Events after each requirement: data as counted, simulation as expected"
            if record.normalised
            else "Raw events after each requirement",
        )
    ]
    if len(channels) > 1:
        tables.append(
            Table(
                ("Process", *channels, TOTAL),
                tuple(
                    (name, *(_cell(table[name][-1], column) for column in (*channels, TOTAL)))
                    for name in names
                ),
                "Selected events by channel",
            )
        )
    return tuple(tables)


def _cell(row: Mapping[str, Any], column: str) -> str:
    expected = row["expected"]
    raw = row["raw"][column]
    if expected is None or expected[column] == raw:
        return f"{raw:,}"
    return _expected(expected[column])


def _expected(events: float) -> str:
    """Four significant digits, and no fractions of thousands."""
    if events == 0.0:
        return "0"
    digits = 3 - math.floor(math.log10(abs(events)))
    return f"{events:,.{min(max(digits, 0), 3)}f}"


def _transport(directory: Path, record: RunRecord) -> Section:
    timelines = (draw_progress(directory, record), draw_caches(directory, record))
    traffic = tuple(
        (t.endpoint or "local files", f"{t.n_items:,}", f"{t.n_events:,}", _bytes(t.read_bytes))
        for t in record.metrics.traffic
    )
    readers = ", ".join(f"{name}: {count:,}" for name, count in record.readers.items()) or "none"
    fallbacks = tuple((reason, f"{count:,}") for reason, count in record.fallbacks.items())
    tables = (
        [Table(("Read from", "Files", "Events", "Bytes asked for"), traffic)] if traffic else []
    )
    if record.caches:
        tables.append(_caches(record.caches))
    if fallbacks:
        tables.append(Table(("Why the lean reader was not used", "Files"), fallbacks))
    return Section(
        "Transport",
        f"Files by reader: {readers}. Workers: {record.metrics.n_workers}; clusters used: "
        f"{record.metrics.n_clusters}; batches given out again: {record.metrics.n_lost_batches}.",
        figures=tuple(timeline for timeline in timelines if timeline is not None),
        tables=tuple(tables),
    )


def _caches(caches: Sequence[CacheRecord]) -> Table:
    rows = []
    for cache in caches:
        if not cache.samples:
            rows.append((cache.address, cache.problem, "", ""))
            continue
        last = cache.samples[-1]
        rate = "" if cache.hit_rate is None else f"{cache.hit_rate:.0%}"
        rows.append((cache.address, _bytes(last.hit_bytes), _bytes(last.origin_bytes), rate))
    return Table(
        ("Cache, of all its clients meanwhile", "From its disk", "From the origin", "Hit rate"),
        tuple(rows),
        "A cache counts a file when it closes it, up to a minute after its last reader",
    )


def _provenance(record: RunRecord) -> Section:
    datasets = tuple(
        (
            name,
            d.process,
            f"{d.n_files_done:,} / {d.n_files:,}",
            f"{d.n_events:,}",
            "" if d.normalisation is None else f"{d.normalisation['cross_section_pb']:.5g}",
            "" if d.normalisation is None else f"{d.normalisation['sum_of_weights']:.6g}",
        )
        for name, d in record.datasets.items()
    )
    files = tuple(
        (
            f.key.rsplit("/", 1)[-1],
            f"{f.n_events:,}",
            f"{f.n_selected:,}",
            _bytes(f.read_bytes),
            f.reader,
        )
        for f in record.files[:_MAX_FILES]
    )
    shown = (
        "" if len(record.files) <= _MAX_FILES else f", first {_MAX_FILES} of {len(record.files):,}"
    )
    corrections = tuple(
        (name, text) for name, d in record.datasets.items() for text in d.corrections
    )
    tables = [
        Table(
            ("Dataset", "Process", "Files", "Events", "σ [pb]", "Σ weights"), datasets, "Datasets"
        ),
        Table(("File", "Events", "Selected", "Read", "Reader"), files, "Files" + shown),
        Table(("Package", "Version"), tuple(record.versions.items()), "Versions"),
    ]
    if corrections:
        tables.insert(
            1, Table(("Dataset", "Correction of the published numbers"), corrections, is_text=True)
        )
    if record.notes:
        tables.insert(0, Table(("Notes",), tuple((note,) for note in record.notes), is_text=True))
    return Section(
        "Provenance",
        "The full configuration and every file are in run.json.",
        tables=tuple(tables),
        is_folded=True,
    )
