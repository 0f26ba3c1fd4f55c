"""How a column finds its branches."""

from __future__ import annotations

from fourlep.events import COLUMNS
from fourlep.io.branches import FORMATS, NTUPLE2020, TTREE, Rule


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


def test_the_usual_name_makes_up_for_a_few_markers_and_not_for_most() -> None:
    markers = {"runNumber", "channelNumber", "lep_type", "lep_trackd0pvunbiased"}
    for lacking in markers:
        assert not NTUPLE2020.matches(markers - {lacking})
        assert NTUPLE2020.resembles("mini", markers - {lacking})
    assert not NTUPLE2020.resembles("analysis", markers - {"lep_type"})
    assert not NTUPLE2020.resembles("mini", {"runNumber", "channelNumber"})
