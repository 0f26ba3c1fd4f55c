"""Thresholds and outputs of the full selection."""

import pytest

from fourlep.physics.fourlepton import Fourlepton, FourleptonConfig
from fourlep.physics.fourlepton.config import ElectronConfig, QuadrupletConfig, RegionConfig
from hand_made import events_of, reference

SELECTION = Fourlepton()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: QuadrupletConfig(m12_min=120.0), "no m12 is between"),
        (lambda: QuadrupletConfig(m34_rise_start=200.0), "must be below"),
        (lambda: QuadrupletConfig(pt_min=(10.0, 15.0, 20.0)), "must fall"),
        (lambda: RegionConfig(signal=(130.0, 115.0)), "no m4l is between"),
    ],
)
def test_thresholds_that_leave_nothing_are_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_another_identification_can_be_chosen() -> None:
    config = FourleptonConfig(electron=ElectronConfig(identification="is_tight"))
    selection = Fourlepton(config)
    assert "electron.is_tight" in selection.optional
    assert selection.cascade.electron[0].column == "electron.is_tight"


def test_it_has_no_variations_of_its_own() -> None:
    assert SELECTION.variations == ()
    with pytest.raises(KeyError):
        SELECTION.vary(SELECTION.select(events_of(reference())).candidates, "any")


def test_every_histogram_has_its_observable() -> None:
    observables = SELECTION.select(events_of(reference())).candidates.observables
    for spec in SELECTION.histograms:
        assert spec.bins(observables).shape[0] == 1
