"""What the stand-in is made from: ``parameters.toml`` as dataclasses."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from fourlep.config.toml import structure
from fourlep.datasets.processes import HZZ4L
from fourlep.errors import ConfigError

Base = Literal["higgs", "continuum", "z", "tops", "one_lepton"]


@dataclass(frozen=True, slots=True)
class EventParameters:
    """Conditions of an event; lengths in mm."""

    pileup_mean: float
    pileup_width: float
    vertices_per_interaction: float
    vertex_z_width: float
    beam_width: float
    generator_weights: int
    out_of_good_runs: float
    soft_tracks: float


@dataclass(frozen=True, slots=True)
class HiggsParameters:
    """The Higgs boson, GeV."""

    mass: float
    width: float
    pair_mass_min: float


@dataclass(frozen=True, slots=True)
class FillerParameters:
    """Shares of what data events without four leptons are."""

    one_lepton: float
    z: float
    tops: float


@dataclass(frozen=True, slots=True)
class FlavourParameters:
    """Detector's response to electrons or muons."""

    eta_max: float
    pt_min: float
    plateau: float
    drop: float
    scale: float
    medium: float
    tight: float
    stochastic: float
    noise: float
    constant: float
    radiative_tail: float
    radiative_loss: float
    calo_iso_mean: float
    calo_iso_width: float
    nonprompt_efficiency: float
    wrong_charge: float


@dataclass(frozen=True, slots=True)
class TrackParameters:
    """Impact parameters (mm) and isolation by origin."""

    d0_constant: float
    d0_slope: float
    z0_constant: float
    z0_slope: float
    tail: float
    tail_scale: float
    heavy_d0: float
    light_d0: float
    isolated: float
    cone_mean: float
    heavy_cone: float
    light_cone: float
    heavy_calo: float
    light_calo: float


@dataclass(frozen=True, slots=True)
class NonpromptParameters:
    """Leptons from jets at generator level."""

    pt_min: float
    heavy_pt_mean: float
    light_pt_mean: float
    eta_width: float
    light_electrons: float


@dataclass(frozen=True, slots=True)
class PromptParameters:
    """Leptons from W bosons at generator level."""

    pt_mean: float
    pt_shape: float
    eta_width: float


@dataclass(frozen=True, slots=True)
class ContinuumParameters:
    """One component of the four-lepton continuum."""

    name: str
    fraction: float
    z_first: float
    power_first: float
    z_second: float
    power_second: float
    resonance: bool = False
    mass_min: float = 80.0
    mass_max: float = 100.0
    mass_power: float = 0.0


@dataclass(frozen=True, slots=True)
class ProcessParameters:
    """One simulated dataset.

    Parameters
    ----------
    name, dsid
        As in `fourlep.datasets.processes`.
    base
        What its leptons come from.
    cross_section_pb, filter_efficiency
        Their product is the cross-section of what is generated.
    boson_pt_mean, boson_pt_shape, rapidity_width
        Gamma distribution of pT (GeV) and normal distribution of rapidity.
    negative
        Share of events with negative weight.
    weight
        Size of the weights.
    share
        Of all simulated events.
    extra_prompt, extra_prompt_probability, extra_prompt_together
        Leptons from further bosons: how many, how probable, all or none.
    nonprompt_rate, heavy_fraction
        Mean number of leptons from jets; share of those from b and c hadrons.
    filler
        Share of the dataset's events that have fewer than four leptons.
    """

    name: str
    dsid: int
    base: Base
    cross_section_pb: float
    filter_efficiency: float
    boson_pt_mean: float
    boson_pt_shape: float
    rapidity_width: float
    negative: float
    weight: float
    share: float
    extra_prompt: int = 0
    extra_prompt_probability: float = 0.0
    extra_prompt_together: bool = False
    nonprompt_rate: float = 0.0
    heavy_fraction: float = 1.0
    filler: float = 0.0

    @property
    def generated_pb(self) -> float:
        """Cross-section of what is generated, pb."""
        return self.cross_section_pb * self.filter_efficiency

    @property
    def needs_nonprompt(self) -> bool:
        """Whether four leptons are reached only with leptons from jets."""
        return self.base in ("z", "tops") and self.extra_prompt == 0


@dataclass(frozen=True, slots=True)
class Parameters:
    """Everything in ``parameters.toml``."""

    event: EventParameters
    higgs: HiggsParameters
    filler: FillerParameters
    electron: FlavourParameters
    muon: FlavourParameters
    track: TrackParameters
    nonprompt: NonpromptParameters
    prompt: PromptParameters
    process: tuple[ProcessParameters, ...]
    continuum: tuple[ContinuumParameters, ...]

    def __post_init__(self) -> None:
        shares = sum(process.share for process in self.process)
        fractions = sum(component.fraction for component in self.continuum)
        if abs(shares - 1.0) > 1e-9 or abs(fractions - 1.0) > 1e-9:
            raise ValueError(f"shares sum to {shares:g} and fractions to {fractions:g}, not to 1")

    def chosen(self, names: tuple[str, ...]) -> tuple[ProcessParameters, ...]:
        """Return the processes called ``names``, all when empty.

        Raises
        ------
        ConfigError
            If there is none of a name.
        """
        known = {process.name: process for process in self.process}
        for name in names:
            if name not in known:
                raise ConfigError(
                    f"unknown process {name!r}", remedy=f"choose among {', '.join(known)}"
                )
        return tuple(known[name] for name in dict.fromkeys(names)) or self.process


@cache
def parameters() -> Parameters:
    """Load the parameters that come with the package."""
    text = resources.files("fourlep.synth").joinpath("parameters.toml").read_text("utf-8")
    made = structure(tomllib.loads(text), Parameters, file="parameters.toml")
    unknown = {process.name for process in made.process} - {process.name for process in HZZ4L}
    if unknown:
        raise ConfigError(f"parameters.toml: no such processes: {', '.join(sorted(unknown))}")
    return made
