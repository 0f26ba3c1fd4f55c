"""Thresholds of the full four-lepton selection; the defaults are the published ones.

Source: ATLAS, JHEP 10 (2017) 132 (36 fb-1 at 13 TeV), as recalled; where this release's
files differ from what that analysis used, `fourlep.physics.fourlepton.selection` says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fourlep.config.toml import setting
from fourlep.physics.binning import Binning

Identification = Literal["is_loose", "is_loose_blayer", "is_medium", "is_tight"]


@dataclass(frozen=True, slots=True)
class ElectronConfig:
    """Which electrons are taken, and what the quadruplet's electrons must meet."""

    identification: Identification = setting("is_loose", "Likelihood working point.")
    pt_min: float = setting(7.0, "pT above this, GeV.")
    eta_max: float = setting(2.47, "|eta| below this.")
    bad_object_quality: int = setting(
        0x5A6, "Bits of the object quality that must not be set (BADCLUSELECTRON)."
    )
    z0_sin_theta_max: float = setting(0.5, "|z0 sin theta| below this, mm.")
    d0_significance_max: float = setting(5.0, "|d0|/sigma(d0) below this.")
    track_isolation_max: float = setting(0.15, "Track isolation over pT below this.")
    calo_isolation_max: float = setting(0.20, "Calorimeter isolation over pT below this.")


@dataclass(frozen=True, slots=True)
class MuonConfig:
    """Which muons are taken, and what the quadruplet's muons must meet."""

    quality_max: int = setting(2, "Quality up to this: 0 Tight, 1 Medium, 2 Loose.")
    pt_min: float = setting(5.0, "pT above this, GeV.")
    eta_max: float = setting(2.7, "|eta| below this.")
    calo_tagged_pt_min: float = setting(15.0, "Calorimeter-tagged muons: pT above this, GeV.")
    z0_sin_theta_max: float = setting(0.5, "|z0 sin theta| below this, mm; not stand-alone.")
    d0_max: float = setting(1.0, "|d0| below this, mm, against cosmic muons; not stand-alone.")
    d0_significance_max: float = setting(3.0, "|d0|/sigma(d0) below this.")
    track_isolation_max: float = setting(0.15, "Track isolation over pT below this.")
    calo_isolation_max: float = setting(0.30, "Calorimeter isolation over pT below this.")


@dataclass(frozen=True, slots=True)
class QuadrupletConfig:
    """What two same-flavour opposite-sign pairs must meet.

    Raises
    ------
    ValueError
        If a window is empty.
    """

    pt_min: tuple[float, float, float] = setting(
        (20.0, 15.0, 10.0), "pT of the three leading leptons above these, GeV."
    )
    special_muons_max: int = setting(
        1, "Stand-alone, calorimeter-tagged and silicon-associated muons up to this number."
    )
    m12_min: float = setting(50.0, "Mass of the pair nearest to the Z above this, GeV.")
    m12_max: float = setting(106.0, "Mass of the pair nearest to the Z below this, GeV.")
    m34_min_low: float = setting(12.0, "Lower limit of m34 where m4l is below the rise, GeV.")
    m34_min_high: float = setting(50.0, "Lower limit of m34 where m4l is above the rise, GeV.")
    m34_rise_start: float = setting(140.0, "m4l from which the limit rises linearly, GeV.")
    m34_rise_end: float = setting(190.0, "m4l up to which the limit rises, GeV.")
    m34_max: float = setting(115.0, "Mass of the other pair below this, GeV.")
    delta_r_same_flavour: float = setting(0.10, "Distance of same-flavour leptons above this.")
    delta_r_other_flavour: float = setting(0.20, "Distance of electron and muon above this.")
    m_sfos_min: float = setting(
        5.0, "Mass of every same-flavour opposite-sign pair above this, GeV."
    )
    calo_cone: float = setting(0.20, "Radius of the calorimeter isolation cone.")

    def __post_init__(self) -> None:
        if not self.m12_min < self.m12_max:
            raise ValueError(f"no m12 is between {self.m12_min:g} and {self.m12_max:g} GeV")
        if not self.m34_rise_start < self.m34_rise_end:
            raise ValueError("m34_rise_start must be below m34_rise_end")
        if list(self.pt_min) != sorted(self.pt_min, reverse=True):
            raise ValueError("pt_min must fall from the leading lepton on")


@dataclass(frozen=True, slots=True)
class RegionConfig:
    """Regions of m4l; they may leave gaps, and ``all`` is everything selected.

    Raises
    ------
    ValueError
        If a range is empty.
    """

    signal: tuple[float, float] = setting((115.0, 130.0), "Signal region, GeV.")
    sideband: tuple[tuple[float, float], ...] = setting(
        ((105.0, 115.0), (130.0, 160.0)), "Ranges of the sidebands, GeV."
    )
    zz_control: tuple[float, float] = setting((180.0, 250.0), "Control region of ZZ, GeV.")

    def __post_init__(self) -> None:
        for low, high in (self.signal, *self.sideband, self.zz_control):
            if not low < high:
                raise ValueError(f"no m4l is between {low:g} and {high:g} GeV")


@dataclass(frozen=True, slots=True)
class HistogramConfig:
    """Bins."""

    m4l: Binning = setting(Binning(68, 80.0, 250.0), "Bins of m4l.")
    m12: Binning = setting(Binning(28, 50.0, 106.0), "Bins of m12.")
    m34: Binning = setting(Binning(24, 0.0, 120.0), "Bins of m34.")
    lepton_pt: Binning = setting(Binning(30, 0.0, 150.0), "Bins of lepton pT.")
    lepton_eta: Binning = setting(Binning(27, -2.7, 2.7), "Bins of lepton eta.")


@dataclass(frozen=True, slots=True)
class FourleptonConfig:
    """All thresholds of ``fourlepton``."""

    electron: ElectronConfig = setting(ElectronConfig(), "Electrons.")
    muon: MuonConfig = setting(MuonConfig(), "Muons.")
    quadruplet: QuadrupletConfig = setting(QuadrupletConfig(), "Quadruplets.")
    regions: RegionConfig = setting(RegionConfig(), "Regions of m4l.")
    histograms: HistogramConfig = setting(HistogramConfig(), "Bins.")
