"""Events to sums."""

from dataclasses import dataclass, replace

import awkward as ak
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fourlep.chunk.analysis import Analysis
from fourlep.chunk.model import ChunkResult
from fourlep.chunk.sums import analyse, nothing, rejected
from fourlep.chunk.weights import event_weights
from fourlep.errors import CorruptFileError
from fourlep.events import Events
from fourlep.physics.registry import CONFIGS, selection
from hand_made import RANDOM_EVENT, Electron, Muon, changed, events_of, reference


@dataclass(frozen=True)
class ToyCalibration:
    """Raises pT by a tenth, or halves weights, on request."""

    columns: tuple[str, ...] = ("event.pileup",)
    kinematic_variations: tuple[str, ...] = ("PT__1up",)
    weight_variations: tuple[str, ...] = ("EFF__1up", "EFF__1down")
    largest_pt_change: float = 0.1

    def apply(self, events: Events, variations: tuple[str, ...]) -> Events:
        return _stacked([events if v == "nominal" else _harder(events) for v in variations])

    def weights(self, events: Events, variations: tuple[str, ...]) -> np.ndarray:
        # Each lepton that it is given counts: the candidate's four and no other.
        n_leptons = np.asarray(ak.num(events.electrons) + ak.num(events.muons))
        factor = {"nominal": 1.0, "EFF__1up": 1.5, "EFF__1down": 0.5}
        return np.array([factor[name] * n_leptons / 4.0 for name in variations])


def _harder(events: Events) -> Events:
    electrons = ak.with_field(events.electrons, events.electrons.pt * 1.1, "pt")
    return replace(events, electrons=electrons)


def _stacked(parts: list[Events]) -> Events:
    return replace(
        parts[0],
        entry=np.concatenate([part.entry for part in parts]),
        event={k: np.concatenate([part.event[k] for part in parts]) for k in parts[0].event},
        electrons=ak.concatenate([part.electrons for part in parts]),
        muons=ak.concatenate([part.muons for part in parts]),
    )


PLAIN = Analysis(selection("fourlepton"))
CALIBRATED = Analysis(selection("fourlepton"), corrections=ToyCalibration())


def _bins(result: ChunkResult, variation: str = "nominal", observable: str = "m4l"):
    return result.histograms["mc", observable].to_arrays("4l", "all", variation)


def _sum(result: ChunkResult, variation: str = "nominal") -> float:
    return float(_bins(result, variation).sum_w.sum())


# Weights.


def test_data_has_weight_one() -> None:
    events = events_of(reference(), is_simulation=False, generator_weight=[7.0])
    assert event_weights(events).tolist() == [1.0]


def test_simulation_has_its_signed_weight_times_the_files_scale_factor() -> None:
    events = events_of([], [], generator_weight=[2.0, -3.0], scale_factor=[0.5, 0.9])
    assert event_weights(events).tolist() == [1.0, pytest.approx(-2.7)]


def test_where_events_count_weights_do_not() -> None:
    events = events_of([], [], generator_weight=[2.0, -3.0])
    assert event_weights(events, counts_events=True).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_weight_that_is_no_number_is_an_error(bad: float) -> None:
    events = events_of([], [], generator_weight=[1.0, bad])
    with pytest.raises(CorruptFileError, match="weight of entry 1 is NaN or infinite"):
        event_weights(events)


@pytest.mark.parametrize("name", ["pt", "eta", "phi", "mass"])
@pytest.mark.parametrize("kind", [Electron, Muon])
def test_kinematics_that_are_no_number_are_an_error(name: str, kind: type) -> None:
    events = events_of(reference(kind), changed(reference(kind), 2, **{name: np.nan}))
    column = f"{kind.__name__.lower()}.{name}"
    with pytest.raises(CorruptFileError, match=f"{column} of entry 1 is NaN or infinite"):
        analyse(events, PLAIN, "mc")


# Sums.


def test_negative_weights_survive() -> None:
    events = events_of(reference(), reference(Muon), generator_weight=[1.0, -2.5])
    result = analyse(events, PLAIN, "mc").sums
    assert _sum(result) == -1.5
    assert _bins(result).sum_w2.sum() == 7.25
    assert result.cutflows["mc"].rows()[-1].weighted["4mu"] == -2.5


def test_the_last_row_of_the_cutflow_is_the_integral_of_the_histograms() -> None:
    events = events_of(reference(), reference(Muon), [], generator_weight=[0.1, 0.7, 9.0])
    result = analyse(events, PLAIN, "mc").sums
    last = result.cutflows["mc"].rows()[-1]
    assert last.weighted["total"] == _sum(result)
    assert last.counts["total"] == _bins(result).counts.sum() == 2


def test_lepton_histograms_have_four_entries_a_candidate() -> None:
    result = analyse(events_of(reference()), PLAIN, "mc").sums
    assert _bins(result, observable="lepton_pt").counts.sum() == 4


def test_the_plane_of_masses_has_one_entry_a_candidate() -> None:
    result = analyse(events_of(reference()), PLAIN, "mc").sums
    plane = result.histograms["mc", "m12_m34"].to_hist("4e", "all")
    assert plane[91.188j, 30j].value == 1.0


def test_the_number_of_selected_events_is_reported() -> None:
    analysed = analyse(events_of(reference(), []), PLAIN, "mc")
    assert analysed.n_selected == 1


def test_what_is_left_out_is_reported() -> None:
    analysed = analyse(events_of(reference(), without=("electron.d0_significance",)), PLAIN, "mc")
    assert list(analysed.left_out) == ["d0_significance"]


def test_data_lists_run_and_event_of_what_is_selected() -> None:
    events = events_of([], reference(), is_simulation=False, run=[5, 6], number=[7, 2**63])
    result = analyse(events, PLAIN, "data").sums
    assert result.selected["data"].tolist() == [[6, 2**63]]
    assert result.selected["data"].dtype == np.uint64


def test_simulation_lists_no_events() -> None:
    assert analyse(events_of(reference()), PLAIN, "mc").sums.selected == {}


def test_candidates_are_kept_on_request() -> None:
    keeping = Analysis(selection("fourlepton"), keep_candidates=True)
    events = events_of([], reference(Muon), generator_weight=[1.0, -2.0])
    table = analyse(events, keeping, "mc").sums.candidates["mc"]
    assert analyse(events, PLAIN, "mc").sums.candidates == {}
    assert table["channel"].tolist() == ["4mu"]
    assert table["entry"].tolist() == [1]
    assert table["weight"].tolist() == [-2.0]
    assert table["m4l"] == pytest.approx([121.188])
    assert table["in_signal"].tolist() == [True]
    assert table["in_sideband"].tolist() == [False]
    assert [table[f"lepton_pt_{k}"][0] for k in (1, 4)] == pytest.approx([45.594, 15.0])
    assert "cos_theta_star" in table


def test_nothing_has_every_variation_and_its_entries() -> None:
    result = nothing(CALIBRATED, "mc", n_all=12, is_simulation=True)
    assert result.histograms["mc", "m4l"].variations == (
        "nominal",
        "EFF__1down",
        "EFF__1up",
        "PT__1up",
    )
    assert result.cutflows["mc"].n_all == 12


def test_nothing_of_data_has_no_variations() -> None:
    result = nothing(CALIBRATED, "data", n_all=1, is_simulation=False)
    assert result.histograms["data", "m4l"].variations == ("nominal",)


# Variations.


def test_a_variation_of_weights_scales_what_is_selected() -> None:
    result = analyse(events_of(reference()), CALIBRATED, "mc").sums
    assert [_sum(result, name) for name in ("nominal", "EFF__1up", "EFF__1down")] == [1, 1.5, 0.5]


def test_a_variation_of_leptons_is_selected_again() -> None:
    # At 6.5 GeV the electron counts only when pT is raised by a tenth.
    event = changed(reference(), 3, pt=6.5)
    result = analyse(events_of(event), CALIBRATED, "mc").sums
    assert _sum(result) == 0.0
    assert _sum(result, "PT__1up") == 1.0


def test_the_reader_keeps_what_a_variation_may_need() -> None:
    events = events_of(changed(reference(), 3, pt=6.5))
    assert CALIBRATED.cascade.keeps(events).tolist() == [True]
    assert PLAIN.cascade.keeps(events).tolist() == [False]


def test_only_the_candidates_leptons_are_weighed() -> None:
    # Two leptons more, which are selected but not of the quadruplet.
    event = [*reference(Muon), Electron(30.0, 1.0), Muon(8.0, 2.0)]
    assert _sum(analyse(events_of(event), CALIBRATED, "mc").sums) == 1.0


def test_data_is_not_corrected() -> None:
    events = events_of(reference(), is_simulation=False)
    histogram = analyse(events, CALIBRATED, "mc").sums.histograms["mc", "m4l"]
    assert histogram.variations == ("nominal",)


def test_the_demonstrators_own_variations_are_filled() -> None:
    analysis = Analysis(selection("demonstrator2020"))
    result = analyse(events_of(reference(), generator_weight=[-2.0]), analysis, "mc").sums
    assert _sum(result, "scaleFactorUP") == pytest.approx(-2.2)
    # 121.188 GeV is in the bin of 120-125; a hundredth more is 122.4, less is 119.98.
    assert np.flatnonzero(_bins(result, "m4lUP").counts).tolist() == [9]
    assert np.flatnonzero(_bins(result, "m4lDOWN").counts).tolist() == [8]


def test_columns_of_corrections_are_read_where_they_are() -> None:
    assert "event.pileup" in CALIBRATED.optional
    assert "event.pileup" not in PLAIN.optional


def test_the_generator_weight_is_required_where_it_counts() -> None:
    assert "event.generator_weight" in PLAIN.columns(needs_weights=True)
    assert "event.generator_weight" not in PLAIN.columns(needs_weights=False)


# Properties.

EVENTS = st.lists(
    st.tuples(RANDOM_EVENT, st.floats(-1e3, 1e3, allow_subnormal=False)), min_size=1, max_size=8
)
by_name = pytest.mark.parametrize("name", CONFIGS)


def _analysed(name: str, weighted: list, analysis: Analysis | None = None) -> ChunkResult:
    events, weights = zip(*weighted, strict=True) if weighted else ((), ())
    made = events_of(*events, generator_weight=np.array(weights, dtype=float))
    chosen = analysis or Analysis(selection(name), corrections=ToyCalibration())
    return analyse(made, chosen, "mc").sums


@by_name
@given(events=EVENTS, cut=st.integers(0, 8), random=st.randoms(use_true_random=False))
@settings(max_examples=15)
def test_partition_and_order_change_no_bit(name: str, events: list, cut: int, random) -> None:
    whole = _analysed(name, events)
    random.shuffle(events)
    parts = _analysed(name, events[:cut]) + _analysed(name, events[cut:])
    assert parts.histograms == whole.histograms
    assert parts.cutflows == whole.cutflows


@by_name
@given(events=EVENTS)
@settings(max_examples=15)
def test_what_the_cascade_rejects_changes_nothing(name: str, events: list) -> None:
    analysis = Analysis(selection(name), corrections=ToyCalibration())
    made = events_of(*(event for event, _ in events))
    kept = [pair for pair, keep in zip(events, analysis.cascade.keeps(made), strict=True) if keep]
    assert _analysed(name, kept).histograms == _analysed(name, events).histograms
    assert _analysed(name, kept).cutflows == _analysed(name, events).cutflows


@given(events=EVENTS, power=st.integers(-20, 20))
@settings(max_examples=15)
def test_yields_scale_with_weights(events: list, power: int) -> None:
    # By a power of two, so that scaling is exact, as luminosity scales every weight alike.
    factor = 2.0**power
    scaled = [(event, weight * factor) for event, weight in events]
    there, here = _analysed("fourlepton", events), _analysed("fourlepton", scaled)
    assert np.array_equal(_bins(here).sum_w, _bins(there).sum_w * factor)
    assert np.array_equal(_bins(here).counts, _bins(there).counts)


# Events that were read in part.


def test_rejected_events_are_in_the_cutflow_as_if_they_were_read_whole() -> None:
    light = [*reference(Muon)[:2], *reference(Muon)[2:3], changed(reference(Muon), 3, charge=1)[3]]
    whole = events_of(light, generator_weight=[-2.5])
    part = events_of(light, generator_weight=[-2.5], without=("muon.d0", "event.is_triggered"))
    assert rejected(part, PLAIN, "mc").cutflows == analyse(whole, PLAIN, "mc").sums.cutflows
    assert analyse(whole, PLAIN, "mc").n_selected == 0


@pytest.mark.parametrize("analysis", [PLAIN, CALIBRATED], ids=["plain", "calibrated"])
def test_an_event_that_was_rejected_and_should_not_have_been_is_a_fault(analysis) -> None:
    with pytest.raises(RuntimeError, match="entry 0 of mc was rejected by its pairs although"):
        rejected(events_of(reference(Muon)), analysis, "mc")


def test_rejected_events_with_impossible_numbers_are_refused() -> None:
    with pytest.raises(CorruptFileError, match=r"muon\.phi of entry 0"):
        rejected(events_of(changed(reference(Muon), 0, phi=np.nan)), PLAIN, "mc")


def test_a_selection_that_stages_nothing_rejects_nothing() -> None:
    with pytest.raises(RuntimeError, match="scipy2024 rejects nothing"):
        rejected(events_of(reference(Electron)), Analysis(selection("scipy2024")), "mc")
