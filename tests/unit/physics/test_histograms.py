"""Histograms with exact sums."""

import pickle

import hist
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourlep.physics.histograms import NOMINAL, ExactHistogram, Fill
from fourlep.physics.specs import HistogramSpec, PlaneSpec, weighted_hist

M4L = HistogramSpec("m4l", 5, 100.0, 150.0, "$m_{4l}$", "GeV")
PT = HistogramSpec("lepton_pt", 3, 0.0, 30.0, "pT", "GeV")
AXES = (("4e", "4mu"), ("all", "signal"))


def _fill(
    values: list[float],
    weights: list[list[float]],
    *,
    channel: list[int] | None = None,
    signal: list[bool] | None = None,
    variations: tuple[str, ...] = (NOMINAL,),
) -> Fill:
    n = len(values)
    in_region = np.ones((n, 2), dtype=np.bool_)
    in_region[:, 1] = True if signal is None else signal
    return Fill(
        variations,
        np.array([0] * n if channel is None else channel, dtype=np.int64),
        in_region,
        M4L.bins({"m4l": np.array(values, dtype=float)}),
        np.array(weights, dtype=float).reshape(len(variations), n),
    )


def _histogram(*fills: Fill) -> ExactHistogram:
    return ExactHistogram.filled(M4L, *AXES, fills)


def test_counts_weights_and_squares_go_to_their_bins() -> None:
    histogram = _histogram(_fill([105.0, 106.0, 149.0], [[2.0, -0.5, 3.0]]))
    bins = histogram.to_arrays("4e", "all")
    assert bins.counts.tolist() == [0, 2, 0, 0, 0, 1, 0]
    assert bins.sum_w.tolist() == [0, 1.5, 0, 0, 0, 3.0, 0]
    assert bins.sum_w2.tolist() == [0, 4.25, 0, 0, 0, 9.0, 0]


def test_under_and_overflow_are_kept() -> None:
    bins = _histogram(_fill([99.9, 150.0, 1e9], [[1.0, 1.0, 1.0]])).to_arrays("4e", "all")
    assert bins.counts.tolist() == [1, 0, 0, 0, 0, 0, 2]


def test_a_value_at_an_edge_is_in_the_bin_above() -> None:
    assert M4L.find(np.array([100.0, 110.0, np.nextafter(110.0, 0.0)])).tolist() == [1, 2, 1]


def test_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="m4l is NaN"):
        M4L.find(np.array([1.0, np.nan]))


def test_channels_and_regions_are_filled_apart() -> None:
    histogram = _histogram(
        _fill([105.0, 105.0], [[1.0, 1.0]], channel=[0, 1], signal=[True, False])
    )
    assert histogram.to_arrays("4e", "signal").counts[1] == 1
    assert histogram.to_arrays("4mu", "signal").counts[1] == 0
    assert histogram.to_arrays("4mu", "all").counts[1] == 1


def test_all_channels_are_their_sum() -> None:
    histogram = _histogram(_fill([105.0, 105.0], [[1.0, 0.25]], channel=[0, 1]))
    assert histogram.to_arrays("4l", "all").sum_w[1] == 1.25


def test_variations_of_weights_are_filled_together() -> None:
    histogram = _histogram(_fill([105.0], [[1.0], [1.5]], variations=(NOMINAL, "up")))
    assert histogram.to_arrays("4e", "all", "up").sum_w[1] == 1.5
    assert histogram.to_arrays("4e", "all").sum_w[1] == 1.0


def test_a_variation_may_have_candidates_of_its_own() -> None:
    moved = _fill([115.0, 125.0], [[1.0, 1.0]], variations=("up",))
    histogram = _histogram(_fill([105.0], [[1.0]]), moved)
    assert histogram.to_arrays("4e", "all", "up").counts.tolist() == [0, 0, 1, 1, 0, 0, 0]


def test_several_values_a_candidate_share_its_weight() -> None:
    values = PT.bins({"lepton_pt": np.array([[25.0, 15.0, 15.0, 5.0]])})
    fill = Fill((NOMINAL,), np.array([1]), np.ones((1, 2), dtype=bool), values, np.array([[0.5]]))
    histogram = ExactHistogram.filled(PT, *AXES, [fill])
    assert histogram.to_arrays("4mu", "all").sum_w.tolist() == [0, 0.5, 1.0, 0.5, 0]


def test_a_plane_is_filled_in_two_observables() -> None:
    plane = PlaneSpec(M4L, PT)
    bins = plane.bins({"m4l": np.array([105.0]), "lepton_pt": np.array([25.0])})
    fill = Fill((NOMINAL,), np.array([0]), np.ones((1, 2), dtype=bool), bins, np.array([[2.0]]))
    filled = ExactHistogram.filled(plane, *AXES, [fill]).to_hist("4e", "all")
    assert [axis.name for axis in filled.axes] == ["m4l", "lepton_pt"]
    assert filled[105j, 25j].value == 2.0
    assert filled.sum(flow=True).value == 2.0


def test_a_plane_is_named_by_both_observables() -> None:
    assert PlaneSpec(M4L, PT).observable == "m4l_lepton_pt"


def test_nothing_filled_is_empty() -> None:
    assert _histogram() == ExactHistogram.empty(M4L, *AXES)


@pytest.mark.parametrize("name", ["2e2mu", "control", "down"])
def test_an_unknown_name_is_an_error_that_lists_the_known(name: str) -> None:
    arguments = {"2e2mu": (name, "all"), "control": ("4e", name), "down": ("4e", "all", name)}
    with pytest.raises(KeyError, match="is none of"):
        _histogram().to_arrays(*arguments[name])


def test_hist_gets_values_variances_and_flow() -> None:
    histogram = _histogram(_fill([95.0, 105.0, 200.0], [[1.0, 2.0, 3.0]])).to_hist("4e", "all")
    assert isinstance(histogram.storage_type(), hist.storage.Weight)
    assert histogram.values(flow=True).tolist() == [1.0, 2.0, 0, 0, 0, 0, 3.0]
    assert histogram.variances(flow=True).tolist() == [1.0, 4.0, 0, 0, 0, 0, 9.0]
    assert histogram.axes[0].label == "$m_{4l}$ [GeV]"


def test_a_number_without_unit_is_labelled_without_one() -> None:
    eta = HistogramSpec("eta", 1, 0.0, 1.0, "eta")
    assert weighted_hist(eta, np.zeros(3), np.zeros(3)).axes[0].label == "eta"


_VALUES = st.lists(
    st.tuples(st.floats(90.0, 160.0), st.floats(-1e6, 1e6), st.sampled_from((0, 1)), st.booleans()),
    max_size=25,
)


def _of(entries: list[tuple[float, float, int, bool]]) -> ExactHistogram:
    return _histogram(
        _fill(
            [value for value, _, _, _ in entries],
            [[weight for _, weight, _, _ in entries]],
            channel=[channel for _, _, channel, _ in entries],
            signal=[signal for _, _, _, signal in entries],
        )
    )


@given(_VALUES, st.integers(0, 25), st.randoms(use_true_random=False))
def test_order_and_partition_change_no_bit(entries: list, cut: int, random) -> None:
    whole = _of(entries)
    random.shuffle(entries)
    assert _of(entries[:cut]) + _of(entries[cut:]) == whole


@given(_VALUES)
def test_hist_itself_agrees(entries: list) -> None:
    reference = hist.Hist(hist.axis.Variable(M4L.edges), storage=hist.storage.Weight())
    reference.fill([e[0] for e in entries], weight=[e[1] for e in entries])
    filled = _of(entries).to_hist("4l", "all")
    np.testing.assert_allclose(
        filled.values(flow=True), reference.values(flow=True), rtol=1e-12, atol=1e-6
    )
    np.testing.assert_allclose(
        filled.variances(flow=True), reference.variances(flow=True), rtol=1e-12
    )


@given(_VALUES, _VALUES, _VALUES)
def test_adding_is_associative_and_commutative_whatever_the_variations(
    a: list, b: list, c: list
) -> None:
    def renamed(histogram: ExactHistogram, name: str) -> ExactHistogram:
        varied = ExactHistogram.empty(M4L, *AXES, (NOMINAL, name))
        return varied + histogram

    x, y, z = renamed(_of(a), "up"), _of(b), renamed(_of(c), "down")
    assert (x + y) + z == x + (y + z)
    assert x + y == y + x


def test_what_does_not_know_a_variation_adds_its_nominal_content() -> None:
    knows = _histogram(_fill([105.0], [[1.0], [1.5]], variations=(NOMINAL, "up")))
    total = knows + _histogram(_fill([105.0], [[10.0]]))
    assert total.to_arrays("4e", "all", "up").sum_w[1] == 11.5
    assert total.to_arrays("4e", "all").sum_w[1] == 11.0


def test_different_histograms_cannot_be_added() -> None:
    with pytest.raises(ValueError, match="different histograms of m4l"):
        _histogram() + ExactHistogram.empty(PT, *AXES)


@given(_VALUES)
def test_pickling_keeps_every_bit(entries: list) -> None:
    histogram = _of(entries)
    assert pickle.loads(pickle.dumps(histogram)) == histogram


def test_empty_cells_take_no_space() -> None:
    one = _histogram(_fill([105.0], [[1.0]] * 100, variations=tuple(f"v{i}" for i in range(100))))
    assert len(one.cells) == 200
