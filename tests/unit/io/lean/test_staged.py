"""Reading kinematics first, and the rest only of events whose leptons can pair."""

from pathlib import Path

import numpy as np
import pytest

from fourlep.benchmark.files import Content, write_file
from fourlep.chunk.analysis import Analysis
from fourlep.chunk.model import Chunk
from fourlep.chunk.process import process
from fourlep.io.lean.gather import join_parts
from fourlep.io.lean.reader import LeanFile
from fourlep.physics.registry import selection

ANALYSIS = Analysis(selection("fourlepton"), reader="lean")


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("staged") / "SYNTHETIC.root"
    write_file(made, Content(3_000, 0.1, seed=5))
    return made


def _parts(path: Path, early: tuple[str, ...], start: int = 0, stop: int | None = None):
    columns = ANALYSIS.columns(needs_weights=True)
    optional = ANALYSIS.optional
    with LeanFile(str(path)) as file:
        parts = list(
            file.surviving_parts(
                ANALYSIS.cascade, columns, start, stop, optional=optional, early=early
            )
        )
        return join_parts(parts), file.read_bytes


def test_some_events_come_apart_and_with_fewer_columns(path: Path) -> None:
    whole, all_bytes = _parts(path, ())
    staged, read_bytes = _parts(path, ANALYSIS.early(needs_weights=True))
    assert staged.rejected is not None
    assert len(staged.entry) > 10
    assert len(staged.rejected.entry) > 100
    together = np.sort(np.concatenate([staged.entry, staged.rejected.entry]))
    assert np.array_equal(together, whole.entry)
    assert len(staged.rejected.values) < len(staged.values) / 2
    assert staged.after == whole.entry[-1] + 1
    assert staged.n_entries == len(whole.entry)
    assert read_bytes < all_bytes


def test_what_is_kept_is_read_as_it_always_was(path: Path) -> None:
    whole, _ = _parts(path, ())
    staged, _ = _parts(path, ANALYSIS.early(needs_weights=True))
    kept = whole.take(np.isin(whole.entry, staged.entry))
    for name, values in kept.values.items():
        for one, other in zip(values.content, staged.values[name].content, strict=True):
            assert np.array_equal(one, other), name
        for one, other in zip(values.lengths, staged.values[name].lengths, strict=True):
            assert np.array_equal(one, other), name


@pytest.mark.parametrize("part_bytes", [1, 50_000, 500_000])
def test_parts_of_any_size_ascend_and_hold_every_event_once(
    path: Path, monkeypatch: pytest.MonkeyPatch, part_bytes: int
) -> None:
    whole, _ = _parts(path, ANALYSIS.early(needs_weights=True))
    monkeypatch.setattr("fourlep.io.lean.gather.PART_BYTES", part_bytes)
    columns, early = ANALYSIS.columns(needs_weights=True), ANALYSIS.early(needs_weights=True)
    with LeanFile(str(path)) as file:
        parts = list(
            file.surviving_parts(ANALYSIS.cascade, columns, optional=ANALYSIS.optional, early=early)
        )
    assert len(parts) > 2
    after = 0
    for part in parts:
        rejected = () if part.rejected is None else part.rejected.entry
        entries = np.concatenate([part.entry, rejected])
        assert len(entries) == part.n_entries > 0
        assert entries.min() >= after
        after = part.after
        assert entries.max() == after - 1
    together = join_parts(parts)
    assert np.array_equal(together.entry, whole.entry)
    assert together.rejected is not None
    assert whole.rejected is not None
    assert np.array_equal(together.rejected.entry, whole.rejected.entry)
    for name, values in whole.values.items():
        for one, other in zip(values.content, together.values[name].content, strict=True):
            assert np.array_equal(one, other), name


def test_sums_are_those_of_the_plain_path(path: Path) -> None:
    lean = process(Chunk("made", str(path)), ANALYSIS)
    plain = process(Chunk("made", str(path)), Analysis(selection("fourlepton"), reader="uproot"))
    assert lean.cutflows == plain.cutflows
    assert lean.histograms == plain.histograms
    (record,) = lean.records.values()
    (reference,) = plain.records.values()
    assert record.n_selected == reference.n_selected
    assert record.absent == reference.absent


def test_a_cut_that_the_selection_does_not_imply_is_noticed(path: Path, monkeypatch) -> None:
    """Planted: pairs between 80 and 90 GeV only, which the selection does not ask for."""
    cuts = "fourlep.events.pairs.PairCut.thresholds"
    monkeypatch.setattr(cuts, property(lambda _: (0.0, 0.0, 0.0, 0.0, 80.0, 90.0, 80.0, 90.0)))
    with pytest.raises(RuntimeError, match="was rejected by its pairs although fourlepton keeps"):
        process(Chunk("made", str(path)), ANALYSIS)


def test_a_range_of_entries_is_read_in_the_same_way(path: Path) -> None:
    staged, _ = _parts(path, ANALYSIS.early(needs_weights=True), 1_000, 2_000)
    assert staged.rejected is not None
    entries = np.concatenate([staged.entry, staged.rejected.entry])
    assert entries.min() >= 1_000
    assert entries.max() < 2_000
