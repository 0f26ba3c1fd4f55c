"""Rejecting events by their kinematics: never one that the selection keeps."""

from dataclasses import replace

import awkward as ak
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fourlep.events import Events, PairCut
from fourlep.io import derive
from fourlep.io.branches import Source
from fourlep.io.lean.pairs import PairTest
from fourlep.io.lean.values import Values
from fourlep.physics.fourlepton import Fourlepton, FourleptonConfig
from fourlep.physics.fourlepton.config import QuadrupletConfig
from hand_made import HALF_Z, RANDOM_EVENT, Electron, Muon, changed, events_of, pair, reference

_FIELDS = ("pt", "eta", "phi", "mass", "charge")
_COLUMNS = (
    *(f"electron.{name}" for name in (*_FIELDS, "is_loose")),
    *(f"muon.{name}" for name in (*_FIELDS, "quality")),
)
SOURCES = {column: Source((column,), derive.unchanged) for column in _COLUMNS}


def _values(events: Events) -> dict[str, Values]:
    leptons = {"electron": events.electrons, "muon": events.muons}
    held = {}
    for column in _COLUMNS:
        flavour, _, name = column.partition(".")
        values = leptons[flavour][name]
        lengths = ak.to_numpy(ak.num(values)).astype(np.int64)
        held[column] = Values((lengths,), (ak.to_numpy(ak.flatten(values)),))
    return held


def _passes(selection: Fourlepton, *made: list, loosened: float = 0.0) -> list[bool]:
    events = events_of(*made)
    test = PairTest.plan(selection.cascade.loosened(loosened), SOURCES)
    assert test is not None
    return test.passes(_values(events), len(events)).tolist()


@pytest.mark.parametrize(
    ("event", "passes"),
    [
        (reference(Electron), True),
        (reference(Muon, Electron), True),
        ([Electron(50.0), *pair(Electron, 15.0, 1.5)], False),  # one lepton is left over
        (changed(reference(Muon), 0, charge=-1), False),
        ([*pair(Muon, HALF_Z), *pair(Electron, 5.9, 1.5)], False),  # below 7 GeV: not counted
        ([*pair(Muon, HALF_Z), *pair(Muon, 5.9, 1.5)], False),  # m34 is 11.8 GeV
        ([*pair(Muon, 24.0), *pair(Muon, 15.0, 1.5)], False),  # m12 is 48 GeV
        ([*pair(Muon, HALF_Z), *pair(Electron, 60.0, 1.5)], False),  # m34 is 120 GeV
        ([*pair(Muon, HALF_Z), *pair(Muon, 6.1, 1.5)], False),  # the third has 6.1 GeV
        ([*pair(Muon, HALF_Z), *pair(Muon, 10.1, 1.5)], True),
        ([*pair(Muon, HALF_Z), *pair(Muon, 80.0, 0.8), *pair(Muon, 15.0, 1.5)], True),
        ([], False),
    ],
)
def test_two_pairs_in_their_windows_pass(event: list, passes: bool) -> None:
    assert _passes(Fourlepton(), event) == [passes]


def test_events_are_decided_one_by_one() -> None:
    empty: list = []
    events = (empty, reference(Muon), empty, reference(Electron, Muon), pair(Muon, 30.0))
    assert _passes(Fourlepton(), *events) == [False, True, False, True, False]


def test_an_event_with_more_leptons_than_are_tried_is_not_rejected() -> None:
    crowd = [Muon(6.0, 0.3 * number, charge=1) for number in range(17)]
    assert _passes(Fourlepton(), crowd) == [True]
    assert _passes(Fourlepton(), crowd[:16]) == [False]


_QUADRUPLET = st.builds(
    lambda pt, m12, m34: QuadrupletConfig(
        pt_min=tuple(sorted(pt, reverse=True)),
        m12_min=m12,
        m12_max=m12 + 40.0,
        m34_min_low=m34,
        m34_max=m34 + 60.0,
    ),
    st.tuples(*(st.floats(0.0, 40.0) for _ in range(3))),
    st.floats(0.0, 80.0),
    st.floats(0.0, 50.0),
)


@settings(max_examples=100)
@given(quadruplet=_QUADRUPLET, events=st.lists(RANDOM_EVENT, max_size=6))
def test_what_a_selection_keeps_passes(quadruplet: QuadrupletConfig, events: list) -> None:
    selection = Fourlepton(FourleptonConfig(quadruplet=quadruplet))
    kept = selection.select(events_of(*events)).candidates.index
    assert np.asarray(_passes(selection, *events))[kept].all()


def test_a_lower_limit_of_m34_that_falls_with_m4l_rejects_nothing_that_is_kept() -> None:
    # m34 = 120 sin(0.25) = 29.7 GeV and m4l = 176 GeV, where the limit is 40 - 0.72 * 28 GeV.
    event = [*pair(Electron, HALF_Z), Muon(60.0, 1.2, 1), Muon(60.0, 1.7, -1)]
    falling = QuadrupletConfig(m34_min_low=40.0, m34_min_high=12.0)
    selection = Fourlepton(FourleptonConfig(quadruplet=falling))
    assert len(selection.select(events_of(event)).candidates.index) == 1
    assert _passes(selection, event) == [True]


@settings(max_examples=100)
@given(events=st.lists(RANDOM_EVENT, min_size=1, max_size=6), data=st.data())
def test_what_a_selection_keeps_of_varied_leptons_passes_loosened(events: list, data) -> None:
    factor = st.floats(0.9, 1.1)
    varied = [[replace(one, pt=one.pt * data.draw(factor)) for one in event] for event in events]
    kept = Fourlepton().select(events_of(*varied)).candidates.index
    assert np.asarray(_passes(Fourlepton(), *events, loosened=0.1))[kept].all()


def test_a_column_that_is_made_in_another_way_leaves_the_test_out() -> None:
    other = {**SOURCES, "muon.pt": Source(("muon.pt", "muon.eta"), derive.product)}
    assert PairTest.plan(Fourlepton().cascade, other) is None
    assert PairTest.plan(Fourlepton().cascade, {}) is None


def test_columns_of_different_lengths_reject_nothing() -> None:
    events = events_of(pair(Muon, 30.0))
    held = _values(events)
    held["muon.phi"] = Values((np.array([1]),), (np.array([0.0]),))
    test = PairTest.plan(Fourlepton().cascade, SOURCES)
    assert test is not None
    assert test.passes(held, 1).tolist() == [True]


def test_a_quadruplet_has_four_leptons() -> None:
    with pytest.raises(ValueError, match="four leptons"):
        PairCut((5.0,) * 5, (0.0, 1.0), (0.0, 1.0))
