"""Cutflows: how many events are left after each requirement, by channel and in total.

The first row, ``all``, is the number of entries of the input. Its weighted count is the
sum of weights of the whole dataset, which a reader that skips events never sees: the
catalogue knows it, and the pipeline adds it. Every further row has a raw count and an
exact weighted sum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fourlep.exact import ExactSums

#: Name of the row of all entries, and of the column that sums the channels.
ALL = "all"
TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One row of a cutflow.

    Parameters
    ----------
    name
        Short, unique within a selection: ``m12``.
    title
        What a table shows: ``50 < m12 < 106 GeV``.
    """

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class CutflowRow:
    """A row as numbers, for tables and JSON.

    Parameters
    ----------
    name, title
        Of the requirement; ``all`` for the first row.
    counts
        Raw events by channel and ``total``.
    weighted
        Sums of weights likewise; None in the row ``all``.
    """

    name: str
    title: str
    counts: Mapping[str, int]
    weighted: Mapping[str, float] | None


@dataclass(frozen=True, slots=True, eq=False)
class Cutflow:
    """Events after each requirement; cutflows of parts add up to that of the whole.

    An event may count in several channels until a selection decides for one; in the
    last column, ``total``, it counts once.

    Parameters
    ----------
    requirements
        Rows after ``all``, in the order in which they are applied.
    channels
        Columns; ``total`` follows them.
    n_all
        Entries of the input.
    counts : (n_requirements, n_channels + 1) int64
        Raw events.
    sum_w
        Sums of weights, of the same shape; signed.
    """

    requirements: tuple[Requirement, ...]
    channels: tuple[str, ...]
    n_all: int
    counts: npt.NDArray[np.int64]
    sum_w: ExactSums

    @classmethod
    def empty(
        cls, requirements: tuple[Requirement, ...], channels: tuple[str, ...], n_all: int = 0
    ) -> Cutflow:
        """Make a cutflow of ``n_all`` entries of which none met the first requirement."""
        shape = (len(requirements), len(channels) + 1)
        counts = np.zeros(shape, dtype=np.int64)
        return cls(requirements, channels, n_all, counts, ExactSums.zeros(shape))

    @classmethod
    def of(
        cls,
        requirements: tuple[Requirement, ...],
        channels: tuple[str, ...],
        passed: npt.NDArray[np.bool_],
        weights: npt.NDArray[np.float64],
        *,
        n_all: int = 0,
    ) -> Cutflow:
        """Count masks.

        Parameters
        ----------
        requirements, channels, n_all
            As in the class.
        passed : (n_requirements, n_channels + 1, n_events) booleans
            Which events are left after each requirement.
        weights : (n_events,) or (n_requirements, n_events)
            Event weights, signed.

        Raises
        ------
        ValueError
            If shapes do not fit, or a weight is NaN or infinite.
        """
        shape = (len(requirements), len(channels) + 1)
        if passed.shape[:2] != shape:
            raise ValueError(f"masks of shape {passed.shape} for {shape} rows and columns")
        by_row = np.broadcast_to(weights, (shape[0], passed.shape[2]))
        row, column, event = np.nonzero(passed)
        sums = ExactSums.of(shape, row * shape[1] + column, by_row[row, event])
        return cls(requirements, channels, n_all, passed.sum(axis=2, dtype=np.int64), sums)

    def __add__(self, other: Cutflow) -> Cutflow:
        if not isinstance(other, Cutflow):
            return NotImplemented
        if (self.requirements, self.channels) != (other.requirements, other.channels):
            raise ValueError("cannot add cutflows of different selections or configurations")
        return Cutflow(
            self.requirements,
            self.channels,
            self.n_all + other.n_all,
            self.counts + other.counts,
            self.sum_w + other.sum_w,
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Cutflow):
            return NotImplemented
        return (
            (self.requirements, self.channels, self.n_all)
            == (other.requirements, other.channels, other.n_all)
            and np.array_equal(self.counts, other.counts)
            and self.sum_w == other.sum_w
        )

    __hash__ = None  # type: ignore[assignment]  # arrays inside: equality without a hash

    def rows(self) -> tuple[CutflowRow, ...]:
        """All rows as numbers, ``all`` first; channels in the order of ``channels``.

        Examples
        --------
        >>> four = (Requirement("four", "four leptons"),)
        >>> masks = np.array([[[True, False], [True, True]]])
        >>> flow = Cutflow.of(four, ("4e",), masks, np.array([2.0, -1.0]), n_all=9)
        >>> flow.rows()[1].counts, flow.rows()[1].weighted
        ({'4e': 1, 'total': 2}, {'4e': 2.0, 'total': 1.0})
        """
        columns = (*self.channels, TOTAL)
        everything = CutflowRow(ALL, "all events", dict.fromkeys(columns, self.n_all), None)
        sums = self.sum_w.to_float().tolist()
        return (
            everything,
            *(
                CutflowRow(
                    requirement.name,
                    requirement.title,
                    dict(zip(columns, counts, strict=True)),
                    dict(zip(columns, weighted, strict=True)),
                )
                for requirement, counts, weighted in zip(
                    self.requirements, self.counts.tolist(), sums, strict=True
                )
            ),
        )
