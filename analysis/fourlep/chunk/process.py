"""One chunk in, one result out: open, read what survives, select, fill, record."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from fourlep.chunk.analysis import Analysis
from fourlep.chunk.model import Chunk, ChunkResult, FileRecord
from fourlep.chunk.pooled import (
    MAX_FILE_BYTES,
    MAX_PART_BYTES,
    Survivors,
    analysed_part,
    finish,
)
from fourlep.chunk.sums import analyse, nothing
from fourlep.config.environment import index_dir
from fourlep.errors import ConfigError, CorruptFileError, DatasetError
from fourlep.events import Events
from fourlep.io import EventFile, open_events
from fourlep.io.lean.fallback import FallbackFile
from fourlep.io.lean.gather import Part, join_parts
from fourlep.io.lean.index import IndexedTable, read_shard, shard_path

__all__ = ["Analysis", "process", "read"]


def process(chunk: Chunk, analysis: Analysis, *, url: str = "") -> ChunkResult:
    """Analyse one chunk.

    Parameters
    ----------
    chunk
        What to read; its ``url`` names it in the result.
    analysis
        What to do.
    url
        Where to read it from, a cache say; "" for the chunk's own.

    Returns
    -------
    ChunkResult
        With one record.

    Raises
    ------
    ReadError
        If the file cannot be read, is not what the catalogue says, or holds numbers that
        are none.
    DatasetError
        If simulation is declared as data or the other way round.
    """
    started = _Clock()
    found = read(chunk, analysis, url=url)
    if isinstance(found, ChunkResult):
        return found
    with _naming(url or chunk.url):
        total = finish([found], analysis)
    record = started.record(total.records[chunk.key])
    return replace(total, records={chunk.key: record})


def read(chunk: Chunk, analysis: Analysis, *, url: str = "") -> Survivors | ChunkResult:
    """Read one chunk, and leave its few survivors to be analysed with those of others.

    Parameters and errors as in `process`.

    Returns
    -------
    Survivors or ChunkResult
        The result where survivors are many, or were read by uproot.
    """
    started = _Clock()
    place = url or chunk.url
    with open_events(
        place,
        chunk.tree,
        reader=analysis.reader,
        timeout_s=analysis.timeout_s,
        index=_index(chunk),
    ) as file:
        n_events = _entries(chunk, file)
        is_simulation = _is_simulation(chunk, file)
        pool = _Pool(chunk, analysis, place)
        for part in _survivors(chunk, analysis, file):
            pool.add(part)
        record = FileRecord(
            key=chunk.key,
            dataset=chunk.dataset,
            n_events=n_events,
            n_good=n_events if is_simulation or analysis.good_runs is None else None,
            n_selected=0,
            read_bytes=file.read_bytes,
            wall_s=0.0,
            cpu_s=0.0,
            uuid=file.uuid,
            reader=file.reader,
            fallback=file.fallback,
        )
        if pool.is_small and is_simulation == file.is_simulation:
            return Survivors(chunk, started.record(record), pool.joined())
        pool.analyse()
    none = nothing(analysis, chunk.dataset, n_all=n_events, is_simulation=is_simulation)
    record = replace(
        started.record(record),
        n_selected=pool.n_selected,
        absent=pool.absent,
        left_out=pool.left_out,
    )
    return none + pool.total + ChunkResult(records={chunk.key: record})


def _index(chunk: Chunk) -> IndexedTable | None:
    """Table of baskets of the file, where there is one: it saves time, and is no requirement."""
    try:
        folder = index_dir()
    except ConfigError:  # a user without a home has none
        return None
    return read_shard(shard_path(folder, chunk.dataset)).get(chunk.url)


class _Pool:
    """Survivors of a chunk: parts that wait, and sums of what could not."""

    def __init__(self, chunk: Chunk, analysis: Analysis, place: str) -> None:
        self._chunk, self._analysis, self._place = chunk, analysis, place
        self._waiting: list[Part] = []
        self._n_bytes = 0
        self._is_untouched = True
        self.total = ChunkResult()
        self.n_selected = 0
        self.absent: dict[str, str] = {}
        self.left_out: dict[str, str] = {}

    def add(self, found: Part | Events) -> None:
        self._check_run(found)
        if isinstance(found, Part):
            self._waiting.append(found)
            self._n_bytes += found.n_bytes
            if self._n_bytes > MAX_PART_BYTES:
                self.analyse()
        else:
            self.analyse()
            self._analyse(found)

    def _check_run(self, found: Part | Events) -> None:
        """Refuse events of another run than the catalogue's: another file's bytes."""
        expected = self._chunk.run
        if expected is None:
            return
        runs = found.of("event.run") if isinstance(found, Part) else found.event["run"]
        others = runs[runs != expected]
        if len(others):
            raise CorruptFileError(
                f"{self._place}: events of run {others[0]} where the catalogue has run {expected}",
                url=self._place,
                remedy="another file was served under this name: read it from another place",
            )

    @property
    def is_small(self) -> bool:
        """Whether all survivors can wait for those of other files."""
        return self._is_untouched and self._n_bytes <= MAX_FILE_BYTES

    def joined(self) -> Part:
        return join_parts(self._waiting)

    def analyse(self) -> None:
        """Analyse what waits."""
        self._is_untouched = False
        if self._waiting:
            self._analyse(self.joined())
            self._waiting.clear()
            self._n_bytes = 0

    def _analyse(self, found: Part | Events) -> None:
        with _naming(self._place):
            part = (
                analysed_part(found, self._analysis, self._chunk)
                if isinstance(found, Part)
                else analyse(
                    found,
                    self._analysis,
                    self._chunk.dataset,
                    counts_events=self._chunk.counts_events,
                )
            )
        self.total = self.total + part.sums
        self.n_selected += part.n_selected
        self.absent.update(found.request.absent if isinstance(found, Part) else found.absent)
        self.left_out.update(part.left_out)


class _Clock:
    """Wall time, and CPU time of this thread, since it was made."""

    def __init__(self) -> None:
        self._wall_s, self._cpu_s = time.perf_counter(), time.thread_time()

    def record(self, record: FileRecord) -> FileRecord:
        """Write the times into a record."""
        return replace(
            record,
            wall_s=time.perf_counter() - self._wall_s,
            cpu_s=time.thread_time() - self._cpu_s,
        )


def _entries(chunk: Chunk, file: EventFile) -> int:
    """Entries of the chunk, after comparing the file with what the catalogue says."""
    sizes = (file.n_bytes, chunk.n_bytes, "bytes"), (file.n_entries, chunk.n_events, "entries")
    for found, expected, unit in sizes:
        if expected not in (-1, found):
            raise CorruptFileError(
                f"{file.url}: {found} {unit} where the catalogue has {expected}",
                url=file.url,
                remedy="fetch the file again, or correct the fileset",
            )
    if chunk.is_data is not None and file.n_entries and chunk.is_data == file.is_simulation:
        held, declared = ("simulation", "data") if chunk.is_data else ("data", "simulation")
        raise DatasetError(
            f"{file.url} holds {held}, but dataset {chunk.dataset!r} is {declared}",
            remedy="correct the process of the dataset in the fileset",
        )
    stop = file.n_entries if chunk.stop == -1 else min(chunk.stop, file.n_entries)
    return max(stop - chunk.start, 0)


def _is_simulation(chunk: Chunk, file: EventFile) -> bool:
    """By the file; by the dataset where an empty file cannot tell."""
    if file.n_entries or chunk.is_data is None:
        return file.is_simulation
    return not chunk.is_data


def _survivors(chunk: Chunk, analysis: Analysis, file: EventFile) -> Iterator[Part | Events]:
    """Yield what survives the cascade; no events, once, where nothing does.

    From no events the selection still tells what the input lacks.
    """
    needs_weights = file.is_simulation and not chunk.counts_events
    columns = analysis.columns(needs_weights=needs_weights)
    stop = None if chunk.stop == -1 else chunk.stop
    if isinstance(file, FallbackFile):
        yield from file.surviving_parts(
            analysis.cascade,
            columns,
            chunk.start,
            stop,
            optional=analysis.optional,
            early=analysis.early(needs_weights=needs_weights),
        )
        return
    none_survived = True
    for events in file.survivors(
        analysis.cascade, columns, chunk.start, stop, optional=analysis.optional
    ):
        none_survived = False
        yield events
    if none_survived:
        yield file.read(columns, 0, 0, optional=analysis.optional)


@contextmanager
def _naming(place: str) -> Iterator[None]:
    """Name the file in what the physics says, which knows none."""
    try:
        yield
    except CorruptFileError as error:
        raise CorruptFileError(
            f"{place}: {error.message}", url=place, remedy="fetch the file again"
        ) from error
