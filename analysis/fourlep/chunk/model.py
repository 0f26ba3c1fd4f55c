"""The values at the border between the physics and the execution.

A `ChunkResult` is a commutative monoid: ``+`` is associative and commutative to the last
bit (`fourlep.exact`), ``ChunkResult()`` is its zero, and it lists the chunks it holds, so
that counting one twice is an error and not a number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt

from fourlep.errors import DatasetError
from fourlep.physics.cutflow import Cutflow
from fourlep.physics.histograms import ExactHistogram


class _Summable(Protocol):
    def __add__(self, other: Self, /) -> Self: ...


K = TypeVar("K")
V = TypeVar("V", bound=_Summable)


@dataclass(frozen=True, slots=True, order=True)
class Chunk:
    """Entries of one file.

    Parameters
    ----------
    dataset
        Name within the fileset.
    url
        Origin of the file, never a cache.
    tree
        Tree or RNTuple; "" to find it out.
    start, stop
        First entry and one past the last; ``stop=-1`` is the end of the file.
    n_events, n_bytes
        What the catalogue says of the whole file, -1 where it does not.
    run
        Run number of its events by the catalogue, None where it does not say.
    is_data
        Whether the dataset is observed data; None not to compare with the file.
    counts_events
        Whether each simulated event counts as 1, as `Normalisation.counts_events` says.
    """

    dataset: str
    url: str
    tree: str = ""
    start: int = 0
    stop: int = -1
    n_events: int = -1
    n_bytes: int = -1
    run: int | None = None
    is_data: bool | None = None
    counts_events: bool = False

    @property
    def key(self) -> str:
        """Identifies the chunk within a run."""
        whole = self.start == 0 and self.stop == -1
        return self.url if whole else f"{self.url}:{self.start}-{self.stop}"


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What reading one chunk took, for ``run.json`` and the ledger.

    Parameters
    ----------
    key, dataset
        Of the chunk.
    n_events
        Entries that the chunk covers.
    n_good
        Entries left by the good-run list, equal to ``n_events`` in simulation; None where
        the reader never looked at every event.
    n_selected
        Events that the nominal selection keeps.
    read_bytes
        Bytes asked of the transport.
    wall_s, cpu_s
        Wall seconds of reading, and CPU seconds of the thread that read it, with the
        file's share where many were analysed together.
    uuid
        UUID of the file, "" where the format has none.
    reader
        "lean" or "uproot".
    fallback
        Why the lean reader was not used, "" where it was or was not wanted.
    absent
        Columns left out, with the reason.
    left_out
        Requirements of the selection left out, with the reason.
    """

    key: str
    dataset: str
    n_events: int
    n_good: int | None
    n_selected: int
    read_bytes: int
    wall_s: float
    cpu_s: float
    uuid: str = ""
    reader: str = ""
    fallback: str = ""
    absent: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class ChunkResult:
    """Sums over chunks.

    Parameters
    ----------
    records
        What each chunk took, by key: the chunks that the result holds.
    histograms
        By (dataset, histogram).
    cutflows
        By dataset.
    selected
        For data: (n, 2) uint64 arrays of (run, event number) of selected events by
        dataset, to find duplicates.
    candidates
        Where asked for: columns of the selected events by dataset, for the
        machine-learned discriminant.
    """

    records: Mapping[str, FileRecord] = field(default_factory=dict)
    histograms: Mapping[tuple[str, str], ExactHistogram] = field(default_factory=dict)
    cutflows: Mapping[str, Cutflow] = field(default_factory=dict)
    selected: Mapping[str, npt.NDArray[np.uint64]] = field(default_factory=dict)
    candidates: Mapping[str, Mapping[str, npt.NDArray[Any]]] = field(default_factory=dict)

    @property
    def held(self) -> frozenset[str]:
        """Keys of the chunks in the sums."""
        return frozenset(self.records)

    def __add__(self, other: ChunkResult) -> ChunkResult:
        if not isinstance(other, ChunkResult):
            return NotImplemented
        twice = self.held & other.held
        if twice:
            raise DatasetError(
                f"{len(twice)} chunks would be counted twice, {min(twice)} among them",
                remedy="add each chunk once; the ledger of the run says which are in",
            )
        return ChunkResult(
            records={**self.records, **other.records},
            histograms=_added(self.histograms, other.histograms),
            cutflows=_added(self.cutflows, other.cutflows),
            selected=_joined(self.selected, other.selected),
            candidates={
                dataset: _joined(
                    self.candidates.get(dataset, {}), other.candidates.get(dataset, {})
                )
                for dataset in {**self.candidates, **other.candidates}
            },
        )


def _added(left: Mapping[K, V], right: Mapping[K, V]) -> dict[K, V]:
    total = dict(left)
    for key, value in right.items():
        total[key] = total[key] + value if key in total else value
    return total


def _joined(
    left: Mapping[str, npt.NDArray[Any]], right: Mapping[str, npt.NDArray[Any]]
) -> dict[str, npt.NDArray[Any]]:
    total = dict(left)
    for key, value in right.items():
        total[key] = np.concatenate([total[key], value]) if key in total else value
    return total
