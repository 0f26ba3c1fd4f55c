"""The full H -> ZZ* -> 4l selection, after ATLAS, JHEP 10 (2017) 132.

Leptons are counted, every quadruplet of two same-flavour opposite-sign pairs is made,
each must meet the requirements below, and of what is left one is taken: from the channel
with the highest expected rate (4mu, then 2e2mu with electrons nearest to the Z, then with
muons, then 4e), in it the one with m12 nearest to the Z mass, then m34.

Requirements on kinematics stand before those on triggers, tracks and isolation: what is
kept does not depend on the order, and the columns of the first are a seventh of all.

The order of channels and what counts as a special muon are recalled, not looked up. Not
done, because PHYSLITE lacks it: the fit of a common vertex. Not done, by choice: removal
of electrons that share a track with a muon (the distance requirement stands for it).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fourlep.datasets.good_runs import GoodRuns
from fourlep.events import Cascade, Cut, Events, PairCut
from fourlep.physics.angles import angles
from fourlep.physics.candidates import Candidates
from fourlep.physics.cutflow import Requirement
from fourlep.physics.flow import GOOD_RUNS, Flow, in_good_runs, without_good_runs
from fourlep.physics.fourlepton.config import FourleptonConfig
from fourlep.physics.fourlepton.leptons import merged
from fourlep.physics.fourlepton.quadruplets import best, requirements
from fourlep.physics.leptons import Collection, Leptons
from fourlep.physics.pairing import Quadruplets, quadruplets
from fourlep.physics.regions import EVERYWHERE, in_regions
from fourlep.physics.selection import EVENT_COLUMNS, LUMI_BLOCK, Selected, Staging, Varied
from fourlep.physics.specs import PlaneSpec, Spec

_CHANNELS = ("4e", "4mu", "2e2mu")
_KINEMATICS = ("pt", "eta", "phi", "mass", "charge")
_TRACK = ("track_iso", "track_cone", "calo_iso", "track_pt", "track_eta", "track_phi")
_IMPACT = ("d0", "d0_significance", "z0_sin_theta")

#: What a cutflow row needs, to say by name which one is left out.
_NEEDS = {
    "trigger": ("event.is_triggered",),
    "identification": ("electron.{identification}", "muon.quality"),
    "object_quality": ("electron.object_quality",),
    "muon_type": ("muon.type",),
    "z0": ("electron.z0_sin_theta", "muon.z0_sin_theta"),
    "d0": ("muon.d0",),
    "trigger_match": ("electron.is_trigger_matched", "muon.is_trigger_matched"),
    "track_isolation": ("electron.track_iso", "muon.track_iso"),
    "calo_isolation": ("electron.calo_iso", "muon.calo_iso"),
    "d0_significance": ("electron.d0_significance", "muon.d0_significance"),
}


@dataclass(frozen=True, slots=True)
class Fourlepton:
    """Electrons and muons in 4e, 4mu and 2e2mu."""

    config: FourleptonConfig = field(default_factory=FourleptonConfig)

    @property
    def name(self) -> str:
        """``fourlepton``."""
        return "fourlepton"

    @property
    def title(self) -> str:
        """One line for people."""
        return "Full H -> ZZ* -> 4l selection"

    @property
    def source(self) -> str:
        """Where the requirements are from."""
        return "ATLAS, JHEP 10 (2017) 132, arXiv:1708.02810"

    @property
    def required(self) -> tuple[str, ...]:
        """Kinematics and charge."""
        flavours = ("electron", "muon")
        return (*EVENT_COLUMNS, *(f"{f}.{name}" for f in flavours for name in _KINEMATICS))

    @property
    def optional(self) -> tuple[str, ...]:
        """Everything whose requirement can be left out."""
        shared = (*_TRACK, *_IMPACT, "is_trigger_matched")
        return (
            LUMI_BLOCK,
            "event.is_triggered",
            f"electron.{self.config.electron.identification}",
            "electron.object_quality",
            "muon.quality",
            "muon.type",
            *(f"{flavour}.{name}" for flavour in ("electron", "muon") for name in shared),
        )

    @property
    def cascade(self) -> Cascade:
        """Four electrons, four muons, or two of each."""
        electron, muon, quad = self.config.electron, self.config.muon, self.config.quadruplet
        return Cascade(
            electron=(
                Cut(f"electron.{electron.identification}", "is_true"),
                Cut("electron.pt", "gt", electron.pt_min),
                Cut("electron.eta", "abs_lt", electron.eta_max),
            ),
            muon=(
                Cut("muon.quality", "le", muon.quality_max),
                Cut("muon.pt", "gt", muon.pt_min),
                Cut("muon.eta", "abs_lt", muon.eta_max),
            ),
            minimum=((4, 0), (0, 4), (2, 2)),
            pairs=PairCut(
                leading_pt=quad.pt_min,
                first=(quad.m12_min, quad.m12_max),
                second=(min(quad.m34_min_low, quad.m34_min_high), quad.m34_max),
            ),
        )

    @property
    def staging(self) -> Staging:
        """Kinematics, and what counting and good runs read, decide up to m34."""
        columns = (*self.required, *self.cascade.columns, LUMI_BLOCK)
        return Staging(tuple(dict.fromkeys(columns)), "m34")

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """Rows of the cutflow."""
        quad = self.config.quadruplet
        leading = ", ".join(f"{value:g}" for value in quad.pt_min)
        return (
            Requirement("counting", "4 e, 4 mu or 2 e 2 mu identified, in acceptance"),
            GOOD_RUNS,
            Requirement("two_pairs", "two same-flavour opposite-sign pairs"),
            Requirement("leading_pt", f"leading pT > {leading} GeV"),
            Requirement("m12", f"{quad.m12_min:g} < m12 < {quad.m12_max:g} GeV"),
            Requirement("m34", f"m_min(m4l) < m34 < {quad.m34_max:g} GeV"),
            Requirement("delta_r", "leptons apart"),
            Requirement("m_sfos", f"every pair's mass > {quad.m_sfos_min:g} GeV"),
            Requirement("trigger", "trigger"),
            Requirement("lepton_quality", "four of good quality, from the vertex"),
            Requirement("trigger_match", "a lepton matched to the trigger"),
            Requirement("track_isolation", "track isolation"),
            Requirement("calo_isolation", "calorimeter isolation"),
            Requirement("d0_significance", "impact parameter significance"),
            Requirement("best", "best quadruplet"),
        )

    @property
    def channels(self) -> tuple[str, ...]:
        """4e, 4mu and 2e2mu."""
        return _CHANNELS

    @property
    def regions(self) -> tuple[str, ...]:
        """Everything, signal, sidebands and ZZ control."""
        return (EVERYWHERE, "signal", "sideband", "zz_control")

    @property
    def histograms(self) -> tuple[Spec, ...]:
        """m4l, m12, m34, lepton pT and eta, and m12 against m34."""
        bins = self.config.histograms
        m12, m34 = bins.m12.of("m12"), bins.m34.of("m34")
        return (
            bins.m4l.of("m4l"),
            m12,
            m34,
            bins.lepton_pt.of("lepton_pt"),
            bins.lepton_eta.of("lepton_eta"),
            PlaneSpec(m12, m34),
        )

    @property
    def variations(self) -> tuple[str, ...]:
        """None of its own."""
        return ()

    def vary(self, candidates: Candidates, variation: str) -> Varied:  # noqa: ARG002  # protocol
        """There is none; see `Selection.vary`."""
        raise KeyError(variation)

    def select(self, events: Events, good_runs: GoodRuns | None = None) -> Selected:
        """Decide events; see `Selection.select`.

        Raises
        ------
        CorruptFileError
            If an event has more selected leptons than a collision can give.
        """
        cascade, n_events = self.cascade, len(events)
        electrons = Collection.of(events.electrons).passing(cascade.electron)
        muons = Collection.of(events.muons).passing(cascade.muon)
        leptons = merged(electrons, muons, self.config)
        flow = Flow(len(_CHANNELS), n_events)
        flow.require(_possible_channels(electrons.per_event(), muons.per_event()))
        flow.require(in_good_runs(events, good_runs))
        is_triggered = events.event.get("is_triggered", np.ones(n_events, dtype=np.bool_))
        candidates = self._quadruplets(leptons, flow, is_triggered)
        missing = {**without_good_runs(events, good_runs), **self._left_out(events)}
        return Selected(flow.passed(), candidates, missing)

    def _quadruplets(
        self, leptons: Leptons, flow: Flow, is_triggered: npt.NDArray[np.bool_]
    ) -> Candidates:
        """Apply what quadruplets must meet, choose one an event, and describe it."""
        momenta = leptons.momenta()
        found = quadruplets(leptons, momenta)
        found = found[flow.left[-1][found.event]]
        masks = requirements(leptons, momenta, found, is_triggered, self.config)
        alive = np.ones(len(found), dtype=np.bool_)
        channel = _channel(leptons, found)
        for mask in masks:
            alive = alive & mask
            flow.require(_events_with(found[alive], channel[alive], leptons.n_events))
        taken = best(leptons, found[alive])
        chosen, of_chosen = found[alive][taken], channel[alive][taken]
        flow.require(_events_with(chosen, of_chosen, leptons.n_events))
        regions = self.config.regions
        in_region = in_regions(
            chosen.m4l, ((regions.signal,), regions.sideband, (regions.zz_control,))
        )
        candidates = Candidates.of(
            leptons,
            momenta,
            chosen.lepton,
            index=chosen.event,
            channel=of_chosen,
            in_region=in_region,
        )
        masses = {"m12": chosen.m12, "m34": chosen.m34}
        return candidates.with_observables({**masses, **angles(leptons, momenta, chosen)})

    def _left_out(self, events: Events) -> dict[str, str]:
        """Name the requirements that the input cannot decide, with the reason."""
        identification = self.config.electron.identification
        left_out: dict[str, str] = {}
        for requirement, columns in _NEEDS.items():
            names = [column.format(identification=identification) for column in columns]
            lacking = [name for name in names if not events.has(name)]
            if lacking:
                reasons = (f"{name}: {events.absent.get(name, 'not read')}" for name in lacking)
                left_out[requirement] = "; ".join(reasons)
        return left_out


def _possible_channels(
    n_electrons: npt.NDArray[np.int64], n_muons: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Channels for which an event has leptons enough, (n_channels, n_events)."""
    return np.stack([n_electrons >= 4, n_muons >= 4, (n_electrons >= 2) & (n_muons >= 2)])


def _channel(leptons: Leptons, found: Quadruplets) -> npt.NDArray[np.int64]:
    """Channel of each quadruplet, by its number of muons: 0, 4 or 2."""
    by_muons = np.array([0, -1, 2, -1, 1], dtype=np.int64)
    n_muons = leptons.is_muon[found.lepton].sum(axis=1, dtype=np.int64)
    channel: npt.NDArray[np.int64] = by_muons[n_muons]
    return channel


def _events_with(
    found: Quadruplets, channel: npt.NDArray[np.int64], n_events: int
) -> npt.NDArray[np.bool_]:
    """Events that have a quadruplet, by channel (n_channels, n_events)."""
    mask = np.zeros((len(_CHANNELS), n_events), dtype=np.bool_)
    mask[channel, found.event] = True
    return mask
