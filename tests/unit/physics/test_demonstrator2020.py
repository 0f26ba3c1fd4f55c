"""The 2020 demonstrator, requirement by requirement."""

import numpy as np
import pytest

from fourlep.physics.demonstrator2020 import Demonstrator2020, DemonstratorConfig
from hand_made import Electron, Muon, changed, events_of, pair, reference

SELECTION = Demonstrator2020()


def _rows(*events: list, **options) -> dict[str, list[bool]]:
    """Events left after each requirement, in total."""
    passed = SELECTION.select(events_of(*events, **options)).passed[:, -1].tolist()
    names = (requirement.name for requirement in SELECTION.requirements)
    return dict(zip(names, passed, strict=True))


@pytest.mark.parametrize(
    ("event", "channel", "m4l"),
    [
        (reference(Electron), "4e", 121.188),
        (reference(Muon), "4mu", 121.188),
        (reference(Electron, Muon), "2e2mu", 121.188),
        (reference(Muon, Electron), "2e2mu", 121.188),
    ],
)
def test_four_leptons_of_zero_charge_are_kept(event: list, channel: str, m4l: float) -> None:
    candidates = SELECTION.select(events_of(event)).candidates
    assert SELECTION.channels[candidates.channel[0]] == channel
    assert candidates.observables["m4l"][0] == pytest.approx(m4l)


def test_fewer_than_four_leptons_are_not_counted() -> None:
    assert not _rows(reference()[:3])["counting"][0]


def test_a_fifth_lepton_removes_the_event() -> None:
    rows = _rows([*reference(), Muon(10.0)])
    assert rows["counting"][0]
    assert not rows["four_leptons"][0]


def test_a_charge_sum_removes_the_event() -> None:
    rows = _rows(changed(reference(), 0, charge=-1))
    assert rows["four_leptons"][0]
    assert not rows["charge"][0]


def test_three_of_one_flavour_are_removed_by_the_type_sum() -> None:
    rows = _rows([*pair(Electron, 40.0), Electron(20.0, charge=1), Muon(20.0, charge=-1)])
    assert rows["charge"][0]
    assert not rows["type"][0]


def test_two_positrons_with_two_negative_muons_are_kept_as_there() -> None:
    event = [
        Electron(40.0, 0.0, 1),
        Electron(30.0, 2.0, 1),
        Muon(20.0, 3.0, -1),
        Muon(20.0, 1.0, -1),
    ]
    assert _rows(event)["type"][0]


def test_leptons_are_listed_by_falling_pt_with_their_place() -> None:
    event = [
        Electron(15.0, 1.0, 1),
        Muon(40.0, 2.0, 1),
        Muon(45.0, 0.5, -1),
        Electron(30.0, 3.0, -1),
    ]
    candidates = SELECTION.select(events_of(event)).candidates
    assert candidates.observables["lepton_pt"][0].tolist() == [45.0, 40.0, 30.0, 15.0]
    assert candidates.lepton_is_muon[0].tolist() == [True, True, False, False]
    assert candidates.lepton_index[0].tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize(
    ("variation", "factor", "scale"),
    [
        ("scaleFactorUP", 1.1, 1.0),
        ("scaleFactorDOWN", 0.9, 1.0),
        ("m4lUP", 1.0, 1.01),
        ("m4lDOWN", 1.0, 0.99),
    ],
)
def test_the_four_variations_scale_weight_or_mass(
    variation: str, factor: float, scale: float
) -> None:
    candidates = SELECTION.select(events_of(reference())).candidates
    varied = SELECTION.vary(candidates, variation)
    assert variation in SELECTION.variations
    assert varied.factor == pytest.approx(factor)
    assert varied.candidates.observables["m4l"][0] == pytest.approx(121.188 * scale)
    assert np.array_equal(
        varied.candidates.observables["lepton_pt"], candidates.observables["lepton_pt"]
    )


def test_an_unknown_variation_is_an_error() -> None:
    candidates = SELECTION.select(events_of(reference())).candidates
    with pytest.raises(KeyError):
        SELECTION.vary(candidates, "other")


def test_the_sizes_of_variations_can_be_set() -> None:
    selection = Demonstrator2020(DemonstratorConfig(m4l_variation=0.5))
    candidates = selection.select(events_of(reference())).candidates
    varied = selection.vary(candidates, "m4lUP").candidates
    assert varied.observables["m4l"][0] == pytest.approx(121.188 * 1.5)


def test_the_mass_has_34_bins_of_5_gev_from_80_to_250() -> None:
    m4l = SELECTION.histograms[0]
    assert (m4l.observable, m4l.edges[0], m4l.edges[-1]) == ("m4l", 80.0, 250.0)
    assert np.diff(m4l.edges).tolist() == [5.0] * 34
