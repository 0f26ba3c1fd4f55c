"""Isolation with the quadruplet's own leptons removed."""

import math

import numpy as np
import pytest

from fourlep.physics.isolation import calo_isolation, track_isolation
from fourlep.physics.leptons import Collection, Leptons
from fourlep.physics.pairing import quadruplets
from hand_made import HALF_Z, Electron, Muon, events_of

_DEFAULTS = dict.fromkeys(
    ("track_iso", "track_cone", "calo_iso", "track_pt", "track_eta", "track_phi"), 0.0
)


def _isolations(event: list, *, tracks: dict[str, list[float]] | None = None):
    """Track and calorimeter isolation of the first quadruplet, by falling pT."""
    made = events_of(event)
    leptons = Leptons.merged(Collection.of(made.electrons), Collection.of(made.muons), _DEFAULTS)
    own = {"track_pt": leptons["pt"], "track_eta": leptons["eta"], "track_phi": leptons["phi"]}
    given = {name: np.array(values) for name, values in (tracks or {}).items()}
    leptons = Leptons(
        leptons.n_events,
        leptons.event,
        leptons.index,
        leptons.is_muon,
        {**leptons.columns, **own, **given},
    )
    found = quadruplets(leptons, leptons.momenta())[:1]
    track = track_isolation(leptons, found)
    return track[0].tolist(), calo_isolation(leptons, found, cone=0.2)[0].tolist()


def _event(distance: float, *, near: type = Electron, pt: float = 20.0, **iso: float) -> list:
    """A lepton of ``pt`` with another of 10 GeV at ``distance`` from it."""
    return [
        Muon(60.0, math.pi, 1),
        Muon(50.0, 2.0, -1),
        near(pt, 0.0, 1, **iso),
        near(10.0, distance, -1),
    ]


def test_isolation_is_relative_to_pt() -> None:
    track, calo = _isolations(_event(1.0, track_iso=3.0, calo_iso=-1.0))
    assert track[2] == pytest.approx(0.15)
    assert calo[2] == pytest.approx(-0.05)


def test_a_near_lepton_of_the_quadruplet_is_taken_out() -> None:
    track, calo = _isolations(_event(0.15, track_iso=13.0, calo_iso=14.0))
    assert track[2] == pytest.approx(3.0 / 20.0)
    assert calo[2] == pytest.approx(4.0 / 20.0)


def test_a_lepton_outside_the_cone_is_not_taken_out() -> None:
    track, calo = _isolations(_event(0.35, track_iso=13.0, calo_iso=14.0))
    assert track[2] == pytest.approx(13.0 / 20.0)
    assert calo[2] == pytest.approx(14.0 / 20.0)


def test_the_track_cone_is_that_of_the_stored_sum() -> None:
    track, _ = _isolations(_event(0.15, pt=80.0, track_iso=13.0, track_cone=0.125))
    assert track[0] == pytest.approx(13.0 / 80.0)


def test_a_muon_is_not_taken_out_of_the_calorimeter() -> None:
    _, calo = _isolations(_event(0.15, near=Muon, calo_iso=14.0))
    assert calo[2] == pytest.approx(14.0 / 20.0)


def test_the_linked_track_counts_and_not_the_lepton() -> None:
    event = _event(0.15, track_iso=13.0)
    tracks = {"track_pt": [60.0, 50.0, 20.0, 4.0]}
    assert _isolations(event, tracks=tracks)[0][2] == pytest.approx(9.0 / 20.0)


def test_a_lepton_without_a_track_takes_nothing_out() -> None:
    event = _event(0.15, track_iso=13.0)
    tracks = {"track_pt": [60.0, 50.0, 20.0, math.nan], "track_phi": [3.14, 2.0, 0.0, math.nan]}
    assert _isolations(event, tracks=tracks)[0][2] == pytest.approx(13.0 / 20.0)


def test_track_isolation_is_not_below_zero() -> None:
    track, _ = _isolations(_event(0.15, track_iso=2.0))
    assert track[2] == 0.0


def test_a_lepton_does_not_take_itself_out() -> None:
    track, _ = _isolations(_event(1.0, track_iso=HALF_Z))
    assert track[2] == pytest.approx(HALF_Z / 20.0)
