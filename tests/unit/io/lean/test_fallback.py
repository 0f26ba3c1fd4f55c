from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fourlep.benchmark.files import cascade
from fourlep.io import open_events
from fourlep.io.lean.layout import Form
from fourlep.io.lean.tree import Branch, TreeTable
from fourlep.io.lean.unsupported import UnsupportedError
from fourlep.io.uproot_reader import UprootFile
from fourlep.synth.physlite.ragged import Ragged
from fourlep.synth.physlite.write import Clusters
from lean_files import WriteLean
from same_events import assert_same, joined

_COLUMNS = ["event.number", "event.generator_weight", "electron.pt", "electron.d0"]


@pytest.fixture
def knows_no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the lean reader meet something unknown after the cascade."""
    original = TreeTable.branch

    def branch(self: TreeTable, name: str) -> Branch:
        found = original(self, name)
        if found.layout.form is Form.LINKS:
            raise UnsupportedError(f"{name}: links of another kind")
        return found

    monkeypatch.setattr(TreeTable, "branch", branch)


@pytest.mark.usefixtures("knows_no_links")
def test_what_is_unknown_is_read_by_uproot_and_named(write_lean: WriteLean) -> None:
    path = str(write_lean())
    with open_events(path) as file, UprootFile(path) as plain:
        found = joined(file.survivors(cascade(), _COLUMNS))
        assert_same(found, joined(plain.survivors(cascade(), _COLUMNS)))
        assert file.reader == "uproot"
        assert file.fallback.endswith("links of another kind")
        assert file.read_bytes > plain.read_bytes


@pytest.mark.usefixtures("knows_no_links")
def test_whole_reads_fall_back_too(write_lean: WriteLean) -> None:
    path = str(write_lean())
    with open_events(path) as file, UprootFile(path) as plain:
        assert_same(file.read(_COLUMNS, 5, 20), plain.read(_COLUMNS, 5, 20))
        assert file.reader == "uproot"


def test_what_survived_before_is_not_yielded_twice(
    write_lean: WriteLean, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unknown stands in the middle of the file."""
    path = str(write_lean(share=0.5))
    monkeypatch.setattr("fourlep.io.lean.gather.PART_BYTES", 300_000)
    monkeypatch.setattr("fourlep.io.lean.reader.PART_BYTES", 300_000)
    from fourlep.io.lean import gather

    original, calls = gather.values, []

    def values(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) > 3:  # whether it is simulation, and the first part in two
            raise UnsupportedError("something new")
        return original(*arguments)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(gather, "values", values)
    with open_events(path) as file, UprootFile(path) as plain:
        columns = sorted(plain.columns())
        found = joined(file.survivors(cascade(), columns))
        assert file.fallback == "something new"
        assert_same(found, joined(plain.survivors(cascade(), columns)))


def test_files_of_other_kinds_are_opened_by_uproot(shared_data: Path) -> None:
    with open_events(str(shared_data / "ntuple2020" / "data_A.4lep.root")) as file:
        assert (file.reader, file.format) == ("uproot", "ntuple2020")
        assert file.fallback == "no CollectionTree in the file"


def test_baskets_of_a_tree_that_was_renamed_are_read_by_uproot(write_lean: WriteLean) -> None:
    """ROOT copies them as they are: their keys have the old name."""
    path = write_lean()
    whole = path.read_bytes()
    renamed = path.with_name("renamed.root")
    renamed.write_bytes(whole.replace(b"TTree\x0eCollectionTree", b"TTree\x0eCollectionSkim"))
    with open_events(str(renamed), "CollectionSkim") as file, UprootFile(str(path)) as plain:
        columns = sorted(plain.columns())
        found = joined(file.survivors(cascade(), columns))
        assert file.fallback.endswith("baskets of a tree that was called 'CollectionTree'")
        assert_same(found, joined(plain.survivors(cascade(), columns)))


@pytest.mark.parametrize("limit", ["basket", "round"])
def test_longer_baskets_than_physlite_has_are_read_by_uproot(
    write_lean: WriteLean, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    n = 57_000 if limit == "basket" else 300
    if limit == "round":
        monkeypatch.setattr("fourlep.io.lean.baskets._MAX_INFLATED_BYTES", 50_000)
    weights = Ragged(np.full(n, 300), np.ones(300 * n, dtype=np.float32))
    path = write_lean(
        n,
        share=10 / n,
        clusters=Clusters(entries=n, basket_bytes=1 << 30),
        changed={"EventInfoAuxDyn.mcEventWeights": weights},
    )
    columns = ["event.number", "event.generator_weight", "electron.pt"]
    with open_events(str(path)) as file, UprootFile(str(path)) as plain:
        found = joined(file.survivors(cascade(), columns))
        assert "bytes" in file.fallback
        assert_same(found, joined(plain.survivors(cascade(), columns)))
