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

from fourlep.config.toml import setting
from fourlep.errors import FitError
from fourlep.physics.regions import EVERYWHERE
from fourlep.stats.templates import Floats

Smoothing = Literal["none", "353QH"]

#: Channel that contains all others.
COMBINED = "4l"

#: What stands between a folder of histograms and a category of the discriminant.
SCORE_MARK = "@"

#: Range of the strength of a production mode, of which little is produced.
_MODE_RANGE = (-50.0, 200.0)

#: Processes that are Higgs boson production, by mode.
PRODUCTION_MODES = ("ggF", "VBF", "WH", "ZH", "ttH")


@dataclass(frozen=True, slots=True)
class FitRegion:
    """One channel of the likelihood."""

    name: str = setting("", "Name in the workspace.")
    channel: str = setting(COMBINED, "Channel of the histograms: 4e, 4mu, 2e2mu or 4l.")
    region: str = setting(EVERYWHERE, "Region of the histograms.")
    observable: str = setting("m4l", "Observable of the histograms.")
    low: float = setting(105.0, "Lower end of the fitted range, a bin edge, GeV.")
    high: float = setting(160.0, "Upper end of the fitted range, a bin edge, GeV.")
    bin_width: float = setting(
        0.0, "Width of the fitted bins, a multiple of the histogram's; 0 keeps those."
    )
    is_control: bool = setting(False, "Whether the region measures a background.")
    score: str = setting("", "Category of the discriminant; set by --discriminant.")

    @property
    def folder(self) -> str:
        """Folder of the histograms in ``histograms.root``, with the category if it has one."""
        mark = f"{SCORE_MARK}{self.score}" if self.score else ""
        return f"{self.channel}/{self.region}/{self.observable}{mark}"

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

    Below zero the signal is a deficit: letting it be keeps the estimate unbiased.
    """

    name: str = setting("mu", "Name of the parameter.")
    processes: tuple[str, ...] = setting((), "What it multiplies; empty for every signal.")
    low: float = setting(-10.0, "Lower end of its range.")
    high: float = setting(30.0, "Upper end of its range.")


@dataclass(frozen=True, slots=True)
class Normalisation:
    """An uncertainty of the rate of processes; those that a run lacks are passed over."""

    name: str = setting("", "Name of the parameter.")
    processes: tuple[str, ...] = setting((), "What it acts on; empty for all simulation.")
    uncertainty: float = setting(0.0, "Relative uncertainty; 0 leaves the factor free.")
    is_cross_section: bool = setting(
        False,
        "Whether it is a predicted cross-section's: not granted to a process whose theory "
        "variations (THEORY_*) change its rate already.",
    )

    @property
    def is_free(self) -> bool:
        """Whether the data alone determine the factor."""
        return self.uncertainty == 0.0


@dataclass(frozen=True, slots=True)
class FitConfig:
    """A measurement.

    Raises
    ------
    FitError
        If there is no region or strength, a name occurs twice or has a slash, a range is
        empty, or two regions can hold the same events.
    """

    regions: tuple[FitRegion, ...] = setting(
        (), "Channels of the likelihood; by default those of the selection."
    )
    strengths: tuple[Strength, ...] = setting(
        (Strength(),), "Signal strengths; the first is the parameter of interest."
    )
    normalisations: tuple[Normalisation, ...] = setting(
        (), "Uncertainties of rates; by default those of the selection."
    )
    variations: tuple[str, ...] = setting(
        (), "Sources of uncertainty to use; empty for all that the run has."
    )
    leave_out: tuple[str, ...] = setting((), "Processes to leave out of the model.")
    mc_statistics: bool = setting(
        True, "Whether the finite size of the simulation is an uncertainty."
    )
    largest_background_error: float = setting(
        0.0,
        "Largest relative statistical error of a bin's simulated background; a bin beyond it "
        "is merged with the next. 0 merges only what is empty.",
    )
    smoothing: Smoothing = setting("none", "Smoothing of the ratio of a variation to nominal.")
    prune_rate: float = setting(
        0.0, "Largest relative effect on the rate that is dropped, by process and region."
    )
    prune_shape: float = setting(
        0.0, "Largest relative effect on the shape, in any bin, that is dropped."
    )

    def __post_init__(self) -> None:
        if not self.regions or not self.strengths:
            raise FitError(
                "a fit needs a region and a strength",
                remedy="give [[regions]] and [[strengths]] in the configuration",
            )
        _check_names("region", (region.name for region in self.regions))
        strengths = (strength.name for strength in self.strengths)
        normalisations = (normalisation.name for normalisation in self.normalisations)
        _check_names("parameter", (*strengths, *normalisations))
        for region in self.regions:
            _check_range(region)
        for first, second in combinations(self.regions, 2):
            _check_disjoint(first, second)

    @property
    def signal_regions(self) -> tuple[FitRegion, ...]:
        """Regions whose data are the signal's."""
        return tuple(region for region in self.regions if not region.is_control)


def _check_names(kind: str, names: Iterable[str]) -> None:
    """Refuse a name that stands twice, or that neither a model nor a figure can have."""
    seen: set[str] = set()
    for name in names:
        if "/" in name:
            raise FitError(
                f"{kind} {name!r} has a slash in its name", remedy="use a dash or an underscore"
            )
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
    by_score = first.score != second.score and first.score and second.score
    if same_leptons and _overlap(first, second) and not by_score:
        raise FitError(
            f"regions {first.name} and {second.name} can hold the same events",
            remedy="choose ranges or channels that do not overlap, or for two observables two "
            "regions of the selection that do not; an event counts once",
        )


def _overlap(first: FitRegion, second: FitRegion) -> bool:
    """Whether an event can be in both: ranges of two observables tell nothing of that."""
    if first.observable == second.observable:
        return first.low < second.high and second.low < first.high
    return first.region == second.region or EVERYWHERE in (first.region, second.region)


#: Rates that every analysis of simulation has to grant: relative uncertainties.
#: Luminosity of 2015 and 2016: ATLAS, Eur. Phys. J. C 83 (2023) 982. Higgs boson
#: cross-sections (scale and PDF with alpha_s in quadrature) at 13 TeV: LHC Higgs
#: working group, arXiv:1610.07922. Those of ttV and VVV are illustrative, as is the rate of
#: leptons from jets, which is the detector's and no cross-section.
RATES = (
    Normalisation("luminosity", (), 0.009),
    Normalisation("xsec_ggF", ("ggF",), 0.052, is_cross_section=True),
    Normalisation("xsec_VBF", ("VBF",), 0.021, is_cross_section=True),
    Normalisation("xsec_VH", ("WH", "ZH"), 0.030, is_cross_section=True),
    Normalisation("xsec_ttH", ("ttH",), 0.085, is_cross_section=True),
    Normalisation("xsec_ttV", ("ttV",), 0.15, is_cross_section=True),
    Normalisation("xsec_VVV", ("VVV",), 0.15, is_cross_section=True),
    Normalisation("nonprompt_Zjets", ("Zjets",), 0.30),
    Normalisation("nonprompt_ttbar", ("ttbar",), 0.30),
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


def mode_configs(config: FitConfig, signals: Sequence[str]) -> tuple[FitConfig, ...]:
    """Configure the strength of each production mode, the others at the Standard Model.

    The mass spectrum alone tells modes hardly apart, so that a common fit of all their
    strengths has no answer; each is measured with the others held, which keep the
    uncertainties of their cross-sections. ``WH`` and ``ZH`` share one strength.

    Parameters
    ----------
    config
        The measurement.
    signals
        Signal processes of the run.

    Raises
    ------
    FitError
        If the run does not tell modes apart.
    """
    groups: dict[str, list[str]] = {}
    for mode in signals:
        groups.setdefault("VH" if mode in ("WH", "ZH") else mode, []).append(mode)
    if len(groups) < 2:
        raise FitError(
            "the run has no separate production modes",
            remedy="use a fileset whose signal processes are " + ", ".join(PRODUCTION_MODES),
        )
    return tuple(
        replace(config, strengths=(Strength(f"mu_{name}", tuple(group), *_MODE_RANGE),))
        for name, group in groups.items()
    )
