"""Many files analysed together.

Making columns and selecting costs a tenth of a second, whether for ten events or ten
thousand, and a file of observed data keeps hardly any. So what survives in a file is
kept as it was read (`Survivors`), and a batch of files is analysed as one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fourlep.chunk.analysis import Analysis
from fourlep.chunk.model import Chunk, ChunkResult, FileRecord
from fourlep.chunk.sums import Analysed, analyse, nothing, rejected
from fourlep.io.lean.gather import Part, join_parts

#: A file whose survivors take more than this is analysed on its own,
MAX_FILE_BYTES = 4 << 20
#: in parts of this: both bound the memory of a worker with a batch of many files.
MAX_PART_BYTES = 16 << 20
#: Survivors that are analysed together.
_MAX_JOINED_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Survivors:
    """What survives the cascade in one chunk, before anything is made of it.

    Parameters
    ----------
    chunk
        The chunk.
    record
        What reading it took; the number of selected events is not known yet.
    part
        Its survivors, perhaps none.
    """

    chunk: Chunk
    record: FileRecord
    part: Part

    @property
    def records(self) -> dict[str, FileRecord]:
        """The record by key, as a result has it."""
        return {self.record.key: self.record}


def finish(found: Sequence[Survivors | ChunkResult], analysis: Analysis) -> ChunkResult:
    """Analyse what many chunks left, and add what is analysed already.

    Parameters
    ----------
    found
        Each chunk once.
    analysis
        What they were read for.

    Raises
    ------
    CorruptFileError
        If a number of any of them is NaN or infinite. The message names no file: analyse
        them one by one to know which.
    """
    total = ChunkResult()
    for result in found:
        if isinstance(result, ChunkResult):
            total = total + result
    for group in _groups([each for each in found if isinstance(each, Survivors)]):
        total = total + _analysed(group, analysis)
    return total


def _groups(found: Sequence[Survivors]) -> Iterator[list[Survivors]]:
    """Chunks of one dataset whose columns are made in the same way, in bounded memory."""
    open_groups: list[list[Survivors]] = []
    for each in found:
        for group in open_groups:
            first = group[0]
            if (
                first.chunk.dataset == each.chunk.dataset
                and first.chunk.counts_events == each.chunk.counts_events
                and first.part.joins(each.part)
            ):
                group.append(each)
                break
        else:
            open_groups.append([each])
    for group in open_groups:
        taken: list[Survivors] = []
        n_bytes = 0
        for each in group:
            if taken and n_bytes + each.part.n_bytes > _MAX_JOINED_BYTES:
                yield taken
                taken, n_bytes = [], 0
            taken.append(each)
            n_bytes += each.part.n_bytes
        yield taken


def _analysed(group: Sequence[Survivors], analysis: Analysis) -> ChunkResult:
    started_s = time.thread_time()
    chunk = group[0].chunk
    part = join_parts([each.part for each in group])
    found = analysed_part(part, analysis, chunk)
    total = nothing(
        analysis,
        chunk.dataset,
        n_all=sum(each.record.n_events for each in group),
        is_simulation=part.request.is_simulation,
    )
    share_s = (time.thread_time() - started_s) / len(group)
    return total + found.sums + ChunkResult(records=_records(group, found, part, share_s))


def analysed_part(part: Part, analysis: Analysis, chunk: Chunk) -> Analysed:
    """Analyse what was read whole, and count what was rejected before."""
    found = analyse(part.events(), analysis, chunk.dataset, counts_events=chunk.counts_events)
    if part.rejected is None:
        return found
    counted = rejected(
        part.rejected.events(), analysis, chunk.dataset, counts_events=chunk.counts_events
    )
    return replace(found, sums=found.sums + counted)


def _records(
    group: Sequence[Survivors], found: Analysed, part: Part, share_s: float
) -> dict[str, FileRecord]:
    ends = np.cumsum([len(each.part.entry) for each in group])
    of_file = np.searchsorted(ends, found.selected, side="right")
    n_selected = np.bincount(of_file, minlength=len(group)).tolist()
    return {
        each.record.key: replace(
            each.record,
            n_selected=number,
            cpu_s=each.record.cpu_s + share_s,
            absent=dict(part.request.absent),
            left_out=dict(found.left_out),
        )
        for each, number in zip(group, n_selected, strict=True)
    }
