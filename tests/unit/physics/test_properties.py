"""What must hold for every selection and every event."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fourlep.events import Events
from fourlep.physics.demonstrator2020 import Demonstrator2020
from fourlep.physics.fourlepton import Fourlepton, FourleptonConfig
from fourlep.physics.fourlepton.config import ElectronConfig, MuonConfig
from fourlep.physics.registry import CONFIGS, selection
from fourlep.physics.scipy2024 import Scipy2024, Scipy2024Config
from fourlep.physics.selection import Selected, Selection
from hand_made import RANDOM_EVENT, Electron, Lepton, Muon, events_of, reference

EVENTS = st.lists(RANDOM_EVENT, max_size=6)
few = settings(max_examples=20)
SELECTIONS = [selection(name) for name in CONFIGS]

by_name = pytest.mark.parametrize("chosen", SELECTIONS, ids=lambda chosen: chosen.name)


def _identical(one: Selected, other: Selected) -> bool:
    """Whether masks and candidates are the same to the last bit, but for lepton places."""
    a, b = one.candidates, other.candidates
    return (
        np.array_equal(one.passed, other.passed)
        and np.array_equal(a.index, b.index)
        and np.array_equal(a.channel, b.channel)
        and np.array_equal(a.in_region, b.in_region)
        and a.observables.keys() == b.observables.keys()
        and all(np.array_equal(a.observables[k], b.observables[k]) for k in a.observables)
    )


@by_name
@few
@given(events=EVENTS, data=st.data())
def test_permuting_leptons_changes_nothing(chosen: Selection, events: list, data) -> None:
    permuted = [data.draw(st.permutations(event)) for event in events]
    assert _identical(chosen.select(events_of(*events)), chosen.select(events_of(*permuted)))


@by_name
@few
@given(events=EVENTS, cut=st.integers(0, 6))
def test_selecting_parts_is_selecting_the_whole(chosen: Selection, events: list, cut: int) -> None:
    made = events_of(*events)
    whole = chosen.select(made)
    cut = min(cut, len(made))
    parts = [chosen.select(made[slice(0, cut)]), chosen.select(made[slice(cut, None)])]
    assert np.array_equal(np.concatenate([p.passed for p in parts], axis=2), whole.passed)
    for name, values in whole.candidates.observables.items():
        joined = np.concatenate([part.candidates.observables[name] for part in parts])
        assert np.array_equal(joined, values)


@by_name
@few
@given(events=EVENTS)
def test_the_first_requirement_is_the_cascade(chosen: Selection, events: list) -> None:
    made = events_of(*events)
    assert np.array_equal(chosen.select(made).passed[0, -1], chosen.cascade.keeps(made))


_CONFIGURED = st.one_of(
    st.builds(
        lambda e_pt, m_pt, e_eta, quality, identification: Fourlepton(
            FourleptonConfig(
                electron=ElectronConfig(identification=identification, pt_min=e_pt, eta_max=e_eta),
                muon=MuonConfig(pt_min=m_pt, quality_max=quality),
            )
        ),
        st.floats(0.0, 50.0),
        st.floats(0.0, 50.0),
        st.floats(0.5, 3.0),
        st.integers(0, 3),
        st.sampled_from(("is_loose", "is_tight")),
    ),
    st.builds(
        lambda pt, eta: Scipy2024(Scipy2024Config(electron_pt_min=pt, electron_eta_max=eta)),
        st.floats(0.0, 50.0),
        st.floats(0.5, 3.0),
    ),
    st.just(Demonstrator2020()),
)


@settings(max_examples=60)
@given(chosen=_CONFIGURED, events=EVENTS)
def test_the_cascade_never_rejects_what_the_selection_keeps(
    chosen: Selection, events: list
) -> None:
    made = events_of(*events)
    kept = made[chosen.cascade.keeps(made)]
    all_numbers = made.event["number"][chosen.select(made).candidates.index]
    kept_numbers = kept.event["number"][chosen.select(kept).candidates.index]
    assert np.array_equal(all_numbers, kept_numbers)


@by_name
@few
@given(events=EVENTS)
def test_each_requirement_only_removes(chosen: Selection, events: list) -> None:
    passed = chosen.select(events_of(*events)).passed
    assert not np.any(passed[1:] & ~passed[:-1])


@by_name
@few
@given(events=EVENTS)
def test_the_last_row_is_the_candidates_each_in_its_channel(
    chosen: Selection, events: list
) -> None:
    selected = chosen.select(events_of(*events))
    candidates = selected.candidates
    assert np.array_equal(np.flatnonzero(selected.passed[-1, -1]), candidates.index)
    in_channels = selected.passed[-1, :-1, candidates.index]
    assert np.array_equal(in_channels.sum(axis=1), np.ones(len(candidates)))
    assert np.array_equal(np.argmax(in_channels, axis=1), candidates.channel)


@by_name
@few
@given(events=EVENTS)
def test_the_total_is_whatever_is_in_any_channel(chosen: Selection, events: list) -> None:
    passed = chosen.select(events_of(*events)).passed
    assert np.all(passed[:, -1] | ~passed[:, :-1].any(axis=1))


@by_name
@few
@given(events=EVENTS, turn=st.floats(-3.0, 3.0))
def test_a_turn_about_the_beam_keeps_masses(chosen: Selection, events: list, turn: float) -> None:
    turned = [[replace(one, phi=one.phi + turn) for one in event] for event in events]
    there, here = chosen.select(events_of(*events)), chosen.select(events_of(*turned))
    both = np.intersect1d(there.candidates.index, here.candidates.index)
    # Rounding may move an event across a threshold, but not half of them.
    assert len(both) >= max(len(there.candidates), len(here.candidates)) - 1
    for selected in (there, here):
        assert np.all(np.isfinite(selected.candidates.observables["m4l"]))
    m4l = [
        selected.candidates.observables["m4l"][np.isin(selected.candidates.index, both)]
        for selected in (there, here)
    ]
    np.testing.assert_allclose(m4l[0], m4l[1], rtol=1e-6, atol=1e-4)


def _mirrored(event: list[Lepton]) -> list[Lepton]:
    """Electrons for muons and muons for electrons."""
    swap = {Electron: Muon, Muon: Electron}
    return [swap[type(one)](one.pt, one.phi, one.charge, one.eta) for one in event]


@given(kinds=st.sampled_from([(Electron, Electron), (Electron, Muon), (Muon, Muon)]))
def test_exchanging_flavours_exchanges_channels(kinds: tuple) -> None:
    chosen = Fourlepton()
    event = reference(*kinds)
    there = chosen.select(events_of(event)).candidates
    here = chosen.select(events_of(_mirrored(event))).candidates
    names = {"4e": "4mu", "4mu": "4e", "2e2mu": "2e2mu"}
    assert chosen.channels[here.channel[0]] == names[chosen.channels[there.channel[0]]]
    assert here.observables["m4l"][0] == there.observables["m4l"][0]


@by_name
def test_no_events_are_no_trouble(chosen: Selection) -> None:
    nothing: Events = events_of()
    selected = chosen.select(nothing)
    assert selected.passed.shape == (len(chosen.requirements), len(chosen.channels) + 1, 0)
    assert len(selected.candidates) == 0
