"""The detector's response against what was asked of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from fourlep.synth import detector
from fourlep.synth.detector import Leptons, cone_sums, reconstruct
from fourlep.synth.parameters import parameters
from fourlep.synth.truth import HEAVY, PROMPT, Truth

VALUES = parameters()
LEVEL = 1e-3
SIZE = 20_000


def rng(seed: int = 5) -> np.random.Generator:
    return np.random.default_rng(seed)


def leptons_of(is_muon: bool, *, pt: float = 40.0, eta: float = 0.5, origin: int = PROMPT) -> Truth:
    """One lepton an event."""
    nowhere = np.full(SIZE, np.nan)
    return Truth(
        n_events=SIZE,
        event=np.arange(SIZE),
        pt=np.full(SIZE, pt),
        eta=np.full(SIZE, eta),
        phi=np.zeros(SIZE),
        is_muon=np.full(SIZE, is_muon),
        charge=np.ones(SIZE, dtype=np.int64),
        origin=np.full(SIZE, origin),
        m4l=nowhere,
        m12=nowhere,
        m34=nowhere,
    )


@pytest.mark.parametrize("is_muon", [False, True])
@pytest.mark.parametrize("pt", [10.0, 40.0])
def test_prompt_leptons_are_seen_with_the_stated_efficiency(is_muon: bool, pt: float) -> None:
    flavour = VALUES.muon if is_muon else VALUES.electron
    still = replace(flavour, stochastic=0.0, noise=0.0, constant=0.0, radiative_tail=0.0)
    values = replace(VALUES, muon=still, electron=still)
    seen = reconstruct(rng(), leptons_of(is_muon, pt=pt), values)
    expected = flavour.plateau - flavour.drop * np.exp(-(pt - flavour.pt_min) / flavour.scale)
    assert stats.binomtest(len(seen), SIZE, expected).pvalue > LEVEL


@pytest.mark.parametrize(("is_muon", "edge"), [(False, 2.47), (True, 2.7)])
def test_nothing_is_seen_beyond_the_acceptance(is_muon: bool, edge: float) -> None:
    assert len(reconstruct(rng(), leptons_of(is_muon, eta=edge + 0.01), VALUES)) == 0
    assert len(reconstruct(rng(), leptons_of(is_muon, eta=edge - 0.01), VALUES)) > 0


@pytest.mark.parametrize("is_muon", [False, True])
def test_the_measured_energy_has_the_stated_resolution(is_muon: bool) -> None:
    flavour = VALUES.muon if is_muon else VALUES.electron
    straight = replace(flavour, radiative_tail=0.0)
    values = replace(VALUES, muon=straight, electron=straight)
    seen = reconstruct(rng(), leptons_of(is_muon), values)
    energy = 40.0 * np.cosh(0.5)
    width = np.sqrt(
        flavour.stochastic**2 / energy + (flavour.noise / energy) ** 2 + flavour.constant**2
    )
    pull = (seen.pt / 40.0 - 1.0) / width
    assert stats.kstest(pull[np.abs(pull) < 3.9], stats.norm.cdf).pvalue > LEVEL


def test_prompt_impact_parameters_have_unit_pulls_but_for_the_tail() -> None:
    track = replace(VALUES.track, tail=0.0)
    seen = reconstruct(rng(), leptons_of(True), replace(VALUES, track=track))
    pull = seen.d0 / np.hypot(seen.d0_sigma, VALUES.event.beam_width)
    assert stats.kstest(pull, stats.norm.cdf).pvalue > LEVEL
    assert stats.kstest(seen.z0 / seen.z0_sigma, stats.norm.cdf).pvalue > LEVEL


def test_leptons_of_heavy_flavour_are_displaced_and_not_isolated() -> None:
    prompt = reconstruct(rng(), leptons_of(True), VALUES)
    heavy = reconstruct(rng(), leptons_of(True, origin=HEAVY), VALUES)
    assert np.mean(np.abs(heavy.d0) > 3.0 * heavy.d0_sigma) > 5 * np.mean(
        np.abs(prompt.d0) > 3.0 * prompt.d0_sigma
    )
    assert np.mean(prompt.track_iso < 0.15 * prompt.pt) > 0.95
    assert np.mean(heavy.track_iso < 0.15 * heavy.pt) < 0.5
    assert np.mean(prompt.track_iso == 0.0) == pytest.approx(VALUES.track.isolated, abs=0.01)


def test_electrons_have_the_stated_identification() -> None:
    seen = reconstruct(rng(), leptons_of(False), VALUES)
    electron = VALUES.electron
    observed = np.bincount(seen.identification, minlength=4)[1:]
    medium, tight = electron.medium, electron.medium * electron.tight
    expected = len(seen) * np.array([1.0 - medium, medium - tight, tight])
    assert stats.chisquare(observed, expected).pvalue > LEVEL


def test_forward_muons_stand_alone_and_central_ones_are_tagged_by_the_calorimeter() -> None:
    forward = reconstruct(rng(), leptons_of(True, eta=2.6), VALUES)
    central = reconstruct(rng(), leptons_of(True, eta=0.05), VALUES)
    assert np.all(forward.muon_type == detector.STAND_ALONE)
    assert np.mean(central.muon_type == detector.CALO_TAGGED) == pytest.approx(0.6, abs=0.02)


def test_leptons_stand_by_event_and_falling_pt() -> None:
    event = np.repeat(np.arange(SIZE // 4), 4)
    spread = replace(leptons_of(True), event=event, pt=rng().uniform(10.0, 90.0, SIZE))
    seen = reconstruct(rng(), spread, VALUES)
    same = seen.event[1:] == seen.event[:-1]
    assert np.all(np.diff(seen.event) >= 0)
    assert np.all(seen.pt[1:][same] <= seen.pt[:-1][same])


def near_pair(distance: float) -> Leptons:
    """Two leptons of one event, 50 and 20 GeV, apart in azimuth."""
    seen = reconstruct(rng(), leptons_of(True), VALUES)[np.array([0, 1])]
    flat = np.array([0.0, 0.0])
    phi = np.array([3.1, 3.1 + distance])
    return replace(
        seen,
        event=np.array([0, 0]),
        pt=np.array([50.0, 20.0]),
        track_pt=np.array([51.0, 19.0]),
        eta=flat,
        track_eta=flat,
        phi=phi,
        track_phi=phi,
    )


def test_the_cone_of_track_isolation_shrinks_with_pt() -> None:
    # Cones: 10/50 = 0.2 and min(0.3, 10/20) = 0.3; the pair is 0.25 apart, across pi.
    assert cone_sums(near_pair(0.25), 1).tolist() == [0.0, 51.0]
    assert cone_sums(near_pair(0.15), 1).tolist() == [19.0, 51.0]
    assert cone_sums(near_pair(0.35), 1).tolist() == [0.0, 0.0]


def test_leptons_of_other_events_are_not_in_the_cone() -> None:
    apart = replace(near_pair(0.1), event=np.array([0, 1]))
    assert cone_sums(apart, 2).tolist() == [0.0, 0.0]
