"""Files that are not what they should be: each has its own error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from fourlep.errors import CorruptFileError, ForbiddenFileError, MissingFileError
from fourlep.events import Cascade
from fourlep.io import EventFile, ReaderChoice, open_events
from fourlep.io.fields import Branches
from fourlep.io.translation import told, translated

Writer = Callable[..., Path]
EVERY_EVENT = Cascade((), (), ((0, 0),))
CHOICES = pytest.mark.parametrize("reader", ["uproot", "auto"])
READERS = pytest.mark.parametrize("reader", ["uproot", "lean"])


@CHOICES
def test_no_such_file(tmp_path: Path, reader: ReaderChoice) -> None:
    with pytest.raises(MissingFileError, match=r"absent\.root: no such file"):
        open_events(str(tmp_path / "absent.root"), reader=reader)


@CHOICES
def test_a_folder_is_no_file(tmp_path: Path, reader: ReaderChoice) -> None:
    with pytest.raises(MissingFileError, match="is a folder, not a file"):
        open_events(str(tmp_path), reader=reader)


@CHOICES
def test_an_empty_file(tmp_path: Path, reader: ReaderChoice) -> None:
    path = tmp_path / "empty.root"
    path.touch()
    with pytest.raises(CorruptFileError, match="not a ROOT file: it is empty"):
        open_events(str(path), reader=reader)


@CHOICES
def test_a_page_saved_under_the_name_of_a_root_file(tmp_path: Path, reader: ReaderChoice) -> None:
    path = tmp_path / "page.root"
    path.write_text("<!DOCTYPE html><html>404</html>" * 50)
    with pytest.raises(CorruptFileError, match="not a ROOT file: it begins with b'<!DOCTYP'"):
        open_events(str(path), reader=reader)


@CHOICES
def test_a_file_of_another_format_says_what_it_begins_with(
    tmp_path: Path, reader: ReaderChoice
) -> None:
    path = tmp_path / "numbers.npy"
    np.save(path, np.arange(1000))
    with pytest.raises(CorruptFileError, match="not a ROOT file: it begins with"):
        open_events(str(path), reader=reader)


@CHOICES
@pytest.mark.parametrize("kept", [20, 300, 1000, -1])
def test_a_file_that_is_cut_short(write_mini: Writer, kept: int, reader: ReaderChoice) -> None:
    path = write_mini()
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CorruptFileError, match="cut short"):
        open_events(str(path), reader=reader)


def test_a_file_that_may_not_be_read(write_mini: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_mini()

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", refuse)  # root may read everything
    with pytest.raises(ForbiddenFileError):
        open_events(str(path))


def _basket(path: Path, tree: str, branch: str) -> tuple[int, int]:
    with uproot.open(path) as file:
        found = file[tree][branch]
        return int(found.member("fBasketSeek")[0]), int(found.member("fBasketBytes")[0])


@READERS
def test_a_flipped_bit_in_a_compressed_basket_is_found(
    write_physlite: Writer, reader: ReaderChoice
) -> None:
    path = write_physlite(200)
    start, length = _basket(path, "CollectionTree", "AnalysisElectronsAuxDyn.pt")
    content = bytearray(path.read_bytes())
    content[start + length - 20] ^= 0x10
    path.write_bytes(content)
    with open_events(str(path), reader=reader) as file:
        with pytest.raises(CorruptFileError) as caught:
            file.read(["electron.pt"])
        assert str(path) in str(caught.value)
        assert len(file.read(["electron.eta"])) == 200


@READERS
def test_a_zeroed_block_is_found(write_physlite: Writer, reader: ReaderChoice) -> None:
    path = write_physlite(200)
    start, length = _basket(path, "CollectionTree", "AnalysisElectronsAuxDyn.eta")
    content = bytearray(path.read_bytes())
    content[start : start + length] = bytes(length)
    path.write_bytes(content)
    with open_events(str(path), reader=reader) as file, pytest.raises(CorruptFileError):
        file.read(["electron.eta"])


@pytest.mark.parametrize("seed", range(20))
def test_damage_anywhere_is_an_error_or_changes_nothing_that_is_read(
    write_mini: Writer, seed: int
) -> None:
    columns = ["electron.pt", "muon.pt", "event.number"]
    path = write_mini()
    with open_events(str(path)) as file:
        whole = file.read(columns).electrons.pt.tolist()
    random = np.random.default_rng(seed)
    content = bytearray(path.read_bytes())
    start = int(random.integers(0, len(content) - 64))
    content[start : start + 64] = random.bytes(64)
    path.write_bytes(content)
    try:
        with open_events(str(path), "mini", reader="uproot") as file:
            read = file.read(columns).electrons.pt.tolist()
    except (CorruptFileError, MissingFileError):
        return
    except Exception as error:
        if type(error).__name__ in ("UnknownFormatError", "MissingColumnError"):
            return
        raise
    baskets = [_basket(path, "mini", branch)[0] for branch in ("lep_pt", "lep_type")]
    if not any(begin - 64 < start < begin + 400 for begin in baskets):
        assert read == whole


def test_collections_that_disagree_in_length_are_an_error(write_mini: Writer) -> None:
    eta = ak.values_astype(ak.Array([[0.1, 0.2, 0.3, 0.4], [0.5], [0.6], [0.7, 0.8]]), np.float32)
    kind = ak.values_astype(ak.Array([[11, 13, 11, 13], [13], [11], [11, 13]]), np.uint32)
    path = write_mini(lep_eta=eta, lep_type=kind)
    with (
        open_events(str(path)) as file,
        pytest.raises(CorruptFileError, match="contradict each other"),
    ):
        file.read(["electron.pt", "electron.eta"])


@pytest.mark.parametrize(
    ("branch", "read"),
    [
        ("lep_pt", lambda file: file.read(["event.number", "electron.pt"])),
        ("eventNumber", lambda file: list(file.survivors(EVERY_EVENT, ["event.number"]))),
        ("lep_type", lambda file: list(file.survivors(EVERY_EVENT, ["event.number"]))),
    ],
)
def test_a_branch_of_another_number_of_events_is_an_error(
    write_mini: Writer,
    monkeypatch: pytest.MonkeyPatch,
    branch: str,
    read: Callable[[EventFile], object],
) -> None:
    """What uproot makes of a tree whose tables of baskets were damaged."""
    cut_short(monkeypatch, branch)
    with (
        open_events(str(write_mini())) as file,
        pytest.raises(CorruptFileError, match=f"{branch} has 0 entries for 4 events"),
    ):
        read(file)


@pytest.mark.parametrize(
    ("branch", "values"),
    [
        ("mcWeight", [[1.0], [2.0], [3.0], [4.0]]),
        ("lep_pt", [1e3, 2e3, 3e3, 4e3]),
        ("lep_pt", [[[1e3], [2e3], [3e3], [4e3]], [[5e3]], [], [[6e3], [7e3]]]),
        ("lep_eta", [["a", "b", "c", "d"], ["e"], [], ["f", "g"]]),
        ("runNumber", ["a", "b", "c", "d"]),
    ],
)
def test_a_branch_of_another_shape_is_an_error(
    write_mini: Writer, tmp_path: Path, branch: str, values: list[object]
) -> None:
    with uproot.open({str(write_mini()): "mini"}) as mini:
        arrays = {name: mini[name].array() for name in mini.keys(recursive=False)}
    simulated = {**arrays, "runNumber": arrays["runNumber"] * 0, branch: ak.Array(values)}
    with uproot.recreate(tmp_path / "shape.root") as written:
        written["mini"] = simulated  # an RNTuple, which may hold any of them
    with (
        pytest.raises(CorruptFileError, match=r"contradict each other|damaged, or no"),
        open_events(str(tmp_path / "shape.root")) as file,
    ):
        file.read(["event.generator_weight", "electron.pt", "electron.eta"])


def test_a_branch_without_the_first_event_does_not_tell_simulation(
    write_mini: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_short(monkeypatch, "channelNumber")
    with pytest.raises(CorruptFileError, match="channelNumber has 0 entries for 1 events"):
        open_events(str(write_mini()))


def cut_short(monkeypatch: pytest.MonkeyPatch, branch: str) -> None:
    """Let uproot find no entries of a branch."""
    plain = Branches.array

    def cut(branches: Branches, name: str, start: int, stop: int) -> ak.Array:
        array = plain(branches, name, start, stop)
        return array[:0] if name == branch else array

    monkeypatch.setattr(Branches, "array", cut)


@READERS
def test_simulation_without_a_generator_weight_is_an_error(
    write_physlite: Writer, reader: ReaderChoice
) -> None:
    from fourlep.synth.physlite import Ragged, write_tree

    path = write_physlite(1).with_name("weightless.root")
    write_tree(
        path,
        {
            "EventInfoAuxDyn.eventTypeBitmask": np.ones(2, "u4"),
            "EventInfoAuxDyn.mcEventWeights": Ragged(np.array([1, 0]), np.ones(1, "f4")),
        },
    )
    with (
        open_events(str(path), reader=reader) as file,
        pytest.raises(CorruptFileError, match="has no generator weight"),
    ):
        file.read(["event.generator_weight"])


def test_errors_of_fourlep_pass_the_boundary_unchanged() -> None:
    with pytest.raises(MissingFileError, match=r"^there$"), translated("f"):
        raise MissingFileError("there")


@pytest.mark.parametrize("error", [KeyError("fBits"), MemoryError(), AssertionError(), OSError()])
def test_foreign_errors_do_not_pass_the_boundary(error: Exception) -> None:
    with pytest.raises(CorruptFileError, match=r"^f: ") as caught, translated("f"):
        raise error
    assert caught.value.url == "f"
    assert caught.value.__cause__ is error


def test_of_a_foreign_error_its_type_and_first_line_are_told() -> None:
    assert told(ValueError("\nfirst\nsecond")) == "ValueError: first"
    assert told(ValueError()) == "ValueError"
