"""What surrounds the leptons of an event: run, luminosity block, pile-up, vertices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fourlep.datasets.good_runs import GoodRuns
from fourlep.synth.parameters import EventParameters
from fourlep.synth.sampling import Floats, Generator

Ints = npt.NDArray[np.int64]

#: Run number of simulation of 2015 and 2016 (campaign mc20a).
SIMULATED_RUN = 284500


@dataclass(frozen=True, slots=True, eq=False)
class Conditions:
    """Of each event, (n_events,).

    Parameters
    ----------
    run, lumi_block, number
        Identify it.
    dsid
        Dataset identifier, 0 in data.
    pileup
        Average interactions per crossing.
    vertex_z
        Position of the primary vertex, mm.
    n_vertices
        Vertices found, the primary one among them.
    """

    run: Ints
    lumi_block: Ints
    number: Ints
    dsid: int
    pileup: Floats
    vertex_z: Floats
    n_vertices: Ints


def simulated(
    rng: Generator, size: int, *, dsid: int, first_number: int, event: EventParameters
) -> Conditions:
    """Draw the conditions of simulated events; the luminosity block repeats the pile-up."""
    pileup = _pileup(rng, size, event)
    return Conditions(
        run=np.full(size, SIMULATED_RUN),
        lumi_block=np.maximum(np.rint(pileup).astype(np.int64), 1),
        number=first_number + np.arange(size),
        dsid=dsid,
        pileup=pileup,
        vertex_z=rng.normal(0.0, event.vertex_z_width, size),
        n_vertices=_n_vertices(rng, pileup, event),
    )


def observed(rng: Generator, run: int, lumi_block: Ints, *, event: EventParameters) -> Conditions:
    """Draw the conditions of data events of one run; numbers ascend with luminosity blocks."""
    size = len(lumi_block)
    pileup = _pileup(rng, size, event)
    steps = rng.integers(1, 40_000, size)
    return Conditions(
        run=np.full(size, run),
        lumi_block=np.sort(lumi_block),
        number=np.cumsum(steps),
        dsid=0,
        pileup=pileup,
        vertex_z=rng.normal(0.0, event.vertex_z_width, size),
        n_vertices=_n_vertices(rng, pileup, event),
    )


def good_blocks(good_runs: GoodRuns, run: int) -> Ints:
    """Every good luminosity block of a run."""
    return _blocks(good_runs.blocks[run])


def bad_blocks(good_runs: GoodRuns, run: int) -> Ints:
    """Luminosity blocks of a run, up to a little after its last good one, that are not good."""
    ranges = good_runs.blocks[run]
    return np.setdiff1d(np.arange(1, ranges[-1][1] + 20), _blocks(ranges))


def _blocks(ranges: tuple[tuple[int, int], ...]) -> Ints:
    return np.concatenate([np.arange(first, last + 1) for first, last in ranges])


def _pileup(rng: Generator, size: int, event: EventParameters) -> Floats:
    drawn: Floats = rng.normal(event.pileup_mean, event.pileup_width, size).clip(1.0, 60.0)
    return np.rint(2.0 * drawn) / 2.0


def _n_vertices(rng: Generator, pileup: Floats, event: EventParameters) -> Ints:
    return 1 + rng.poisson(pileup * event.vertices_per_interaction)
