"""From sums of raw generator weights, by dataset, to expected events, by process.

Only here weights meet cross-sections and luminosity. Sums are exact up to this point;
from here on numbers are floats, added in the order of the fileset.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fourlep.chunk.model import ChunkResult
from fourlep.datasets.model import DATA, Dataset, Fileset, Role
from fourlep.errors import DatasetError, IncompleteRunError
from fourlep.physics.cutflow import TOTAL
from fourlep.physics.histograms import ALL_CHANNELS, NOMINAL, ExactHistogram, Spec
from fourlep.physics.specs import PlaneSpec

Floats = npt.NDArray[np.float64]

#: The observable whose variations are given in every region.
FITTED = "m4l"
#: Events of negative weight that a selection rejects can leave it with more than all weigh.
_MOST_OVER = 1.1


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a dataset is in the sums.

    Parameters
    ----------
    dataset
        Its name.
    n_files, n_files_done
        Files of the fileset, and of these the ones in the sums.
    share
        Share of the dataset in the sums: of its events where the catalogue has their
        number for every file, else of its files.
    """

    dataset: str
    n_files: int
    n_files_done: int
    share: float

    @property
    def is_complete(self) -> bool:
        """Whether every file is in the sums."""
        return self.n_files == self.n_files_done


def cover(dataset: Dataset, held: frozenset[str]) -> Coverage:
    """Find how much of ``dataset`` the sums hold.

    Parameters
    ----------
    dataset
        The dataset.
    held
        Addresses of the files in the sums.
    """
    done = [file for file in dataset.files if file.url in held]
    total = dataset.n_events
    if total:
        share = sum(file.n_events or 0 for file in done) / total
    else:
        share = len(done) / len(dataset.files) if dataset.files else 1.0
    return Coverage(dataset.name, len(dataset.files), len(done), share)


def overweight(fileset: Fileset, result: ChunkResult) -> dict[str, float]:
    """Datasets whose events weigh more than the fileset says of all of them.

    Returns
    -------
    dict of float
        By name, the sum of the weights of the events that meet the first requirement over
        the dataset's stated sum of weights, where that is above 1 by more than negative
        weights among the others make likely.
    """
    found: dict[str, float] = {}
    for dataset in fileset.datasets:
        flow = result.cutflows.get(dataset.name)
        if dataset.normalisation is None or flow is None:
            continue
        stated = dataset.normalisation.sum_of_weights
        for row in flow.rows()[1:2]:
            if row.weighted is not None and row.weighted[TOTAL] > _MOST_OVER * stated > 0.0:
                found[dataset.name] = row.weighted[TOTAL] / stated
    return found


@dataclass(frozen=True, slots=True)
class Scales:
    """What each dataset's sums are multiplied with.

    Parameters
    ----------
    luminosity_ifb
        Luminosity that the expectation stands for: the fileset's, or less where data is
        missing and that was allowed.
    factors
        Expected events per unit of weight, by dataset; 1 for data.
    coverage
        By dataset.
    """

    luminosity_ifb: float
    factors: Mapping[str, float]
    coverage: Mapping[str, Coverage]

    @property
    def missing(self) -> tuple[Coverage, ...]:
        """The datasets of which something is missing."""
        return tuple(c for c in self.coverage.values() if not c.is_complete)


def scales(fileset: Fileset, held: frozenset[str], *, allow_missing: bool) -> Scales:
    """Find what each dataset is multiplied with.

    Simulation that is missing in part is scaled up to the whole of its dataset; the
    luminosity is scaled down by the share of data that is there. Both are estimates and
    are only made when allowed.

    Parameters
    ----------
    fileset
        What should be in the sums.
    held
        Addresses of the files in the sums.
    allow_missing
        Accept an incomplete run.

    Raises
    ------
    IncompleteRunError
        If files are missing and that is not allowed, or if a whole simulated dataset or
        all data is missing.
    DatasetError
        If simulation has no normalisation.
    """
    coverage = {dataset.name: cover(dataset, held) for dataset in fileset.datasets}
    missing = [c for c in coverage.values() if not c.is_complete]
    if missing and not allow_missing:
        raise IncompleteRunError(
            "; ".join(
                f"{c.dataset}: {c.n_files - c.n_files_done} of {c.n_files} files missing "
                f"({1 - c.share:.2%})"
                for c in missing[:10]
            )
            + (f"; and {len(missing) - 10} datasets more" if len(missing) > 10 else ""),
            remedy="mend the cause and run again with --resume, or accept it with --allow-missing",
        )
    luminosity = fileset.luminosity_ifb * _data_share(fileset, coverage)
    return Scales(
        luminosity,
        {dataset.name: _factor(dataset, coverage, luminosity) for dataset in fileset.datasets},
        coverage,
    )


def _data_share(fileset: Fileset, coverage: Mapping[str, Coverage]) -> float:
    data = [coverage[dataset.name] for dataset in fileset.datasets if dataset.is_data]
    n_files = sum(c.n_files for c in data)
    if n_files == 0:
        return 1.0
    share = sum(c.share * c.n_files for c in data) / n_files
    if share == 0.0:
        raise IncompleteRunError(
            "all data is missing", remedy="run again with --resume; see `fourlep failed`"
        )
    return share


def _factor(dataset: Dataset, coverage: Mapping[str, Coverage], luminosity_ifb: float) -> float:
    if dataset.is_data:
        return 1.0
    if dataset.normalisation is None:
        raise DatasetError(
            f"simulated dataset {dataset.name!r} has no normalisation",
            remedy="give xsec and nevts or sumw in its metadata",
        )
    share = coverage[dataset.name].share
    if share == 0.0:
        raise IncompleteRunError(
            f"all of {dataset.name!r} is missing: its process cannot be normalised",
            remedy="run again with --resume, or take the dataset out of the fileset",
        )
    return dataset.normalisation.per_weight(luminosity_ifb) / share


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """Expected or observed events of one process in bins.

    Parameters
    ----------
    channel, region, process, variation
        What it is of; ``variation`` is ``nominal`` for the central value.
    spec
        Observable and bins.
    values, variances : (n_bins + 2,) arrays
        With under- and overflow.
    """

    channel: str
    region: str
    process: str
    variation: str
    spec: Spec
    values: Floats
    variances: Floats

    @property
    def path(self) -> str:
        """Where it stands in ``histograms.root``, as cabinetry reads it."""
        suffix = "" if self.variation == NOMINAL else f"_{self.variation}"
        return f"{self.channel}/{self.region}/{self.spec.observable}/{self.process}{suffix}"


def processes(fileset: Fileset) -> dict[str, Role]:
    """Role of each process, in the order of the fileset."""
    return {dataset.process: dataset.role for dataset in fileset.datasets}


def templates(
    result: ChunkResult, fileset: Fileset, factors: Mapping[str, float]
) -> Iterator[Template]:
    """Yield every histogram of the run, normalised, process by process.

    Observed data has no variations: for it only the nominal histogram is given.

    Parameters
    ----------
    result
        The sums of the run.
    fileset
        Its datasets.
    factors
        What each dataset is multiplied with, from `scales`.
    """
    observables = sorted({observable for _, observable in result.histograms})
    for process in processes(fileset):
        members = [dataset for dataset in fileset.datasets if dataset.process == process]
        for observable in observables:
            parts = [
                (result.histograms[dataset.name, observable], factors[dataset.name])
                for dataset in members
                if (dataset.name, observable) in result.histograms
            ]
            if parts:
                yield from _process_templates(process, parts)


def _process_templates(
    process: str, parts: Sequence[tuple[ExactHistogram, float]]
) -> Iterator[Template]:
    first = parts[0][0]
    variations = list(dict.fromkeys(v for histogram, _ in parts for v in histogram.variations))
    if process == DATA:
        variations = [NOMINAL]
    for variation in variations:
        for region in _regions(first, variation):
            by_channel: dict[str, tuple[Floats, Floats]] = {}
            for channel in first.channels:
                values = np.zeros(first.spec.n_cells)
                variances = np.zeros(first.spec.n_cells)
                for histogram, factor in parts:
                    known = variation if variation in histogram.variations else NOMINAL
                    bins = histogram.to_arrays(channel, region, known)
                    values += factor * bins.sum_w
                    variances += factor**2 * bins.sum_w2
                by_channel[channel] = values, variances
            by_channel.setdefault(
                ALL_CHANNELS,
                (
                    np.sum([v for v, _ in by_channel.values()], axis=0),
                    np.sum([v for _, v in by_channel.values()], axis=0),
                ),
            )
            for channel, (values, variances) in by_channel.items():
                yield Template(channel, region, process, variation, first.spec, values, variances)


def _regions(histogram: ExactHistogram, variation: str) -> tuple[str, ...]:
    """Regions in which a variation is given.

    Everywhere for the fitted observable; for the others in the region of everything alone,
    where figures show their uncertainty; never for planes. All combinations would be forty
    thousand histograms that nothing reads.
    """
    if variation == NOMINAL or histogram.spec.observable == FITTED:
        return histogram.regions
    return () if isinstance(histogram.spec, PlaneSpec) else histogram.regions[:1]
