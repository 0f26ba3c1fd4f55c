"""The counting requirement."""

import math

import awkward as ak
import numpy as np
import pytest

from fourlep.events import Cascade, Cut
from hand_made import Electron, Muon, events_of, pair

_CASCADE = Cascade(
    electron=(Cut("electron.is_loose", "is_true"), Cut("electron.pt", "gt", 7.0)),
    muon=(Cut("muon.quality", "le", 2), Cut("muon.pt", "gt", 5.0)),
    minimum=((4, 0), (0, 4), (2, 2)),
)


@pytest.mark.parametrize(
    ("operator", "kept"),
    [
        ("gt", [False, False, True]),
        ("ge", [False, True, True]),
        ("lt", [True, False, False]),
        ("le", [True, True, False]),
        ("eq", [False, True, False]),
        ("abs_lt", [False, False, False]),
        ("abs_le", [False, True, False]),
        ("is_true", [True, True, True]),
    ],
)
def test_a_cut_keeps_what_its_operator_says(operator: str, kept: list[bool]) -> None:
    cut = Cut("electron.eta", operator, 2.0)  # type: ignore[arg-type]  # parametrised
    assert np.asarray(cut.passes(np.array([-3.0, 2.0, 2.5]))).tolist() == kept


@pytest.mark.parametrize("operator", ["gt", "ge", "lt", "le", "eq", "abs_lt", "abs_le"])
def test_nan_passes_no_comparison(operator: str) -> None:
    cut = Cut("electron.eta", operator, 2.0)  # type: ignore[arg-type]  # parametrised
    assert not ak.any(cut.passes(ak.Array([math.nan])))


def test_any_of_the_minima_keeps_an_event() -> None:
    events = events_of(
        [*pair(Electron, 20.0), *pair(Electron, 20.0)],
        [*pair(Muon, 20.0), *pair(Muon, 20.0)],
        [*pair(Electron, 20.0), *pair(Muon, 20.0)],
        [*pair(Electron, 20.0), Electron(20.0), Muon(20.0)],
        [],
    )
    assert _CASCADE.keeps(events).tolist() == [True, True, True, False, False]


def test_only_leptons_that_pass_every_cut_count() -> None:
    events = events_of(
        [*pair(Electron, 20.0), *pair(Muon, 5.0)],
        [*pair(Electron, 20.0, is_loose=False), *pair(Muon, 20.0)],
        [*pair(Electron, 20.0), *pair(Muon, 20.0, quality=3)],
    )
    assert _CASCADE.keeps(events).tolist() == [False, False, False]


def test_a_cut_on_an_absent_column_is_passed() -> None:
    leptons = [*pair(Electron, 20.0, is_loose=False), *pair(Muon, 20.0)]
    assert _CASCADE.keeps(events_of(leptons, without=("electron.is_loose",))).tolist() == [True]


def test_columns_stand_in_the_order_of_the_cuts() -> None:
    assert _CASCADE.columns == ("electron.is_loose", "electron.pt", "muon.quality", "muon.pt")


def test_loosening_lowers_thresholds_of_pt_alone() -> None:
    loose = _CASCADE.loosened(0.1)
    assert loose.electron[1].value == pytest.approx(6.3)
    assert loose.muon[0] == _CASCADE.muon[0]
    events = events_of([*pair(Electron, 6.5), *pair(Muon, 20.0)])
    assert loose.keeps(events).tolist() == [True]
    assert _CASCADE.keeps(events).tolist() == [False]
