"""The selection of the public H -> ZZ* demonstrator on the 2020 open-data ntuples.

Exactly four leptons, charge sum 0, type sum 44, 48 or 52 (11 for each electron, 13 for
each muon). No pairing: e+ e+ mu- mu- passes as well, as it does there. Its variations
scale the weight by 1.1 and 0.9, and m4l by 1.01 and 0.99.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fourlep.config.toml import setting
from fourlep.datasets.good_runs import GoodRuns
from fourlep.events import Cascade, Events
from fourlep.physics.binning import Binning
from fourlep.physics.candidates import Candidates
from fourlep.physics.cutflow import Requirement
from fourlep.physics.flow import GOOD_RUNS, Flow, in_good_runs, without_good_runs
from fourlep.physics.leptons import Collection, Leptons
from fourlep.physics.regions import EVERYWHERE
from fourlep.physics.selection import EVENT_COLUMNS, LUMI_BLOCK, Selected, Staging, Varied
from fourlep.physics.specs import Spec

_ELECTRON_TYPE, _MUON_TYPE = 11, 13

#: Type sum of each channel.
_TYPE_SUMS = {"4e": 44, "4mu": 52, "2e2mu": 48}

_ANY_FOUR = Cascade(electron=(), muon=(), minimum=((4, 0), (3, 1), (2, 2), (1, 3), (0, 4)))


@dataclass(frozen=True, slots=True)
class DemonstratorConfig:
    """Settings of ``demonstrator2020``."""

    scale_factor_variation: float = setting(0.1, "Relative change of the weight.")
    m4l_variation: float = setting(0.01, "Relative change of m4l.")
    m4l: Binning = setting(Binning(34, 80.0, 250.0), "Bins of m4l.")
    lepton_pt: Binning = setting(Binning(30, 0.0, 150.0), "Bins of lepton_pt.")
    lepton_eta: Binning = setting(Binning(27, -2.7, 2.7), "Bins of lepton_eta.")


@dataclass(frozen=True, slots=True)
class Demonstrator2020:
    """Exactly four leptons of zero charge, of which two or four are of one flavour."""

    config: DemonstratorConfig = field(default_factory=DemonstratorConfig)

    @property
    def name(self) -> str:
        """``demonstrator2020``."""
        return "demonstrator2020"

    @property
    def title(self) -> str:
        """One line for people."""
        return "Four leptons of the public 2020 demonstrator"

    @property
    def source(self) -> str:
        """Where the requirements are from."""
        return (
            "ATLAS open data 2020, public H -> ZZ* demonstrator, "
            "DOI 10.7483/OPENDATA.ATLAS.2Y1T.TLGL"
        )

    @property
    def required(self) -> tuple[str, ...]:
        """Kinematics and charge."""
        fields = ("pt", "eta", "phi", "mass", "charge")
        return (
            *EVENT_COLUMNS,
            *(f"electron.{name}" for name in fields),
            *(f"muon.{name}" for name in fields),
        )

    @property
    def optional(self) -> tuple[str, ...]:
        """What the good-run list reads."""
        return (LUMI_BLOCK,)

    @property
    def cascade(self) -> Cascade:
        """Four leptons of any flavour."""
        return _ANY_FOUR

    @property
    def staging(self) -> Staging | None:
        """None: nothing is decided by pairs."""
        return None

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """Rows of the cutflow."""
        return (
            Requirement("counting", "at least four leptons"),
            GOOD_RUNS,
            Requirement("four_leptons", "exactly four leptons"),
            Requirement("charge", "charge sum 0"),
            Requirement("type", "type sum 44, 48 or 52"),
        )

    @property
    def channels(self) -> tuple[str, ...]:
        """4e, 4mu and 2e2mu."""
        return tuple(_TYPE_SUMS)

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
        """The four of the demonstrator."""
        return ("scaleFactorUP", "scaleFactorDOWN", "m4lUP", "m4lDOWN")

    def select(self, events: Events, good_runs: GoodRuns | None = None) -> Selected:
        """Decide events; see `Selection.select`."""
        leptons = Leptons.merged(Collection.of(events.electrons), Collection.of(events.muons))
        n_leptons = leptons.per_event(np.ones(len(leptons), dtype=np.int64))
        charge = leptons.per_event(leptons["charge"])
        types = leptons.per_event(np.where(leptons.is_muon, _MUON_TYPE, _ELECTRON_TYPE))
        has_type = np.stack([types == total for total in _TYPE_SUMS.values()])
        flow = Flow(len(self.channels), len(events))
        flow.require(_possible_channels(leptons), n_leptons >= 4)
        flow.require(in_good_runs(events, good_runs))
        flow.require(n_leptons == 4)
        flow.require(charge == 0)
        flow.require(has_type)
        candidates = _candidates(leptons, flow.left)
        return Selected(flow.passed(), candidates, without_good_runs(events, good_runs))

    def vary(self, candidates: Candidates, variation: str) -> Varied:
        """One of ``variations``; see `Selection.vary`."""
        change = {
            "scaleFactorUP": (1.0 + self.config.scale_factor_variation, 1.0),
            "scaleFactorDOWN": (1.0 - self.config.scale_factor_variation, 1.0),
            "m4lUP": (1.0, 1.0 + self.config.m4l_variation),
            "m4lDOWN": (1.0, 1.0 - self.config.m4l_variation),
        }
        factor, scale = change[variation]
        scaled = {"m4l": candidates.observables["m4l"] * scale}
        return Varied(candidates.with_observables(scaled), factor)


def _possible_channels(leptons: Leptons) -> npt.NDArray[np.bool_]:
    """Channels for which an event has leptons enough, (n_channels, n_events)."""
    n_muons = leptons.per_event(leptons.is_muon)
    n_electrons = leptons.per_event(~leptons.is_muon)
    return np.stack([n_electrons >= 4, n_muons >= 4, (n_electrons >= 2) & (n_muons >= 2)])


def _candidates(leptons: Leptons, left: npt.NDArray[np.bool_]) -> Candidates:
    index = np.flatnonzero(left[-1])
    lepton = np.flatnonzero(left[-1][leptons.event]).reshape(len(index), 4)
    channel = np.argmax(left[:-1, index], axis=0)
    return Candidates.of(leptons, leptons.momenta(), lepton, index=index, channel=channel)
