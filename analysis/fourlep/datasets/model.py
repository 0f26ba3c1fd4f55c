"""Files, datasets and filesets as values; nothing here reads a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fourlep.datasets.good_runs import GoodRuns
from fourlep.errors import DatasetError
from fourlep.units import PB_TO_FB

#: What a dataset is in the measurement. ``other`` is read and counted, and kept out of
#: totals and fit: alternative generators and processes that no total contains.
Role = Literal["data", "signal", "background", "other"]

#: The process name that means observed data.
DATA = "data"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a dataset.

    Parameters
    ----------
    url
        Where the file is: a path, ``root://`` or ``https://``; the origin, never a cache.
    tree
        Name of the tree or RNTuple; "" to find it out on opening.
    n_events, n_bytes, adler32
        What the catalogue says, None where it does not.
    run
        Run number of a data file, None where unknown.
    """

    url: str
    tree: str = ""
    n_events: int | None = None
    n_bytes: int | None = None
    adler32: str | None = None
    run: int | None = None


@dataclass(frozen=True, slots=True)
class Normalisation:
    """What turns generator weights of a simulated dataset into expected events.

    Parameters
    ----------
    cross_section_pb, filter_efficiency, k_factor
        Their product is the cross-section of what was simulated.
    sum_of_weights
        Sum of the generator weights of *all* events of the dataset; with
        ``counts_events`` it is the number of events and weights count as 1.
    counts_events
        Whether ``sum_of_weights`` is a number of events (coffea's ``nevts``).
    corrections
        What was corrected in the published numbers, and why.
    """

    cross_section_pb: float
    filter_efficiency: float
    k_factor: float
    sum_of_weights: float
    counts_events: bool = False
    corrections: tuple[str, ...] = ()

    def per_weight(self, luminosity_ifb: float) -> float:
        """Expected events per unit of generator weight at ``luminosity_ifb`` (1/fb)."""
        if not self.sum_of_weights > 0.0:
            raise DatasetError(
                f"the sum of weights is {self.sum_of_weights:g}",
                remedy="give a positive sumw or nevts for the dataset",
            )
        cross_section = self.cross_section_pb * self.filter_efficiency * self.k_factor
        return cross_section * PB_TO_FB * luminosity_ifb / self.sum_of_weights


@dataclass(frozen=True, slots=True)
class Dataset:
    """Files of one physics process, or of one data-taking run or period.

    Parameters
    ----------
    name
        Unique within its fileset.
    process
        Histograms are summed by process; ``data`` means observed data.
    role
        What the process is in the fit.
    files
        Its files.
    normalisation
        None for data.
    dsid
        Dataset identifier of simulation, None where there is none.
    is_synthetic
        Made by ``fourlep synth``: no measurement, and labelled so everywhere.
    """

    name: str
    process: str
    role: Role
    files: tuple[SourceFile, ...]
    normalisation: Normalisation | None = None
    dsid: int | None = None
    is_synthetic: bool = False

    @property
    def is_data(self) -> bool:
        """Whether the dataset is observed data (or its synthetic stand-in)."""
        return self.role == "data"

    @property
    def n_events(self) -> int | None:
        """Events by the catalogue, None where a file's number is unknown."""
        counts = [file.n_events for file in self.files]
        return None if None in counts else sum(count for count in counts if count is not None)


@dataclass(frozen=True, slots=True)
class Fileset:
    """What a run runs over.

    Parameters
    ----------
    name
        Built-in name, or the stem of the JSON file.
    datasets
        In the order of the source; names are unique.
    luminosity_ifb, luminosity_source
        Integrated luminosity that simulation is scaled to (1/fb), and where it is from.
    good_runs
        Good-run list for the data, None to take every event.
    notes
        What a reader of the result must know: skipped files, corrections, by name.
    """

    name: str
    datasets: tuple[Dataset, ...]
    luminosity_ifb: float
    luminosity_source: str
    good_runs: GoodRuns | None = None
    notes: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_synthetic(self) -> bool:
        """Whether any dataset is synthetic."""
        return any(dataset.is_synthetic for dataset in self.datasets)

    @property
    def is_observed(self) -> bool:
        """Whether real observed data is in it: the fit stays blind until told otherwise."""
        return any(d.is_data and not d.is_synthetic for d in self.datasets)

    @property
    def n_files(self) -> int:
        """Number of files of all datasets."""
        return sum(len(dataset.files) for dataset in self.datasets)

    def dataset(self, name: str) -> Dataset:
        """The dataset called ``name``.

        Raises
        ------
        DatasetError
            If there is none.
        """
        for dataset in self.datasets:
            if dataset.name == name:
                return dataset
        raise DatasetError(
            f"no dataset {name!r} in fileset {self.name!r}",
            remedy=f"it has {', '.join(d.name for d in self.datasets[:20])}",
        )
