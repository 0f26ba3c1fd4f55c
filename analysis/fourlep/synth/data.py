"""The stand-in's data: events drawn from all processes, in runs and luminosity blocks.

Each process gives a Poisson number of events with four leptons, from the same generator
as its simulation; a chosen number of events with fewer leptons stands for the billions
that the release has. A part lies outside the good-run list, in bad luminosity blocks of
good runs and in a run that is bad as a whole, beside the luminosity that is stated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fourlep.datasets.catalogue import read_catalogue
from fourlep.datasets.good_runs import GoodRuns
from fourlep.synth.conditions import bad_blocks, good_blocks
from fourlep.synth.parameters import Parameters, ProcessParameters
from fourlep.synth.plan import Options, expected_data, generator
from fourlep.synth.sampling import Generator
from fourlep.synth.truth import Truth, generate, generate_few, generate_filler, joined

Ints = npt.NDArray[np.int64]

#: Share of what is outside the good-run list that lies in the wholly bad run.
_IN_BAD_RUN = 0.6
#: A run needs this many good luminosity blocks to be chosen.
_MIN_BLOCKS = 400


@dataclass(frozen=True, slots=True)
class Runs:
    """Which runs the data are in.

    Parameters
    ----------
    good
        Runs of the good-run list, one a file.
    bad
        A run outside it; None where files hold good events only.
    good_runs
        The list.
    """

    good: tuple[int, ...]
    bad: int | None
    good_runs: GoodRuns

    @property
    def numbers(self) -> tuple[int, ...]:
        """All runs, the bad one last."""
        return self.good if self.bad is None else (*self.good, self.bad)


@dataclass(frozen=True, slots=True, eq=False)
class RunData:
    """Generated events of one run.

    Parameters
    ----------
    run
        Its number.
    truth
        Events in the order of their luminosity blocks.
    lumi_block : (n_events,) int64
        Ascending.
    """

    run: int
    truth: Truth
    lumi_block: Ints

    def name(self, tag: str) -> str:
        """Return the name of the run's file."""
        return file_name(self.run, tag)


def file_name(run: int, tag: str) -> str:
    """Return the name of a run's file."""
    return f"SYNTHETIC.data.{run:08d}.{tag}._000001.root"


def choose_runs(options: Options) -> Runs:
    """Choose long runs of the good-run list, evenly, and one of the release outside it."""
    release = read_catalogue()
    if release.good_runs is None:
        raise ValueError("the release's catalogue has no good-run list")
    blocks = release.good_runs.blocks
    long = sorted(
        run for run, ranges in blocks.items() if sum(b - a + 1 for a, b in ranges) >= _MIN_BLOCKS
    )
    places = np.unique(np.linspace(0, len(long) - 1, options.files).round().astype(int))
    known = np.unique(release.files.run)
    outside = [int(run) for run in known if run > long[0] and run not in blocks]
    bad = outside[0] if options.has_lumi_blocks else None
    return Runs(tuple(long[place] for place in places), bad, release.good_runs)


def draw(options: Options, values: Parameters, runs: Runs) -> list[RunData]:
    """Draw the data of every run.

    Parameters
    ----------
    options
        Luminosity, signal strength, number of events without four leptons.
    values
        All parameters.
    runs
        Where the events lie.
    """
    processes = values.chosen(options.processes)
    outside = outside_share(options, values)
    parts: list[Truth] = []
    for process in processes:
        rng = generator(options, "data", process.name)
        expected = expected_data(process, options) / (1.0 - outside)
        parts.append(generate(rng, process, int(rng.poisson(expected)), values))
    rng = generator(options, "data", "filler")
    parts.extend(_filler(rng, options.filler, values))
    events = joined(parts)
    run, block = _places(rng, events.n_events, runs, outside)
    made = []
    for number in runs.numbers:
        here = np.flatnonzero(run == number)
        here = here[np.lexsort((rng.random(len(here)), block[here]))]
        made.append(RunData(number, events.take(here), block[here]))
    return made


def outside_share(options: Options, values: Parameters) -> float:
    """Share of the data outside the good-run list."""
    return values.event.out_of_good_runs if options.has_lumi_blocks else 0.0


def expected_events(options: Options, values: Parameters) -> int:
    """Count the data events to expect, in all luminosity blocks."""
    expected = sum(expected_data(p, options) for p in values.chosen(options.processes))
    return round(expected / (1.0 - outside_share(options, values))) + options.filler


def _filler(rng: Generator, size: int, values: Parameters) -> list[Truth]:
    by_name: dict[str, ProcessParameters] = {p.name: p for p in values.process}
    shares = values.filler
    numbers = rng.multinomial(size, [shares.one_lepton, shares.z, shares.tops])
    zjets, ttbar = by_name["Zjets"], by_name["ttbar"]
    return [
        generate_few(rng, zjets, "one_lepton", int(numbers[0]), values),
        generate_filler(rng, zjets, int(numbers[1]), values),
        generate_filler(rng, ttbar, int(numbers[2]), values),
    ]


def _places(rng: Generator, size: int, runs: Runs, outside: float) -> tuple[Ints, Ints]:
    """Run and luminosity block of each event."""
    good = [(r, b) for r in runs.good for b in good_blocks(runs.good_runs, r).tolist()]
    bad = [(r, b) for r in runs.good for b in bad_blocks(runs.good_runs, r).tolist()]
    places = np.array([*good, *bad], dtype=np.int64)
    is_outside = rng.random(size) < outside
    in_bad_run = is_outside & (rng.random(size) < _IN_BAD_RUN)
    index = np.where(
        is_outside,
        rng.integers(len(good), len(places), size),
        rng.integers(0, len(good), size),
    )
    run = np.where(in_bad_run, runs.bad or 0, places[index, 0])
    block = np.where(in_bad_run, rng.integers(1, 300, size), places[index, 1])
    return run, block
