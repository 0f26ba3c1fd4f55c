"""What is fitted, and how: regions, strengths, normalisations, treatment of variations.

The tables of a TOML file given with ``fourlep fit --config`` have the names of these
fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np

from fourlep.errors import FitError
from fourlep.stats.templates import Floats

Smoothing = Literal["none", "353QH"]

#: Channel that contains all others.
COMBINED = "4l"

#: Processes that are Higgs boson production, by mode.
PRODUCTION_MODES = ("ggF", "VBF", "WH", "ZH", "ttH")


@dataclass(frozen=True, slots=True)
class FitRegion:
    """One channel of the likelihood.

    Parameters
    ----------
    name
        Name in the workspace.
    channel, region, observable
        Folder of the histograms, ``CHANNEL/REGION/OBSERVABLE``.
    low, high
        Range of the observable that is fitted; both are bin edges.
    bin_width
        Width of the fitted bins, a multiple of the histogram's; 0 keeps the histogram's.
    is_control
        Whether the region measures a background: its data are not the signal's.
    score
        Category of the discriminant, "" without one.
    """

    name: str
    channel: str
    region: str
    observable: str = "m4l"
    low: float = 105.0
    high: float = 160.0
    bin_width: float = 0.0
    is_control: bool = False
    score: str = ""

    @property
    def folder(self) -> str:
        """Folder of the histograms in ``histograms.root``."""
        return f"{self.channel}/{self.region}/{self.observable}"

    @property
    def edges(self) -> Floats | None:
        """(n_bins + 1,) fitted bin edges, None for the histogram's own."""
        if self.bin_width == 0.0:
            return None
        n_bins = round((self.high - self.low) / self.bin_width)
        return np.linspace(self.low, self.high, n_bins + 1)


@dataclass(frozen=True, slots=True)
class Strength:
    """A signal strength: a free factor on processes, what the fit is about.

    Parameters
    ----------
    name
        Name of the parameter.
    processes
        What it multiplies; empty for every signal.
    low, high
        Range of the parameter. Below zero the signal is a deficit, which keeps the
        estimate unbiased.
    """

    name: str = "mu"
    processes: tuple[str, ...] = ()
    low: float = -10.0
    high: float = 30.0


@dataclass(frozen=True, slots=True)
class Normalisation:
    """An uncertainty of the rate of processes.

    Parameters
    ----------
    name
        Name of the parameter.
    processes
        What it acts on; empty for every simulated process. Those that a run does not
        have are passed over.
    uncertainty
        Relative one-standard-deviation uncertainty; 0 leaves the factor free.
    """

    name: str
    processes: tuple[str, ...] = ()
    uncertainty: float = 0.0

    @property
    def is_free(self) -> bool:
        """Whether the data alone determine the factor."""
        return self.uncertainty == 0.0


@dataclass(frozen=True, slots=True)
class FitConfig:
    """A measurement.

    Parameters
    ----------
    regions
        Channels of the likelihood.
    strengths
        Signal strengths; the first is the parameter of interest.
    normalisations
        Uncertainties of rates.
    variations
        Names of sources of uncertainty to use; empty for all that the run has.
    leave_out
        Processes to leave out of the model.
    mc_statistics
        Whether the finite size of the simulation is an uncertainty.
    smoothing
        Smoothing of the variations' ratio to nominal: "none" or "353QH" (twice).
    prune_rate, prune_shape
        A variation whose effect on the rate, or on the shape in every bin, is at most
        this (relative) is dropped for that process and region.
    """

    regions: tuple[FitRegion, ...]
    strengths: tuple[Strength, ...] = (Strength(),)
    normalisations: tuple[Normalisation, ...] = ()
    variations: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    mc_statistics: bool = True
    smoothing: Smoothing = "none"
    prune_rate: float = 0.0
    prune_shape: float = 0.0

    def __post_init__(self) -> None:
        if not self.regions or not self.strengths:
            raise FitError(
                "a fit needs a region and a strength",
                remedy="give [[regions]] and [[strengths]] in the configuration",
            )
        _check_unique("region", (region.name for region in self.regions))
        strengths = (strength.name for strength in self.strengths)
        normalisations = (normalisation.name for normalisation in self.normalisations)
        _check_unique("parameter", (*strengths, *normalisations))
        for region in self.regions:
            _check_range(region)
        for first, second in combinations(self.regions, 2):
            _check_disjoint(first, second)

    @property
    def signal_regions(self) -> tuple[FitRegion, ...]:
        """Regions whose data are the signal's."""
        return tuple(region for region in self.regions if not region.is_control)


def _check_unique(kind: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise FitError(f"{kind} {name!r} is named twice", remedy="give each its own name")
        seen.add(name)


def _check_range(region: FitRegion) -> None:
    width = region.high - region.low
    if not width > 0.0:
        raise FitError(
            f"region {region.name}: the range {region.low:g} to {region.high:g} is empty",
            remedy="let low be below high",
        )
    edges = region.edges
    if edges is not None and abs((len(edges) - 1) * region.bin_width - width) > 1e-6:
        raise FitError(
            f"region {region.name}: {width:g} is no multiple of the bin width {region.bin_width:g}",
            remedy="choose a bin width that divides the range",
        )


def _check_disjoint(first: FitRegion, second: FitRegion) -> None:
    """Refuse two regions that can hold the same event."""
    same_leptons = first.channel == second.channel or COMBINED in (first.channel, second.channel)
    overlap = first.low < second.high and second.low < first.high
    if same_leptons and overlap and first.score == second.score:
        raise FitError(
            f"regions {first.name} and {second.name} can hold the same events",
            remedy="choose ranges or channels that do not overlap; an event counts once",
        )


#: Rates that every analysis of simulation has to grant: relative uncertainties.
#: Luminosity of 2015 and 2016: ATLAS, Eur. Phys. J. C 83 (2023) 982. Higgs boson
#: cross-sections (scale and PDF with alpha_s in quadrature) at 13 TeV: LHC Higgs
#: working group, arXiv:1610.07922. The backgrounds other than ZZ are illustrative.
RATES = (
    Normalisation("luminosity", (), 0.009),
    Normalisation("xsec_ggF", ("ggF",), 0.052),
    Normalisation("xsec_VBF", ("VBF",), 0.021),
    Normalisation("xsec_VH", ("WH", "ZH"), 0.030),
    Normalisation("xsec_ttH", ("ttH",), 0.085),
    Normalisation("xsec_Zjets", ("Zjets",), 0.30),
    Normalisation("xsec_ttbar", ("ttbar",), 0.30),
    Normalisation("xsec_ttV", ("ttV",), 0.15),
    Normalisation("xsec_VVV", ("VVV",), 0.15),
)


def fourlepton_config() -> FitConfig:
    """Configure the default: 105 < m4l < 160 GeV by channel, ZZ free with a control region."""
    channels = tuple(
        FitRegion(channel, channel, "all", low=105.0, high=160.0, bin_width=2.5)
        for channel in ("4mu", "4e", "2e2mu")
    )
    control = FitRegion(
        "zz_control", COMBINED, "zz_control", low=180.0, high=250.0, bin_width=70.0, is_control=True
    )
    return FitConfig(
        regions=(*channels, control),
        normalisations=(Normalisation("norm_ZZ", ("ZZ",)), *RATES),
    )


def demonstrator_config() -> FitConfig:
    """Configure the public 2020 demonstrator: one region of 34 bins, ZZ constrained to 10 %."""
    return FitConfig(
        regions=(FitRegion("signal_region", COMBINED, "all", low=80.0, high=250.0, bin_width=5.0),),
        normalisations=(Normalisation("norm_ZZ", ("ZZ",), 0.10),),
    )


def config_for(selection: str) -> FitConfig:
    """Find the configuration that belongs to a selection."""
    return demonstrator_config() if selection == "demonstrator2020" else fourlepton_config()


def with_mode_strengths(config: FitConfig, modes: Sequence[str]) -> FitConfig:
    """One strength for each production mode instead of a common one.

    ``WH`` and ``ZH`` share one strength: their final states are too few to be told apart.

    Parameters
    ----------
    config
        The measurement.
    modes
        Signal processes of the run.
    """
    groups: dict[str, list[str]] = {}
    for mode in modes:
        groups.setdefault("VH" if mode in ("WH", "ZH") else mode, []).append(mode)
    if len(groups) < 2:
        raise FitError(
            "the run has no separate production modes",
            remedy="use a fileset whose signal processes are " + ", ".join(PRODUCTION_MODES),
        )
    strengths = tuple(Strength(f"mu_{name}", tuple(group)) for name, group in groups.items())
    return replace(config, strengths=strengths)
