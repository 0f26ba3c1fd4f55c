"""What a selection is: columns in, masks and candidates out.

A selection is a frozen value made of a name, thresholds and pure functions. It decides
every event again, whatever a reader skipped by its `Cascade`; its first requirement is
the cascade's counting, so that the cutflow does not depend on the reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fourlep.datasets.good_runs import GoodRuns
from fourlep.events import Cascade, Events
from fourlep.physics.candidates import Candidates
from fourlep.physics.cutflow import Requirement
from fourlep.physics.specs import Spec

#: Columns that identify an event; every selection needs them.
EVENT_COLUMNS = ("event.run", "event.number")

#: What the good-run list reads besides; the 2020 ntuples have no luminosity blocks.
LUMI_BLOCK = "event.lumi_block"


@dataclass(frozen=True, slots=True, eq=False)
class Selected:
    """What a selection makes of events.

    Parameters
    ----------
    passed : (n_requirements, n_channels + 1, n_events) booleans
        Events left after each requirement by channel, and in total in the last column.
    candidates
        The events that are left after all of them.
    left_out
        Requirements that the input cannot decide, with the reason: they are passed.
    """

    passed: npt.NDArray[np.bool_]
    candidates: Candidates
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Varied:
    """A variation that belongs to the selection itself.

    Parameters
    ----------
    candidates
        The candidates with varied observables.
    factor
        What it multiplies every weight with.
    """

    candidates: Candidates
    factor: float


@dataclass(frozen=True, slots=True)
class Staging:
    """What can be told of an event from its kinematics alone.

    An event whose leptons cannot meet ``cascade.pairs`` fails ``requirement`` at the
    latest, and so do all its variations: a reader may give such events apart from the
    others and with these columns only. Whoever sums them checks that it is so.

    Parameters
    ----------
    columns
        Canonical columns that decide every requirement up to ``requirement``; those that
        a file lacks are left out as always.
    requirement
        Name of a row of the cutflow.
    """

    columns: tuple[str, ...]
    requirement: str


class Selection(Protocol):
    """A named selection; implementations are frozen and picklable."""

    @property
    def name(self) -> str:
        """The name on the command line."""

    @property
    def title(self) -> str:
        """One line for people."""

    @property
    def source(self) -> str:
        """Where the requirements are from."""

    @property
    def config(self) -> Any:
        """The thresholds: a frozen dataclass."""

    @property
    def required(self) -> tuple[str, ...]:
        """Canonical columns without which it cannot run."""

    @property
    def optional(self) -> tuple[str, ...]:
        """Canonical columns whose requirement is left out, by name, where they lack."""

    @property
    def cascade(self) -> Cascade:
        """The counting requirement, first of ``requirements``."""

    @property
    def staging(self) -> Staging | None:
        """What ``cascade.pairs`` decides; None without such a cut."""

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """The rows of the cutflow after ``all``, the same for every input."""

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels, which share no event."""

    @property
    def regions(self) -> tuple[str, ...]:
        """Regions; ``all`` is the first."""

    @property
    def histograms(self) -> tuple[Spec, ...]:
        """What to fill for every channel, region and variation."""

    @property
    def variations(self) -> tuple[str, ...]:
        """Names of the variations that belong to the selection itself; often none."""

    def select(self, events: Events, good_runs: GoodRuns | None = None) -> Selected:
        """Decide events.

        Parameters
        ----------
        events
            With all ``required`` columns; ``optional`` ones may be absent.
        good_runs
            Good-run list, applied to data; None takes every luminosity block.
        """

    def vary(self, candidates: Candidates, variation: str) -> Varied:
        """One of ``variations`` of nominal candidates.

        Raises
        ------
        KeyError
            If ``variation`` is none of them.
        """
