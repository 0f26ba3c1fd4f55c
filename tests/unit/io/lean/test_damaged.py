"""Damage gives a named error or the right numbers; never others, a crash or a hang."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fourlep.benchmark.files import Content, cascade, columns
from fourlep.errors import CorruptFileError, ReadError
from fourlep.events import Events
from fourlep.io.lean.reader import LeanFile
from fourlep.io.lean.unsupported import UnsupportedError
from fourlep.synth.physlite.ragged import Ragged
from fourlep.synth.rootfile.codec import Codec
from lean_files import WriteLean
from same_events import assert_same, joined

_COLUMNS = [
    "event.number",
    "event.generator_weight",
    "electron.pt",
    "electron.d0",
    "muon.pt",
    "muon.track_pt",
    "electron.is_trigger_matched",
]
_FEW = settings(max_examples=60, deadline=None, derandomize=True)


def _read(path: Path) -> Events | None:
    with LeanFile(str(path)) as file:
        return joined(file.survivors(cascade(), _COLUMNS))


@pytest.fixture
def outcome(tmp_path: Path) -> Callable[[bytes], Events | str | None]:
    """Read bytes as a file: events, None without any, or the name of the error."""

    def read(content: bytes) -> Events | str | None:
        path = tmp_path / "damaged.root"
        path.write_bytes(content)
        try:
            return _read(path)
        except (ReadError, UnsupportedError) as error:
            return type(error).__name__

    return read


def _stored(path: Path) -> list[tuple[int, int]]:
    """Begin and end of every record that is stored as it is, without any checksum."""
    found = []
    with LeanFile(str(path)) as file:
        for name in columns(Content(1, 0.0, 0)):
            for member in (name, f"{name}.m_persKey", f"{name}.m_persIndex"):
                if member not in file._tree.names:
                    continue
                try:
                    branch = file._tree.branch(member)
                except UnsupportedError:
                    continue
                baskets = file._baskets.together((branch,)).baskets_between(0, file.n_entries)
                held = file._baskets.inflated(baskets)
                stored = held.end - held.begin == branch.sizes - held.key_bytes
                begins = branch.seeks[stored]
                found += zip(begins, begins + branch.sizes[stored], strict=True)
    return found


Outcome = Callable[[bytes], Events | str | None]


@pytest.mark.parametrize("codec", ["zlib", "lz4", "lzma"])
def test_a_flipped_bit_anywhere_is_found_or_changes_nothing(
    write_lean: WriteLean, outcome: Outcome, codec: Codec
) -> None:
    path = write_lean(n_events=120, share=0.2, codec=codec)
    whole, expected, stored = path.read_bytes(), _read(path), _stored(path)

    @_FEW
    @given(place=st.integers(0, len(whole) - 1), bit=st.integers(0, 7))
    def check(place: int, bit: int) -> None:
        assume(not any(begin <= place < end for begin, end in stored))
        damaged = bytearray(whole)
        damaged[place] ^= 1 << bit
        found = outcome(bytes(damaged))
        if not isinstance(found, str):
            assert_same(found, expected)

    check()


@pytest.mark.parametrize("codec", ["zstd", "none"])
def test_a_flipped_bit_without_checksum_never_crashes(
    write_lean: WriteLean, outcome: Outcome, codec: Codec
) -> None:
    whole = write_lean(n_events=120, share=0.2, codec=codec).read_bytes()

    @_FEW
    @given(place=st.integers(0, len(whole) - 1), bit=st.integers(0, 7))
    def check(place: int, bit: int) -> None:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << bit
        outcome(bytes(damaged))

    check()


def test_truncated_files_are_found(write_lean: WriteLean, outcome: Outcome) -> None:
    whole = write_lean(n_events=120, share=0.2).read_bytes()

    @_FEW
    @given(length=st.integers(0, len(whole) - 1))
    def check(length: int) -> None:
        assert outcome(whole[:length]) in {"CorruptFileError", "UnsupportedError"}

    check()


def test_spliced_files_are_found_or_change_nothing(write_lean: WriteLean, outcome: Outcome) -> None:
    path = write_lean(n_events=120, share=0.2)
    whole, expected, stored = path.read_bytes(), _read(path), _stored(path)
    anywhere = st.integers(0, len(whole) - 1)

    @_FEW
    @given(source=anywhere, target=anywhere, length=st.integers(1, 5000))
    def check(source: int, target: int, length: int) -> None:
        piece = whole[source : source + length][: len(whole) - target]
        assume(not any(target < end and begin < target + len(piece) for begin, end in stored))
        damaged = bytearray(whole)
        damaged[target : target + len(piece)] = piece
        found = outcome(bytes(damaged))
        if not isinstance(found, str):
            assert_same(found, expected)

    check()


def test_hostile_bytes_in_the_tree_bound_time_and_memory(
    write_lean: WriteLean, outcome: Outcome
) -> None:
    """Stored uncompressed, so that what is written reaches the parsers."""
    whole = write_lean(n_events=40, share=0.2, codec="none").read_bytes()
    before = psutil.Process().memory_info().rss

    @_FEW
    @given(place=st.integers(0, len(whole) - 17), hostile=st.binary(min_size=1, max_size=16))
    def check(place: int, hostile: bytes) -> None:
        damaged = bytearray(whole)
        damaged[place : place + len(hostile)] = hostile
        outcome(bytes(damaged))
        assert psutil.Process().memory_info().rss - before < 300e6

    check()


@pytest.mark.parametrize("field", [0, 6, 18], ids=["length", "inflated", "position"])
def test_a_basket_with_another_key_is_refused(write_lean: WriteLean, field: int) -> None:
    path = write_lean(n_events=120, share=0.2)
    with LeanFile(str(path)) as file:
        branch = file._tree.branch("AnalysisElectronsAuxDyn.DFCommonElectronsLHLoose")
        seek = int(branch.seeks[0])
    content = bytearray(path.read_bytes())
    content[seek + field + 3] ^= 0x10
    path.write_bytes(content)
    with pytest.raises(CorruptFileError, match="DFCommonElectronsLHLoose at byte"):
        _read(path)


@pytest.mark.parametrize("high_byte", [0x04, 0x40])
def test_a_length_beyond_reason_is_damage_and_nothing_for_another_reader(
    write_lean: WriteLean, high_byte: int
) -> None:
    path = write_lean(n_events=120, share=0.2)
    with LeanFile(str(path)) as file:
        seek = int(file._tree.branch("AnalysisElectronsAuxDyn.pt").seeks[0])
    content = bytearray(path.read_bytes())
    content[seek + 6] ^= high_byte  # of the inflated length: uproot would take gigabytes for it
    path.write_bytes(content)
    with pytest.raises(CorruptFileError, match=r"AnalysisElectronsAuxDyn\.pt .* in its blocks"):
        _read(path)


def test_blocks_of_zeros_are_refused(write_lean: WriteLean) -> None:
    """What a damaged cache returns."""
    path = write_lean(n_events=120, share=0.2)
    with LeanFile(str(path)) as file:
        branch = file._tree.branch("AnalysisMuonsAuxDyn.quality")
        seek, size = int(branch.seeks[1]), int(branch.sizes[1])
    content = bytearray(path.read_bytes())
    content[seek : seek + size] = bytes(size)
    path.write_bytes(content)
    with pytest.raises(CorruptFileError, match="its key is another one's"):
        _read(path)


def test_columns_of_a_collection_that_differ_in_length_are_refused(write_lean: WriteLean) -> None:
    counts = np.full(300, 5)
    other = Ragged(counts, np.full(1500, 9000.0, dtype=np.float32))
    path = write_lean(share=0.5, changed={"AnalysisMuonsAuxDyn.pt": other})
    with pytest.raises(CorruptFileError, match="contradict"):
        _read(path)


def test_the_damaged_one_of_many_branches_is_named(write_lean: WriteLean) -> None:
    path = write_lean(n_events=120, share=0.2, codec="none")
    good, bad = "AnalysisElectronsAuxDyn.eta", "AnalysisMuonsAuxDyn.phi"
    with LeanFile(str(path)) as file:
        whole = file._tree.branches([good, bad])
        assert [branch.name for branch in whole] == [good, bad]
        seek = int(whole[1].seeks[0]).to_bytes(8, "big")
    content = path.read_bytes()
    before, found, after = content.rpartition(seek)  # the tree comes after all baskets
    assert found
    path.write_bytes(before + (1 << 40).to_bytes(8, "big") + after)
    with LeanFile(str(path)) as file:
        with pytest.raises(CorruptFileError, match=f"{bad} lie outside the file"):
            file._tree.branches([good, bad])
        assert file._tree.branch(good).seeks.tolist() == whole[0].seeks.tolist()


def test_a_file_that_was_never_closed_is_told_as_that(write_lean: WriteLean) -> None:
    """A job that ends early leaves a top folder without keys."""
    path = write_lean()
    content = bytearray(path.read_bytes())
    begin, n_name = (
        struct.unpack_from(">i", content, 8)[0],
        struct.unpack_from(">i", content, 28)[0],
    )
    folder = begin + n_name
    struct.pack_into(">i", content, folder + 10, 0)  # fNbytesKeys
    struct.pack_into(">i", content, folder + 26, 0)  # fSeekKeys
    path.write_bytes(content)
    with pytest.raises(CorruptFileError, match="never closed"):
        LeanFile(str(path))
