"""Pairs and quadruplets."""

import math

import numpy as np
import pytest
from hypothesis import given

from fourlep.errors import CorruptFileError
from fourlep.physics.leptons import Collection, Leptons
from fourlep.physics.pairing import MAX_LEPTONS, quadruplets, sfos_pairs, twos
from hand_made import RANDOM_EVENT, Electron, Muon, events_of, pair, reference


def _leptons(*events: list) -> Leptons:
    made = events_of(*events)
    return Leptons.merged(Collection.of(made.electrons), Collection.of(made.muons))


def _quadruplets(*events: list):
    leptons = _leptons(*events)
    return quadruplets(leptons, leptons.momenta())


def test_twos_are_within_events() -> None:
    first, second = twos(np.array([0, 0, 1, 3, 3, 3]), 4)
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == [
        (0, 1),
        (3, 4),
        (3, 5),
        (4, 5),
    ]


def test_pairs_are_of_one_flavour_and_opposite_charge() -> None:
    leptons = _leptons(
        [Electron(40.0, charge=1), Electron(30.0, charge=1), Electron(20.0, charge=-1)]
    )
    assert sfos_pairs(leptons).tolist() == [[0, 2], [1, 2]]
    assert len(sfos_pairs(_leptons([Electron(40.0, charge=1), Muon(30.0, charge=-1)]))) == 0


def test_four_of_a_kind_make_two_quadruplets() -> None:
    assert len(_quadruplets(reference())) == 2


def test_two_of_each_make_one_quadruplet() -> None:
    found = _quadruplets(reference(Electron, Muon))
    assert len(found) == 1
    assert found.m12[0] == pytest.approx(91.188)
    assert found.m34[0] == pytest.approx(30.0)
    assert found.m4l[0] == pytest.approx(121.188)


def test_the_pair_nearest_to_the_z_is_z1_whatever_its_pt() -> None:
    soft_z = [Electron(45.594, 0.0, 1), Electron(45.594, math.pi, -1)]
    found = _quadruplets([*soft_z, *pair(Muon, 100.0, 1.0)])
    assert found.m12[0] == pytest.approx(91.188)
    assert found.m34[0] == pytest.approx(200.0)


def test_same_sign_pairs_make_no_quadruplet() -> None:
    leptons = [
        Electron(40.0, charge=1),
        Electron(30.0, charge=1),
        Muon(20.0, charge=-1),
        Muon(10.0, charge=-1),
    ]
    assert len(_quadruplets(leptons)) == 0


def test_six_leptons_make_every_quadruplet() -> None:
    # Three positive and three negative electrons: nine pairs, 18 ways to take two disjoint ones.
    assert len(_quadruplets([*reference(), *pair(Electron, 8.0, 0.3)])) == 18


def test_events_do_not_mix() -> None:
    found = _quadruplets(reference(Electron)[:2], reference(Electron)[2:], reference(Muon))
    assert found.event.tolist() == [2, 2]


@given(RANDOM_EVENT)
def test_a_quadruplet_is_two_disjoint_pairs(event: list) -> None:
    leptons = _leptons(event)
    found = quadruplets(leptons, leptons.momenta())
    for z1, z2, four in zip(found.z1, found.z2, found.lepton, strict=True):
        assert sorted({*z1.tolist(), *z2.tolist()}) == four.tolist()
        for first, second in (z1, z2):
            assert leptons.is_muon[first] == leptons.is_muon[second]
            assert leptons["charge"][first] == -leptons["charge"][second]


@given(RANDOM_EVENT)
def test_z1_is_never_farther_from_the_z_than_z2(event: list) -> None:
    found = _quadruplets(event)
    assert np.all(np.abs(found.m12 - 91.188) <= np.abs(found.m34 - 91.188))


def test_more_leptons_than_a_collision_gives_are_refused() -> None:
    with pytest.raises(CorruptFileError, match="selected leptons; at most 20"):
        sfos_pairs(_leptons([Electron(10.0)] * (MAX_LEPTONS + 1)))
