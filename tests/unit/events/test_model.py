"""Columns and events."""

import numpy as np
import pytest

from fourlep.events import COLUMNS, Column, is_trigger_column, trigger_column
from hand_made import Electron, Muon, events_of, reference


def test_a_column_knows_its_collection_and_field() -> None:
    column = COLUMNS["electron.d0_significance"]
    assert (column.collection, column.field) == ("electron", "d0_significance")


@pytest.mark.parametrize("column", COLUMNS.values(), ids=lambda column: column.name)
def test_every_column_is_documented_and_typed(column: Column) -> None:
    assert column.meaning
    assert np.dtype(column.dtype)
    assert column.unit in {"", "GeV", "mm", "rad"}


def test_a_trigger_column_is_told_from_others() -> None:
    assert is_trigger_column(trigger_column("HLT_2mu14"))
    assert not is_trigger_column("event.is_triggered")


def test_taking_events_takes_every_column() -> None:
    events = events_of([], reference(Electron), reference(Muon), generator_weight=[1.0, 2.0, 3.0])
    taken = events[np.array([False, True, True])]
    assert taken.entry.tolist() == [1, 2]
    assert taken.event["generator_weight"].tolist() == [2.0, 3.0]
    assert [len(leptons) for leptons in taken.electrons] == [4, 0]
    assert [len(leptons) for leptons in taken.muons] == [0, 4]


def test_events_know_which_columns_they_have() -> None:
    events = events_of(reference(), without=("electron.d0",))
    assert events.has("electron.pt")
    assert events.has("event.run")
    assert not events.has("electron.d0")
    assert not events.has("trigger.HLT_2mu14")
