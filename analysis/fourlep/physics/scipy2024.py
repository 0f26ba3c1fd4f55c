"""The four-electron selection of the SciPy 2024 notebook on PHYSLITE.

Exactly four electrons with pT > 20 GeV, |eta| < 2.47 and the Loose likelihood
identification, of total charge zero, and no muon with pT > 20 GeV, |eta| < 2.7 and
quality 2. The notebook compares the byte that PHYSLITE stores, flags in its higher bits
and all; where a format has no such byte, the quality alone is compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fourlep.config.toml import setting
from fourlep.datasets.good_runs import GoodRuns
from fourlep.events import Cascade, Cut, Events
from fourlep.physics.binning import Binning
from fourlep.physics.candidates import Candidates
from fourlep.physics.cutflow import Requirement
from fourlep.physics.flow import GOOD_RUNS, Flow, in_good_runs, without_good_runs
from fourlep.physics.leptons import Collection, Leptons
from fourlep.physics.regions import EVERYWHERE
from fourlep.physics.selection import EVENT_COLUMNS, LUMI_BLOCK, Selected, Staging, Varied
from fourlep.physics.specs import Spec

_STORED_QUALITY = "muon.quality_word"


@dataclass(frozen=True, slots=True)
class Scipy2024Config:
    """Settings of ``scipy2024``.

    The number of electrons is no setting: four make the channel.
    """

    electron_pt_min: float = setting(20.0, "Electrons have pT above this, GeV.")
    electron_eta_max: float = setting(2.47, "Electrons have |eta| below this.")
    muon_pt_min: float = setting(20.0, "Muons that veto have pT above this, GeV.")
    muon_eta_max: float = setting(2.7, "Muons that veto have |eta| below this.")
    muon_quality: int = setting(
        2, "Muons that veto have this quality byte: 2 is Loose with no flag set."
    )
    m4l: Binning = setting(Binning(100, 100.0, 150.0), "Bins of m4l.")
    lepton_pt: Binning = setting(Binning(30, 0.0, 150.0), "Bins of lepton_pt.")
    lepton_eta: Binning = setting(Binning(27, -2.7, 2.7), "Bins of lepton_eta.")


@dataclass(frozen=True, slots=True)
class Scipy2024:
    """Exactly four electrons of zero charge and no muon."""

    config: Scipy2024Config = field(default_factory=Scipy2024Config)

    @property
    def name(self) -> str:
        """``scipy2024``."""
        return "scipy2024"

    @property
    def title(self) -> str:
        """One line for people."""
        return "Four electrons of the SciPy 2024 notebook"

    @property
    def source(self) -> str:
        """Where the requirements are from."""
        return "ATLAS open data at SciPy 2024, public PHYSLITE notebook"

    @property
    def required(self) -> tuple[str, ...]:
        """Kinematics, charge, identification and quality."""
        return (
            *EVENT_COLUMNS,
            *(f"electron.{name}" for name in ("pt", "eta", "phi", "mass", "charge", "is_loose")),
            *(f"muon.{name}" for name in ("pt", "eta", "quality")),
        )

    @property
    def optional(self) -> tuple[str, ...]:
        """What the good-run list reads, and the quality as the notebook compares it."""
        return (LUMI_BLOCK, _STORED_QUALITY)

    @property
    def cascade(self) -> Cascade:
        """Four good electrons; muons do not count."""
        return Cascade(
            electron=(
                Cut("electron.is_loose", "is_true"),
                Cut("electron.pt", "gt", self.config.electron_pt_min),
                Cut("electron.eta", "abs_lt", self.config.electron_eta_max),
            ),
            muon=(),
            minimum=((4, 0),),
        )

    @property
    def staging(self) -> Staging | None:
        """None: nothing is decided by pairs."""
        return None

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """Rows of the cutflow."""
        pt_min, eta_max = self.config.electron_pt_min, self.config.electron_eta_max
        electrons = f"Loose electrons, pT > {pt_min:g} GeV, |eta| < {eta_max:g}"
        return (
            Requirement("counting", f"at least four {electrons}"),
            GOOD_RUNS,
            Requirement("four_electrons", "exactly four of them"),
            Requirement("no_muon", f"no muon of quality {self.config.muon_quality}"),
            Requirement("charge", "charge sum 0"),
        )

    @property
    def channels(self) -> tuple[str, ...]:
        """4e."""
        return ("4e",)

    @property
    def regions(self) -> tuple[str, ...]:
        """Everything."""
        return (EVERYWHERE,)

    @property
    def histograms(self) -> tuple[Spec, ...]:
        """m4l, lepton pT and eta."""
        names = ("m4l", "lepton_pt", "lepton_eta")
        binnings = (self.config.m4l, self.config.lepton_pt, self.config.lepton_eta)
        return tuple(bins.of(name) for name, bins in zip(names, binnings, strict=True))

    @property
    def variations(self) -> tuple[str, ...]:
        """None of its own."""
        return ()

    def select(self, events: Events, good_runs: GoodRuns | None = None) -> Selected:
        """Decide events; see `Selection.select`."""
        electrons = Collection.of(events.electrons).passing(self.cascade.electron)
        n_electrons = electrons.per_event()
        n_muons = Collection.of(events.muons).passing(self._veto(events)).per_event()
        charge = np.bincount(
            electrons.event, weights=electrons.columns["charge"], minlength=len(events)
        )
        flow = Flow(1, len(events))
        flow.require(n_electrons >= 4)
        flow.require(in_good_runs(events, good_runs))
        flow.require(n_electrons == 4)
        flow.require(n_muons == 0)
        flow.require(charge == 0)
        candidates = _candidates(electrons, flow.left[-1])
        return Selected(flow.passed(), candidates, without_good_runs(events, good_runs))

    def _veto(self, events: Events) -> tuple[Cut, ...]:
        quality = _STORED_QUALITY if events.has(_STORED_QUALITY) else "muon.quality"
        return (
            Cut(quality, "eq", self.config.muon_quality),
            Cut("muon.pt", "gt", self.config.muon_pt_min),
            Cut("muon.eta", "abs_lt", self.config.muon_eta_max),
        )

    def vary(self, candidates: Candidates, variation: str) -> Varied:  # noqa: ARG002  # protocol
        """There is none; see `Selection.vary`."""
        raise KeyError(variation)


def _candidates(electrons: Collection, left: npt.NDArray[np.bool_]) -> Candidates:
    leptons = Leptons.merged(electrons)
    index = np.flatnonzero(left)
    lepton = np.flatnonzero(left[leptons.event]).reshape(len(index), 4)
    channel = np.zeros(len(index), dtype=np.int64)
    return Candidates.of(leptons, leptons.momenta(), lepton, index=index, channel=channel)
