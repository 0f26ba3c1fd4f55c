"""Cutflows."""

import numpy as np
import pytest

from fourlep.physics.cutflow import Cutflow, Requirement

_ROWS = (Requirement("four", "four leptons"), Requirement("charge", "charge sum 0"))
_CHANNELS = ("4e", "4mu")

#: Rows by columns (4e, 4mu, total) by three events.
_PASSED = np.array(
    [
        [[True, True, False], [False, True, True], [True, True, True]],
        [[True, False, False], [False, False, True], [True, False, True]],
    ]
)


def _flow(n_all: int = 10) -> Cutflow:
    return Cutflow.of(_ROWS, _CHANNELS, _PASSED, np.array([2.0, -0.5, 1.0]), n_all=n_all)


def test_events_are_counted_by_row_and_column() -> None:
    assert [row.counts for row in _flow().rows()] == [
        {"4e": 10, "4mu": 10, "total": 10},
        {"4e": 2, "4mu": 2, "total": 3},
        {"4e": 1, "4mu": 1, "total": 2},
    ]


def test_signed_weights_are_summed() -> None:
    assert [row.weighted for row in _flow().rows()] == [
        None,
        {"4e": 1.5, "4mu": 0.5, "total": 2.5},
        {"4e": 2.0, "4mu": 1.0, "total": 3.0},
    ]


def test_rows_carry_names_and_titles() -> None:
    assert [(row.name, row.title) for row in _flow().rows()][1:] == [
        ("four", "four leptons"),
        ("charge", "charge sum 0"),
    ]


def test_cutflows_of_parts_add_up_to_that_of_the_whole() -> None:
    weights = np.array([2.0, -0.5, 1.0])
    parts = [
        Cutflow.of(_ROWS, _CHANNELS, _PASSED[:, :, part], weights[part], n_all=5)
        for part in (slice(0, 1), slice(1, 3))
    ]
    assert parts[0] + parts[1] == _flow()


def test_an_empty_cutflow_is_neutral_but_for_its_entries() -> None:
    assert _flow(10) + Cutflow.empty(_ROWS, _CHANNELS, n_all=3) == _flow(13)


def test_weights_may_differ_by_row() -> None:
    flow = Cutflow.of(_ROWS, _CHANNELS, _PASSED, np.array([[1.0, 1.0, 1.0], [3.0, 3.0, 3.0]]))
    assert flow.rows()[2].weighted == {"4e": 3.0, "4mu": 3.0, "total": 6.0}


def test_cutflows_of_different_selections_cannot_be_added() -> None:
    with pytest.raises(ValueError, match="different selections"):
        _flow() + Cutflow.empty(_ROWS[:1], _CHANNELS)


def test_masks_must_have_a_row_for_each_requirement() -> None:
    with pytest.raises(ValueError, match="masks of shape"):
        Cutflow.of(_ROWS[:1], _CHANNELS, _PASSED, np.ones(3))


def test_a_cutflow_is_unequal_to_something_else() -> None:
    assert _flow() != "cutflow"
