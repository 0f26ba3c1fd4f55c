"""Trigger chains and their matched leptons, by hand."""

from __future__ import annotations

import awkward as ak

from fourlep.io.branches.triggers import LEPTON_CHAINS, fired, matched
from fourlep.io.tracks import ELECTRONS_KEY, MUONS_KEY


def _chain(*events: list[list[tuple[int, int]]]) -> ak.Array:
    """Links of one chain: events of combinations of (key, index)."""
    some = ak.Array([[[{"m_persKey": 0, "m_persIndex": 0}]]])
    nested = [
        [[{"m_persKey": k, "m_persIndex": i} for k, i in objects] for objects in event]
        for event in events
    ]
    return ak.concatenate([some, ak.Array(nested)])[1:]


def test_a_chain_fired_where_it_has_a_combination() -> None:
    chain = _chain([], [[(ELECTRONS_KEY, 0)]])
    assert fired(chain).tolist() == [False, True]


def test_one_of_several_chains_is_enough() -> None:
    first = _chain([], [[(ELECTRONS_KEY, 0)]], [])
    second = _chain([[(MUONS_KEY, 0)]], [], [])
    assert fired(first, second).tolist() == [True, True, False]


def test_every_object_of_a_combination_is_matched() -> None:
    chain = _chain([[(ELECTRONS_KEY, 2), (ELECTRONS_KEY, 0)]], [])
    flags = matched(ELECTRONS_KEY)(ak.Array([[9.0, 8.0, 7.0], [6.0]]), chain)
    assert flags.tolist() == [[True, False, True], [False]]


def test_the_objects_of_all_combinations_and_chains_are_matched() -> None:
    first = _chain([[(ELECTRONS_KEY, 0)], [(ELECTRONS_KEY, 1)]])
    second = _chain([[(ELECTRONS_KEY, 2)]])
    flags = matched(ELECTRONS_KEY)(ak.Array([[9.0, 8.0, 7.0, 6.0]]), first, second)
    assert flags.tolist() == [[True, True, True, False]]


def test_an_electron_muon_chain_matches_each_in_its_own_collection() -> None:
    chain = _chain([[(ELECTRONS_KEY, 1), (MUONS_KEY, 0)]])
    leptons = ak.Array([[9.0, 8.0]])
    assert matched(ELECTRONS_KEY)(leptons, chain).tolist() == [[False, True]]
    assert matched(MUONS_KEY)(leptons, chain).tolist() == [[True, False]]


def test_a_link_beyond_the_leptons_of_its_event_matches_nothing() -> None:
    chain = _chain([[(ELECTRONS_KEY, 1)]], [])
    flags = matched(ELECTRONS_KEY)(ak.Array([[9.0], [8.0]]), chain)
    assert flags.tolist() == [[False], [False]]


def test_no_chain_is_listed_twice() -> None:
    assert len(set(LEPTON_CHAINS)) == len(LEPTON_CHAINS)
