"""``run.json``: what a run was, what it took, and everything that it left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fourlep.chunk.model import FileRecord
from fourlep.datasets.coffea_fileset import DEFAULT_LUMINOSITY_SOURCE
from fourlep.errors import OutputError
from fourlep.execution.durable import write_whole
from fourlep.execution.model import Metrics
from fourlep.pipeline.caches import CacheRecord

FILE_NAME = "run.json"


@dataclass(frozen=True, slots=True)
class MissingFile:
    """A file that is not in the result.

    Parameters
    ----------
    dataset, url
        What is missing.
    kind, message
        Class of the error and its text.
    attempts
        How often it was tried.
    """

    dataset: str
    url: str
    kind: str
    message: str
    attempts: int


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """A process of the run.

    Parameters
    ----------
    role
        ``data``, ``signal``, ``background``, or ``other`` for alternative samples.
    datasets
        Names of its datasets.
    """

    role: str
    datasets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """A dataset of the run.

    Parameters
    ----------
    process
        Its process.
    n_files, n_files_done, share
        As in `fourlep.pipeline.normalise.Coverage`.
    n_events
        Entries in the sums.
    factor
        Expected events per unit of weight; None where nothing was normalised.
    normalisation
        Cross-section (pb), filter efficiency, k-factor, sum of weights; None for data.
    corrections
        What was corrected in the published numbers.
    """

    process: str
    n_files: int
    n_files_done: int
    share: float
    n_events: int
    factor: float | None
    normalisation: Mapping[str, float] | None
    corrections: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything in ``run.json``.

    Parameters
    ----------
    fingerprint
        Tells runs of different inputs or configurations apart.
    selection, title, source
        Name, one line, and citation of the selection.
    fileset, luminosity_source, notes
        What was run over, where the luminosity is from, and what was skipped on purpose.
    luminosity_ifb
        What simulation is scaled to (1/fb).
    synthetic, observed
        Whether anything is synthetic; whether real observed data is in it.
    complete, missing
        Whether everything is in the sums, and what is not.
    normalised
        Whether expected events were computed: ``histograms.root`` exists exactly then.
    processes, datasets
        By name.
    channels, regions, observables, variations
        What `histograms.root` holds.
    configuration
        Every setting, defaults included.
    left_out
        Requirements and columns that the input could not provide, with the reason and,
        where it is not all of them, the number of files.
    readers, fallbacks
        Files by reader, and reasons for not using the lean reader with their counts.
    duplicates
        (run, event number) pairs that were selected more than once.
    same_files
        Addresses of files that are one file, which is in the sums as often: links, copies.
    overweight
        As `fourlep.pipeline.normalise.overweight` finds them.
    started_utc, wall_s, cpu_s
        When, and for how long; CPU seconds are those of reading and selecting.
    versions
        Of Python and of the packages that matter.
    metrics
        Of the execution: workers, traffic by endpoint, samples over time.
    caches
        What the caches reported during the last session.
    files
        What each file took.
    """

    fingerprint: str
    selection: str
    title: str
    source: str
    fileset: str
    luminosity_source: str
    notes: tuple[str, ...]
    luminosity_ifb: float
    synthetic: bool
    observed: bool
    complete: bool
    missing: tuple[MissingFile, ...]
    normalised: bool
    processes: Mapping[str, ProcessRecord]
    datasets: Mapping[str, DatasetRecord]
    channels: tuple[str, ...]
    regions: tuple[str, ...]
    observables: tuple[str, ...]
    variations: tuple[str, ...]
    configuration: Mapping[str, Any]
    left_out: Mapping[str, str]
    readers: Mapping[str, int]
    fallbacks: Mapping[str, int]
    duplicates: tuple[tuple[int, int], ...]
    started_utc: str
    wall_s: float
    cpu_s: float
    versions: Mapping[str, str]
    metrics: Metrics
    caches: tuple[CacheRecord, ...] = ()
    same_files: tuple[tuple[str, ...], ...] = ()
    overweight: Mapping[str, float] = field(default_factory=dict)
    files: tuple[FileRecord, ...] = field(default=())

    @property
    def n_events(self) -> int:
        """Entries in the sums."""
        return sum(record.n_events for record in self.files)

    @property
    def n_selected(self) -> int:
        """Selected events in the sums."""
        return sum(record.n_selected for record in self.files)

    @property
    def doubts(self) -> tuple[str, ...]:
        """What is hardly meant, a sentence each: what counts twice, and impossible weights."""
        found = []
        if self.same_files:
            first, more = self.same_files[0], len(self.same_files) - 1
            names = " and ".join(first[:2]) + f" and {len(first) - 2:,} more" * (len(first) > 2)
            others = f"; so do {more:,} other files" * (more > 0)
            found.append(f"One file counts under several names: {names}{others}")
        if self.duplicates:
            count = len(self.duplicates)
            named = ", ".join(f"run {run} event {event}" for run, event in self.duplicates[:5])
            what = "1 event of the data was" if count == 1 else f"{count:,} events of the data were"
            found.append(f"{what} selected more than once: {named}{', ...' * (count > 5)}")
        if self.overweight:
            named = ", ".join(
                f"{name} ({times:.3g} times)" for name, times in self.overweight.items()
            )
            found.append(
                "Events after the first requirement weigh more than the fileset's sum of weights "
                f"of all: {named}. What is expected is too much: correct sumw or nevts"
            )
        return tuple(found)

    @property
    def named_luminosity_ifb(self) -> float | None:
        """Luminosity for titles: None where the fileset states none and nothing is scaled."""
        is_assumed = self.luminosity_source == DEFAULT_LUMINOSITY_SOURCE
        has_simulation = any(process.role != "data" for process in self.processes.values())
        return None if is_assumed and not has_simulation else self.luminosity_ifb

    @property
    def read_bytes(self) -> int:
        """Bytes asked of the transport for what is in the sums."""
        return sum(record.read_bytes for record in self.files)


def write_record(directory: Path, record: RunRecord) -> None:
    """Write ``run.json``, whole or not at all.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    import cattrs

    content = json.dumps(cattrs.Converter().unstructure(record), indent=1)
    write_whole(directory / FILE_NAME, content.encode() + b"\n")


def read_record(directory: Path) -> RunRecord:
    """Read ``run.json``.

    Raises
    ------
    OutputError
        If there is none, or it is not one.
    """
    import cattrs

    path = directory / FILE_NAME
    try:
        return cattrs.Converter().structure(json.loads(path.read_bytes()), RunRecord)
    except FileNotFoundError as error:
        raise OutputError(
            f"{directory} holds no run: there is no {FILE_NAME}",
            remedy="give the directory that `fourlep run --output DIR` wrote",
        ) from error
    except (OSError, ValueError, cattrs.BaseValidationError) as error:
        raise OutputError(
            f"{path} cannot be read: {type(error).__name__}",
            remedy="run `fourlep run` again into another directory",
        ) from error
