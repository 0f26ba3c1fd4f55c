"""Reading small files of known content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from fourlep.errors import ConfigError, MissingColumnError, UnknownFormatError
from fourlep.events import Cascade, Cut, Events
from fourlep.io import uproot_reader
from fourlep.io.uproot_reader import UprootFile
from fourlep.units import ELECTRON_MASS, MUON_MASS

Writer = Callable[..., Path]

TWO_ELECTRONS = Cascade(
    electron=(
        Cut("electron.is_loose", "is_true"),
        Cut("electron.pt", "gt", 10.0),
        Cut("electron.eta", "abs_lt", 2.0),
    ),
    muon=(),
    minimum=((2, 0),),
)
COLUMNS = ("event.number", "electron.pt", "electron.d0", "electron.is_trigger_matched")


def equal(left: Events, right: Events) -> bool:
    """Whether two parts hold the same events, bit for bit, NaN included."""
    return (
        left.entry.tolist() == right.entry.tolist()
        and left.event.keys() == right.event.keys()
        and all(np.array_equal(left.event[k], right.event[k]) for k in left.event)
        and ak.array_equal(left.electrons, right.electrons, equal_nan=True)
        and ak.array_equal(left.muons, right.muons, equal_nan=True)
    )


def joined(parts: list[Events]) -> Events:
    """Parts of a file, one after another."""
    first = parts[0]
    return Events(
        entry=np.concatenate([part.entry for part in parts]),
        event={k: np.concatenate([part.event[k] for part in parts]) for k in first.event},
        electrons=ak.concatenate([part.electrons for part in parts]),
        muons=ak.concatenate([part.muons for part in parts]),
        is_simulation=first.is_simulation,
    )


def test_mixed_leptons_become_electrons_and_muons_in_gev(write_mini: Writer) -> None:
    with UprootFile(str(write_mini())) as file:
        events = file.read(["electron.pt", "muon.pt", "electron.charge", "muon.d0"])
    assert events.electrons.pt.tolist() == [[50.0, 30.0], [], [], [60.0]]
    assert events.muons.pt.tolist() == [[40.0, 20.0], [25.0], [], [10.0]]
    assert events.electrons.charge.tolist() == [[1, -1], [], [], [-1]]
    assert events.muons.d0[0].tolist() == pytest.approx([-0.04, -0.02])


def test_leptons_in_arrays_of_a_fixed_length_are_leptons(tmp_path: Path) -> None:
    pt = np.array([[5e4, 4e4, 3e4, 2e4], [6e4, 5e4, 4e4, 1e4]], dtype="f4")
    branches = {
        "runNumber": np.full(2, 300000),
        "channelNumber": np.full(2, 300000),
        "lep_type": np.array([[11, 13, 11, 13], [13, 13, 13, 11]]),
        "lep_pt": pt,
        "lep_trackd0pvunbiased": pt,
    }
    with uproot.recreate(tmp_path / "fixed.root") as file:
        file.mktree("mini", {k: np.dtype((v.dtype, v.shape[1:])) for k, v in branches.items()})
        file["mini"].extend(branches)
    with UprootFile(str(tmp_path / "fixed.root")) as opened:
        events = opened.read(["electron.pt", "muon.pt"])
    assert events.electrons.pt.tolist() == [[50.0, 30.0], [10.0]]
    assert events.muons.pt.tolist() == [[40.0, 20.0], [60.0, 50.0, 40.0]]


def test_leptons_are_four_momenta_of_their_mass(write_mini: Writer) -> None:
    momentum = [
        f"{lepton}.{field}"
        for lepton in ("electron", "muon")
        for field in ("pt", "eta", "phi", "mass")
    ]
    with UprootFile(str(write_mini())) as file:
        events = file.read(momentum)
    assert events.electrons[0, 0].tau == pytest.approx(ELECTRON_MASS, rel=1e-3)
    assert (events.muons[0, 0] + events.muons[0, 1]).mass > 2 * MUON_MASS


def test_observed_data_has_unit_weights_whatever_the_file_says(write_mini: Writer) -> None:
    with UprootFile(str(write_mini())) as file:
        events = file.read(["event.generator_weight", "event.scale_factor", "event.dsid"])
    assert not events.is_simulation
    assert events.event["generator_weight"].tolist() == [1.0] * 4
    assert events.event["scale_factor"].tolist() == [1.0] * 4
    assert events.event["dsid"].tolist() == [0] * 4


def test_simulation_has_signed_weights_and_multiplied_scale_factors(write_mini: Writer) -> None:
    path = write_mini(channelNumber=np.full(4, 345060, dtype=np.int32))
    with UprootFile(str(path)) as file:
        events = file.read(["event.generator_weight", "event.scale_factor", "event.dsid"])
    assert events.is_simulation
    assert events.event["generator_weight"].tolist() == [-2.0, 1.0, 3.0, 0.5]
    assert events.event["scale_factor"].tolist() == [0.75] * 4
    assert events.event["dsid"].tolist() == [345060] * 4


def test_either_trigger_flag_is_a_trigger(write_mini: Writer) -> None:
    with UprootFile(str(write_mini())) as file:
        assert file.read(["event.is_triggered"]).event["is_triggered"].tolist() == [
            True,
            True,
            False,
            False,
        ]


def test_a_part_of_a_file_is_that_part_of_the_whole(write_mini: Writer) -> None:
    columns = ["event.number", "electron.pt", "muon.pt"]
    with UprootFile(str(write_mini())) as file:
        assert equal(file.read(columns, 1, 3), file.read(columns)[1:3])
        assert equal(file.read(columns, 2), file.read(columns)[2:])
        assert len(file.read(columns, 4)) == 0
        assert len(file.read(columns, 9, 12)) == 0


def test_an_optional_column_that_is_missing_is_absent_with_the_reason(
    write_mini: Writer,
) -> None:
    with UprootFile(str(write_mini())) as file:
        events = file.read(["electron.pt"], optional=["event.lumi_block", "electron.z0_sin_theta"])
    assert set(events.absent) == {"event.lumi_block", "electron.z0_sin_theta"}
    assert "lep_z0" in events.absent["electron.z0_sin_theta"]
    assert not events.has("electron.z0_sin_theta")


def test_a_required_column_that_is_missing_names_column_branch_and_file(
    write_mini: Writer,
) -> None:
    path = write_mini(lep_charge=None)
    with UprootFile(str(path)) as file, pytest.raises(MissingColumnError) as caught:
        file.read(["electron.charge", "electron.pt", "event.pileup"])
    message = str(caught.value)
    assert str(path) in message
    assert "electron.charge: no branch lep_type with lep_charge" in message
    assert "event.pileup" in message
    assert "electron.pt" not in message


def test_a_column_that_does_not_exist_is_a_wrong_request(write_mini: Writer) -> None:
    with UprootFile(str(write_mini())) as file, pytest.raises(ConfigError, match=r"electron\.qt"):
        file.read(["electron.qt"])


def test_an_empty_tree_has_no_events(write_physlite: Writer) -> None:
    with UprootFile(str(write_physlite(0))) as file:
        assert file.n_entries == 0
        events = file.read(COLUMNS, optional=["event.generator_weights"])
        assert len(events) == len(events.electrons) == 0
        assert list(file.survivors(TWO_ELECTRONS, COLUMNS)) == []


def test_a_tree_is_found_by_its_branches_under_any_name(write_mini: Writer) -> None:
    with UprootFile(str(write_mini(tree="renamed"))) as file:
        assert (file.tree, file.format) == ("renamed", "ntuple2020")


def write_trees(source: Path, *trees: str) -> Path:
    """Write the 2020 ntuple of ``source`` under several names; each has an event less."""
    with uproot.open({source: "mini"}) as mini:
        arrays = {name: mini[name].array() for name in mini.keys(filter_name="/^(?!n)/")}
    path = source.with_name("several.root")
    with uproot.recreate(path) as file:
        for number, tree in enumerate(trees):
            file.mktree(tree, {name: ak.type(array).content for name, array in arrays.items()})
            file[tree].extend({name: array[number:] for name, array in arrays.items()})
    return path


def test_a_tree_in_a_folder_is_found(write_mini: Writer) -> None:
    path = write_trees(write_mini(), "nominal/mini")
    for tree in ("", "nominal/mini"):
        with UprootFile(str(path), tree) as file:
            assert (file.tree, file.n_entries) == ("nominal/mini", 4)
            assert file.trees() == [("nominal/mini", "TTree", 4)]


@pytest.mark.parametrize("trees", [("JES_up/mini", "nominal/mini"), ("EG_SCALE", "nominal")])
def test_of_trees_that_may_all_be_meant_none_is_chosen(
    write_mini: Writer, trees: tuple[str, ...]
) -> None:
    path = str(write_trees(write_mini(), *trees))
    with pytest.raises(UnknownFormatError, match=f"'{trees[0]}' and '{trees[1]}'"):
        UprootFile(path)
    with UprootFile(path, trees[1]) as file:
        assert file.n_entries == 3


def test_the_tree_with_the_usual_name_is_the_one_that_is_meant(write_mini: Writer) -> None:
    with UprootFile(str(write_trees(write_mini(), "JES_up/mini", "mini", "A"))) as file:
        assert (file.tree, file.n_entries) == ("mini", 3)


def test_a_tree_that_is_named_and_not_there_is_an_error_that_names_those_there(
    write_mini: Writer,
) -> None:
    with pytest.raises(UnknownFormatError, match="no tree 'nominal'; trees there: mini"):
        UprootFile(str(write_mini()), "nominal")


def test_a_tree_of_no_known_format_is_an_error(write_mini: Writer) -> None:
    path = write_mini(lep_trackd0pvunbiased=None, runNumber=None)
    with pytest.raises(UnknownFormatError, match="no tree of a known format"):
        UprootFile(str(path))
    with pytest.raises(UnknownFormatError, match="'mini' is of no known format") as error:
        UprootFile(str(path), "mini")
    assert "mini has not enough of lep_trackd0pvunbiased, lep_type, runNumber" in str(error.value)


def test_a_file_without_one_of_the_branches_that_tell_its_format_lacks_that_branch(
    write_mini: Writer,
) -> None:
    with UprootFile(str(write_mini(lep_trackd0pvunbiased=None))) as file:
        assert file.format == "ntuple2020"
        assert len(file.read(["electron.pt"])) == 4
        with pytest.raises(MissingColumnError) as caught:
            file.read(["electron.pt", "electron.d0"])
    assert "missing of what the 2020 ntuples have" in str(caught.value)
    assert "electron.d0: no branch lep_type with lep_trackd0pvunbiased" in str(caught.value)


def test_a_file_that_does_not_tell_simulation_from_data_is_an_error(write_mini: Writer) -> None:
    path = write_mini(channelNumber=None)
    with pytest.raises(MissingColumnError, match="no branch channelNumber with runNumber"):
        UprootFile(str(path))


def test_a_tree_with_every_branch_is_preferred_to_one_with_the_usual_name(
    write_mini: Writer,
) -> None:
    path = write_mini(tree="mini", lep_type=None)
    with uproot.open(write_mini("whole.root", tree="other")) as whole:
        arrays = whole["other"].arrays(library="ak")
    with uproot.update(path) as file:
        file.mktree("other", {name: ak.type(arrays[name]).content for name in arrays.fields})
        file["other"].extend({name: arrays[name] for name in arrays.fields})
    with UprootFile(str(path)) as file:
        assert file.tree == "other"
    with UprootFile(str(path), "mini") as file, pytest.raises(MissingColumnError, match="lep_type"):
        file.read(["electron.pt"])


def test_survivors_are_the_events_that_the_cascade_keeps(
    write_physlite: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uproot_reader, "STEP_ENTRIES", 7)
    monkeypatch.setattr(uproot_reader, "MAX_STEP_ENTRIES", 7)
    with UprootFile(str(write_physlite(50))) as file:
        everything = file.read((*COLUMNS, *TWO_ELECTRONS.columns))
        keep = TWO_ELECTRONS.keeps(everything)
        survivors = joined(list(file.survivors(TWO_ELECTRONS, COLUMNS)))
        assert 0 < keep.sum() < 50
        assert equal(survivors, file.read(COLUMNS)[keep])


def test_survivors_of_a_part_are_the_part_of_the_survivors(write_physlite: Writer) -> None:
    with UprootFile(str(write_physlite(50))) as file:
        whole = joined(list(file.survivors(TWO_ELECTRONS, COLUMNS)))
        parts = [
            part
            for start, stop in ((0, 13), (13, 14), (14, 50))
            for part in file.survivors(TWO_ELECTRONS, COLUMNS, start, stop)
        ]
        assert equal(joined(parts), whole)


def test_steps_do_not_change_what_survives(
    write_physlite: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with UprootFile(str(write_physlite(40))) as file:
        whole = joined(list(file.survivors(TWO_ELECTRONS, COLUMNS)))
        for step in (1, 3, 39, 40, 41):
            monkeypatch.setattr(uproot_reader, "STEP_ENTRIES", step)
            monkeypatch.setattr(uproot_reader, "MAX_STEP_ENTRIES", step)
            assert equal(joined(list(file.survivors(TWO_ELECTRONS, COLUMNS))), whole), step


@pytest.mark.parametrize("is_rntuple", [False, True])
def test_what_is_stored_together_is_inflated_once(
    write_mini: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_rntuple: bool
) -> None:
    path = str(write_mini())
    if is_rntuple:
        with uproot.open({path: "mini"}) as mini, uproot.recreate(tmp_path / "s.root") as skim:
            skim["mini"] = {name: mini[name].array() for name in mini.keys(recursive=False)}
        path = str(tmp_path / "s.root")
    monkeypatch.setattr(uproot_reader, "STEP_ENTRIES", 1)
    with UprootFile(path) as file:
        (survivors,) = file.survivors(Cascade((), (), ((0, 0),)), ["event.number"])
    assert survivors.event["number"].tolist() == [0, 1, 2, 3]


def test_a_cut_on_a_column_that_the_file_lacks_keeps_every_lepton(write_mini: Writer) -> None:
    cascade = Cascade((Cut("electron.is_loose", "is_true"),), (), ((1, 0),))
    with UprootFile(str(write_mini())) as file:
        (survivors,) = file.survivors(cascade, ["event.number"])
    assert survivors.event["number"].tolist() == [0, 3]


def test_leptons_without_cuts_are_still_counted(write_mini: Writer) -> None:
    with UprootFile(str(write_mini())) as file:
        (survivors,) = file.survivors(Cascade((), (), ((0, 2),)), ["event.number"])
    assert survivors.event["number"].tolist() == [0]


def test_the_trigger_matches_the_electron_that_the_chain_links_to(write_physlite: Writer) -> None:
    with UprootFile(str(write_physlite(30))) as file:
        events = file.read(
            ["event.is_triggered", "trigger.HLT_2e17_lhvloose_nod0", "electron.is_trigger_matched"]
        )
    fired = events.event["is_triggered"]
    assert fired.any()
    assert np.array_equal(fired, events.triggers["HLT_2e17_lhvloose_nod0"])
    assert np.array_equal(ak.any(events.electrons.is_trigger_matched, axis=1), fired)
    assert not ak.any(events.electrons.is_trigger_matched[:, 1:])


def test_linked_tracks_are_those_of_the_same_event(write_physlite: Writer) -> None:
    with UprootFile(str(write_physlite(30))) as file:
        d0 = ak.flatten(file.read(["electron.d0"]).electrons.d0)
    assert d0.tolist() == list(range(len(d0)))


def test_generator_weights_are_for_simulation(write_physlite: Writer) -> None:
    weights = ["event.generator_weight", "event.generator_weights"]
    with UprootFile(str(write_physlite(5))) as file:
        events = file.read(weights)
    assert events.is_simulation
    assert events.event["generator_weights"].shape == (5, 3)
    assert np.array_equal(events.event["generator_weights"][:, 0], events.event["generator_weight"])
    with UprootFile(str(write_physlite(5, is_simulation=False))) as file:
        observed = file.read((), optional=weights)
    assert not observed.is_simulation
    assert observed.event["generator_weight"].tolist() == [1.0] * 5
    assert "observed data has no generator weights" in observed.absent["event.generator_weights"]


def test_bytes_read_grow_with_what_is_read(write_physlite: Writer) -> None:
    with UprootFile(str(write_physlite(20))) as file:
        opened = file.read_bytes
        file.read(["electron.pt"])
        assert 0 < opened < file.read_bytes


def test_reading_twice_gives_the_same(write_physlite: Writer) -> None:
    with UprootFile(str(write_physlite(20))) as file:
        assert equal(file.read(COLUMNS), file.read(COLUMNS))


def test_no_lepton_columns_are_no_leptons(write_mini: Writer) -> None:
    with UprootFile(str(write_mini())) as file:
        events = file.read(["event.number"])
    assert len(events.electrons) == 4
    assert ak.fields(events.electrons) == []
    assert ak.num(events.electrons).tolist() == [0, 0, 0, 0]
    assert len(events[np.array([True, False, True, False])].muons) == 2
