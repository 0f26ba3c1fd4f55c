"""What a run counted twice: events of the data, and whole files under two names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from fourlep.chunk.model import ChunkResult, FileRecord

#: Of a file whose writer gave it none.
_NO_UUID = "00000000-0000-0000-0000-000000000000"


def events_twice(result: ChunkResult) -> tuple[tuple[int, int], ...]:
    """(run, event number) of data events that were selected more than once, ascending."""
    import numpy as np

    if not result.selected:
        return ()
    pairs = np.concatenate(list(result.selected.values()))
    unique, counts = np.unique(pairs, axis=0, return_counts=True)
    return tuple((int(run_number), int(event)) for run_number, event in unique[counts > 1])


def files_twice(records: Iterable[FileRecord]) -> tuple[tuple[str, ...], ...]:
    """Addresses of files that are one file: a link to it, or a copy.

    They have the same UUID, which ROOT gives a file when it is made, and as many entries.
    Files without entries count for nothing, and are not compared.
    """
    same: dict[tuple[str, int], list[str]] = defaultdict(list)
    for record in records:
        if record.n_events and record.uuid not in ("", _NO_UUID):
            same[record.uuid, record.n_events].append(record.key)
    return tuple(sorted(tuple(sorted(keys)) for keys in same.values() if len(keys) > 1))
