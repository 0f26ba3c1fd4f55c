"""The detector: generated leptons to reconstructed ones, with tracks and isolation.

A parametrised response, not a simulation of ATLAS: efficiencies, resolutions, isolation
and impact parameters by flavour and origin, from ``parameters.toml``. Energies are GeV and
lengths mm; writing converts.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fourlep.synth.parameters import FlavourParameters, Parameters
from fourlep.synth.sampling import Floats, Generator
from fourlep.synth.truth import HEAVY, PROMPT, Truth

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

#: Muon types of the xAOD event model.
COMBINED, STAND_ALONE, SEGMENT_TAGGED, CALO_TAGGED = 0, 1, 2, 3
#: |eta| of the gap in the muon spectrometer, and the end of the inner detector.
_GAP, _TRACKER_END = 0.1, 2.5


@dataclass(frozen=True, slots=True, eq=False)
class Leptons:
    """Reconstructed leptons, by event and then falling pT; all (n_leptons,).

    Parameters
    ----------
    event
        Event of each.
    is_muon
        Else an electron.
    pt, eta, phi, charge
        Kinematics; GeV.
    identification
        Electrons: 0 none, 1 loose, 2 medium, 3 tight. Muons: quality, 0 tight to
        3 very loose.
    muon_type
        Of the xAOD event model; 0 for electrons.
    track_iso, calo_iso, neutral_iso
        Sums in cones, GeV.
    track_pt, track_eta, track_phi
        Of its track.
    d0, d0_sigma, z0, z0_sigma
        Impact parameters of the track to beam line and primary vertex, mm.
    origin
        As in `Truth`.
    """

    event: Ints
    is_muon: Mask
    pt: Floats
    eta: Floats
    phi: Floats
    charge: Ints
    identification: Ints
    muon_type: Ints
    track_iso: Floats
    calo_iso: Floats
    neutral_iso: Floats
    track_pt: Floats
    track_eta: Floats
    track_phi: Floats
    d0: Floats
    d0_sigma: Floats
    z0: Floats
    z0_sigma: Floats
    origin: Ints

    def __len__(self) -> int:
        return len(self.event)

    def __getitem__(self, keep: Mask | Ints) -> Leptons:
        """Select leptons."""
        return Leptons(**{item.name: getattr(self, item.name)[keep] for item in fields(self)})

    def renumbered(self, place: Ints) -> Leptons:
        """Move the leptons of event i to event ``place[i]``; those at -1 are dropped."""
        event = place[self.event]
        kept = self[event >= 0]
        return joined([replace(kept, event=event[event >= 0])])

    def counts(self, n_events: int) -> Ints:
        """Leptons an event, (n_events,)."""
        return np.bincount(self.event, minlength=n_events)

    def position(self, n_events: int) -> Ints:
        """Index of each lepton within its event, (n_leptons,)."""
        counts = self.counts(n_events)
        return np.arange(len(self)) - np.repeat(np.cumsum(counts) - counts, counts)


def joined(parts: list[Leptons]) -> Leptons:
    """Put leptons together that share one numbering of events."""
    every = Leptons(
        **{
            item.name: np.concatenate([getattr(part, item.name) for part in parts])
            for item in fields(Leptons)
        }
    )
    return every[np.lexsort((-every.pt, every.event))]


def reconstruct(rng: Generator, truth: Truth, parameters: Parameters) -> Leptons:
    """Pass generated leptons through the detector.

    Parameters
    ----------
    rng
        Generator.
    truth
        Generated events.
    parameters
        Response.
    """
    response = _PerLepton(truth.is_muon, parameters)
    pt = _measured_pt(rng, truth, response)
    is_seen = _is_seen(rng, truth, pt, response)
    sigma_d0, sigma_z0, d0, z0 = _impact_parameters(rng, truth, parameters)
    identification, muon_type = _identification(rng, truth, response)
    wrong = rng.random(len(pt)) < response("wrong_charge")
    track_iso, calo_iso, neutral_iso = _isolation(rng, truth, pt, response, parameters)
    every = Leptons(
        event=truth.event,
        is_muon=truth.is_muon,
        pt=pt,
        eta=truth.eta + rng.normal(0.0, 3e-4, len(pt)),
        phi=_wrapped(truth.phi + rng.normal(0.0, 3e-4, len(pt))),
        charge=np.where(wrong, -truth.charge, truth.charge),
        identification=identification,
        muon_type=muon_type,
        track_iso=track_iso,
        calo_iso=calo_iso,
        neutral_iso=neutral_iso,
        track_pt=truth.pt * (1.0 + rng.normal(0.0, 0.02, len(pt)).clip(-0.1, 0.1)),
        track_eta=truth.eta + rng.normal(0.0, 5e-4, len(pt)),
        track_phi=_wrapped(truth.phi + rng.normal(0.0, 2e-4, len(pt))),
        d0=d0,
        d0_sigma=sigma_d0,
        z0=z0,
        z0_sigma=sigma_z0,
        origin=truth.origin,
    )[is_seen]
    return every[np.lexsort((-every.pt, every.event))]


class _PerLepton:
    """A parameter of electrons or of muons, for each lepton."""

    def __init__(self, is_muon: Mask, parameters: Parameters) -> None:
        self._is_muon = is_muon
        self._of: tuple[FlavourParameters, FlavourParameters] = (
            parameters.electron,
            parameters.muon,
        )

    def __call__(self, name: str) -> Floats:
        electron, muon = (float(getattr(flavour, name)) for flavour in self._of)
        return np.where(self._is_muon, muon, electron)


def _measured_pt(rng: Generator, truth: Truth, response: _PerLepton) -> Floats:
    """Smear the energy, and let some lose energy by radiation."""
    energy = truth.pt * np.cosh(truth.eta)
    relative = np.sqrt(
        response("stochastic") ** 2 / energy
        + (response("noise") / energy) ** 2
        + response("constant") ** 2
    )
    scale = 1.0 + relative * rng.normal(0.0, 1.0, len(energy)).clip(-4.0, 4.0)
    radiates = rng.random(len(energy)) < response("radiative_tail")
    loss = np.where(radiates, rng.exponential(1.0, len(energy)) * response("radiative_loss"), 0.0)
    measured: Floats = truth.pt * np.maximum(scale - loss, 0.05)
    return measured


def _is_seen(rng: Generator, truth: Truth, pt: Floats, response: _PerLepton) -> Mask:
    turn_on = np.exp(-np.maximum(pt - response("pt_min"), 0.0) / response("scale"))
    efficiency = response("plateau") - response("drop") * turn_on
    efficiency = np.where(
        truth.origin == PROMPT, efficiency, efficiency * response("nonprompt_efficiency")
    )
    in_gap = truth.is_muon & (np.abs(truth.eta) < _GAP)
    efficiency = np.where(in_gap, 0.7 * efficiency, efficiency)
    inside = (np.abs(truth.eta) < response("eta_max")) & (pt > response("pt_min"))
    return inside & (rng.random(len(pt)) < efficiency)


def _identification(rng: Generator, truth: Truth, response: _PerLepton) -> tuple[Ints, Ints]:
    """Identification and muon type; leptons from jets are rarely tight."""
    spoiled = np.where(truth.origin == PROMPT, 1.0, 0.6)
    medium = rng.random(len(spoiled)) < response("medium") * spoiled
    tight = medium & (rng.random(len(spoiled)) < response("tight") * spoiled)
    level = 1 + medium.astype(np.int64) + tight.astype(np.int64)
    eta, draw = np.abs(truth.eta), rng.random(len(spoiled))
    kind = np.where(draw < 0.03, SEGMENT_TAGGED, COMBINED)
    kind = np.where((eta < _GAP) & (draw > 0.4), CALO_TAGGED, kind)
    kind = np.where(eta > _TRACKER_END, STAND_ALONE, kind)
    kind = np.where(truth.is_muon, kind, COMBINED)
    quality = np.where(kind == COMBINED, 3 - level, 2)
    return np.where(truth.is_muon, quality, level), kind


def _isolation(
    rng: Generator, truth: Truth, pt: Floats, response: _PerLepton, parameters: Parameters
) -> tuple[Floats, Floats, Floats]:
    """Track, calorimeter and neutral sums in the cones, without other leptons of the event."""
    track, size = parameters.track, len(pt)
    is_prompt, is_heavy = truth.origin == PROMPT, truth.origin == HEAVY
    prompt_sum = np.where(
        rng.random(size) < track.isolated, 0.0, 1.0 + rng.exponential(track.cone_mean, size)
    )
    activity = rng.exponential(1.0, size) * pt  # of the jet around the lepton
    cone = np.where(is_heavy, track.heavy_cone, track.light_cone)
    track_iso = np.where(is_prompt, prompt_sum, cone * activity)
    pileup = rng.normal(0.0, 1.0, size) * response("calo_iso_width") + response("calo_iso_mean")
    calo = np.where(is_heavy, track.heavy_calo, track.light_calo) * rng.uniform(0.4, 1.6, size)
    jet = np.where(is_prompt, 0.0, calo * activity)
    neutral = 0.5 * (pileup + jet) + rng.normal(0.0, 0.5, size)
    return track_iso, pileup + jet, neutral


def _impact_parameters(
    rng: Generator, truth: Truth, parameters: Parameters
) -> tuple[Floats, Floats, Floats, Floats]:
    """sigma(d0), sigma(z0), d0 and z0 of the tracks."""
    track, size = parameters.track, len(truth.pt)
    sine = 1.0 / np.cosh(truth.eta)
    sigma_d0 = (track.d0_constant + track.d0_slope / truth.pt) * rng.uniform(0.8, 1.3, size)
    sigma_z0 = (track.z0_constant + track.z0_slope / truth.pt) / sine
    sigma_z0 = sigma_z0 * rng.uniform(0.8, 1.3, size)
    scale = np.where(rng.random(size) < track.tail, track.tail_scale, 1.0)
    mean = np.select(
        [truth.origin == PROMPT, truth.origin == HEAVY], [0.0, track.heavy_d0], track.light_d0
    )
    flight = rng.exponential(1.0, size) * mean * rng.choice([-1.0, 1.0], size)
    beam = rng.normal(0.0, parameters.event.beam_width, size)
    d0 = flight + beam + rng.normal(0.0, 1.0, size) * sigma_d0 * scale
    z0 = flight / sine + rng.normal(0.0, 1.0, size) * sigma_z0 * scale
    return sigma_d0, sigma_z0, d0, z0


def _wrapped(phi: Floats) -> Floats:
    """Azimuth between -pi and pi."""
    wrapped: Floats = np.remainder(phi + np.pi, 2.0 * np.pi) - np.pi
    return wrapped


def cone_sums(leptons: Leptons, n_events: int) -> Floats:
    """Track pT of an event's other leptons within the variable cone of each lepton.

    The cone is ``min(0.3, 10 GeV / pT)``; what is in it belongs to ``track_iso`` as a
    file states it, before the selection takes the quadruplet's leptons out again.

    Returns
    -------
    (n_leptons,) float64
    """
    counts = leptons.counts(n_events)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    total = np.zeros(len(leptons))
    cone = np.minimum(0.3, 10.0 / leptons.pt)
    for step in range(int(np.max(counts, initial=0))):
        other = first + step
        valid = (step < np.repeat(counts, counts)) & (other != np.arange(len(leptons)))
        other = np.where(valid, other, 0)
        near = np.hypot(
            leptons.eta - leptons.track_eta[other],
            _wrapped(leptons.phi - leptons.track_phi[other]),
        )
        total += np.where(valid & (near < cone), leptons.track_pt[other], 0.0)
    return total


def sorted_within(event: Ints, key: npt.NDArray[Any]) -> Ints:
    """Order that sorts by ``key`` within each event."""
    return np.lexsort((key, event))
