"""Trigger chains: what fires them, on which leptons."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from fourlep.synth.detector import STAND_ALONE, Leptons
from fourlep.synth.trigger import CHAINS, fire

E26, MU26, E17_MU14 = (
    "HLT_e26_lhtight_nod0_ivarloose",
    "HLT_mu26_ivarmedium",
    "HLT_e17_lhloose_nod0_mu14",
)


def leptons(event: list[int], is_muon: list[bool], pt: list[float]) -> Leptons:
    """Central leptons of the best identification."""
    size = len(event)
    plain = {name: np.zeros(size) for name in Leptons.__slots__}
    plain |= {
        "event": np.array(event),
        "is_muon": np.array(is_muon),
        "pt": np.array(pt),
        "identification": np.where(is_muon, 0, 3),
        "muon_type": np.zeros(size, dtype=np.int64),
        "eta": np.full(size, 1.5),
    }
    return Leptons(**plain)


def test_a_single_lepton_chain_has_a_combination_for_each_lepton() -> None:
    size = 2000
    found = leptons(list(range(size)), [False] * size, [40.0] * size)
    fired = fire(np.random.default_rng(1), found, size)[E26]
    assert fired.lepton.shape == (len(fired.event), 1)
    assert stats.binomtest(len(fired.event), size, CHAINS[E26][0].efficiency).pvalue > 1e-3
    assert np.array_equal(fired.lepton[:, 0], fired.event)


@pytest.mark.parametrize(
    "change",
    [
        {"pt": np.array([26.9, 26.9])},
        {"identification": np.array([2, 2])},
        {"is_muon": np.array([True, True])},
    ],
)
def test_leptons_below_threshold_or_identification_fire_nothing(change: dict[str, object]) -> None:
    pair = replace(leptons([0, 0], [False, False], [40.0, 40.0]), **change)
    assert len(fire(np.random.default_rng(1), pair, 1)[E26].event) == 0


def test_stand_alone_muons_fire_nothing() -> None:
    muons = leptons(list(range(50)), [True] * 50, [60.0] * 50)
    alone = replace(muons, muon_type=np.full(50, STAND_ALONE))
    assert len(fire(np.random.default_rng(1), alone, 50)[MU26].event) == 0


def test_a_chain_of_two_flavours_pairs_the_leading_electron_and_muon() -> None:
    size = 500
    event = np.repeat(np.arange(size), 3).tolist()
    found = leptons(event, [False, True, True] * size, [50.0, 40.0, 30.0] * size)
    fired = fire(np.random.default_rng(1), found, size)[E17_MU14]
    assert 0.6 * size < len(fired.event) < size
    assert not np.any(found.is_muon[fired.lepton[:, 0]])
    assert np.all(found.is_muon[fired.lepton[:, 1]])
    assert np.array_equal(found.event[fired.lepton[:, 0]], fired.event)
    assert np.array_equal(found.event[fired.lepton[:, 1]], fired.event)


def test_one_lepton_does_not_fire_a_chain_of_two() -> None:
    found = leptons([0], [False], [60.0])
    assert len(fire(np.random.default_rng(1), found, 1)["HLT_2e17_lhvloose_nod0"].event) == 0
