"""Leptons in flat columns."""

import awkward as ak
import numpy as np

from fourlep.events import Cut
from fourlep.physics.leptons import Collection, Leptons
from hand_made import Electron, Muon, events_of


def _collections(*events: list) -> tuple[Collection, Collection]:
    made = events_of(*events)
    return Collection.of(made.electrons), Collection.of(made.muons)


def test_flat_leptons_know_their_event_and_place() -> None:
    electrons, _ = _collections([Electron(10.0), Electron(20.0)], [], [Electron(30.0)])
    assert electrons.event.tolist() == [0, 0, 2]
    assert electrons.index.tolist() == [0, 1, 0]
    assert electrons.columns["pt"].tolist() == [10.0, 20.0, 30.0]
    assert electrons.per_event().tolist() == [2, 0, 1]


def test_leptons_stand_by_event_and_falling_pt() -> None:
    leptons = Leptons.merged(*_collections([Muon(20.0), Electron(10.0), Electron(30.0)], [Muon(5)]))
    assert leptons["pt"].tolist() == [30.0, 20.0, 10.0, 5.0]
    assert leptons.is_muon.tolist() == [False, True, False, True]
    assert leptons.event.tolist() == [0, 0, 0, 1]
    assert leptons.index.tolist() == [1, 0, 0, 0]


def test_equal_pt_is_decided_by_direction_and_not_by_order() -> None:
    one, other = Electron(10.0, eta=1.0), Electron(10.0, eta=-1.0)
    for order in ([one, other], [other, one]):
        assert Leptons.merged(*_collections(order))["eta"].tolist() == [-1.0, 1.0]


def test_a_flavour_without_a_column_gets_the_default() -> None:
    made = events_of([Electron(10.0, d0=0.5), Muon(20.0)], without=("muon.d0",))
    collections = Collection.of(made.electrons), Collection.of(made.muons)
    assert Leptons.merged(*collections, {"d0": -1.0})["d0"].tolist() == [-1.0, 0.5]


def test_a_cut_on_an_absent_column_is_passed() -> None:
    electrons, _ = _collections([Electron(10.0), Electron(20.0)])
    cuts = (Cut("electron.pt", "gt", 15.0), Cut("electron.is_tight", "is_true"))
    assert electrons.passing(cuts).columns["pt"].tolist() == [20.0]


def test_integers_and_masks_are_summed_by_event() -> None:
    leptons = Leptons.merged(*_collections([Electron(1.0, charge=-1), Muon(1.0)], [], [Muon(1.0)]))
    assert leptons.per_event(leptons["charge"]).tolist() == [0, 0, 1]
    assert leptons.per_event(leptons.is_muon).tolist() == [1, 0, 1]


def test_a_collection_without_columns_has_no_leptons() -> None:
    nothing = ak.contents.ListOffsetArray(
        ak.index.Index64(np.zeros(3, dtype=np.int64)), ak.contents.RecordArray([], [], length=0)
    )
    assert Collection.of(ak.Array(nothing)).per_event().tolist() == [0, 0]
