"""How a column finds its branches."""

from __future__ import annotations

import awkward as ak
import pytest

from fourlep.events import COLUMNS
from fourlep.io.branches import FORMATS, NTUPLE2020, NTUPLE2025, TTREE, Format, Rule

_ISOLATED, _PT = "AnalysisElectronsAuxDyn.ptvarcone", "AnalysisElectronsAuxDyn.pt"


def test_the_first_name_that_the_file_has_is_taken() -> None:
    rule = Rule("", (("new", "old"),))
    source = rule.resolve({"old", "new"})
    assert source is not None
    assert source.branches == ("new",)
    older = rule.resolve({"old"})
    assert older is not None
    assert older.branches == ("old",)


def test_a_rule_needs_every_branch() -> None:
    assert Rule("", (("a",), ("b",))).resolve({"a"}) is None


def test_of_some_branches_those_that_are_there_follow_in_order() -> None:
    source = Rule("", (("a",),), some=("x", "y", "z")).resolve({"z", "a", "x"})
    assert source is not None
    assert source.branches == ("a", "x", "z")


def test_one_of_some_branches_must_be_there() -> None:
    assert Rule("", some=("x", "y")).resolve({"a"}) is None


def test_older_productions_are_found_under_their_names() -> None:
    names = {"EventInfoAux.runNumber", "AnalysisElectronsAuxDyn.ptvarcone30_TightTTVA_pt1000"}
    run = TTREE.source("event.run", names, is_simulation=True)
    isolation = TTREE.source("electron.track_iso", names, is_simulation=True)
    assert run is not None
    assert run.branches == ("EventInfoAux.runNumber",)
    assert isolation is not None
    assert isolation.branches == ("AnalysisElectronsAuxDyn.ptvarcone30_TightTTVA_pt1000",)


@pytest.mark.parametrize(
    ("known", "branches", "expected"),
    [
        (NTUPLE2020, {"lep_type": [[11]], "lep_ptcone30": [[900.0]]}, 0.3),
        (NTUPLE2025, {"lep_type": [[11]], "lep_ptvarcone30": [[0.9]], "lep_pt": [[80.0]]}, 0.125),
        (NTUPLE2025, {"lep_type": [[11]], "lep_ptvarcone30": [[0.9]], "lep_pt": [[20.0]]}, 0.3),
        (TTREE, {f"{_ISOLATED}30_TightTTVA_pt1000": [[900.0]], _PT: [[80_000.0]]}, 0.125),
        (TTREE, {f"{_ISOLATED}20": [[900.0]], _PT: [[20_000.0]]}, 0.2),
    ],
)
def test_the_cone_is_that_of_the_isolation_sum(
    known: Format, branches: dict[str, list[list[float]]], expected: float
) -> None:
    source = known.source("electron.track_cone", set(branches), is_simulation=True)
    isolation = known.source("electron.track_iso", set(branches), is_simulation=True)
    assert source is not None
    assert source.derive is not None
    assert isolation is not None
    assert set(isolation.branches) <= set(source.branches)
    cone = source.derive(*(ak.Array(branches[name]) for name in source.branches))
    assert cone.to_list() == [[pytest.approx(expected)]]


def test_the_reason_names_every_branch_that_was_looked_for() -> None:
    reason = TTREE.reason("event.run", is_simulation=True)
    assert "EventInfoAuxDyn.runNumber or EventInfoAux.runNumber" in reason


def test_trigger_chains_in_the_file_are_columns() -> None:
    names = {"AnalysisTrigMatch_HLT_2mu14AuxDyn.TrigMatchedObjects"}
    assert TTREE.columns(names, is_simulation=False) >= {"trigger.HLT_2mu14", "event.is_triggered"}


def test_observed_data_counts_as_one_event_each() -> None:
    for known in FORMATS.values():
        for column in ("event.generator_weight", "event.scale_factor"):
            source = known.source(column, set(), is_simulation=False)
            assert source is not None, (known.name, column)
            assert source.constant == 1.0


def test_tables_hold_canonical_columns_only() -> None:
    for known in FORMATS.values():
        tables = (known.rules, known.simulation, known.data, known.absences)
        assert {column for table in tables for column in table} <= set(COLUMNS), known.name


def test_every_column_is_in_some_format() -> None:
    made = {
        column
        for known in FORMATS.values()
        for table in (known.rules, known.simulation, known.data)
        for column in table
    }
    assert made == set(COLUMNS)


def test_an_rntuple_has_the_columns_of_the_tree() -> None:
    assert FORMATS["physlite-rntuple"].rules.keys() == TTREE.rules.keys()


def test_without_the_event_type_a_dataset_identifier_means_simulation() -> None:
    names = {"EventInfoAuxDyn.mcChannelNumber"}
    first = next(source for rule in TTREE.simulated if (source := rule.resolve(names)))
    assert first.branches == ("EventInfoAuxDyn.mcChannelNumber",)


def test_without_both_several_generator_weights_mean_simulation() -> None:
    names = {"EventInfoAuxDyn.mcEventWeights"}
    first = next(source for rule in TTREE.simulated if (source := rule.resolve(names)))
    assert first.branches == ("EventInfoAuxDyn.mcEventWeights",)


def test_the_usual_name_makes_up_for_a_few_markers_and_not_for_most() -> None:
    markers = {"runNumber", "channelNumber", "lep_type", "lep_trackd0pvunbiased"}
    for lacking in markers:
        assert not NTUPLE2020.matches(markers - {lacking})
        assert NTUPLE2020.resembles("mini", markers - {lacking})
    assert not NTUPLE2020.resembles("analysis", markers - {"lep_type"})
    assert not NTUPLE2020.resembles("mini", {"runNumber", "channelNumber"})
