"""The SciPy 2024 selection, requirement by requirement."""

import math

import numpy as np
import pytest

from fourlep.physics.scipy2024 import Scipy2024, Scipy2024Config
from hand_made import Electron, Muon, changed, events_of, pair

SELECTION = Scipy2024()
FOUR = [*pair(Electron, 40.0), *pair(Electron, 21.0, math.pi / 2)]


def _rows(event: list, **options) -> dict[str, bool]:
    passed = SELECTION.select(events_of(event, **options)).passed[:, -1, 0].tolist()
    return dict(zip((r.name for r in SELECTION.requirements), passed, strict=True))


def test_four_electrons_of_zero_charge_are_kept() -> None:
    candidates = SELECTION.select(events_of(FOUR)).candidates
    assert len(candidates) == 1
    assert candidates.observables["m4l"][0] == pytest.approx(122.0)


@pytest.mark.parametrize(
    "change", [{"pt": 20.0}, {"eta": 2.47}, {"eta": -2.5}, {"is_loose": False}]
)
def test_an_electron_that_misses_a_cut_does_not_count(change: dict) -> None:
    assert not _rows(changed(FOUR, 3, **change))["counting"]


@pytest.mark.parametrize("change", [{"pt": 20.01}, {"eta": 2.46}])
def test_an_electron_just_inside_counts(change: dict) -> None:
    assert _rows(changed(FOUR, 3, **change))["charge"]


def test_a_fifth_electron_removes_the_event() -> None:
    rows = _rows([*FOUR, Electron(25.0, 1.0)])
    assert rows["counting"]
    assert not rows["four_electrons"]


def test_a_fifth_electron_that_misses_a_cut_does_not() -> None:
    assert _rows([*FOUR, Electron(19.0, 1.0)])["charge"]


def test_a_loose_muon_removes_the_event() -> None:
    rows = _rows([*FOUR, Muon(25.0, quality_word=2)])
    assert rows["four_electrons"]
    assert not rows["no_muon"]


@pytest.mark.parametrize(
    "change", [{"pt": 20.0}, {"eta": 2.7}, {"quality_word": 1}, {"quality_word": 3}]
)
def test_a_muon_that_misses_a_cut_does_not(change: dict) -> None:
    assert _rows([*FOUR, *changed([Muon(25.0)], 0, **change)])["charge"]


def test_a_loose_muon_with_a_flag_in_its_byte_does_not_as_in_the_notebook() -> None:
    assert _rows([*FOUR, Muon(25.0, quality=2, quality_word=10)])["charge"]


@pytest.mark.parametrize(("quality", "is_kept"), [(1, True), (2, False), (3, True)])
def test_without_the_byte_the_quality_decides(quality: int, is_kept: bool) -> None:
    muon = Muon(25.0, quality=quality, quality_word=2)
    assert _rows([*FOUR, muon], without=("muon.quality_word",))["no_muon"] == is_kept


def test_a_charge_sum_removes_the_event() -> None:
    rows = _rows(changed(FOUR, 0, charge=-1))
    assert rows["no_muon"]
    assert not rows["charge"]


def test_thresholds_can_be_set() -> None:
    selection = Scipy2024(Scipy2024Config(electron_pt_min=30.0))
    assert not selection.select(events_of(FOUR)).passed[0, -1, 0]


def test_it_has_no_variations_of_its_own() -> None:
    candidates = SELECTION.select(events_of(FOUR)).candidates
    assert SELECTION.variations == ()
    with pytest.raises(KeyError):
        SELECTION.vary(candidates, "any")


def test_the_mass_has_100_bins_from_100_to_150() -> None:
    m4l = SELECTION.histograms[0]
    assert np.diff(m4l.edges) == pytest.approx(0.5)
    assert (m4l.n_bins, m4l.edges[0], m4l.edges[-1]) == (100, 100.0, 150.0)
