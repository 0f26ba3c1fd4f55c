from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fourlep.benchmark.files import Content, cascade, columns
from fourlep.errors import MissingColumnError, UnknownFormatError
from fourlep.events import Cascade, Cut
from fourlep.io import open_events
from fourlep.io.lean.reader import LeanFile
from fourlep.io.lean.scratch import Scratch
from fourlep.io.source import ReaderChoice
from fourlep.io.uproot_reader import UprootFile
from fourlep.synth.physlite.layout import layout
from fourlep.synth.physlite.ragged import Ragged
from fourlep.synth.physlite.write import Clusters, write_tree
from fourlep.synth.rootfile.codec import CODECS, Codec
from lean_files import WriteLean
from same_events import assert_same, joined


def assert_readers_agree(path: Path, counting: Cascade) -> int:
    """Both readers give the same survivors with all columns; how many."""
    with LeanFile(str(path)) as lean, UprootFile(str(path)) as plain:
        assert lean.columns() == plain.columns()
        columns = sorted(plain.columns())
        mine = joined(lean.survivors(counting, columns))
        assert_same(mine, joined(plain.survivors(counting, columns)))
        return 0 if mine is None else len(mine)


@pytest.mark.parametrize("codec", CODECS)
def test_every_codec_gives_what_uproot_reads(write_lean: WriteLean, codec: Codec) -> None:
    assert assert_readers_agree(write_lean(codec=codec), cascade()) == 15


@pytest.mark.parametrize("share", [0.0, 1 / 300, 0.3, 1.0])
def test_any_rate_of_survivors_gives_what_uproot_reads(write_lean: WriteLean, share: float) -> None:
    assert assert_readers_agree(write_lean(share=share), cascade()) == round(share * 300)


def test_a_file_of_one_event(write_lean: WriteLean) -> None:
    assert assert_readers_agree(write_lean(n_events=1, share=1.0), cascade()) == 1


def test_a_file_without_events(write_lean: WriteLean) -> None:
    assert assert_readers_agree(write_lean(n_events=0, share=0.0), cascade()) == 0


def test_clusters_that_do_not_align_between_branches(write_lean: WriteLean) -> None:
    path = write_lean(
        branch_clusters={
            "AnalysisElectronsAuxDyn.pt": Clusters(entries=7),
            "AnalysisElectronsAuxDyn.DFCommonElectronsLHLoose": Clusters(entries=299),
            "AnalysisMuonsAuxDyn.quality": Clusters(entries=1),
            "AnalysisMuonsAuxDyn.pt": Clusters(entries=64),
            "AnalysisMuonsAuxDyn.inDetTrackParticleLink.m_persIndex": Clusters(entries=11),
            "EventInfoAuxDyn.mcEventWeights": Clusters(entries=3),
            "EventInfoAuxDyn.eventNumber": Clusters(entries=50),
        }
    )
    assert assert_readers_agree(path, cascade()) == 15


def test_the_form_of_files_beyond_two_gigabytes(write_lean: WriteLean) -> None:
    assert assert_readers_agree(write_lean(is_big=True), cascade()) == 15


@pytest.mark.parametrize("is_big", [False, True])
def test_a_file_that_was_written_under_a_long_path(write_lean: WriteLean, is_big: bool) -> None:
    path = write_lean(is_big=is_big, name=f"{'long' * 60}.root")  # ROOT keeps the path itself
    assert assert_readers_agree(path, cascade()) == 15


def test_a_title_in_another_encoding(write_lean: WriteLean) -> None:
    path = write_lean()
    content = bytearray(path.read_bytes())
    content[content.rindex(b"CollectionTree")] = 0xE9  # in the list of keys, behind the name
    path.write_bytes(content)
    assert assert_readers_agree(path, cascade()) == 15


def test_vectors_of_length_zero_and_of_ten_thousand(write_lean: WriteLean) -> None:
    n = 60
    counts = np.zeros(n, dtype=np.int64)
    counts[[3, 40]] = 10_000
    total = int(counts.sum())
    rng = np.random.default_rng(1)
    fields = ("pt", "eta", "phi", "charge", "topoetcone20")
    path = write_lean(
        n_events=n,
        share=0.1,
        changed={
            "AnalysisMuonsAuxDyn.quality": Ragged(counts, rng.integers(0, 4, total, np.uint8)),
            "AnalysisMuonsAuxDyn.muonType": Ragged(counts, np.zeros(total, dtype=np.uint16)),
            "AnalysisMuonsAuxDyn.ptvarcone30_Nonprompt_All_MaxWeightTTVA_pt1000": Ragged(
                counts, rng.exponential(500.0, total).astype(np.float32)
            ),
            **{
                f"AnalysisMuonsAuxDyn.{name}": Ragged(
                    counts, rng.uniform(0.0, 9000.0, total).astype(np.float32)
                )
                for name in fields
            },
            **{
                f"AnalysisMuonsAuxDyn.{track}TrackParticleLink": Ragged(
                    counts, np.zeros(total, dtype=[("m_persKey", ">u4"), ("m_persIndex", ">u4")])
                )
                for track in ("inDet", "combined")
            },
        },
    )
    four_muons = Cascade((), (Cut("muon.quality", "le", 2.0),), ((0, 4),))
    assert assert_readers_agree(path, four_muons) == 2


@pytest.mark.parametrize(
    "counting",
    [
        Cascade((), (), ((0, 0),)),
        Cascade((), (), ((1, 1),)),
        Cascade((Cut("electron.eta", "abs_lt", 1.0),), (), ((1, 0),)),
        Cascade((Cut("electron.d0", "abs_lt", 0.02),), (), ((2, 0),)),
        Cascade((Cut("electron.charge", "eq", 1.0),), (Cut("muon.pt", "le", 20.0),), ((1, 1),)),
        Cascade((Cut("electron.is_loose", "eq", 1.0),), (), ((2, 0),)),
        Cascade((Cut("electron.is_tight", "is_true"),), (), ((4, 0),)),
    ],
    ids=["all", "counts", "eta", "track", "charge", "flag", "absent"],
)
def test_cuts_of_every_kind_keep_the_events_of_the_plain_definition(
    write_lean: WriteLean, counting: Cascade
) -> None:
    assert_readers_agree(write_lean(), counting)


def test_a_range_of_entries(write_lean: WriteLean) -> None:
    path = write_lean(share=0.5)
    columns = ["event.number", "electron.pt", "muon.pt", "event.generator_weight"]
    with LeanFile(str(path)) as lean, UprootFile(str(path)) as plain:
        for start, stop in ((0, 1), (39, 41), (100, 250), (299, 999), (250, 100)):
            assert_same(lean.read(columns, start, stop), plain.read(columns, start, stop))
            assert_same(
                joined(lean.survivors(cascade(), columns, start, stop)),
                joined(plain.survivors(cascade(), columns, start, stop)),
            )


def test_survivors_come_in_parts_of_bounded_size(
    write_lean: WriteLean, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_lean(share=0.5)
    monkeypatch.setattr("fourlep.io.lean.gather.PART_BYTES", 200_000)
    monkeypatch.setattr("fourlep.io.lean.reader.PART_BYTES", 200_000)
    monkeypatch.setattr("fourlep.io.lean.scan.WINDOW_BYTES", 2_000)
    with LeanFile(str(path)) as lean, UprootFile(str(path)) as plain:
        columns = sorted(plain.columns())
        parts = list(lean.survivors(cascade(), columns))
        assert len(parts) > 3
        assert_same(joined(parts), joined(plain.survivors(cascade(), columns)))


def test_the_windows_of_a_long_file_use_the_same_memory(
    write_lean: WriteLean, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing survives, so no part ever ends; the memory is that of one window."""
    path = write_lean(share=0.0)
    monkeypatch.setattr("fourlep.io.lean.scan.WINDOW_BYTES", 2_000)
    monkeypatch.setattr("fourlep.io.lean.scratch._BLOCK_BYTES", 1)
    lent: list[int] = []
    windows: list[int] = []
    take, give_back = Scratch.room, Scratch.give_back

    def room(scratch: Scratch, n_bytes: int) -> np.ndarray:
        lent.append(n_bytes)
        return take(scratch, n_bytes)

    def ended(scratch: Scratch) -> None:
        windows.append(len(lent))
        lent.clear()
        give_back(scratch)

    monkeypatch.setattr(Scratch, "room", room)
    monkeypatch.setattr(Scratch, "give_back", ended)
    with LeanFile(str(path)) as lean:
        assert list(lean.survivors(cascade(), ["event.number"])) == []
    assert len(windows) > 5
    assert max(windows) <= 2 * 3  # fetched and inflated, of at most three columns in turn


def test_the_real_sample_agrees_in_every_column(shared_data: Path) -> None:
    path = shared_data / "physlite" / "PHYSLITE_example.root"
    assert assert_readers_agree(path, Cascade((), (), ((0, 0),))) == 100
    two_electrons = Cascade((Cut("electron.is_loose", "is_true"),), (), ((2, 0),))
    assert assert_readers_agree(path, two_electrons) > 10


@pytest.mark.parametrize(("n_weights", "is_simulation"), [(0, False), (1, False), (3, True)])
@pytest.mark.parametrize("reader", ["lean", "uproot"])
def test_a_skim_without_event_type_is_simulation_where_it_has_several_weights(
    tmp_path: Path, n_weights: int, is_simulation: bool, reader: ReaderChoice
) -> None:
    content = columns(Content(20, 0.5, seed=7))
    content["EventInfoAuxDyn.mcEventWeights"] = Ragged(
        np.full(20, n_weights), np.ones(20 * n_weights, dtype="f4")
    )
    kept = content.keys() - {"EventInfoAuxDyn.eventTypeBitmask", "EventInfoAuxDyn.mcChannelNumber"}
    path = tmp_path / "skim.root"
    write_tree(path, {name: content[name] for name in kept}, layout=layout().only(frozenset(kept)))
    with open_events(str(path), reader=reader) as file:
        assert file.is_simulation == is_simulation


def test_opening_with_auto_takes_the_lean_reader(write_lean: WriteLean) -> None:
    with open_events(str(write_lean())) as file:
        assert (file.reader, file.fallback, file.format) == ("lean", "", "physlite")
        assert file.n_entries == 300
        assert file.is_simulation


def test_other_formats_are_left_to_uproot_with_the_reason(shared_data: Path) -> None:
    path = shared_data / "physlite" / "uproot-physlite-rntuple_v1-0-0-0.root"
    with open_events(str(path)) as file:
        assert file.reader == "uproot"
        assert file.fallback == "no CollectionTree in the file"
    with pytest.raises(UnknownFormatError, match="the lean reader does not know it"):
        open_events(str(path), reader="lean")


def test_a_missing_column_is_named(write_lean: WriteLean) -> None:
    with (
        LeanFile(str(write_lean())) as file,
        pytest.raises(MissingColumnError, match=r"electron\.is_tight"),
    ):
        list(file.survivors(cascade(), ["electron.is_tight"]))


def test_few_bytes_are_read_where_nothing_survives(write_lean: WriteLean) -> None:
    path = write_lean(n_events=4000, share=0.0, clusters=Clusters())
    with LeanFile(str(path)) as file:
        opened = file.read_bytes
        columns = sorted(file.columns())
        assert list(file.survivors(cascade(), columns)) == []
        assert file.read_bytes - opened < 0.02 * path.stat().st_size
