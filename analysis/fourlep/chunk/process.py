"""One chunk in, one result out: open, read what survives, select, fill, record."""

from __future__ import annotations

import time
from collections.abc import Iterator

from fourlep.chunk.analysis import Analysis
from fourlep.chunk.model import Chunk, ChunkResult, FileRecord
from fourlep.chunk.sums import Analysed, analyse, nothing
from fourlep.errors import CorruptFileError, DatasetError
from fourlep.events import Events
from fourlep.io import EventFile, open_events

__all__ = ["Analysis", "process"]


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
    place = url or chunk.url
    with open_events(
        place, chunk.tree, reader=analysis.reader, timeout_s=analysis.timeout_s
    ) as file:
        n_events = _entries(chunk, file)
        is_simulation = _is_simulation(chunk, file)
        total = nothing(analysis, chunk.dataset, n_all=n_events, is_simulation=is_simulation)
        n_selected, absent, left_out = 0, dict[str, str](), dict[str, str]()
        for events in _survivors(chunk, analysis, file):
            part = _analysed(events, chunk, analysis, place)
            total = total + part.sums
            n_selected += part.n_selected
            absent.update(events.absent)
            left_out.update(part.left_out)
        record = FileRecord(
            key=chunk.key,
            dataset=chunk.dataset,
            n_events=n_events,
            n_good=n_events if is_simulation or analysis.good_runs is None else None,
            n_selected=n_selected,
            read_bytes=file.read_bytes,
            wall_s=started.wall_s,
            cpu_s=started.cpu_s,
            uuid=file.uuid,
            reader=file.reader,
            fallback=file.fallback,
            absent=absent,
            left_out=left_out,
        )
    return total + ChunkResult(records={chunk.key: record})


class _Clock:
    """Wall time, and CPU time of this thread, since it was made."""

    def __init__(self) -> None:
        self._wall_s, self._cpu_s = time.perf_counter(), time.thread_time()

    @property
    def wall_s(self) -> float:
        return time.perf_counter() - self._wall_s

    @property
    def cpu_s(self) -> float:
        return time.thread_time() - self._cpu_s


def _entries(chunk: Chunk, file: EventFile) -> int:
    """Entries of the chunk, after comparing the file with what the catalogue says."""
    if chunk.n_events not in (-1, file.n_entries):
        raise CorruptFileError(
            f"{file.url}: {file.n_entries} entries where the catalogue has {chunk.n_events}",
            url=file.url,
            remedy="fetch the file again, or correct the fileset",
        )
    if chunk.is_data is not None and file.n_entries and chunk.is_data == file.is_simulation:
        found, declared = ("simulation", "data") if chunk.is_data else ("data", "simulation")
        raise DatasetError(
            f"{file.url} holds {found}, but dataset {chunk.dataset!r} is {declared}",
            remedy="correct the process of the dataset in the fileset",
        )
    stop = file.n_entries if chunk.stop == -1 else min(chunk.stop, file.n_entries)
    return max(stop - chunk.start, 0)


def _is_simulation(chunk: Chunk, file: EventFile) -> bool:
    """By the file; by the dataset where an empty file cannot tell."""
    if file.n_entries or chunk.is_data is None:
        return file.is_simulation
    return not chunk.is_data


def _survivors(chunk: Chunk, analysis: Analysis, file: EventFile) -> Iterator[Events]:
    """Yield what survives the cascade; no events, once, where nothing does.

    From no events the selection still tells what the input lacks.
    """
    needs_weights = file.is_simulation and not chunk.counts_events
    columns = analysis.columns(needs_weights=needs_weights)
    stop = None if chunk.stop == -1 else chunk.stop
    none_survived = True
    for events in file.survivors(
        analysis.cascade, columns, chunk.start, stop, optional=analysis.optional
    ):
        none_survived = False
        yield events
    if none_survived:
        yield file.read(columns, 0, 0, optional=analysis.optional)


def _analysed(events: Events, chunk: Chunk, analysis: Analysis, place: str) -> Analysed:
    try:
        return analyse(events, analysis, chunk.dataset, counts_events=chunk.counts_events)
    except CorruptFileError as error:  # the physics knows no file
        raise CorruptFileError(
            f"{place}: {error.message}", url=place, remedy="fetch the file again"
        ) from error
